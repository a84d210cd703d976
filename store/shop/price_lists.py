"""Products at the prices of a currency: which list counts, what a product costs on it, and on one of long ago."""

from collections.abc import Mapping
from typing import Any

from configurator import Repricing
from store.currencies import PriceList
from store.errors import invalid
from store.events import Visitor
from store.settings import house
from store.shop.catalog import Published


def of(currency: str | None) -> PriceList:
    """The price list of a currency; the house's own where none is named.

    Raises:
        ShopError: 422, the house has no prices in it.
    """
    found = house().currencies.get(currency or house().currency)
    if found is None:
        known = ", ".join(house().currencies)
        raise invalid(f"There are no prices in {str(currency)[:10]}; there are prices in {known}.", field="currency")
    return found


def still(currency: str | None) -> PriceList:
    """The same where the choice was made earlier: the house's own when there are no prices in it any more."""
    return house().currencies.get(currency or "") or of(None)


def priced(item: Published, prices: PriceList) -> Published:
    """A product at the prices of a list."""
    if prices.is_home:
        return item
    fixed = tuple(sorted(prices.overrides.get(item.slug, {}).items()))
    return item.at_prices(Repricing(prices.currency, *prices.factor, prices.step, fixed))


def shown(item: Published, visitor: Visitor) -> Published:
    """A product at the prices that this visitor chose to see."""
    return priced(item, still(visitor.currency))


def kept(item: Published) -> dict[str, Any]:
    """How a product's prices came from its file, as an order line keeps it; nothing when they are those of the file."""
    by = item.model.repricing
    if by is None:
        return {}
    factor = [by.numerator, by.denominator]
    return {"list": {"currency": by.currency, "factor": factor, "step": by.step, "fixed": dict(by.fixed)}}


def as_kept(item: Published, pricing: Mapping[str, Any]) -> Published:
    """A product at the prices that an order line keeps, whatever the list says by now."""
    row = pricing.get("list")
    if row is None:
        return item
    numerator, denominator = row["factor"]
    fixed = tuple(sorted(row["fixed"].items()))
    return item.at_prices(Repricing(row["currency"], numerator, denominator, row["step"], fixed))
