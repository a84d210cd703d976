"""To whom and where an order goes: what a checkout asks for, checked kindly."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidChecksum, ValidationError

from store import people
from store.errors import ShopError
from store.settings import house
from store.shop import taxes
from store.shop.taxes import Destination

LENGTHS = {
    **{"email": 254, "name": 120, "line1": 200, "line2": 200, "city": 100, "postal_code": 20, "country": 2},
    **{"company": 120, "vat_id": 24},
}
MISSING = {
    "email": "Please tell us your e-mail address, so that we can send the confirmation.",
    "name": "Please tell us the name on the parcel.",
    "line1": "Please give street and number.",
    "city": "Please give the city.",
    "postal_code": "Please give the postal code.",
    "country": "Please choose a country.",
}


UNWRITABLE = "There is a character in this that we cannot write on a parcel."
HIGHEST_TOTAL = 10**15  # minor units


@dataclass(frozen=True)
class PlaceForm:
    """What a customer gives to place an order; `seen_total` is the total they agreed to."""

    email: str
    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str = ""
    seen_total: int = 0
    plan: str = ""  # the payment plan chosen; none for the usual way
    company: str = ""  # who buys, when it is not for the person
    vat_id: str = ""  # its number, checked
    currency: str = ""  # in which the total was seen; that of the bag when it is not said

    @property
    def destination(self) -> Destination:
        """Where it goes, as the tax sees it."""
        return Destination(self.country, self.postal_code, self.vat_id)

    @property
    def address(self) -> dict[str, str]:
        """The address as the order keeps it."""
        fields = ("name", "line1", "line2", "city", "postal_code", "country")
        return {name: getattr(self, name) for name in fields if getattr(self, name)}


def check_form(data: Mapping[str, Any]) -> tuple[PlaceForm | None, dict[str, str]]:
    """Input of a checkout, cleaned; or what is wrong with it, by field, in kind words."""
    clean = {name: " ".join(str(data.get(name) or "").split()) for name in LENGTHS}
    wrong = {name: text for name, text in MISSING.items() if not clean[name]}
    wrong |= {name: "This is too long." for name, most in LENGTHS.items() if len(clean[name]) > most}
    wrong |= {name: UNWRITABLE for name, text in clean.items() if any(map(_unwritable, text))}
    if "email" not in wrong:
        try:
            clean["email"] = people.normalise_email(clean["email"])
        except ShopError as error:
            wrong["email"] = error.detail
    clean["country"] = clean["country"].upper()
    if "country" not in wrong and clean["country"] not in dict(house().countries):
        wrong["country"] = "We do not deliver there yet. Please choose a country from the list."
    if clean["vat_id"] and "vat_id" not in wrong:
        if not clean["company"]:
            wrong["company"] = "Please name the company that the VAT ID belongs to."
        clean["vat_id"], problem = checked_vat_id(clean["vat_id"])
        if not problem and "country" not in wrong:
            problem = _other_place(Destination(clean["country"], clean["postal_code"], clean["vat_id"]))
        wrong |= {"vat_id": problem} if problem else {}
    try:
        seen = int(data.get("seen_total") or 0)
    except (TypeError, ValueError):
        seen = 0
    seen = seen if 0 <= seen <= HIGHEST_TOTAL else 0
    plan = str(data.get("plan") or "")[:40]
    currency = str(data.get("currency") or "")[:3].upper()
    return (None if wrong else PlaceForm(**clean, seen_total=seen, plan=plan, currency=currency)), wrong


def checked_vat_id(text: str) -> tuple[str, str]:
    """A VAT ID without blanks and points, and what is wrong with its form or checksum, if anything."""
    try:
        return eu_vat.validate(text), ""
    except InvalidChecksum:
        return text, "This VAT ID has a wrong digit; please compare it with your papers."
    except ValidationError:
        return text, "A VAT ID begins with its country, such as DE136695976. It may be left empty."


def destination_of(data: Mapping[str, Any]) -> Destination:
    """Where an order would go, as far as it was typed; for showing only, so what is not right yet does not count."""
    country = str(data.get("country") or "").upper()
    vat_id, problem = checked_vat_id(str(data.get("vat_id") or "")[: LENGTHS["vat_id"]])
    to = Destination(
        country if country in dict(house().countries) else house().country,
        str(data.get("postal_code") or "")[: LENGTHS["postal_code"]],
        "" if problem else vat_id,
    )
    return Destination(to.country, to.postal_code) if _other_place(to) else to


def _other_place(to: Destination) -> str:
    """Why a VAT ID does not go with where it goes; empty when it does."""
    try:
        taxes.terms(to)
    except ShopError as error:
        return error.detail
    return ""


def _unwritable(character: str) -> bool:
    """Control characters, half characters, and those that turn the direction of what follows."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Co")
        or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
