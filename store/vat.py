"""The tax facts of house.yaml: rates by country and category, what happens to prices abroad, territories apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from store.errors import SettingsError

Prices = Literal["keep_gross", "keep_net"]
Treatment = Literal["domestic", "destination", "reverse-charge", "export"]
TREATMENTS: tuple[Treatment, ...] = ("domestic", "destination", "reverse-charge", "export")
WITHOUT_VAT: tuple[Treatment, ...] = ("reverse-charge", "export")
STANDARD = "standard"  # the category of what names no other, and of the delivery
Rates = Mapping[str, int]  # category → basis points
WHERE = "house.yaml: vat"


@dataclass(frozen=True)
class Territory:
    """Postal codes of a country that are taxed otherwise: by rates of their own, or not at all (None).

    Args:
        prefixes: how its postal codes begin.
        vat_prefix: how VAT IDs of its businesses begin, where they have any.
    """

    name: str
    country: str
    prefixes: tuple[str, ...]
    rates: Rates | None
    vat_prefix: str | None


@dataclass(frozen=True)
class Place:
    """Where something goes, as the tax sees it: its rates (None outside the VAT area) and its VAT IDs' prefix."""

    country: str
    territory: str
    rates: Rates | None
    vat_prefix: str | None


@dataclass(frozen=True)
class VatRules:
    """The rates and rules of the house; a country without rates is outside the VAT area.

    Args:
        prices: whether a customer elsewhere in the VAT area pays the list price whatever tax is in it (`keep_gross`),
            or the house earns the same net price everywhere (`keep_net`).
        rates: by country, then category, in basis points; each country has the categories of the house's own.
        categories: category of pieces → tax category; those not named are standard.
        at_home: categories of pieces taxed at home wherever their buyer lives (journeys, services on the spot).
        notes: what the law wants said where there is no VAT, by treatment.
    """

    home: str
    prices: Prices
    rates: Mapping[str, Rates]
    categories: Mapping[str, str]
    at_home: frozenset[str]
    territories: tuple[Territory, ...]
    notes: Mapping[str, str]

    @property
    def home_rates(self) -> Rates:
        """The rates of the house's own country."""
        return self.rates[self.home]

    def place(self, country: str, postal_code: str = "") -> Place:
        """How a place is taxed; its postal code tells the territories apart."""
        code = "".join(postal_code.upper().split())
        for one in self.territories:
            if one.country == country and code.startswith(one.prefixes):
                return Place(country, one.name, one.rates, one.vat_prefix)
        rates = self.rates.get(country)
        # Greece is the one country whose VAT IDs do not begin with its own code.
        return Place(country, "", rates, None if rates is None else {"GR": "EL"}.get(country, country))

    def category_of(self, pieces: str, own: str | None) -> str:
        """The tax category of a piece: its own, else that of its category of pieces."""
        return own or self.categories.get(pieces, STANDARD)


def read_vat(raw: Any, home: str, countries: Mapping[str, str], pieces: Mapping[str, str]) -> VatRules:
    """The part `vat` of house.yaml, checked.

    Args:
        countries: those the house delivers to.
        pieces: the categories of pieces that the house names.

    Raises:
        SettingsError: naming what is wrong and how it must be.
    """
    if not isinstance(raw, dict):
        raise SettingsError(f"{WHERE} must name `prices` and `rates`.")
    unknown = set(raw) - {"prices", "rates", "categories", "at_home", "territories", "notes"}
    if unknown:
        raise SettingsError(f"{WHERE} knows no `{sorted(unknown)[0]}`.")
    if raw.get("prices") not in ("keep_gross", "keep_net"):
        raise SettingsError(f"{WHERE}.prices must be keep_gross or keep_net, not {raw.get('prices')!r}.")
    given = raw.get("rates")
    if not isinstance(given, dict) or home not in given:
        raise SettingsError(f"{WHERE}.rates must name the rates of the house's own country, {home}.")
    rates = {str(country): _rates(f"{WHERE}.rates.{country}", of, None) for country, of in given.items()}
    known = set(rates[home])
    for country, of in rates.items():
        _same_categories(f"{WHERE}.rates.{country}", of, known)
    categories = {str(name): str(category) for name, category in (raw.get("categories") or {}).items()}
    for name, category in categories.items():
        if category not in known:
            raise SettingsError(f"{WHERE}.categories.{name}: {category!r} is none of {', '.join(sorted(known))}.")
    at_home = frozenset(map(str, raw.get("at_home") or ()))
    for name in sorted(at_home | set(categories)):
        if name not in pieces:
            raise SettingsError(f"{WHERE}: the house has no category {name!r}.")
    territories = tuple(_territory(one, countries, known) for one in raw.get("territories") or ())
    notes = {str(name): str(text) for name, text in (raw.get("notes") or {}).items()}
    for treatment in WITHOUT_VAT:
        if not notes.get(treatment):
            raise SettingsError(f"{WHERE}.notes must say what an invoice says for {treatment}.")
    return VatRules(home, raw["prices"], rates, categories, at_home, territories, notes)


def _rates(where: str, raw: Any, known: set[str] | None) -> Rates:
    if not isinstance(raw, dict) or STANDARD not in raw:
        raise SettingsError(f"{where} must be rates in basis points, such as {{standard: 2000, reduced: 550}}.")
    for category, rate in raw.items():
        if not isinstance(rate, int) or isinstance(rate, bool) or not 0 <= rate < 10_000:
            raise SettingsError(f"{where}.{category} must be basis points from 0 to 9999, not {rate!r}.")
    rates = {str(category): rate for category, rate in raw.items()}
    if known is not None:
        _same_categories(where, rates, known)
    return rates


def _same_categories(where: str, rates: Rates, known: set[str]) -> None:
    if set(rates) != known:
        raise SettingsError(f"{where} must name the categories of the house's own country: {', '.join(sorted(known))}.")


def _territory(raw: Any, countries: Mapping[str, str], known: set[str]) -> Territory:
    if not isinstance(raw, dict) or not {"name", "country", "postal_codes"} <= raw.keys():
        raise SettingsError(f"{WHERE}.territories: each needs name, country and postal_codes.")
    where = f"{WHERE}.territories, {raw['name']}"
    unknown = set(raw) - {"name", "country", "postal_codes", "rates", "vat_prefix"}
    if unknown:
        raise SettingsError(f"{where} knows no `{sorted(unknown)[0]}`.")
    if raw["country"] not in countries:
        raise SettingsError(f"{where}: the house does not deliver to {raw['country']!r}.")
    prefixes = raw["postal_codes"]
    if not isinstance(prefixes, list) or not prefixes or not all(isinstance(one, str) and one for one in prefixes):
        raise SettingsError(f'{where}: postal_codes must be a list of beginnings in quotes, such as ["35", "38"].')
    rates = _rates(f"{where}, rates", raw["rates"], known) if raw.get("rates") is not None else None
    clean = tuple("".join(one.upper().split()) for one in prefixes)
    return Territory(str(raw["name"]), raw["country"], clean, rates, raw.get("vat_prefix") if rates else None)
