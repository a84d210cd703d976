"""An offer meets a bag of another currency or for another country: what it takes off, what it leaves, what is said."""

from dataclasses import replace
from typing import Any

import pytest

from store import checkout
from store.crm import drafts, offers, profit, sending
from store.crm.offers import Offer
from store.shop import carts, designs, orders, snapshots
from store.shop.delivery import PlaceForm
from tests.store.crm.cast import STRAP, House, wish


def sent(house: House, **changes: Any) -> Offer:
    assert house.iris.customer_id
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish(**changes))
    return sending.send(house.session, house.owner, offer.id, "site")


def bag(house: House, currency: str) -> carts.Cart:
    """The strap, 940.00 at home, in a bag of Iris's."""
    visitor = replace(house.iris, currency=currency)
    cart = carts.create(house.session, visitor)
    carts.add(house.session, visitor, cart, designs.save(house.session, visitor, STRAP, {}, {}))
    return cart


def to_zurich(seen_total: int, currency: str) -> PlaceForm:
    address = ("iris@example.com", "Iris Vallier", "Limmatquai 1", "Zürich", "8001", "CH")
    return PlaceForm(*address, seen_total=seen_total, currency=currency)


def test_a_percentage_is_taken_in_the_currency_of_the_bag_where_it_goes(house: House) -> None:
    offer = sent(house)
    cart = bag(house, "CHF")
    bill = checkout.quote(house.session, house.iris, cart, "CH")
    # 940.00 € are 920 francs on the list and 766.67 without VAT; 15 % of that are 115.00.
    assert (bill.totals.subtotal, bill.totals.discount, bill.totals.shipping) == (76_667, 11_500, 6_000)
    order = checkout.place(house.session, house.iris, cart, to_zurich(71_167, "CHF"), "key").order
    assert (order.currency, order.total, order.tax) == ("CHF", 71_167, 0)
    assert offers.by_id(house.session, offer.id).redeemed_order_id == order.id
    assert snapshots.replay(house.session, order) == []
    orders.mark_paid(house.session, order, None)
    assert house.iris.customer_id
    row = profit.row_profit(house.session, house.iris.customer_id)
    # 651.67 francs are 693.27 € in the books, and 115.00 francs 122.34 €.
    assert (row.revenue_net, row.discounts, row.list_net) == (69_327, 12_234, 81_561)
    assert row == profit.shop_total(house.session)


def test_an_amount_counts_in_its_own_currency_only(house: House) -> None:
    offer = sent(house, kind="amount", amount=10_000, basis_points=0)
    elsewhere = checkout.quote(house.session, house.iris, bag(house, "CHF"))
    assert elsewhere.totals.discount == 0
    assert elsewhere.notes == (f"{offer.label}: for a bag in EUR.",)
    cart = bag(house, "CHF")
    order = checkout.place(house.session, house.iris, cart, to_zurich(10**6, "CHF"), "key").order
    assert order.discount == 0
    assert offers.by_id(house.session, offer.id).state == "sent"
    assert checkout.quote(house.session, house.iris, bag(house, "EUR")).totals.discount == 10_000


@pytest.mark.parametrize(
    ("currency", "country", "discount"),
    [("EUR", "FR", 0), ("EUR", "CH", 0), ("CHF", "FR", 31_280), ("CHF", "CH", 26_067)],
)
def test_the_floor_is_that_of_what_she_pays_there(house: House, currency: str, country: str, discount: int) -> None:
    # 34 % off leaves 517.00 € net for a strap that costs 365.00: 29.4 % with a floor of 30 %. On the list of francs it
    # leaves 506.00 for what costs 343.10 there: 32.2 %.
    offer = sent(house, margin_floor_basis_points=3_000)
    offer.basis_points = 3_400
    house.session.add(offer)
    house.session.flush()
    bill = checkout.quote(house.session, house.iris, bag(house, currency), country)
    assert bill.totals.discount == discount
    assert bool(bill.notes) == (discount == 0)


def test_a_privilege_is_reckoned_over_for_the_margin(house: House) -> None:
    sent(house, kind="privilege", privilege="A visit", benefit_cost=4_000, basis_points=0)
    bill = checkout.quote(house.session, house.iris, bag(house, "JPY"))
    assert bill.discounts[0].amount == 0  # granted: 4,000 cents are 7,200 yen, well within the margin
    assert bill.notes == ()
