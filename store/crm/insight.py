"""Gives the recommender the shop's history, as opaque ids, and has it trained."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col, select

import recommender
from recommender import Interaction, TasteSample
from store import db, people
from store.settings import Settings
from store.shop import catalog, taste
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine

TRAIN = "train"
SEED = 20_260_302
WEIGHT_BOUGHT, WEIGHT_SAVED = 3.0, 1.0  # a bought design says more than a saved one


def train(settings: Settings) -> str:
    """Fit everything on the shop's history and publish it; returns a sentence about it."""
    with db.transaction(read_only=True) as session:
        willing = people.consenting(session, "personalisation")
        history = recommender.History.of(_interactions(session, willing))
        learned = recommender.learn(_samples(session, willing))
    fitted = recommender.fit(history, learned, SEED)
    version = recommender.publish(fitted, settings.data_dir / "models")
    taste.use_models(settings.data_dir / "models")  # this process answers by it at once
    baskets = int(fitted.metrics["baskets"])
    return f"Recommender {version} published: {baskets} baskets, {len(history.items)} pieces, engine {fitted.engine}."


def _interactions(session: Session, willing: frozenset[str]) -> Iterator[Interaction]:
    """What was bought together; whose basket it was only with their consent."""
    statement = (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order in session.exec(statement):
        customer = order.customer_id if order.customer_id in willing else None
        yield Interaction(customer, order.id, order.placed_at, line.slug, line.quantity, line.unit_price)


def _samples(session: Session, willing: frozenset[str]) -> Iterator[TasteSample]:
    """What was chosen in designs that were bought or saved; only the choices, never the defaults."""
    bought: set[str] = set()
    lines = (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order in session.exec(lines):
        bought.add(line.design_id)
        owner = order.customer_id if order.customer_id in willing else None
        if sample := _sample(session, owner, line, WEIGHT_BOUGHT, order.placed_at):
            yield sample
    for design in session.exec(select(Design).where(Design.source == "customer").order_by(col(Design.created_at))):
        if design.id not in bought:
            owner = design.customer_id if design.customer_id in willing else None
            if sample := _sample(session, owner, design, WEIGHT_SAVED, design.created_at):
                yield sample


def _sample(
    session: Session, owner: str | None, of: OrderLine | Design, weight: float, at: datetime
) -> TasteSample | None:
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
    return TasteSample(owner, of.slug, chosen, facts, weight, at)
