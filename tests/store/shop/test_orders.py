"""Orders: states only go forward, what is given up comes back, and only the right people see them."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from store import people, privacy
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import milestones, orders, stock
from tests.conftest import Clock
from tests.store import selling

STAFF = Visitor(staff_id="stf_1", role="workshop")


def test_a_paid_order_has_taken_its_pieces(house: Session) -> None:
    order = selling.order(house, selling.guest(), "strap", quantity=2)
    assert stock.available(house, ["strap"]) == {"strap": 22}
    assert orders.mark_paid(house, order, None)
    assert not orders.mark_paid(house, order, None)
    row = house.get_one(stock.Stock, "strap", populate_existing=True)
    assert (order.state, row.on_hand, row.reserved) == ("paid", 22, 0)


def test_a_released_order_gives_back_what_it_held(house: Session) -> None:
    order = selling.order(house, selling.guest(), "print-one", quantity=2)
    (line,) = orders.lines_of(house, [order])[order.id]
    assert stock.numbers_of(house, [line.id]) == {line.id: [1, 2]}
    assert orders.release(house, order)
    assert not orders.release(house, order)
    assert stock.available(house, ["print-one"]) == {"print-one": 5}
    assert stock.numbers_of(house, [line.id]) == {}
    assert not orders.mark_paid(house, order, None)
    assert order.state == "released"


def test_a_released_order_is_taken_up_again_only_if_all_is_free(house: Session) -> None:
    first = selling.order(house, selling.guest(), "print-one", quantity=3)
    orders.release(house, first)
    second = selling.order(house, selling.guest("ses_other"), "print-one", quantity=3)
    assert not orders.revive(house, first)
    assert (first.state, stock.available(house, ["print-one"])) == ("released", {"print-one": 2})
    orders.release(house, second)
    assert orders.revive(house, first)
    assert (first.state, stock.available(house, ["print-one"])) == ("placed", {"print-one": 2})


def test_a_counted_part_is_shared_by_all_designs_that_need_it(house: Session) -> None:
    stock.begin(house, stock.part_key("calf-hide"), 2, numbered=False)
    selling.order(house, selling.guest(), "watch", {"case": "gold"})
    selling.order(house, selling.guest(), "watch", {})
    selling.order(house, selling.guest(), "watch", {"strap": "rubber"})
    with pytest.raises(ShopError) as refusal:
        selling.order(house, selling.guest(), "watch", {"case": "gold"})
    assert (refusal.value.status, refusal.value.title) == (409, "Sold out")


def test_stages_go_forward_only(house: Session) -> None:
    order = selling.order(house, selling.guest(), "watch")
    with pytest.raises(ShopError):
        orders.advance(house, STAFF, order, "in-production")
    orders.mark_paid(house, order, None)
    orders.advance(house, STAFF, order, "in-production", "begun by Anne")
    orders.advance(house, STAFF, order, "shipped")
    for stage in ("ready", "shipped", "paid", "nonsense"):
        with pytest.raises(ShopError):
            orders.advance(house, STAFF, order, stage)
    assert order.state == "shipped"
    stages = house.exec(select(Event.facts).where(Event.kind == "order-stage").order_by(Event.id)).all()
    assert [facts["stage"] for facts in stages] == ["in-production", "shipped"]


def test_only_an_unpaid_order_can_be_cancelled(house: Session) -> None:
    visitor = selling.guest()
    order = selling.order(house, visitor, "strap")
    orders.cancel(house, visitor, order, "changed my mind")
    assert (order.state, stock.available(house, ["strap"])) == ("cancelled", {"strap": 24})
    with pytest.raises(ShopError) as refusal:
        orders.cancel(house, visitor, order, "again")
    assert refusal.value.status == 409


def test_who_sees_an_order(house: Session) -> None:
    order = selling.order(house, selling.guest(), "strap")
    assert orders.may_see(order, selling.guest())
    assert orders.may_see(order, Visitor(session_id="ses_any", customer_id=order.customer_id))
    assert orders.may_see(order, STAFF)
    assert not orders.may_see(order, selling.guest("ses_other"))
    assert not orders.may_see(order, Visitor(session_id="ses_other", customer_id="cus_other"))
    assert not orders.may_see(order, Visitor())


def test_the_pieces_of_a_joined_guest_belong_to_the_customer(house: Session) -> None:
    order = selling.order(house, selling.guest(), "strap")
    customer = people.new_customer(house, "camille@example.com")
    privacy.move(house, [order.customer_id], customer.id)
    house.expire_all()
    assert [found.id for found in orders.of_customer(house, customer.id)] == [order.id]
    assert orders.owned_items(house, customer.id) == []
    orders.mark_paid(house, order, None)
    assert [line.slug for line in orders.owned_items(house, customer.id)] == ["strap"]


def test_the_timeline_tells_what_is_done_and_what_was_promised(house: Session, clock: Clock) -> None:
    order = selling.order(house, selling.guest(), "watch")
    assert (order.promised_from, order.promised_by) == (date(2026, 4, 27), date(2026, 5, 11))
    clock.forward(minutes=10)
    orders.mark_paid(house, order, None)
    lines = orders.lines_of(house, [order])[order.id]
    shown = milestones.stages(house, order, lines)
    assert [(stage.title, stage.at, stage.state) for stage in shown[:3]] == [
        ("Placed", "2 Mar 2026, 09:00", "done"),
        ("Paid", "2 Mar 2026, 09:10", "now"),
        ("In the workshop", "", ""),
    ]
    assert shown[3].text == "Promised from 27 April 2026 to 11 May 2026."
    assert timedelta(minutes=30) == orders.UNPAID_FOR
