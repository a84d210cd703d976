"""Sums of a bag: exact, rounded once, never below nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import money
from store.settings import House, ShippingZone, house
from store.shop import taxes
from store.shop.taxes import Destination
from store.shop.totals import Discount, Priced, Totals, compute, shipping_price


def reckoned(lines: list[tuple[str, int]], discounts: list[Discount], country: str) -> Totals:
    """Pieces of the standard rate, at these prices."""
    terms = taxes.terms(Destination(country))
    return compute([Priced(line_id, amount, terms.charge()) for line_id, amount in lines], discounts, terms)


def test_a_bag_for_home_contains_its_tax_and_costs_no_delivery() -> None:
    sums = reckoned([("a", 980000), ("b", 29000)], [], "FR")
    assert (sums.subtotal, sums.discount, sums.shipping, sums.tax, sums.total) == (1009000, 0, 0, 168167, 1009000)


def test_delivery_is_waived_by_the_value_after_discounts() -> None:
    off = Discount("Off", 1000, "off_1")
    assert reckoned([("a", 100000)], [], "DE").shipping == 0
    assert reckoned([("a", 100000)], [off], "DE").shipping == 2500
    assert shipping_price(1, "ZZ", house()) == 0


def test_a_discount_never_takes_more_than_its_line_is_worth() -> None:
    sums = reckoned([("a", 500), ("b", 700)], [Discount("Gift", 9999, "off_1", "b")], "FR")
    assert (sums.discount, sums.line_discounts, sums.total) == (700, (0, 700), 500)
    assert sums.discounts[0].amount == 700


def test_discounts_on_the_whole_bag_are_shared_by_value() -> None:
    sums = reckoned([("a", 300), ("b", 100)], [Discount("Off", 100, "off_1")], "FR")
    assert sums.line_discounts == (75, 25)


def test_an_empty_bag_costs_nothing() -> None:
    sums = reckoned([], [Discount("Off", 100, "off_1")], "US")
    assert (sums.subtotal, sums.discount, sums.shipping, sums.tax, sums.total) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(("country", "rate"), [("FR", 2000), ("DE", 1900), ("US", 0)])
@given(
    amounts=st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
    offs=st.lists(st.tuples(st.integers(0, 10**9), st.none() | st.integers(0, 7)), max_size=4),
)
def test_every_sum_is_exact(country: str, rate: int, amounts: list[int], offs: list[tuple[int, int | None]]) -> None:
    lines = [(f"l{index}", amount) for index, amount in enumerate(amounts)]
    discounts = [Discount("x", off, f"o{at}", None if at is None else f"l{at}") for off, at in offs]
    sums = reckoned(lines, discounts, country)
    assert sums.total == sums.subtotal - sums.discount + sums.shipping
    assert sums.discount == sum(sums.line_discounts) == sum(item.amount for item in sums.discounts)
    assert all(0 <= off <= amount for off, amount in zip(sums.line_discounts, amounts, strict=True))
    assert sums.tax == sum(sums.line_taxes) + sums.shipping_tax == money.contained_tax(sums.total, rate)


def test_a_zone_may_waive_nothing() -> None:
    zone = ShippingZone(frozenset({"US"}), 6000, None)
    plain = House(**{**vars(house()), "zones": (zone,)})
    assert shipping_price(10**9, "US", plain) == 6000
