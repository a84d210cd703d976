"""What customers told us to forget: left out of account when the house chooses for them, and in what is learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events
from store.errors import invalid, not_found
from store.events import Visitor
from store.shop import catalog
from store.shop.designs import Design
from store.shop.orders import Order, OrderLine

PIECE = ""  # the group of a forgotten purchase: the whole piece


class Forgotten(SQLModel, table=True):
    """A choice (product, group, value) or a piece owned (product alone) that no suggestion may rest on any more."""

    __tablename__ = "forgotten"
    __table_args__ = (UniqueConstraint("customer_id", "slug", "group", "value"),)

    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    slug: str
    group: str = PIECE
    value: str = ""
    at: datetime


@dataclass(frozen=True)
class Left:
    """What one customer wants left out.

    Attributes:
        pieces: products whose purchase is not to count.
        choices: by product and group: the values that are not to count.
    """

    pieces: frozenset[str] = frozenset()
    choices: frozenset[tuple[str, str, str]] = frozenset()

    def without(self, slug: str, choices: Mapping[str, Any]) -> dict[str, Any]:
        """The choices of a design of this product that still count."""
        return {
            group: value
            for group, value in choices.items()
            if not self.choices or not any((slug, group, one) in self.choices for one in values_of(value))
        }


NOTHING = Left()


def values_of(value: Any) -> tuple[str, ...]:
    """A choice as it is counted: the ids of the chosen values."""
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def of_customer(session: Session, customer_id: str | None) -> Left:
    """What this customer wants left out; nothing for an unknown one."""
    if customer_id is None:
        return NOTHING
    return everyones(session, customer_id).get(customer_id, NOTHING)


def everyones(session: Session, customer_id: str | None = None) -> dict[str, Left]:
    """The same for all customers who want something left out, or for one of them."""
    statement = select(Forgotten)
    if customer_id is not None:
        statement = statement.where(Forgotten.customer_id == customer_id)
    pieces: dict[str, set[str]] = {}
    choices: dict[str, set[tuple[str, str, str]]] = {}
    for row in session.exec(statement):
        choices.setdefault(row.customer_id, set())
        pieces.setdefault(row.customer_id, set())
        if row.group == PIECE:
            pieces[row.customer_id].add(row.slug)
        else:
            choices[row.customer_id].add((row.slug, row.group, row.value))
    return {who: Left(frozenset(pieces[who]), frozenset(choices[who])) for who in pieces}


def forget(session: Session, visitor: Visitor, slug: str, group: str = PIECE, value: str = "") -> None:
    """Leave a choice, or the purchase of a piece, out of account for this customer; a second time changes nothing.

    Raises:
        ShopError: 404 no such piece, 422 nobody is signed in.
    """
    if visitor.customer_id is None:
        raise invalid("Without an account nothing is remembered that could be forgotten.")
    if not catalog.versions_of(session, slug):
        raise not_found("piece")
    row = {
        "id": db.new_id("fgt"),
        "customer_id": visitor.customer_id,
        "slug": slug,
        "group": group[:200],
        "value": value[:200] if group != PIECE else "",
        "at": db.now(),
    }
    made = db.insert_once(session, Forgotten, row, unique=("customer_id", "slug", "group", "value"))
    if made is not None:
        events.record(session, visitor, "taste-forgotten", subject=str(made))


def forget_trait(session: Session, visitor: Visitor, attribute: str, value: str) -> None:
    """Leave every choice of this customer that has a trait (metal, rose-gold) out of account."""
    bought = select(OrderLine).join(Order).where(Order.customer_id == visitor.customer_id)
    saved = select(Design).where(Design.customer_id == visitor.customer_id)
    for made in (*session.exec(bought), *session.exec(saved)):
        for group in catalog.version(session, made.model_version).model.groups:
            for option in group.options:
                held = option.id in values_of(made.choices.get(group.id))
                if held and str(option.attributes.get(attribute)) == value:
                    forget(session, visitor, made.slug, group.id, option.id)


def remember(session: Session, visitor: Visitor, forgotten_id: str) -> None:
    """Let something count again.

    Raises:
        ShopError: 404, it is not this customer's.
    """
    row = session.get(Forgotten, forgotten_id)
    if row is None or row.customer_id != visitor.customer_id:
        raise not_found("choice")
    session.delete(row)
    session.flush()


@dataclass(frozen=True)
class Line:
    """Something forgotten, in words."""

    id: str
    words: str
    at: datetime


def in_words(session: Session, customer_id: str) -> list[Line]:
    """What a customer had forgotten, the newest first."""
    mine = select(Forgotten).where(Forgotten.customer_id == customer_id)
    found = []
    for row in session.exec(mine.order_by(col(Forgotten.at).desc(), col(Forgotten.id).desc())):
        item = catalog.find(session, row.slug)
        group = item.model.group(row.group) if item and row.group != PIECE else None
        option = group.option(row.value) if group else None
        name = item.name if item else row.slug
        words = f"that you own the {name}" if row.group == PIECE else ""
        chosen = option.label if option else row.value
        found.append(Line(row.id, words or f"that you chose {chosen} for the {name}", row.at))
    return found
