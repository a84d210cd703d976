"""Placing an order: exactly once, priced anew, with its stock and offers, or refused with nothing written."""

from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import checkout, db
from store.errors import ShopError
from store.shop import carts, orders, snapshots
from store.shop.orders import Order
from tests.store import selling


@pytest.fixture
def house(session: Session, tmp_path: Path) -> Session:
    """A session on the small house, with the shop's reactions."""
    selling.use_reactions()
    selling.open_house(session, tmp_path)
    return session


@pytest.mark.usefixtures("clock")
def test_an_order_is_a_snapshot_that_adds_up(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "watch", {"case": "gold"}, texts={"engraving": "C. 14.02.26"})
    placed = checkout.place(house, visitor, cart, selling.form(country="DE"), "key-1")
    order = placed.order
    (line,) = orders.lines_of(house, [order])[order.id]
    assert (line.unit_price, line.unit_cost) == (980000 + 1420000 + 8 * 1500, 410000 + 860000)
    assert (order.subtotal, order.shipping, order.total, order.tax) == (2412000, 0, 2412000, 402000)
    assert sum(row["amount"] for row in line.price_lines) == line.unit_price
    assert line.texts == {"engraving": "C. 14.02.26"}
    assert line.final_sale
    assert order.state == "placed"
    assert snapshots.replay(house, order) == []
