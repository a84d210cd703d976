"""Gives the recommender the shop's history, as opaque ids, has it trained, and reckons who may take what."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, func, select

import recommender
from store import db, events, people, tasks
from store.errors import refused
from store.events import NOBODY, Event, Visitor
from store.money import FULL
from store.people import Customer
from store.settings import Settings
from store.shop import catalog, curation, forgetting, orders, taste
from store.shop.designs import Design
from store.shop.forgetting import NOTHING, Left
from store.shop.orders import PAID, Order, OrderLine
from store.shop.taste import Whose

if TYPE_CHECKING:  # naming them at run time would load the numeric stack into every process
    from recommender import Fitted, Interaction, TasteSample, Verdict

TRAIN = "train"
SEED = 20_260_302
BOUGHT, SAVED = 3.0, 1.0  # weights: a bought design says more than a saved one
LEARNS_EVERY = 900  # seconds
LIKELIEST = 4_000  # basis points, never reached: in hidden orders what was promised at six in ten came in three
PRIOR_OWNERS, PRIOR_ALIKE = 20, 20  # customers: one in twenty before anything was seen; everyone's beside the alike


@dataclass(frozen=True)
class Allowed:
    """Whose history may be learned from, and what of it they want left out."""

    erased: Mapping[str, datetime]
    willing: frozenset[str]
    left: Mapping[str, Left]

    def owed(self, fitted: "Fitted") -> bool:
        """Whether a model holds what must not be in one: of who left or said no, or what somebody had forgotten."""
        known = {fitted.customers.name(n) for n in range(len(fitted.customers))} | {key[0] for key in fitted.taste.own}
        if known - self.willing or any(at.timestamp() >= fitted.metrics.get("until", 0) for at in self.erased.values()):
            return True
        for customer, left in self.left.items():
            if any((customer, *choice) in fitted.taste.own for choice in left.choices):
                return True
            number = fitted.customers.number(customer)
            bought = {fitted.items.name(int(item)) for item in fitted.owned(number)} if number >= 0 else set()
            if bought & left.pieces:
                return True
        return False


def train(settings: Settings) -> str:
    """Fit everything on the shop's history and publish it, unless it is worse than what serves; returns a sentence.

    A worse model is published all the same when the serving one holds what somebody had a right to see gone.
    """
    directory = settings.data_dir / "models"
    with db.transaction(read_only=True) as session:
        allowed = _allowed(session)
        history = recommender.History.of(_interactions(session, allowed))
        learned = recommender.learn(_samples(session, allowed))
        held = curation.policy(session).held
    serving = recommender.load(directory)
    verdict = recommender.judge(history, serving, SEED)
    owed = serving is not None and allowed.owed(serving)
    if serving is not None and not owed and (held or verdict.worse):
        why = "you hold the one that serves" if held else f"it answers worse ({_compared(verdict)})"
        return _told(False, serving.version, f"Not published: {why}. Recommender {serving.version} serves on.")
    fitted = recommender.fit(history, learned, SEED)
    version = recommender.publish(replace(fitted, metrics={**fitted.metrics, **verdict.figures}), directory)
    taste.use_models(directory)  # this process answers by it at once
    baskets = int(fitted.metrics["baskets"])
    told = f"Recommender {version} published: {baskets} baskets, {len(history.items)} pieces, engine {fitted.engine}."
    told += f" {_compared(verdict)}." if verdict.serving is not None else ""
    told += " It answers worse, but the one before held what had to go." if verdict.worse else ""
    return _told(True, version, told)


def roll_back(session: Session, settings: Settings, staff: Visitor) -> str:
    """Let the model before the serving one serve again, and hold it: trained ones wait until the owner says so.

    Raises:
        ShopError: 409, there is none, or it holds what somebody had a right to see gone.
    """
    directory = settings.data_dir / "models"
    before = recommender.previous(directory)
    if before is None:
        raise refused("There is no earlier model to go back to.")
    if _allowed(session).owed(before):
        raise refused("The earlier model still knows of people who left, or what they had forgotten. Train instead.")
    curation.rule_house(session, staff, curation.HELD, 0)
    facts = {"action": "recommender rolled back", "version": before.version}
    events.record(session, staff, "staff-action", facts=facts)
    recommender.roll_back(directory)
    taste.use_models(directory)
    return f"Recommender {before.version} serves again; no other is published until you let models go on."


def _compared(verdict: "Verdict") -> str:
    return f"NDCG@10 {verdict.new:.3f} on the last baskets, {verdict.serving or 0.0:.3f} by the one before"


def _told(published: bool, version: str, sentence: str) -> str:
    with db.transaction() as session:
        facts = {"published": published, "version": version, "sentence": sentence}
        events.record(session, NOBODY, "recommender-trained", facts=facts)
    return sentence


def trainings(session: Session, most: int = 5) -> list[Event]:
    """The latest trainings, the newest first."""
    told = select(Event).where(Event.kind == "recommender-trained")
    return list(session.exec(told.order_by(col(Event.at).desc(), col(Event.id).desc()).limit(most)).all())


def _allowed(session: Session) -> Allowed:
    gone = session.exec(select(Customer).where(col(Customer.erased_at).is_not(None))).all()
    erased = {customer.id: customer.erased_at for customer in gone if customer.erased_at is not None}
    willing = people.consenting(session, "personalisation") - set(erased)
    return Allowed(erased, willing, forgetting.everyones(session))


def chances(session: Session, customer_id: str, slugs: Sequence[str]) -> dict[str, int]:
    """How likely this customer takes each piece next, in basis points: the share among customers like them.

    Alike is who owns a piece that they own. The share is smoothed toward everyone's, and weighed by their own taste in
    what the piece is made of; without their consent to personalisation everyone's share alone counts.
    """
    agreed = "personalisation" in people.consents_of(session, customer_id)
    whose = Whose(customer_id, forgetting.of_customer(session, customer_id)) if agreed else None
    owned = {line.slug for line in orders.owned_items(session, customer_id)}
    owned -= whose.left.pieces if whose else set()
    everyone, all_of = _buyers(session, slugs, None)
    alike, like_them = 0, Counter[str]()
    if owned and whose:
        theirs = select(Order.customer_id).join(OrderLine, col(OrderLine.order_id) == col(Order.id))
        owners = theirs.where(col(OrderLine.slug).in_(sorted(owned)), col(Order.state).in_(PAID))
        alike, like_them = _buyers(session, slugs, owners.where(Order.customer_id != customer_id).distinct())
    found = {}
    for slug in slugs:
        usual = (all_of[slug] + 1) * FULL // (everyone + PRIOR_OWNERS)
        found[slug] = (like_them[slug] * FULL + PRIOR_ALIKE * usual) // (alike + PRIOR_ALIKE)
    return _weighed(session, whose, found) if whose else found


def _weighed(session: Session, whose: Whose, shares: Mapping[str, int]) -> dict[str, int]:
    """The shares weighed by the customer's own taste; together they promise no more than before.

    A taste says which pieces, not how many; and high chances are drawn in, as too many of them did not come true.
    """
    items = {slug: catalog.find(session, slug) for slug in shares}
    liked = {slug: taste.liking(whose, item.model.attributes) if item else 0.0 for slug, item in items.items()}
    if not any(liked.values()):
        return dict(shares)
    odds = {slug: share / (FULL - share) * math.exp(liked[slug]) for slug, share in shares.items()}
    weighed = {slug: odd / (1 + odd) for slug, odd in odds.items()}
    level = sum(shares.values()) / max(1e-9, sum(weighed.values()))
    return {slug: round(LIKELIEST * -math.expm1(-chance * level / LIKELIEST)) for slug, chance in weighed.items()}


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
    _ask(session)


def ask_for_unlearning(session: Session, event: Event) -> None:
    """Somebody left, said no, or had something forgotten: the next model comes without it, within the quarter."""
    if event.kind != "consent-withdrawn" or event.facts["purpose"] == "personalisation":
        customer = session.get(Customer, event.customer_id or event.subject or "")
        if customer is not None and not customer.synthetic:
            _ask(session)


def _ask(session: Session) -> None:
    quarter = int(db.now().timestamp()) // LEARNS_EVERY + 1
    soon = datetime.fromtimestamp(quarter * LEARNS_EVERY, UTC)
    tasks.enqueue(session, TRAIN, {}, dedupe_key=f"{TRAIN}:{soon.isoformat()}", run_at=soon)


def _interactions(session: Session, allowed: Allowed) -> "Iterator[Interaction]":
    """What was bought together; whose basket it was only with their consent, nothing of a closed account."""
    statement = (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order in session.exec(statement):
        if order.customer_id not in allowed.erased:
            left = allowed.left.get(order.customer_id or "", NOTHING)
            known = order.customer_id in allowed.willing and line.slug not in left.pieces
            customer = order.customer_id if known else None
            yield recommender.Interaction(
                customer, order.id, order.placed_at, line.slug, line.quantity, order.at_home(line.unit_price)
            )


def _samples(session: Session, allowed: Allowed) -> "Iterator[TasteSample]":
    """What people chose themselves in designs that were bought or saved: no defaults, nothing that the house composed.

    A sold design counts for everyone's taste; a design that was only saved counts with its owner's consent. What they
    had forgotten counts for nobody's.
    """
    bought: set[str] = set()
    lines = (
        select(OrderLine, Order, Design)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(Design, col(Design.id) == col(OrderLine.design_id))
        .where(col(Order.state).in_(PAID), Design.source == "customer")
        .order_by(col(Order.placed_at), col(OrderLine.position))
    )
    for line, order, design in session.exec(lines):
        bought.add(line.design_id)
        owner = order.customer_id if order.customer_id in allowed.willing else None
        if order.customer_id in allowed.erased:
            continue
        own = _own(design, allowed.left.get(order.customer_id or "", NOTHING))
        if own:
            yield _sample(session, owner, design, own, BOUGHT, order.placed_at)
    saved = select(Design).where(Design.source == "customer", col(Design.customer_id).is_not(None))
    for design in session.exec(saved.order_by(col(Design.created_at), col(Design.id))):
        if design.id in bought or design.customer_id not in allowed.willing:
            continue
        own = _own(design, allowed.left.get(design.customer_id or "", NOTHING))
        if own:
            yield _sample(session, design.customer_id, design, own, SAVED, design.created_at)


def _own(design: Design, left: Left) -> dict[str, Any]:
    """What somebody chose by their own hand in a design and lets count."""
    if design.slug in left.pieces:
        return {}
    return {group: value for group, value in left.without(design.slug, design.choices).items() if group in design.own}


def _sample(
    session: Session, owner: str | None, of: Design, own: Mapping[str, Any], weight: float, at: datetime
) -> "TasteSample":
    chosen = {group: forgetting.values_of(value) for group, value in own.items()}
    facts = {
        name: str(fact)
        for group in catalog.version(session, of.model_version).model.groups
        for option in group.options
        if option.id in chosen.get(group.id, ())
        for name, fact in option.attributes.items()
    }
    return recommender.TasteSample(owner, of.slug, chosen, facts, weight, at)
