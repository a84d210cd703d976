"""Which rows have been kept long enough, for the map of the schema in store/privacy_map.py."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, select

Expired = Callable[[Table, datetime], ColumnElement[bool]]

TEN_YEARS = timedelta(days=3653)


def older(column: str, days: float) -> Expired:
    """A column's moment is so many days ago."""
    return lambda table, now: table.c[column] < now - timedelta(days=days)


def seen_older(days: float) -> Expired:
    """Events that need consent go after a while; what the contract needs stays with the books."""
    kinds = ("view", "choice", "unchoice", "suggestion-shown", "suggestion-withheld", "suggestion-declined")
    # What staff did is never deleted; the database refuses it.
    return lambda table, now: (
        (table.c.at < now - timedelta(days=days)) & table.c.kind.in_(kinds) & table.c.staff_id.is_(None)
    )


def done_older(days: float) -> Expired:
    """Tasks that ended so many days ago."""
    ended = ("done", "failed")
    return lambda table, now: (table.c.finished_at < now - timedelta(days=days)) & table.c.state.in_(ended)


def nobodys_older(column: str, days: float) -> Expired:
    """Rows of nobody, so many days old."""
    return lambda table, now: table.c.customer_id.is_(None) & (table.c[column] < now - timedelta(days=days))


def old_bag(table: Table, now: datetime) -> ColumnElement[bool]:
    """Bags that were neither ordered nor touched for a year."""
    return table.c.ordered.is_(None) & (table.c.updated_at < now - timedelta(days=365))


def in_old_bag(table: Table, now: datetime) -> ColumnElement[bool]:
    """What lies in such bags."""
    bag = table.metadata.tables["cart"]
    return table.c.cart_id.in_(select(bag.c.id).where(old_bag(bag, now)))


def in_old_order(table: Table, now: datetime) -> ColumnElement[bool]:
    """What belongs to an order of more than ten years ago."""
    order = table.metadata.tables["shop_order"]
    return table.c.order_id.in_(select(order.c.id).where(order.c.placed_at < now - TEN_YEARS))


def old_picture(table: Table, now: datetime) -> ColumnElement[bool]:
    """Nobody's pictures after two years, and after a month those that no design holds."""
    nobodys = table.c.customer_id.is_(None) & (table.c.created_at < now - timedelta(days=730))
    return nobodys | (~table.c.used & (table.c.created_at < now - timedelta(days=30)))


def past(column: str) -> Expired:
    """A column's day has come."""
    return lambda table, now: table.c[column] <= now.date()


def of_past_invoice(table: Table, now: datetime) -> ColumnElement[bool]:
    """What belongs to an invoice whose time is over."""
    invoice = table.metadata.tables["invoice"]
    return table.c.invoice_id.in_(select(invoice.c.id).where(invoice.c.expires_on <= now.date()))
