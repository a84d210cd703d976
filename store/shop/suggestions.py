"""Suggestions for a bag as rows: shown (or withheld from a control customer), accepted, declined, bought.

What suits is chosen in `choosing`; here it is remembered, so that what the suggestions brought can be measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Index, UniqueConstraint, Update, bindparam, update
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import Choices
from store import auth, db, events, experiments
from store.auth import WebSession
from store.errors import not_found
from store.events import Event, Visitor
from store.people import Customer
from store.shop import carts, designs, price_lists, reasons, taste
from store.shop.appraisal import appraise, picture_of
from store.shop.bags import Cart, CartLine, CartView
from store.shop.catalog import Published
from store.shop.choosing import Choice, choose
from store.shop.orders import Order, OrderLine

CONTROL = "control"


class Suggestion(SQLModel, table=True):
    """A piece suggested for a bag (arm "shown"), or one that would have been (arm "control")."""

    __tablename__ = "suggestion"
    __table_args__ = (UniqueConstraint("cart_id", "slug"), Index("ix_suggestion_arm_shown_at", "arm", "shown_at"))

    id: str = Field(primary_key=True)
    cart_id: str = Field(foreign_key="cart.id")
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    slug: str
    choices: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)
    price: int = Field(sa_type=db.Minor)
    currency: str
    reason_kind: str
    reason_facts: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)
    position: int
    arm: str
    model_version: str | None = None
    shown_at: datetime
    added_at: datetime | None = None
    declined_at: datetime | None = None
    bought_at: datetime | None = None


@dataclass(frozen=True)
class Offered:
    """A suggestion as the checkout shows it; `reason` is a sentence, `grounds` what it rests on."""

    id: str
    slug: str
    name: str
    sentence: str
    reason: str
    grounds: str
    choices: Choices
    price: int
    currency: str
    price_lines: list[dict[str, Any]]
    picture: list[str]


# -- what is shown ---------------------------------------------------------------------------------------------------


def for_cart(session: Session, visitor: Visitor, view: CartView) -> list[Offered]:
    """What is suggested with this bag, written down as shown; [] for a control customer, whose would-be is kept too."""
    if not view.lines or view.cart.ordered is not None or visitor.is_staff or switched_off(session, visitor):
        return []
    arm = experiments.arm(session, experiments.CHECKOUT_SUGGESTIONS, visitor.customer_id or view.cart.id)
    known = {row.slug: row for row in of_cart(session, view.cart)}
    chosen = choose(session, visitor, view, _declined(session, visitor, list(known.values())))
    found = [replace(choice, item=price_lists.priced(choice.item, view.prices)) for choice in chosen]
    ids = _remember(session, visitor, view.cart, found, arm, known)
    if arm == CONTROL:
        return []
    return [_offered(suggestion_id, choice) for suggestion_id, choice in zip(ids, found, strict=True)]


def of_cart(session: Session, cart: Cart) -> list[Suggestion]:
    """What was shown with this bag, or withheld, by its place."""
    statement = select(Suggestion).where(Suggestion.cart_id == cart.id).order_by(col(Suggestion.position))
    return list(session.exec(statement).all())


def decline(session: Session, visitor: Visitor, cart: Cart, suggestion_id: str) -> None:
    """ "Not for me": it is not suggested again with this bag, nor to this customer.

    Raises:
        ShopError: 404, no such suggestion for this bag.
    """
    row = _of_cart(session, cart, suggestion_id)
    row.declined_at = db.now()
    session.add(row)
    events.record(session, visitor, "suggestion-declined", subject=row.id, product=row.slug)


def accept(session: Session, visitor: Visitor, cart: Cart, suggestion_id: str) -> CartLine:
    """Put exactly the suggested design into the bag.

    Raises:
        ShopError: 404, no such suggestion for this bag; 409, the bag was ordered.
    """
    row = _of_cart(session, cart, suggestion_id)
    design = designs.save(session, visitor, row.slug, row.choices, {}, source="suggestion")
    line = carts.add(session, visitor, cart, design, suggestion_id=row.id)
    events.record(session, visitor, "suggestion-added", subject=row.id, product=row.slug, facts={"cart": cart.id})
    return line


def _of_cart(session: Session, cart: Cart, suggestion_id: str) -> Suggestion:
    row = session.get(Suggestion, suggestion_id)
    if row is None or row.cart_id != cart.id or row.arm == CONTROL:
        raise not_found("suggestion")
    return row


# -- off and on ------------------------------------------------------------------------------------------------------


def switched_off(session: Session, visitor: Visitor) -> bool:
    """Whether this customer (or, while nobody is known, this browser) wants no suggestions."""
    if visitor.customer_id is not None:
        return session.get_one(Customer, visitor.customer_id).suggestions_off
    row = session.get(WebSession, visitor.session_id) if visitor.session_id else None
    return bool(row and row.state.get("suggestions_off"))


def switch(session: Session, visitor: Visitor, *, off: bool) -> None:
    """Turn suggestions off or on again, for good."""
    if visitor.customer_id is not None:
        customer = session.get_one(Customer, visitor.customer_id)
        customer.suggestions_off = off
        session.add(customer)
    elif visitor.session_id is not None:
        row = auth.locked_session(session, visitor.session_id)
        row.state = {**row.state, "suggestions_off": off}
        session.add(row)


# -- remembering -----------------------------------------------------------------------------------------------------


def _declined(session: Session, visitor: Visitor, here: Sequence[Suggestion]) -> frozenset[str]:
    of_cart = {row.slug for row in here if row.declined_at}
    if visitor.customer_id is None:
        return frozenset(of_cart)
    hers = select(Suggestion.slug).where(
        Suggestion.customer_id == visitor.customer_id, col(Suggestion.declined_at).is_not(None)
    )
    return frozenset(of_cart.union(session.exec(hers).all()))


def _remember(
    session: Session, visitor: Visitor, cart: Cart, found: Sequence[Choice], arm: str, known: dict[str, Suggestion]
) -> list[str]:
    """Write down what is new or has changed; returns the rows' ids in the order of what was found."""
    ids = {slug: row.id for slug, row in known.items()}
    for position, choice in enumerate(found):
        row = _row(visitor, cart, position, choice, arm)
        before = known.get(choice.item.slug)
        if before is not None and all(getattr(before, name) == row[name] for name in _CHANGING):
            continue
        ids[choice.item.slug] = db.insert_or_update(session, Suggestion, row, ("cart_id", "slug"), _CHANGING)
        if before is None:
            kind = "suggestion-withheld" if arm == CONTROL else "suggestion-shown"
            facts = {"cart": cart.id, "position": position, "price": row["price"], "reason": choice.why.kind}
            events.record(session, visitor, kind, subject=ids[choice.item.slug], product=choice.item.slug, facts=facts)
    return [ids[choice.item.slug] for choice in found]


_CHANGING = ("choices", "price", "currency", "reason_kind", "reason_facts", "position", "arm", "customer_id")


def _row(visitor: Visitor, cart: Cart, position: int, choice: Choice, arm: str) -> dict[str, Any]:
    return {
        "id": db.new_id("sug"),
        "cart_id": cart.id,
        "customer_id": visitor.customer_id,
        "slug": choice.item.slug,
        "choices": choice.choices,
        "price": appraise(choice.item, choice.choices).price.amount,
        "currency": choice.item.model.currency,
        "reason_kind": choice.why.kind,
        "reason_facts": dict(choice.why.facts),
        "position": position,
        "arm": arm,
        "model_version": taste.loaded_version(),
        "shown_at": db.now(),
    }


def _offered(suggestion_id: str, choice: Choice) -> Offered:
    item: Published = choice.item
    worth = appraise(item, choice.choices)
    return Offered(
        id=suggestion_id,
        slug=item.slug,
        name=item.name,
        sentence=worth.sentence if item.model.configurable else item.model.sentence,
        reason=reasons.in_words(choice.why.kind, choice.why.facts),
        grounds=reasons.grounds(choice.why.kind, choice.why.facts),
        choices=choice.choices,
        price=worth.price.amount,
        currency=worth.price.currency,
        price_lines=worth.price_lines,
        picture=list(picture_of(item, worth.completion)),
    )


# -- what became of it (reactions) -------------------------------------------------------------------------------------


def note_added(session: Session, event: Event) -> None:
    """A suggested piece went into the bag, whichever button it was."""
    _note(session, event.subject or "", [event.product or ""], "added_at")


def note_bought(session: Session, event: Event) -> None:
    """A bag was paid: what had been suggested for it (or would have been) and was bought."""
    order = session.get_one(Order, event.subject)
    slugs = session.exec(select(OrderLine.slug).where(OrderLine.order_id == order.id)).all()
    _note(session, order.cart_id, list(slugs), "bought_at")


def _note(session: Session, cart_id: str, slugs: Sequence[str], moment: str) -> None:
    session.flush()
    session.execute(_noting(moment), {"cart": cart_id, "slugs": list(slugs), "moment": db.now()})


@cache
def _noting(moment: str) -> Update:
    """Beneath every piece that goes into a bag: made once."""
    rows = SQLModel.metadata.tables["suggestion"]
    these = (rows.c.cart_id == bindparam("cart"), rows.c.slug.in_(bindparam("slugs", expanding=True)))
    return update(rows).where(*these, rows.c[moment].is_(None)).values({moment: bindparam("moment")})
