"""Placing an order: exactly once, priced anew, with its stock and offers, or refused with nothing written."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from store import checkout, db, mail, people
from store.crm import offers
from store.crm.offers import Offer
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import carts, catalog, orders, snapshots, stock
from store.shop.delivery import check_form
from store.shop.orders import Order, OrderLine
from store.tasks import Task
from tests.store import selling


def nothing_ordered(session: Session) -> bool:
    return (
        not any(session.exec(select(table)).first() for table in (Order, OrderLine, mail.Message, Task))
        and not session.exec(select(Event).where(Event.kind == "order-placed")).all()
    )


@pytest.mark.usefixtures("clock")
def test_an_order_is_a_snapshot_that_adds_up(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {"case": "gold"}, texts={"engraving": "C. 14.02.26"})
    order = checkout.place(house, visitor, cart, selling.form(), "key-1").order
    (line,) = orders.lines_of(house, [order])[order.id]
    assert (line.unit_price, line.unit_cost) == (980000 + 1420000 + 8 * 1500, 410000 + 860000)
    assert (order.subtotal, order.shipping, order.total, order.tax) == (2412000, 0, 2412000, 402000)
    assert sum(row["amount"] for row in line.price_lines) == line.unit_price
    assert [row["value"] for row in line.described] == ["Gold", "Calf", "“C. 14.02.26”"]
    assert (line.texts, line.final_sale, line.net) == ({"engraving": "C. 14.02.26"}, True, 2010000)
    assert (order.state, order.email, order.address["city"]) == ("placed", "camille@example.com", "Nantes")
    assert set(order.number) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    assert snapshots.replay(house, order) == []


def test_placing_writes_mail_and_release_in_the_same_transaction(house: Session) -> None:
    order = selling.order(house, selling.guest(), "strap")
    (message,) = house.exec(select(mail.Message)).all()
    assert (message.kind, message.to_address) == ("order-placed", "camille@example.com")
    assert f"http://testserver/orders/{order.number}/payment?key=" in message.text
    assert "Total: €290 (VAT contained: €48.33)" in message.text
    (task,) = house.exec(select(Task).where(Task.kind == "release-order")).all()
    assert (task.payload, task.run_at - order.placed_at) == ({"order": order.id}, timedelta(minutes=30))


def test_the_same_key_answers_the_same_order(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    first = checkout.place(house, visitor, cart, selling.form(), "key")
    again = checkout.place(house, visitor, cart, selling.form(), "key")
    other_key = checkout.place(house, visitor, cart, selling.form(), "other")
    assert first.order.id == again.order.id == other_key.order.id
    assert (first.by_this_key, again.by_this_key, other_key.by_this_key) == (True, True, False)
    assert len(house.exec(select(mail.Message)).all()) == 1


@pytest.mark.parametrize("changed", [{"email": "b@example.com"}, {"city": "Paris"}, {"seen_total": 1}])
def test_the_same_key_with_another_request_is_refused(house: Session, changed: dict[str, Any]) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    checkout.place(house, visitor, cart, selling.form(), "key")
    with pytest.raises(ShopError) as refusal:
        checkout.place(house, visitor, cart, selling.form(**changed), "key")
    assert refusal.value.status == 422
    other = selling.fill(house, visitor, "watch")
    with pytest.raises(ShopError) as refusal:
        checkout.place(house, visitor, other, selling.form(), "key")
    assert refusal.value.status == 422
    assert len(house.exec(select(Order)).all()) == 1


def test_a_risen_price_stops_and_shows_the_new_reckoning(house: Session, tmp_path: Path) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch")
    dearer = selling.PRODUCTS.replace("price: 980000", "price: 990000")
    selling.open_house(house, tmp_path / "products", dearer)
    with pytest.raises(ShopError) as refusal, house.begin_nested():
        checkout.place(house, visitor, cart, selling.form(980000), "key")
    assert (refusal.value.status, refusal.value.title) == (409, "Price has changed")
    assert refusal.value.extra["totals"]["total"] == 990000
    assert refusal.value.extra["lines"][0]["trace"][0] == {"label": "Watch", "amount": 990000}
    assert nothing_ordered(house)
    assert checkout.place(house, visitor, cart, selling.form(990000), "key").order.total == 990000


def test_a_fallen_price_passes_on(house: Session, tmp_path: Path) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch")
    selling.open_house(house, tmp_path / "products", selling.PRODUCTS.replace("price: 980000", "price: 970000"))
    assert checkout.place(house, visitor, cart, selling.form(980000), "key").order.total == 970000


def test_what_is_sold_out_is_refused_and_nothing_is_written(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "print-one", quantity=2)
    selling.fill(house, visitor, "strap")
    stock.reserve(house, "print-one", 4)
    with pytest.raises(ShopError) as refusal, house.begin_nested():
        checkout.place(house, visitor, cart, selling.form(), "key")
    assert (refusal.value.status, refusal.value.title) == (409, "Sold out")
    assert nothing_ordered(house)
    assert stock.available(house, ["strap", "print-one"]) == {"strap": 24, "print-one": 1}
    line = next(line for line in carts.view(house, cart, visitor).lines if line.line.slug == "print-one")
    carts.change_quantity(house, visitor, cart, line.line.id, 1)
    assert checkout.place(house, visitor, cart, selling.form(), "key").order.subtotal == 179000


def test_an_empty_bag_is_refused(house: Session) -> None:
    visitor = selling.guest()
    with pytest.raises(ShopError) as refusal:
        checkout.place(house, visitor, carts.open_cart(house, visitor), selling.form(), "key")
    assert refusal.value.status == 422


def test_a_guest_is_one_customer_however_often_they_order(house: Session) -> None:
    first = selling.order(house, selling.guest(), "strap")
    second = selling.order(house, selling.guest(), "watch")
    elsewhere = selling.order(house, selling.guest("ses_other"), "strap")
    assert first.customer_id == second.customer_id != elsewhere.customer_id


def test_a_guest_never_lands_in_somebody_elses_account(house: Session) -> None:
    owner = people.new_customer(house, "camille@example.com")
    people.verify_email(house, owner, "camille@example.com")
    order = selling.order(house, selling.guest(), "strap")
    assert order.customer_id != owner.id


def test_an_order_of_nothing_to_pay_is_paid_at_once(house: Session, tmp_path: Path) -> None:
    selling.open_house(house, tmp_path / "products", selling.PRODUCTS.replace("price: 29000", "price: 0"))
    order = selling.order(house, selling.guest(), "strap")
    assert (order.total, order.state) == (0, "paid")
    assert [message.kind for message in house.exec(select(mail.Message)).all()] == ["order-paid"]


# -- offers ----------------------------------------------------------------------------------------------------------


def _offer(session: Session, customer_id: str, **changed: Any) -> Offer:
    values: dict[str, Any] = {
        "id": db.new_id("off"),
        "customer_id": customer_id,
        "state": "sent",
        "kind": "amount",
        "amount": 5000,
        "currency": "EUR",
        "slug": "strap",
        "piece_name": "Calf strap",
        "message": "For you",
        "reason": "You own a watch",
        "margin_floor_basis_points": -100_000_000,
        "expires_at": db.now() + timedelta(days=7),
        "created_at": db.now(),
    }
    offer = Offer(**{**values, **changed})
    session.add(offer)
    session.flush()
    return offer


def test_an_offer_is_taken_off_and_used_once(house: Session) -> None:
    customer = people.new_customer(house, "camille@example.com", "Camille")
    visitor = Visitor(session_id="ses_c", customer_id=customer.id)
    offer = _offer(house, customer.id)
    order = checkout.place(house, visitor, selling.fill(house, visitor, "strap"), selling.form(), "key").order
    (taken,) = orders.discounts_of(house, order)
    (line,) = orders.lines_of(house, [order])[order.id]
    assert (order.subtotal, order.discount, order.total, order.tax) == (29000, 5000, 24000, 4000)
    assert (taken.offer_id, taken.amount, taken.order_line_id, line.discount) == (offer.id, 5000, line.id, 5000)
    house.refresh(offer)
    assert (offer.state, offer.redeemed_order_id) == ("redeemed", order.id)
    second = checkout.place(house, visitor, selling.fill(house, visitor, "strap"), selling.form(), "key-2").order
    assert second.total == 29000
    assert snapshots.replay(house, order) == []


def test_a_released_order_gives_its_offer_back_and_a_late_payment_takes_it_again(house: Session) -> None:
    customer = people.new_customer(house, "camille@example.com", "Camille")
    visitor = Visitor(session_id="ses_c", customer_id=customer.id)
    offer = _offer(house, customer.id)
    order = checkout.place(house, visitor, selling.fill(house, visitor, "strap"), selling.form(), "key").order
    orders.release(house, order)
    house.refresh(offer)
    assert offer.state == "accepted"
    assert checkout.revive(house, order)
    house.refresh(offer)
    assert (offer.state, offer.redeemed_order_id, order.state) == ("redeemed", order.id, "placed")
    orders.release(house, order)
    selling.fill(house, visitor, "strap")
    checkout.place(house, visitor, carts.open_cart(house, visitor), selling.form(), "key-2")
    assert not checkout.revive(house, order)
    assert order.state == "released"
    assert stock.available(house, ["strap"]) == {"strap": 23}


def test_nobody_elses_offer_is_used(house: Session) -> None:
    owner = people.new_customer(house, "camille@example.com")
    other = people.new_customer(house, "other@example.com")
    offer = _offer(house, owner.id)
    visitor = Visitor(session_id="ses_o", customer_id=other.id)
    order = checkout.place(house, visitor, selling.fill(house, visitor, "strap"), selling.form(), "key").order
    assert order.total == 29000
    with pytest.raises(ShopError):
        offers.redeem(house, offer.id, order.id)


# -- many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_house")
@pytest.mark.parametrize("one_key", [True, False])
def test_five_submissions_at_once_are_one_order(one_key: bool) -> None:
    visitor = selling.guest()
    with db.transaction() as session:
        cart_id = selling.fill(session, visitor, "print-one").id

    def submit(number: int) -> str:
        with db.transaction() as session:
            cart = carts.readable(session, cart_id, visitor)
            key = "key" if one_key else f"key-{number}"
            return checkout.place(session, visitor, cart, selling.form(), key).order.number

    with ThreadPoolExecutor(5) as pool:
        numbers = list(pool.map(submit, range(5)))
    assert len(set(numbers)) == 1
    with db.transaction() as session:
        assert len(session.exec(select(Order)).all()) == 1
        assert stock.available(session, ["print-one"]) == {"print-one": 4}


@pytest.mark.usefixtures("open_house")
def test_forty_buyers_of_five_pieces_get_five_with_numbers_of_their_own() -> None:
    def buy(number: int) -> tuple[int, ...] | str:
        visitor = selling.guest(f"ses_{number}")
        with db.transaction() as session:
            cart_id = selling.fill(session, visitor, "print-one").id
        try:
            with db.transaction() as session:
                cart = carts.readable(session, cart_id, visitor)
                order = checkout.place(session, visitor, cart, selling.form(), f"key-{number}").order
                (line,) = orders.lines_of(session, [order])[order.id]
                return tuple(stock.numbers_of(session, [line.id])[line.id])
        except ShopError as refusal:
            return f"{refusal.status} {refusal.title}"

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(buy, range(40)))
    assert sorted(answer for answer in answers if isinstance(answer, tuple)) == [(1,), (2,), (3,), (4,), (5,)]
    assert answers.count("409 Sold out") == 35
    with db.transaction() as session:
        assert len(session.exec(select(Order)).all()) == 5


@pytest.mark.usefixtures("open_house")
def test_one_key_for_two_bags_at_once_orders_one_of_them() -> None:
    def submit(number: int) -> str:
        visitor = selling.guest(f"ses_{number}")
        with db.transaction() as session:
            cart_id = selling.fill(session, visitor, "strap").id
        try:
            with db.transaction() as session:
                cart = carts.readable(session, cart_id, visitor)
                return checkout.place(session, visitor, cart, selling.form(), "shared").order.number
        except ShopError as refusal:
            return str(refusal.status)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(submit, range(4)))
    assert answers.count("422") == 3
    with db.transaction() as session:
        assert len(session.exec(select(Order)).all()) == 1
        assert stock.available(session, ["strap"]) == {"strap": 23}


# -- the form --------------------------------------------------------------------------------------------------------


def test_a_form_says_what_is_wrong_beside_each_field() -> None:
    right, wrong = check_form({"email": "nobody", "country": "XX", "name": "x" * 121, "seen_total": "abc"})
    assert right is None
    assert set(wrong) == {"email", "country", "name", "line1", "city", "postal_code"}
    assert wrong["email"] == "That does not look like an e-mail address."
    assert wrong["country"] == "We do not deliver there yet. Please choose a country from the list."


def test_a_right_form_is_cleaned() -> None:
    fields = {"email": " Camille@Example.com ", "name": " Camille  Arnaud", "line1": "3 rue", "city": "Nantes"}
    right, wrong = check_form({**fields, "postal_code": "44000", "country": "fr", "seen_total": "29000"})
    assert wrong == {}
    assert right is not None
    assert (right.email, right.name, right.country, right.seen_total) == (
        "camille@example.com",
        "Camille Arnaud",
        "FR",
        29000,
    )
    assert "line2" not in right.address


@pytest.mark.usefixtures("house")
def test_the_catalogue_is_looked_at_again_when_ordering(house: Session, tmp_path: Path) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    assert catalog.published(house, "strap").from_price == 29000
    selling.open_house(house, tmp_path / "products", selling.PRODUCTS.replace("price: 29000", "price: 31000"))
    assert checkout.place(house, visitor, cart, selling.form(), "key").order.total == 31000
