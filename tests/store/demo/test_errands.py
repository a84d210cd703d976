"""The demo house's days: what was ordered by a plan is paid before it leaves the house."""

import pytest

from store import checkout, db
from store.demo.errands import live_the_day
from store.demo.till import demo_till
from store.shop import payment_pages, settling
from store.shop.orders import Order
from tests.conftest import Clock
from tests.store import selling


@pytest.mark.usefixtures("open_house")
def test_an_order_by_a_plan_is_paid_before_it_leaves(clock: Clock) -> None:
    till = demo_till()
    with db.together() as session:
        cart = selling.fill(session, selling.guest(), "watch")
        order = checkout.place(session, selling.guest(), cart, selling.form(plan="deposit"), "key-1").order
        order.synthetic = True
        payment_pages.open_checkout(till, order.id)
        settling.settle_order(till, order.id)
        session.refresh(order)
        assert (order.state, order.received) == ("paid", 294000)
        order_id = order.id
    clock.forward(days=90)
    with db.together() as session:
        live_the_day(session, till)
    with db.transaction(read_only=True) as session:
        order = session.get_one(Order, order_id)
        assert (order.state, order.received, order.is_settled) == ("delivered", 980000, True)
