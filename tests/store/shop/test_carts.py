"""Bags: one line per design, prices from the newest version, closed to others and after ordering."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import auth, checkout, db, people
from store.auth import WebSession
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import carts, catalog, designs, orders, stock
from store.shop.carts import CartLine
from tests.store import selling


def test_the_same_piece_asked_for_twice_is_one_line(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {})
    same = designs.save(house, visitor, "watch", {"case": "steel", "strap": "calf"}, {})
    carts.add(house, visitor, cart, same, 2)
    selling.fill(house, visitor, "watch", {"case": "gold"})
    view = carts.view(house, cart, visitor)
    assert [(line.line.quantity, line.unit_price, line.amount) for line in view.lines] == [
        (3, 980000, 2940000),
        (1, 2400000, 2400000),
    ]
    assert (view.count, view.totals.total, view.problems) == (4, 5340000, ())
    assert house.get_one(WebSession, "ses_guest").state == {"cart": cart.id, "bag_count": 4}


def test_a_quantity_stays_within_bounds(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap", quantity=60)
    selling.fill(house, visitor, "strap", quantity=60)
    (line,) = carts.view(house, cart, visitor).lines
    assert line.line.quantity == 99
    for wrong in (-1, 100):
        with pytest.raises(ShopError) as refusal:
            carts.change_quantity(house, visitor, cart, line.line.id, wrong)
        assert refusal.value.status == 422
    carts.change_quantity(house, visitor, cart, line.line.id, 2)
    assert carts.view(house, cart, visitor).totals.total == 58000
    carts.change_quantity(house, visitor, cart, line.line.id, 0)
    assert carts.view(house, cart, visitor).lines == ()


def test_an_edited_design_takes_the_place_of_its_line(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {}, quantity=2)
    (old,) = carts.view(house, cart, visitor).lines
    gold = designs.save(house, visitor, "watch", {"case": "gold"}, {})
    carts.replace(house, visitor, cart, old.line.id, gold)
    (line,) = carts.view(house, cart, visitor).lines
    assert (line.design.id, line.line.quantity, line.amount) == (gold.id, 2, 4800000)
    assert house.get(CartLine, old.line.id) is None


def test_a_line_costs_what_the_newest_version_says_and_tells_so(house: Session, tmp_path: Path) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {})
    selling.open_house(house, tmp_path / "products", selling.PRODUCTS.replace("price: 980000", "price: 990000"))
    catalog.refresh(house)
    (line,) = carts.view(house, cart, visitor).lines
    assert (line.unit_price, line.moved, line.problem) == (990000, 10000, None)


def test_what_can_no_longer_be_made_stands_in_the_way(house: Session, tmp_path: Path) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {"case": "gold"})
    without = selling.PRODUCTS.replace("id: gold, label: Gold", "id: gold, retired: true, label: Gold")
    selling.open_house(house, tmp_path / "products", without)
    catalog.refresh(house)
    view = carts.view(house, cart, visitor)
    assert not view.can_be_ordered
    assert view.problems[0].startswith("Watch has changed since you designed it.")


def test_what_is_short_stands_in_the_way(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "print-one", quantity=6)
    assert carts.view(house, cart, visitor).problems == ("Only 5 of Edition one are left.",)
    stock.reserve(house, "print-one", 5)
    assert carts.view(house, cart, visitor).problems == ("Edition one is sold out.",)


def test_others_get_the_design_without_its_words(house: Session) -> None:
    visitor, other = selling.guest(), selling.guest("ses_other")
    design = designs.save(house, visitor, "watch", {}, {"engraving": "Hidden"})
    cart = carts.create(house, other)
    carts.add(house, other, cart, design)
    (line,) = carts.view(house, cart, other).lines
    assert (line.texts, line.unit_price, line.design.parent_code) == ({}, 980000, design.code)
    own = selling.fill(house, visitor, "watch", {}, texts={"engraving": "Hidden"})
    assert carts.view(house, own, visitor).totals.total == 980000 + 3 * 1500
    assert carts.view(house, own, other).totals.total == 980000


def test_an_accounts_bag_answers_its_customer_only(house: Session) -> None:
    customer = people.new_customer(house, "camille@example.com")
    cart = carts.create(house, Visitor(session_id="ses_a", customer_id=customer.id))
    assert carts.readable(house, cart.id, Visitor(session_id="ses_b", customer_id=customer.id)).id == cart.id
    with pytest.raises(ShopError) as refusal:
        carts.readable(house, cart.id, selling.guest())
    assert refusal.value.status == 403
    with pytest.raises(ShopError) as refusal:
        carts.readable(house, "car_unknown", selling.guest())
    assert refusal.value.status == 404


def test_an_ordered_bag_changes_no_more_and_the_next_piece_begins_another(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    (line,) = carts.view(house, cart, visitor).lines
    checkout.place(house, visitor, cart, selling.form(), "key")
    design = house.get_one(designs.Design, line.design.id)
    for change in (
        lambda: carts.add(house, visitor, cart, design),
        lambda: carts.change_quantity(house, visitor, cart, line.line.id, 3),
        lambda: carts.remove(house, visitor, cart, line.line.id),
    ):
        with pytest.raises(ShopError) as refusal:
            change()
        assert refusal.value.status == 409
    assert carts.open_cart(house, visitor).id != cart.id


def test_signing_in_joins_the_bags_by_design(house: Session) -> None:
    customer = people.new_customer(house, "camille@example.com")
    elsewhere = Visitor(session_id="ses_phone", customer_id=customer.id)
    selling.fill(house, elsewhere, "strap", quantity=2)
    selling.fill(house, elsewhere, "watch", {"case": "gold"})
    guest = selling.fill(house, selling.guest(), "strap")
    arrived = Visitor(session_id="ses_guest", customer_id=customer.id)
    assert carts.adopt(house, arrived) == 2
    view = carts.view(house, guest, arrived)
    assert sorted((line.line.slug, line.line.quantity) for line in view.lines) == [("strap", 3), ("watch", 1)]
    assert house.get_one(WebSession, "ses_guest").state["bag_count"] == 4


def test_every_change_is_recorded(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    (line,) = carts.view(house, cart, visitor).lines
    carts.change_quantity(house, visitor, cart, line.line.id, 2)
    carts.remove(house, visitor, cart, line.line.id)
    kinds = house.exec(select(Event.kind).where(Event.subject == cart.id).order_by(Event.id)).all()
    assert kinds == ["cart-line-added", "cart-line-changed", "cart-line-removed"]


@pytest.mark.usefixtures("open_house")
def test_one_browser_that_adds_and_orders_at_once_never_waits_for_itself() -> None:
    visitor = selling.guest()
    with db.transaction() as session:
        cart_id = selling.fill(session, visitor, "strap").id
        design = carts.view(session, carts.readable(session, cart_id, visitor), visitor).lines[0].design.id

    def act(number: int) -> str:
        try:
            with db.transaction() as session:
                cart = carts.readable(session, cart_id, visitor)
                if number % 3 == 2:
                    return checkout.place(session, visitor, cart, selling.form(), "key").order.number
                if number % 3 == 1:
                    auth.ensure_session(session, "ses_guest")
                carts.add(session, visitor, cart, session.get_one(designs.Design, design))
                return "added"
        except ShopError as refusal:
            return str(refusal.status)

    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(act, range(18)))
    assert len({answer for answer in answers if answer not in ("added", "409")}) == 1
    with db.transaction() as session:
        (placed,) = orders.lines_of(session, session.exec(select(orders.Order)).all()).values()
        assert placed[0].quantity == 1 + answers.count("added")
