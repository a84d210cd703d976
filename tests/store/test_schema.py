"""Migrations: they make the tables of the code, on both databases, and refuse what they did not make."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Column, Connection, Engine, MetaData, text
from sqlmodel import Session

from store import db, schema
from store.errors import SettingsError
from store.shop import snapshots
from store.shop.orders import Order, OrderLine

MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_the_migrated_database_equals_the_tables_in_the_code(engine: Engine) -> None:
    assert schema.drift(engine) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.drift(engine) == []


def test_a_half_migrated_database_is_named_in_one_sentence(tmp_path: Path) -> None:
    engine = db.make_engine(f"sqlite:///{tmp_path / 'half.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customer (id TEXT PRIMARY KEY)"))
    with pytest.raises(SettingsError, match=r"half migrated: it holds tables \(customer, …\)"):
        schema.upgrade(engine)
    engine.dispose()


def test_a_database_that_lost_a_table_is_not_served(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE contact"))
    with pytest.raises(SettingsError, match=r"half migrated: the tables \['contact'\] are missing"):
        schema.upgrade(engine)


def test_a_database_of_another_version_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffffffffffff'"))
    with pytest.raises(SettingsError, match="made by another version"):
        schema.upgrade(engine)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear house, this is a letter and no database at all." * 40)
    engine = db.make_engine(f"sqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(SettingsError, match="cannot be used"):
        schema.upgrade(engine)
    engine.dispose()


def test_orders_of_before_are_paid_in_one_part_after_the_upgrade(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(schema._config(connection), "9b0dc4509b61")
        _order_of_before(connection, "1", "paid", "paid")
        _order_of_before(connection, "2", "released", "refunded")
        _order_of_before(connection, "3", "placed", "opened")
    schema.upgrade(engine)
    assert schema.drift(engine) == []
    with engine.connect() as connection:
        orders = connection.execute(text("SELECT state, plan, received FROM shop_order ORDER BY id")).all()
        parts = connection.execute(text("SELECT id, order_id, amount, due FROM payment_part ORDER BY id")).all()
        payments = connection.execute(text("SELECT state, part_id, kept, refunded FROM payment ORDER BY id")).all()
    assert [tuple(row) for row in orders] == [("paid", "full", 5000), ("released", "full", 0), ("placed", "full", 0)]
    assert [tuple(row) for row in parts] == [(f"prt_{n}", f"ord_{n}", 5000, "now") for n in "123"]
    assert [(state, part, bool(kept), back) for state, part, kept, back in payments] == [
        ("paid", "prt_1", True, 0),
        ("refunded", "prt_2", False, 5000),
        ("opened", "prt_3", False, 0),
    ]


def test_orders_of_before_are_orders_at_home_in_the_houses_currency(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(schema._config(connection), "6267dfd74359")
        _order_of_before(connection, "1", "paid", "paid")
        tables = MetaData()
        tables.reflect(connection, only=["published_model", "design", "order_line"])
        known: dict[str, dict[str, Any]] = {
            "published_model": {"version": "v"},
            "design": {"id": "dsg_1", "model_version": "v"},
            "order_line": {"id": "itm_1", "order_id": "ord_1", "design_id": "dsg_1"},
        }
        for table, row in known.items():
            columns = tables.tables[table].columns
            filled = {column.name: _filler(column, "1") for column in columns if not column.nullable}
            connection.execute(tables.tables[table].insert().values({**filled, **row}))
    schema.upgrade(engine)
    assert schema.drift(engine) == []
    with Session(engine) as session:
        order, line = session.get_one(Order, "ord_1"), session.get_one(OrderLine, "itm_1")
        # What an order says beyond this stands under its seal: nothing more, and its seal holds.
        assert snapshots._said(order, snapshots.AGREED_LATER) == {}
        assert snapshots._said(line, snapshots.SOLD_LATER) == {}
        assert order.at_home(1_234) == 1_234


def _order_of_before(connection: Connection, name: str, state: str, payment: str) -> None:
    """An order and its payment, as the first revision kept them."""
    tables = MetaData()
    tables.reflect(connection, only=["customer", "cart", "shop_order", "payment"])
    known: dict[str, dict[str, Any]] = {
        "customer": {"id": f"cus_{name}"},
        "cart": {"id": f"crt_{name}"},
        "shop_order": {"id": f"ord_{name}", "cart_id": f"crt_{name}", "customer_id": f"cus_{name}", "state": state},
        "payment": {"id": f"pay_{name}", "order_id": f"ord_{name}", "state": payment, "open_key": None},
    }
    for table, row in known.items():
        columns = tables.tables[table].columns
        filled = {column.name: _filler(column, name) for column in columns if not column.nullable}
        connection.execute(tables.tables[table].insert().values({**filled, **row}))


def _filler(column: Column[Any], name: str) -> Any:
    kind = column.type.python_type
    if kind is int:
        return 5000
    return {str: name, bool: False, datetime: MOMENT, date: MOMENT.date(), dict: {}, list: []}.get(kind, {})
