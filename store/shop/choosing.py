"""Which three pieces suit a bag: what can be had, ranked by the recommender, as far as it fits, well mixed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

import configurator
from configurator import Choices
from store.errors import ShopError
from store.events import Visitor
from store.money import FULL
from store.shop import catalog, designs, orders, stock, taste
from store.shop.appraisal import appraise
from store.shop.bags import CartView
from store.shop.catalog import Published
from store.shop.companions import Anchor, alike, companion, fitting
from store.shop.curation import Policy
from store.shop.designs import Design
from store.shop.forgetting import NOTHING, Left
from store.shop.orders import OrderLine
from store.shop.reasons import Why, why
from store.shop.taste import Ranked

MOST = 3
LOOKED_AT = 24  # pieces of the ranking that fit
COMPARED = 6  # of each category, for the one that matches best
TRIED = 6  # the pieces next in line, of which one may be drawn for the last place


@dataclass(frozen=True)
class Choice:
    """A piece for the bag, configured, with the reason.

    Attributes:
        propensity: how likely it was to stand in its place, basis points.
    """

    item: Published
    choices: Choices
    why: Why
    propensity: int = FULL


@dataclass(frozen=True)
class _Fit:
    """A piece that fits something, with its choices for that and its place in the ranking."""

    item: Published
    anchor: Anchor
    choices: Choices
    ranked: Ranked


def choose(
    session: Session, visitor: Visitor, view: CartView, declined: frozenset[str], policy: Policy
) -> list[Choice]:
    """The best three that fit, of different categories as far as there are; what the owner pinned comes first."""
    whose = taste.whose(session, visitor)
    owned = _owned(session, visitor.customer_id) if visitor.customer_id else []
    basket = [line.line.slug for line in view.lines]
    out = {*basket, *(line.slug for line, _ in owned), *declined, *policy.bans}
    candidates = {item.slug: item for item in _for_sale(session) if item.slug not in out}
    here = _in_bag(view, whose.left if whose else NOTHING)
    anchors = here + (_at_home(session, owned, whose.left) if whose else [])
    ranking = taste.rank(whose, basket, list(candidates), out)
    ranking.sort(key=lambda one: policy.pins.index(one.slug) if one.slug in policy.pins else len(policy.pins))
    fit = list(_fitting([(candidates[ranked.slug], ranked) for ranked in ranking], anchors, here, policy))
    found: list[Choice] = []
    for one, propensity in _with_trial(_varied(fit, policy), policy, view.cart.id):
        matched = companion(one.item, one.anchor, one.choices, whose)
        if not policy.allows(appraise(one.item, matched.choices)):
            continue  # what taste added costs the house too much
        cited = catalog.find(session, one.ranked.cites or "")
        reason = why(matched, one.ranked, cited.name if cited else None)
        found.append(Choice(one.item, matched.choices, reason, propensity))
        if len(found) >= MOST:
            break
    return found


def _fitting(
    ranking: Sequence[tuple[Published, Ranked]], anchors: Sequence[Anchor], bag: Sequence[Anchor], policy: Policy
) -> Iterator[_Fit]:
    """The first of each category, in the order of the ranking, that fit and leave enough margin."""
    looked_at = 0
    of_category: dict[str, int] = {}
    for item, ranked in ranking:
        if looked_at >= LOOKED_AT:
            return
        seen = of_category.get(item.model.category, 0)
        if seen >= COMPARED and item.slug not in policy.pins:
            continue
        found = fitting(item, anchors)
        if found is None or not _welcome(item, found[1], bag) or not policy.allows(appraise(item, found[1])):
            continue
        looked_at += 1
        of_category[item.model.category] = seen + 1
        yield _Fit(item, *found, ranked)


def _varied(fit: Sequence[_Fit], policy: Policy) -> list[_Fit]:
    """What is pinned, then the best of each further category in the order of the ranking, then the others.

    The best of a category is, among its first few, the one that looks most like the design it goes with.
    """
    pinned = [one for one in fit if one.item.slug in policy.pins]
    of_category: dict[str, list[_Fit]] = {}
    for one in fit:
        of_category.setdefault(one.item.model.category, []).append(one)
    taken = {one.item.model.category for one in pinned}
    best = [
        min(ranked[:COMPARED], key=lambda one: alike(one.item, one.anchor, one.choices))
        for category, ranked in of_category.items()
        if category not in taken
    ]
    first = [*pinned, *best]
    return [*first, *(one for one in fit if one not in first)]


def _with_trial(ordered: Sequence[_Fit], policy: Policy, unit: str) -> list[tuple[_Fit, int]]:
    """The order with the chance of each to stand where it does: in some bags one next in line takes the last place.

    Drawn by a stable hash of the bag, so that looking again shows the same. Without such trials nothing could be
    learned of pieces that the ranking never shows.
    """
    sure = [(one, FULL) for one in ordered]
    last = MOST - 1
    kinds = {one.item.model.category for one in ordered[:last]}
    others = [one for one in ordered[MOST:] if one.item.model.category not in kinds][:TRIED]
    if not policy.explored or not others or ordered[last].item.slug in policy.pins:
        return sure
    digest = hashlib.sha256(f"trial:{unit}".encode()).digest()
    if int.from_bytes(digest[:8], "big") % FULL >= policy.explored:
        return [*sure[:last], (ordered[last], FULL - policy.explored), *sure[MOST:]]
    drawn = others[int.from_bytes(digest[8:16], "big") % len(others)]
    rest = [pair for pair in sure[last:] if pair[0] is not drawn]
    return [*sure[:last], (drawn, policy.explored // len(others)), *rest]


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


def _in_bag(view: CartView, left: Left) -> list[Anchor]:
    return [
        Anchor(line.published, line.worth.choices, owned=False, own=spoken_for(line.design, left))
        for line in view.lines
        if line.published is not None and line.worth is not None
    ]


def spoken_for(design: Design | None, left: Left) -> frozenset[str]:
    """The groups of a design whose value its owner chose, and did not ask us to forget."""
    return design.own.intersection(left.without(design.slug, design.choices)) if design else frozenset()


def _at_home(session: Session, owned: Sequence[tuple[OrderLine, Design | None]], left: Left) -> list[Anchor]:
    """The designs the customer owns and lets count, as far as their versions are known."""
    anchors = []
    for line, design in owned:
        if line.slug in left.pieces:
            continue
        try:
            item = catalog.version(session, line.model_version)
        except ShopError:
            continue
        anchors.append(Anchor(item, line.choices, owned=True, own=spoken_for(design, left)))
    return anchors


def _owned(session: Session, customer_id: str) -> list[tuple[OrderLine, Design | None]]:
    """The pieces a customer has paid for, the newest first, and the design of each."""
    lines = orders.owned_items(session, customer_id)
    made = designs.by_ids(session, {line.design_id for line in lines})
    return [(line, made.get(line.design_id)) for line in lines]
