"""At most three pieces that go with a bag: each fits its designs, arrives configured to match, with a true reason.

The recommender ranks; the configurator decides what fits and how it is made to match; what was shown, or would have
been shown to a control customer, is a row, so that what the suggestions brought can be measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, update
from sqlmodel import Field, Session, SQLModel, col, select

import recommender
from configurator import Choices
from store import db, events, experiments
from store.errors import not_found
from store.events import Event, Visitor
from store.people import Customer
from store.shop import carts, catalog, designs, orders, stock, taste
from store.shop.appraisal import appraise, picture_of
from store.shop.bags import Cart, CartLine, CartView
from store.shop.catalog import Published
from store.shop.companions import Anchor, Companion, companion
from store.shop.orders import Order, OrderLine

MOST = 3
LOOKED_AT = 24  # of the ranking, until enough of them fit
POPULAR_ENOUGH = 2

WORDS = {
    "bought_together": "Often ordered with the {name}",
    "like_customers": "Chosen by others who own the {name}",
    "popular": "Often chosen in our house",
    "listed": "From our house, in the same hand",
}


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
    """A suggestion as the checkout shows it; `reason` is a sentence, `facts` what it rests on."""

    id: str
    slug: str
    name: str
    sentence: str
    reason: str
    reason_kind: str
    reason_facts: dict[str, Any]
    choices: Choices
    price: int
    currency: str
    picture: list[str]


# -- what is shown ---------------------------------------------------------------------------------------------------


def for_cart(session: Session, visitor: Visitor, view: CartView) -> list[Offered]:
    """What is suggested with this bag, written down as shown; [] for a control customer, whose would-be is kept too."""
    if not view.lines or view.cart.ordered is not None or _switched_off(session, visitor):
        return []
    arm = experiments.arm(session, experiments.CHECKOUT_SUGGESTIONS, visitor.customer_id or view.cart.id)
    found = _chosen(session, visitor, view)
    rows = [_remember(session, visitor, view.cart, place, offer, arm) for place, offer in enumerate(found)]
    if arm == "control":
        return []
    return [_offered(row, item) for row, (item, _, _) in zip(rows, found, strict=True)]


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
    return carts.add(session, visitor, cart, design, suggestion_id=row.id)


def _of_cart(session: Session, cart: Cart, suggestion_id: str) -> Suggestion:
    row = session.get(Suggestion, suggestion_id)
    if row is None or row.cart_id != cart.id or row.arm == "control":
        raise not_found("suggestion")
    return row


def _switched_off(session: Session, visitor: Visitor) -> bool:
    if visitor.is_staff:
        return True
    if visitor.customer_id is None:
        return False
    return session.get_one(Customer, visitor.customer_id).suggestions_off


# -- choosing --------------------------------------------------------------------------------------------------------

_Choice = tuple[Published, Companion, recommender.Reason]


def _chosen(session: Session, visitor: Visitor, view: CartView) -> list[_Choice]:
    """The best three that fit, of different categories as far as there are."""
    customer = visitor.customer_id if visitor.allows("personalisation") else None
    owned = orders.owned_items(session, visitor.customer_id) if visitor.customer_id else []
    basket = [line.line.slug for line in view.lines]
    out = {*basket, *(line.slug for line in owned), *_declined(session, visitor, view.cart)}
    candidates = [item for item in _for_sale(session) if item.slug not in out]
    ranked = recommender.suggest.suggest(
        taste.fitted(),
        customer=customer,
        basket=basket,
        candidates=[item.slug for item in candidates],
        exclude=out,
        k=len(candidates),
        popular=[item.slug for item in candidates],
    )
    anchors = _anchors(session, view, owned)
    by_slug = {item.slug: item for item in candidates}
    fitting: list[_Choice] = []
    for suggestion in ranked:
        item = by_slug[suggestion.item]
        matched = companion(item, anchors, taste.weights(customer, item.slug))
        if matched is not None:
            fitting.append((item, matched, suggestion.reason))
        if len(fitting) >= LOOKED_AT or len(_varied(fitting)) == MOST:
            break
    return (_varied(fitting) + [choice for choice in fitting if choice not in _varied(fitting)])[:MOST]


def _varied(fitting: Sequence[_Choice]) -> list[_Choice]:
    """The first of each category."""
    first: dict[str, _Choice] = {}
    for choice in fitting:
        first.setdefault(choice[0].model.category, choice)
    return list(first.values())[:MOST]


def _for_sale(session: Session) -> list[Published]:
    """What can be had now; numbered pieces are found, not suggested."""
    listed = [item for item in catalog.listing(session) if not item.model.supply.numbered]
    free = stock.available(session, [item.slug for item in listed if item.counted])
    return [item for item in listed if not item.counted or free.get(item.slug, 0) > 0]


def _anchors(session: Session, view: CartView, owned: Sequence[OrderLine]) -> list[Anchor]:
    """The designs that something can go with: those in the bag, then those the customer owns."""
    here = [
        Anchor(line.published, line.design.choices, owned=False)
        for line in view.lines
        if line.published is not None and line.worth is not None
    ]
    return here + [Anchor(catalog.version(session, line.model_version), line.choices, owned=True) for line in owned]


def _declined(session: Session, visitor: Visitor, cart: Cart) -> set[str]:
    whose = Suggestion.customer_id == visitor.customer_id if visitor.customer_id else Suggestion.cart_id == cart.id
    return set(session.exec(select(Suggestion.slug).where(whose, col(Suggestion.declined_at).is_not(None))).all())


# -- remembering -----------------------------------------------------------------------------------------------------


def _remember(session: Session, visitor: Visitor, cart: Cart, position: int, choice: _Choice, arm: str) -> Suggestion:
    item, matched, ranked = choice
    kind, facts = _reason(session, matched, ranked)
    row = {
        "id": db.new_id("sug"),
        "cart_id": cart.id,
        "customer_id": visitor.customer_id,
        "slug": item.slug,
        "choices": matched.choices,
        "price": appraise(item, matched.choices).price.amount,
        "currency": item.model.currency,
        "reason_kind": kind,
        "reason_facts": facts,
        "position": position,
        "arm": arm,
        "model_version": taste.serving_version(),
        "shown_at": db.now(),
    }
    changing = ("choices", "price", "reason_kind", "reason_facts", "position")
    statement = db.insert(session, Suggestion).values(**row)
    known = session.exec(
        select(Suggestion.id).where(Suggestion.cart_id == cart.id, Suggestion.slug == item.slug)
    ).first()
    stored = session.execute(
        statement.on_conflict_do_update(
            index_elements=["cart_id", "slug"], set_={name: statement.excluded[name] for name in changing}
        ).returning(col(Suggestion.id))
    ).scalar_one()
    if known is None:
        event = "suggestion-withheld" if arm == "control" else "suggestion-shown"
        facts = {"cart": cart.id, "position": position, "price": row["price"], "reason": kind}
        events.record(session, visitor, event, subject=stored, product=item.slug, facts=facts)
    return session.get_one(Suggestion, stored, populate_existing=True)


def _reason(session: Session, matched: Companion, ranked: recommender.Reason) -> tuple[str, dict[str, Any]]:
    """The most telling reason that holds: a match she can see, then history, then the fit, then the house."""
    if matched.likeness:
        return "match", dict(matched.likeness)
    if ranked.kind in ("bought_together", "like_customers") and ranked.item:
        cited = catalog.find(session, ranked.item)
        if cited is not None:
            return ranked.kind, {"slug": ranked.item, "name": cited.name, "count": ranked.count}
    if matched.fitted_to:
        return "fits", dict(matched.fitted_to)
    if ranked.kind == "popular" and ranked.count >= POPULAR_ENOUGH:
        return "popular", {"count": ranked.count}
    return "listed", {}


def in_words(kind: str, facts: dict[str, Any]) -> str:
    """The reason as the customer reads it."""
    if kind == "match":
        whose = "the {name} you own" if facts["owned"] else "your {name}"
        return f"{facts['label']}, like {whose.format(name=facts['name'])}"
    if kind == "fits":
        whose = "the {name} you own" if facts["owned"] else "your {name}"
        return f"Made to fit {whose.format(name=facts['name'])}"
    return WORDS[kind].format(**facts)


def _offered(row: Suggestion, item: Published) -> Offered:
    worth = appraise(item, row.choices)
    return Offered(
        id=row.id,
        slug=row.slug,
        name=item.name,
        sentence=worth.sentence if item.model.configurable else item.model.sentence,
        reason=in_words(row.reason_kind, row.reason_facts),
        reason_kind=row.reason_kind,
        reason_facts=row.reason_facts,
        choices=row.choices,
        price=row.price,
        currency=row.currency,
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
    column = col(getattr(Suggestion, moment))
    session.execute(
        update(Suggestion)
        .where(col(Suggestion.cart_id) == cart_id, col(Suggestion.slug).in_(slugs), column.is_(None))
        .values({moment: db.now()})
        .execution_options(synchronize_session=False)
    )
