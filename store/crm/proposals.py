"""What to offer this very person next: pieces that fit what they own or began, configured to match, best margin first.

The chance that a person takes a piece is, until a trained model says better, the share of comparable customers who
bought it, counted in SQL and smoothed; the reason names the owned or saved design it was chosen for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from configurator import Choices, Described
from store import money
from store.crm import offers
from store.money import FULL
from store.people import consents_of
from store.rendering import day
from store.shop import catalog, designs, orders, stock, taxes
from store.shop.appraisal import appraise, picture_of
from store.shop.catalog import Published
from store.shop.companions import Anchor, Companion, companion, fitting
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine

MOST = 8
ANCHORS = 4  # the newest designs looked at
PRIOR_BUYERS, PRIOR_OWNERS = 1, 20  # one in twenty, before anything was seen
SAVED_CHANCE = 1_500  # basis points, for a design that somebody made and kept, while nothing better is known

# Answers, for this person, how likely each piece is to be bought, in basis points; what it leaves out is counted here.
Chances = Callable[[Session, str, Sequence[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Proposal:
    """A piece for one person, ready to be ordered; money in minor units.

    Attributes:
        reason: a true sentence to that person.
        chance: how likely it is bought, in basis points.
        margin: price less tax and cost.
        expected_margin: margin × chance.
    """

    slug: str
    name: str
    choices: Choices
    described: tuple[Described, ...]
    sentence: str
    price: int
    currency: str
    picture: list[str]
    reason: str
    chance: int
    margin: int
    expected_margin: int
    design_code: str | None = None


def proposals(session: Session, customer_id: str, most: int = MOST, chances: Chances | None = None) -> list[Proposal]:
    """The pieces worth offering to this customer, by expected margin; none that is owned, offered or sold out."""
    anchors = anchors_of(session, customer_id)
    if not anchors:
        return []
    out = _not_again(session, customer_id)
    found = [*_saved(session, customer_id), *_companions(session, customer_id, anchors, out)]
    known = dict(chances(session, customer_id, [item.slug for item in found])) if chances else {}
    # What others bought says nothing of a design that this person made and left: it keeps its own, lower chance.
    ranked = [
        _with_chance(item, known[item.slug]) if item.slug in known and item.design_code is None else item
        for item in found
    ]
    ranked.sort(key=lambda item: (-item.expected_margin, item.slug))
    best: dict[str, Proposal] = {}
    for item in ranked:
        if item.expected_margin > 0:
            best.setdefault(item.slug, item)
    return list(best.values())[:most]


def anchors_of(session: Session, customer_id: str) -> list[Anchor]:
    """The configured pieces this customer owns, then those they saved; each design once, the newest first."""
    found = [
        Anchor(catalog.version(session, line.model_version), line.choices, owned=True, chosen=not line.suggestion_id)
        for line in orders.owned_items(session, customer_id)
    ]
    found += [
        Anchor(catalog.version(session, design.model_version), design.choices, owned=False, chosen=True)
        for design in open_designs(session, customer_id)
    ]
    distinct: dict[tuple[str, str], Anchor] = {}
    for anchor in found:
        if anchor.item.model.configurable:
            distinct.setdefault((anchor.item.slug, repr(sorted(anchor.choices.items()))), anchor)
    return list(distinct.values())[:ANCHORS]


def ready(session: Session, customer_id: str, slug: str) -> tuple[Choices, str]:
    """The piece configured for this customer, and why: matched to the first of their designs that it fits."""
    item = catalog.published(session, slug)
    matched = _matched(item, anchors_of(session, customer_id), _whose_taste(session, customer_id))
    return (matched.choices, _reason(matched)) if matched else ({}, "")


# -- what can be offered ---------------------------------------------------------------------------------------------


def _companions(session: Session, customer_id: str, anchors: Sequence[Anchor], out: frozenset[str]) -> list[Proposal]:
    """Pieces made for one of the designs, each configured to match the first that it fits."""
    candidates = [item for item in catalog.listing(session) if item.slug not in out]
    free = stock.available(session, [item.slug for item in candidates if item.counted])
    bought, owners = _buyers(session)
    whose = _whose_taste(session, customer_id)
    found: list[Proposal] = []
    for item in candidates:
        if (item.counted and not free.get(item.slug)) or item.model.supply.numbered:
            continue
        matched = _matched(item, anchors, whose)
        if matched is not None and _reason(matched):
            chance = _share(bought.get(item.slug, 0), owners)
            found.append(_proposal(item, matched.choices, {}, _reason(matched), chance))
    return found


def _saved(session: Session, customer_id: str) -> list[Proposal]:
    """What this customer made, kept and never ordered."""
    found = []
    for design in open_designs(session, customer_id)[:ANCHORS]:
        item = catalog.find(session, design.slug)
        if item is None or not item.model.configurable:
            continue
        now = designs.renewed(session, design)
        reason = f"You designed this {item.name} on {day(design.created_at)} and kept it."
        found.append(_proposal(item, now.choices, now.texts, reason, SAVED_CHANCE, design.code))
    return found


def open_designs(session: Session, customer_id: str) -> list[Design]:
    """Designs by this customer's own hand that were not bought, the newest first."""
    bought = {line.design_id for line in orders.owned_items(session, customer_id)}
    mine = designs.of_customer(session, customer_id)
    return [design for design in mine if design.source == "customer" and design.id not in bought]


def _not_again(session: Session, customer_id: str) -> frozenset[str]:
    """Pieces that are owned, offered just now, or were declined."""
    owned = {line.slug for line in orders.owned_items(session, customer_id)}
    offered = {offer.slug for offer in offers.all_of(session, customer_id) if offer.state in _SETTLED and offer.slug}
    return frozenset(owned | offered)


_SETTLED = ("draft", "sent", "accepted", "declined")


def _matched(item: Published, anchors: Sequence[Anchor], whose_taste: str | None) -> Companion | None:
    found = fitting(item, anchors)
    return companion(item, *found, whose_taste) if found else None


def _reason(matched: Companion) -> str:
    """Why it goes with the design: what both share to the eye, else that it was made for it; "" for neither."""
    facts = matched.likeness or matched.fitted_to or matched.made_for
    if facts is None:
        return ""
    whose = f"the {facts['name']} you own" if facts["owned"] else f"the {facts['name']} you designed"
    if matched.likeness:
        return f"{facts['label']}, like {whose}."
    return f"Made to fit {whose}." if matched.fitted_to else f"Made for {whose}."


def _whose_taste(session: Session, customer_id: str) -> str | None:
    """The person's own leaning, only where they agreed to it; else everyone's."""
    return customer_id if "personalisation" in consents_of(session, customer_id) else None


# -- what it is worth ------------------------------------------------------------------------------------------------


def _proposal(
    item: Published, choices: Choices, texts: Mapping[str, str], reason: str, chance: int, code: str | None = None
) -> Proposal:
    worth = appraise(item, choices, texts)
    net = worth.price.amount - money.contained_tax(worth.price.amount, taxes.terms(None).of(item).rate)
    margin = net - worth.unit_cost
    return Proposal(
        slug=item.slug,
        name=item.name,
        choices=worth.choices,
        described=worth.described,
        sentence=worth.sentence,
        price=worth.price.amount,
        currency=worth.price.currency,
        picture=picture_of(item, worth.completion),
        reason=reason,
        chance=chance,
        margin=margin,
        expected_margin=money.share(margin, chance),
        design_code=code,
    )


def _with_chance(item: Proposal, chance: int) -> Proposal:
    values: dict[str, Any] = {**vars(item), "chance": chance, "expected_margin": money.share(item.margin, chance)}
    return Proposal(**values)


def _buyers(session: Session) -> tuple[dict[str, int], int]:
    """How many customers bought each piece, and how many bought anything."""
    paid = col(Order.state).in_(PAID)
    statement = (
        select(OrderLine.slug, func.count(col(Order.customer_id).distinct()))
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(paid)
        .group_by(col(OrderLine.slug))
    )
    owners = session.exec(select(func.count(col(Order.customer_id).distinct())).where(paid)).one()
    return dict(session.exec(statement).all()), owners


def _share(buyers: int, owners: int) -> int:
    """The smoothed share, in basis points."""
    return (buyers + PRIOR_BUYERS) * FULL // (owners + PRIOR_OWNERS)
