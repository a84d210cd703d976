"""What a bag adds up to: pure arithmetic on values, one rounding, sums that are exact."""

from collections.abc import Sequence
from dataclasses import dataclass

from store import money
from store.currencies import PriceList
from store.settings import House
from store.shop import taxes
from store.shop.taxes import Charge, TaxRow, Terms


@dataclass(frozen=True)
class Discount:
    """What an offer takes off: minor units, never negative; `line_id` when it is for one line only."""

    label: str
    amount: int
    offer_id: str
    line_id: str | None = None


@dataclass(frozen=True)
class Priced:
    """A line of a bag before offers: what it costs where it goes, and how it is taxed there."""

    id: str
    amount: int
    charge: Charge


@dataclass(frozen=True)
class Totals:
    """Sums in minor units: total = subtotal − discount + shipping; `tax` is contained in the total.

    Attributes:
        line_discounts: the discount of each line, in the order of the lines given.
        line_taxes: the tax contained in each line after its discount.
        shipping_tax: the tax contained in the delivery, `delivery` how it is taxed.
        taxes: net and tax by rate; they add up to the total.
    """

    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int
    discounts: tuple[Discount, ...] = ()
    line_discounts: tuple[int, ...] = ()
    line_taxes: tuple[int, ...] = ()
    shipping_tax: int = 0
    delivery: Charge | None = None
    taxes: tuple[TaxRow, ...] = ()


def compute(
    lines: Sequence[Priced], discounts: Sequence[Discount], terms: Terms, prices: PriceList | None = None
) -> Totals:
    """Add up a bag.

    Args:
        lines: what each costs where it goes, the tax due there included.
        discounts: what offers take off; together never more than a line (or the bag) is worth.
        terms: how an order to there is taxed.
        prices: the price list of the bag; that of the house when none is given.
    """
    at = prices or terms.house.currencies[terms.house.currency]
    subtotal = sum(line.amount for line in lines)
    taken, line_discounts = _take_off([(line.id, line.amount) for line in lines], discounts)
    discount = sum(line_discounts)
    delivery = terms.delivery(line.charge for line in lines)
    listed = shipping_price(subtotal - discount, terms.place.country, terms.house, at) if lines else 0
    shipping = money.scale(listed, delivery.factor)
    charges = [*(line.charge for line in lines), delivery]
    amounts = [*(line.amount - off for line, off in zip(lines, line_discounts, strict=True)), shipping]
    shares = taxes.share(charges, amounts)
    return Totals(
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=sum(shares),
        total=subtotal - discount + shipping,
        discounts=tuple(taken),
        line_discounts=tuple(line_discounts),
        line_taxes=tuple(shares[:-1]),
        shipping_tax=shares[-1],
        delivery=delivery,
        taxes=taxes.rows(charges, amounts, shares),
    )


def shipping_price(value: int, country: str, house: House, prices: PriceList | None = None) -> int:
    """Delivery of an order of that value (after discounts) to that country; 0 where no zone names it.

    Value and delivery are in the currency of the price list, the house's own when none is given.
    """
    at = prices or house.currencies[house.currency]
    for zone in house.zones:
        if country in zone.countries:
            free = zone.free_from is not None and value >= at.price(zone.free_from)
            return 0 if free else at.price(zone.price)
    return 0


def _take_off(lines: Sequence[tuple[str, int]], discounts: Sequence[Discount]) -> tuple[list[Discount], list[int]]:
    """The discounts cut to what is there, and what each line bears of them."""
    left = [amount for _, amount in lines]
    taken: list[Discount] = []
    for discount in discounts:
        places = [index for index, (line_id, _) in enumerate(lines) if discount.line_id in (None, line_id)]
        worth = sum(left[index] for index in places)
        amount = max(0, min(discount.amount, worth))
        if amount:
            parts = money.split(amount, [left[index] for index in places])
            for index, part in zip(places, parts, strict=True):
                left[index] -= part
        taken.append(Discount(discount.label, amount, discount.offer_id, discount.line_id))
    return taken, [amount - rest for (_, amount), rest in zip(lines, left, strict=True)]
