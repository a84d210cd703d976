"""Orders recompute from their snapshot for ever, and one altered byte is noticed."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from store.shop import catalog, orders, snapshots
from store.shop.catalog import PublishedModel
from store.shop.orders import Order, OrderLine
from tests.store import selling


@pytest.fixture
def order(house: Session) -> Order:
    """An engraved gold watch."""
    return selling.order(house, selling.guest(), "watch", {"case": "gold"}, texts={"engraving": "C. 14.02.26"})


def test_an_order_replays_after_prices_tripled_and_an_option_went(house: Session, order: Order, tmp_path: Path) -> None:
    changed = selling.PRODUCTS.replace("price: 980000", "price: 2940000").replace("add: 1500", "add: 4500")
    changed = changed.replace("      - {id: gold, label: Gold, price: 1420000, cost: 860000, lead_days: 14}\n", "")
    selling.open_house(house, tmp_path / "products", changed)
    catalog.refresh(house)
    assert catalog.published(house, "watch").from_price == 2940000
    assert snapshots.replay(house, order) == []


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (OrderLine, {"texts": {"engraving": "C. 14.02.27"}}),
        (OrderLine, {"choices": {"case": "steel"}}),
        (OrderLine, {"unit_cost": 1270001}),
        (OrderLine, {"unit_price": 2412001}),
        (OrderLine, {"name": "watch"}),
        (OrderLine, {"sentence": "Gold, calf."}),
        (OrderLine, {"design_code": "AAAAAAAA"}),
        (OrderLine, {"tax": 402001}),
        (Order, {"total": 2412001}),
        (Order, {"country": "DE"}),
        (Order, {"email": "other@example.com"}),
        (Order, {"address": {"name": "Somebody Else"}}),
    ],
)
def test_one_altered_byte_is_noticed(
    house: Session, order: Order, table: type[Order] | type[OrderLine], values: dict[str, Any]
) -> None:
    house.execute(update(table).values(**values))
    house.expire_all()
    assert snapshots.replay(house, house.get_one(Order, order.id)) != []


def test_a_label_altered_inside_the_description_is_noticed(house: Session, order: Order) -> None:
    (line,) = orders.lines_of(house, [order])[order.id]
    line.described = [{**row, "value": row["value"].replace("Gold", "gold")} for row in line.described]
    house.flush()
    assert "line 0 (Watch): described differs" in snapshots.replay(house, order)


def test_an_altered_model_version_is_noticed(house: Session, order: Order) -> None:
    (line,) = orders.lines_of(house, [order])[order.id]
    row = house.get_one(PublishedModel, line.model_version)
    house.execute(
        update(PublishedModel)
        .where(col(PublishedModel.version) == row.version)
        .values(document=row.document.replace("1420000", "1420001"))
    )
    catalog.forget()
    differences = snapshots.replay(house, order)
    assert differences == [f"line 0 (Watch): the published version {line.model_version} has been altered"]


def test_an_erased_address_does_not_break_the_books(house: Session, order: Order) -> None:
    order.email, order.name, order.address, order.contact_seal = "", "", {}, None
    house.flush()
    assert snapshots.replay(house, order) == []
