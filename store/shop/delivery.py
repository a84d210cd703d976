"""To whom and where an order goes: what a checkout asks for, checked kindly."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store import people
from store.errors import ShopError
from store.settings import house

LENGTHS = {"email": 254, "name": 120, "line1": 200, "line2": 200, "city": 100, "postal_code": 20, "country": 2}
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
    try:
        seen = int(data.get("seen_total") or 0)
    except (TypeError, ValueError):
        seen = 0
    seen = seen if 0 <= seen <= HIGHEST_TOTAL else 0
    plan = str(data.get("plan") or "")[:40]
    return (None if wrong else PlaceForm(**clean, seen_total=seen, plan=plan)), wrong


def _unwritable(character: str) -> bool:
    """Control characters, half characters, and those that turn the direction of what follows."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Co")
        or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
