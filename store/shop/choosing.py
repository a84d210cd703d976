"""Which three pieces suit a bag: what can be had, ranked by the recommender, as far as it fits, well mixed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

import configurator
from configurator import Choices
from store.errors import ShopError
from store.events import Visitor
from store.shop import catalog, stock, taste
from store.shop.bags import CartView
from store.shop.catalog import Published
from store.shop.companions import Anchor, alike, companion, fitting
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine
from store.shop.reasons import Why, why

MOST = 3
LOOKED_AT = 24  # of the ranking, as far as they fit
COMPARED = 6  # of each category, for the one that matches best


@dataclass(frozen=True)
class Choice:
    """A piece for the bag, configured, with the reason."""

    item: Published
    choices: Choices
    why: Why


def choose(session: Session, visitor: Visitor, view: CartView, declined: frozenset[str]) -> list[Choice]:
    """The best three that fit, of different categories as far as there are."""
    customer = visitor.customer_id if visitor.allows("personalisation") else None
    owned = _owned(session, visitor.customer_id) if visitor.customer_id else []
    basket = [line.line.slug for line in view.lines]
    out = {*basket, *(line.slug for line, _ in owned), *declined}
    candidates = [item for item in _for_sale(session) if item.slug not in out]
    by_slug = {item.slug: item for item in candidates}
    here = _in_bag(view)
    anchors = here + (_at_home(session, owned) if customer else [])
    fit: list[tuple[Published, Anchor, Choices]] = []
    ranks = {}
    for ranked in taste.rank(customer, basket, list(by_slug), out):
        item = by_slug[ranked.slug]
        found = fitting(item, anchors)
        if found is None or not _welcome(item, found[1], here):
            continue
        fit.append((item, *found))
        ranks[item.slug] = ranked
        if len(fit) >= LOOKED_AT:
            break
    chosen = []
    for item, anchor, choices in _varied(fit):
        matched = companion(item, anchor, choices, customer)
        cited = catalog.find(session, ranks[item.slug].cites or "")
        chosen.append(Choice(item, matched.choices, why(matched, ranks[item.slug], cited.name if cited else None)))
    return chosen


def _varied(fit: Sequence[tuple[Published, Anchor, Choices]]) -> list[tuple[Published, Anchor, Choices]]:
    """The best of each category, in the order of the ranking, then the others.

    The best of a category is, among its first few, the one that looks most like the design it goes with.
    """
    of_category: dict[str, list[tuple[Published, Anchor, Choices]]] = {}
    for one in fit:
        of_category.setdefault(one[0].model.category, []).append(one)
    best = [min(ranked[:COMPARED], key=lambda one: alike(*one)) for ranked in of_category.values()]
    return [*best, *(one for one in fit if one not in best)][:MOST]


def _for_sale(session: Session) -> list[Published]:
    """What can be had now with one click; numbered pieces are found, and what others are made for is composed."""
    listed = catalog.listing(session)
    hosts = {rule.product for item in listed for rule in item.model.fits_rules}
    gone = stock.run_out(session)
    return [
        item
        for item in listed
        if not item.model.supply.numbered
        and item.slug not in hosts
        and not item.model.fits_by
        and item.slug not in gone
    ]


def _welcome(item: Published, choices: Choices, bag: Sequence[Anchor]) -> bool:
    """Whether what lies in the bag and is made for such pieces fits this one."""
    return all(
        configurator.fits(anchor.item.compiled, dict(anchor.choices), item.compiled, choices)
        for anchor in bag
        if any(rule.product == item.slug for rule in anchor.item.model.fits_rules)
    )


def _in_bag(view: CartView) -> list[Anchor]:
    return [
        Anchor(line.published, line.worth.choices, owned=False, chosen=line.design.source == "customer")
        for line in view.lines
        if line.published is not None and line.worth is not None
    ]


def _at_home(session: Session, owned: Sequence[tuple[OrderLine, str]]) -> list[Anchor]:
    """The designs the customer owns, as far as their versions are known."""
    anchors = []
    for line, source in owned:
        try:
            item = catalog.version(session, line.model_version)
        except ShopError:
            continue
        anchors.append(Anchor(item, line.choices, owned=True, chosen=source == "customer"))
    return anchors


def _owned(session: Session, customer_id: str) -> list[tuple[OrderLine, str]]:
    """The pieces a customer has paid for, the newest first, and who composed each."""
    statement = (
        select(OrderLine, Design.source)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(Design, col(Design.id) == col(OrderLine.design_id), isouter=True)
        .where(Order.customer_id == customer_id, col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at).desc(), col(OrderLine.position))
    )
    return [(line, source or "") for line, source in session.exec(statement).all()]
