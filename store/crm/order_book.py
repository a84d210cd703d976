"""Orders as the office looks for them: by state, number or name; and what was sold of each piece."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from store.crm.paging import within
from store.shop import orders
from store.shop.orders import PAID, STATES, Order, OrderLine

PAGE = 40


@dataclass(frozen=True)
class OrderList:
    """A page of orders with their lines."""

    orders: list[Order]
    lines: dict[str, list[OrderLine]]
    state: str
    found: int
    page: int
    pages: int


def listing(session: Session, state: str = "", query: str = "", page: int = 1) -> OrderList:
    """Orders, the newest first; of one state, if it is one; by the beginning of the number, by name or address."""
    state = state if state in STATES else ""
    conditions: list[ColumnElement[bool]] = [col(Order.state) == state] if state else []
    if word := query.strip()[:100]:
        conditions.append(
            or_(
                col(Order.number).startswith(word.upper(), autoescape=True),
                func.lower(Order.name).contains(word.lower(), autoescape=True),
                col(Order.email).contains(word.lower(), autoescape=True),
            )
        )
    found = session.exec(select(func.count()).select_from(Order).where(*conditions)).one()
    page, pages = within(page, found, PAGE)
    statement = select(Order).where(*conditions).order_by(col(Order.placed_at).desc(), col(Order.id).desc())
    rows = list(session.exec(statement.offset((page - 1) * PAGE).limit(PAGE)))
    return OrderList(rows, orders.lines_of(session, rows), state, found, page, pages)


def counts(session: Session) -> dict[str, int]:
    """How many orders are in each state."""
    return dict(session.exec(select(Order.state, func.count()).group_by(Order.state)).all())


def sold_pieces(session: Session) -> dict[str, int]:
    """How many pieces of each product were paid for."""
    statement = (
        select(OrderLine.slug, func.sum(OrderLine.quantity))
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(Order.state).in_(PAID))
        .group_by(col(OrderLine.slug))
    )
    return {slug: int(quantity) for slug, quantity in session.exec(statement).all()}
