"""The currencies of house.yaml: a price list for each, and the rate at which the books reckon it; all in integers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from babel.numbers import get_currency_precision, is_currency

from store import money
from store.errors import SettingsError

WHERE = "house.yaml: currencies"
# The payment provider counts these in other units than everyone else does, so that a price would be charged wrongly.
COUNTED_OTHERWISE = frozenset({"ISK", "UGX"})


@dataclass(frozen=True)
class PriceList:
    """How prices in one currency come from those of the product files.

    Args:
        factor: an amount of the product files times this is the list's, in minor units of either currency.
        step: minor units to which each amount of a price is rounded.
        home_units: so many minor units of the house's currency …
        here_units: … are so many of this one, for the books.
        overrides: by product: amounts that the list names itself (see `configurator.priced_paths`).
    """

    currency: str
    factor: tuple[int, int] = (1, 1)
    step: int = 1
    home_units: int = 1
    here_units: int = 1
    overrides: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    is_home: bool = False

    def converted(self, amount: int) -> int:
        """An amount of the house's currency in this one, by the rate of the books, to the minor unit."""
        return money.scale(amount, (self.here_units, self.home_units))

    def at_home(self, amount: int) -> int:
        """An amount of this currency in the house's, by the rate of the books."""
        return money.scale(amount, (self.home_units, self.here_units))

    def price(self, amount: int) -> int:
        """A price of the house that belongs to no product (a delivery), in this list: by its factor and step."""
        if self.is_home:
            return amount
        return money.divide(amount * self.factor[0], self.factor[1] * self.step) * self.step


def read_currencies(raw: Any, home: str) -> dict[str, PriceList]:
    """The part `currencies` of house.yaml, checked, behind the house's own currency.

    Raises:
        SettingsError: naming what is wrong and how it must be.
    """
    lists = {home: PriceList(_known(home), is_home=True)}
    if raw is not None and not isinstance(raw, dict):
        raise SettingsError(f"{WHERE} must name each currency with its rate, such as CHF: {{rate: [94, 100]}}.")
    for currency, given in (raw or {}).items():
        where = f"{WHERE}.{currency}"
        if currency == home:
            raise SettingsError(f"{where}: the house's own currency needs no price list.")
        if not isinstance(given, dict) or "rate" not in given:
            raise SettingsError(f"{where} must name its rate, such as rate: [94, 100], so many for so many {home}.")
        unknown = set(given) - {"rate", "prices", "step", "overrides"}
        if unknown:
            raise SettingsError(f"{where} knows no `{sorted(unknown)[0]}`.")
        here, there = _ratio(f"{where}.rate", given["rate"])
        rate = _in_minor_units((here, there), _known(currency), home)
        prices = _in_minor_units(_ratio(f"{where}.prices", given.get("prices", given["rate"])), currency, home)
        step = given.get("step", 1)
        if not isinstance(step, int) or isinstance(step, bool) or step < 1:
            raise SettingsError(f"{where}.step must be minor units to round to, 1 or more, not {step!r}.")
        overrides = _overrides(f"{where}.overrides", given.get("overrides") or {})
        lists[currency] = PriceList(currency, prices, step, rate[1], rate[0], overrides)
    return lists


def _known(currency: Any) -> str:
    if not isinstance(currency, str) or not is_currency(currency) or currency in COUNTED_OTHERWISE:
        raise SettingsError(f"{WHERE}: {currency!r} is no currency that this shop can charge.")
    if get_currency_precision(currency) > 2:
        raise SettingsError(f"{WHERE}: {currency} has thousandths, which this shop cannot charge.")
    return currency


def _ratio(where: str, raw: Any) -> tuple[int, int]:
    if (
        not isinstance(raw, list)
        or len(raw) != 2
        or not all(isinstance(part, int) and not isinstance(part, bool) and 0 < part < 10**6 for part in raw)
    ):
        raise SettingsError(f"{where} must be two whole numbers below a million, such as [94, 100], not {raw!r}.")
    return raw[0], raw[1]


def _in_minor_units(ratio: tuple[int, int], currency: str, home: str) -> tuple[int, int]:
    """A ratio of whole units, as the owner writes it, as one of minor units in lowest terms."""
    here, there = ratio[0] * 10 ** get_currency_precision(currency), ratio[1] * 10 ** get_currency_precision(home)
    shared = math.gcd(here, there)
    return here // shared, there // shared


def _overrides(where: str, raw: Any) -> dict[str, dict[str, int]]:
    if not isinstance(raw, dict):
        raise SettingsError(f"{where} must name products with their prices, such as meridien: {{base: 950000}}.")
    for slug, prices in raw.items():
        if not isinstance(prices, dict) or not prices:
            raise SettingsError(f"{where}.{slug} must name prices in minor units, such as {{base: 950000}}.")
        for path, amount in prices.items():
            if not isinstance(amount, int) or isinstance(amount, bool):
                raise SettingsError(f"{where}.{slug}.{path} must be minor units, not {amount!r}.")
    return {str(slug): {str(path): amount for path, amount in prices.items()} for slug, prices in raw.items()}
