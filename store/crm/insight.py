"""Gives the recommender the shop's history, as opaque ids, has it trained, and reckons who may take what."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, func, select

import recommender
from store import db, people, tasks
from store.events import Event
from store.money import FULL
from store.people import Customer
from store.settings import Settings
from store.shop import catalog, orders, taste
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine

if TYPE_CHECKING:  # naming them at run time would load the numeric stack into every process
    from recommender import Interaction, TasteSample

TRAIN = "train"
SEED = 20_260_302
BOUGHT, SAVED = 3.0, 1.0  # weights: a bought design says more than a saved one
LEARNS_EVERY = 900  # seconds
PRIOR_OWNERS, PRIOR_ALIKE = 20, 20  # customers: one in twenty before anything was seen; everyone's beside the alike


def train(settings: Settings) -> str:
    """Fit everything on the shop's history and publish it; returns a sentence about it."""
    with db.transaction(read_only=True) as session:
        erased = frozenset(session.exec(select(Customer.id).where(col(Customer.erased_at).is_not(None))).all())
        willing = people.consenting(session, "personalisation") - erased
        history = recommender.History.of(_interactions(session, willing, erased))
        learned = recommender.learn(_samples(session, willing, erased))
    fitted = recommender.fit(history, learned, SEED)
    version = recommender.publish(fitted, settings.data_dir / "models")
    taste.use_models(settings.data_dir / "models")  # this process answers by it at once
    baskets = int(fitted.metrics["baskets"])
    return f"Recommender {version} published: {baskets} baskets, {len(history.items)} pieces, engine {fitted.engine}."


def chances(session: Session, customer_id: str, slugs: Sequence[str]) -> dict[str, int]:
    """How likely this customer takes each piece next, in basis points: the share among customers like them.

    Alike is who owns a piece that they own. The share is smoothed toward everyone's, which alone counts without their
    consent to personalisation, or while they own nothing.
    """
    owned = {line.slug for line in orders.owned_items(session, customer_id)}
    everyone, all_of = _buyers(session, slugs, None)
    alike, like_them = 0, Counter[str]()
    if owned and "personalisation" in people.consents_of(session, customer_id):
        theirs = select(Order.customer_id).join(OrderLine, col(OrderLine.order_id) == col(Order.id))
        owners = theirs.where(col(OrderLine.slug).in_(sorted(owned)), col(Order.state).in_(PAID))
        alike, like_them = _buyers(session, slugs, owners.where(Order.customer_id != customer_id).distinct())
    found = {}
    for slug in slugs:
        usual = (all_of[slug] + 1) * FULL // (everyone + PRIOR_OWNERS)
        found[slug] = (like_them[slug] * FULL + PRIOR_ALIKE * usual) // (alike + PRIOR_ALIKE)
    return found


def _buyers(session: Session, slugs: Sequence[str], among: Any) -> tuple[int, Counter[str]]:
    """How many customers bought anything, and how many of them each of the pieces."""
    who = col(Order.customer_id)
    paid = [col(Order.state).in_(PAID), *([who.in_(among)] if among is not None else [])]
    buyers = session.exec(select(func.count(who.distinct())).where(*paid)).one()
    each = (
        select(OrderLine.slug, func.count(who.distinct()))
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(*paid, col(OrderLine.slug).in_(list(slugs)))
        .group_by(col(OrderLine.slug))
    )
    return buyers, Counter(dict(session.exec(each).all()))


def ask_for_training(session: Session, event: Event) -> None:
    """An order was paid: learn from it soon, once for all orders of the same quarter of an hour."""
    if session.get_one(Order, event.subject).synthetic:
        return  # the demo house says itself when it has grown
    quarter = int(db.now().timestamp()) // LEARNS_EVERY + 1
    soon = datetime.fromtimestamp(quarter * LEARNS_EVERY, UTC)
    tasks.enqueue(session, TRAIN, {}, dedupe_key=f"{TRAIN}:{soon.isoformat()}", run_at=soon)


def _interactions(session: Session, willing: frozenset[str], erased: frozenset[str]) -> "Iterator[Interaction]":
    """What was bought together; whose basket it was only with their consent, nothing of a closed account."""
    statement = (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order in session.exec(statement):
        if order.customer_id not in erased:
            customer = order.customer_id if order.customer_id in willing else None
            yield recommender.Interaction(
                customer, order.id, order.placed_at, line.slug, line.quantity, order.at_home(line.unit_price)
            )


def _samples(session: Session, willing: frozenset[str], erased: frozenset[str]) -> "Iterator[TasteSample]":
    """What people chose themselves in designs that were bought or saved: no defaults, nothing that the house composed.

    A sold design counts for everyone's taste; a design that was only saved counts with its owner's consent.
    """
    bought: set[str] = set()
    lines = (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(Design, col(Design.id) == col(OrderLine.design_id))
        .where(col(Order.state).in_(PAID), Design.source == "customer")
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order in session.exec(lines):
        bought.add(line.design_id)
        owner = order.customer_id if order.customer_id in willing else None
        if order.customer_id not in erased and (sample := _sample(session, owner, line, BOUGHT, order.placed_at)):
            yield sample
    saved = select(Design).where(Design.source == "customer", col(Design.customer_id).is_not(None))
    for design in session.exec(saved.order_by(col(Design.created_at), col(Design.id))):
        sample = _sample(session, design.customer_id, design, SAVED, design.created_at)
        if sample and design.id not in bought and design.customer_id in willing:
            yield sample


def _sample(
    session: Session, owner: str | None, of: OrderLine | Design, weight: float, at: datetime
) -> "TasteSample | None":
    if not of.choices:
        return None
    chosen = {group: taste.as_values(value) for group, value in of.choices.items()}
    facts = {
        name: str(fact)
        for group in catalog.version(session, of.model_version).model.groups
        for option in group.options
        if option.id in chosen.get(group.id, ())
        for name, fact in option.attributes.items()
    }
    return recommender.TasteSample(owner, of.slug, chosen, facts, weight, at)
