"""What a new version of a product touches before it is on sale: open designs, lines of bags and offers, and how."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from store import db
from store.crm.offers import OPEN, Offer
from store.errors import ShopError
from store.shop import catalog, designs, renewal
from store.shop.bags import Cart, CartLine
from store.shop.catalog import Published
from store.shop.designs import Design
from store.shop.orders import OrderLine
from store.shop.renewal import Renewed

SECONDS = 4.0  # that one look may take; the rest is looked at from there
LISTED = 200  # changed ones that one page lists
_BATCH = 500

Where = Literal["design", "bag", "offer"]


@dataclass(frozen=True)
class Touched:
    """One open design that the new version changes: where it lies, and how it comes out."""

    design: Design
    where: tuple[Where, ...]
    offer_ids: tuple[str, ...]
    kinds: frozenset[str]
    words: tuple[str, ...]
    price_before: int
    price_after: int | None  # None: it could not be carried at all


@dataclass(frozen=True)
class Impact:
    """What one look found; `more` is where to go on when not everything was looked at."""

    total: int
    looked_at: int
    unaffected: int
    touched: tuple[Touched, ...]
    counts: dict[str, int]  # by kind of change
    more: str | None

    @property
    def everything(self) -> bool:
        """Whether nothing is left to look at."""
        return self.more is None


def of_publishing(
    session: Session,
    item: Published,
    *,
    since: datetime | None = None,
    after: str = "",
    seconds: float = SECONDS,
) -> Impact:
    """What putting this version on sale would change, in the order of the designs' ids, as far as the time allows.

    Every design is carried by the very function that carries it afterwards; nothing is written.

    Args:
        since: only designs saved since then (those in bags and offers always).
        after: go on after the design with this id.
    """
    total = session.exec(_count(item.slug, since, "")).one()
    waiting = session.exec(_count(item.slug, since, after)).one()
    stop = time.monotonic() + seconds
    known: dict[tuple[str, str], Renewed | None] = {}
    touched: list[Touched] = []
    counts: dict[str, int] = {}
    looked_at, last, more = 0, after, None
    for design, where, offer_ids in _open_designs(session, item.slug, since, after):
        if looked_at and (time.monotonic() > stop or len(touched) >= LISTED):
            more = last
            break
        found = _touched(session, item, design, where, offer_ids, known)
        if found is not None:
            touched.append(found)
            for kind in found.kinds:
                counts[kind] = counts.get(kind, 0) + 1
        looked_at, last = looked_at + 1, design.id
    return Impact(
        total, total - waiting + looked_at, looked_at - len(touched), tuple(touched), dict(sorted(counts.items())), more
    )


def _touched(
    session: Session,
    item: Published,
    design: Design,
    where: tuple[Where, ...],
    offer_ids: tuple[str, ...],
    known: dict[tuple[str, str], Renewed | None],
) -> Touched | None:
    asked = (design.model_version, json.dumps([design.choices, design.texts, design.price], sort_keys=True))
    if asked not in known:
        known[asked] = _carried(session, item, design)
    now = known[asked]
    if now is None:
        words = ("It cannot be made on the new version at all.",)
        return Touched(design, where, offer_ids, frozenset({"lost"}), words, design.price, None)
    if not now.happened:
        return None
    kinds = frozenset(one.kind for one in now.happened)
    return Touched(design, where, offer_ids, kinds, now.changes, design.price, now.price)


def _carried(session: Session, item: Published, design: Design) -> Renewed | None:
    try:
        old = catalog.version(session, design.model_version)
        return renewal.carried(old, item, designs.as_saved(design), keep=False)
    except ShopError:
        return None


# -- which designs are open ------------------------------------------------------------------------------------------


def _open(slug: str, since: datetime | None, after: str) -> ColumnElement[bool]:
    """Saved and not bought, or lying in an open bag or an open offer."""
    fresh: ColumnElement[bool] = col(Design.id).not_in(
        select(col(OrderLine.design_id)).where(OrderLine.slug == slug, col(OrderLine.design_id).is_not(None))
    )
    if since is not None:
        fresh = and_(fresh, col(Design.created_at) >= since)
    open_now = or_(
        fresh,
        col(Design.id).in_(_in_bags(slug)),
        col(Design.id).in_(select(col(Offer.design_id)).where(_usable(), col(Offer.design_id).is_not(None))),
        col(Design.id).in_(select(col(Offer.gift_design_id)).where(_usable(), col(Offer.gift_design_id).is_not(None))),
    )
    return and_(col(Design.slug) == slug, col(Design.id) > after, open_now)


def _in_bags(slug: str) -> SelectOfScalar[str]:
    return (
        select(col(CartLine.design_id))
        .join(Cart, col(Cart.id) == col(CartLine.cart_id))
        .where(CartLine.slug == slug, col(Cart.ordered).is_(None))
    )


def _usable() -> ColumnElement[bool]:
    """Offers that are being written, or that can be used now."""
    return or_(col(Offer.state) == "draft", and_(col(Offer.state).in_(OPEN), col(Offer.expires_at) > db.now()))


def _offers_with(session: Session, ids: list[str]) -> dict[str, tuple[str, ...]]:
    """By design: the offers that name it, as their piece or as their gift."""
    named = or_(col(Offer.design_id).in_(ids), col(Offer.gift_design_id).in_(ids))
    found: dict[str, tuple[str, ...]] = {}
    rows = session.exec(select(Offer.id, Offer.design_id, Offer.gift_design_id).where(_usable(), named))
    for offer_id, piece, gift in rows.all():
        for design_id in {piece, gift} & set(ids):
            found[str(design_id)] = (*found.get(str(design_id), ()), offer_id)
    return found


def _count(slug: str, since: datetime | None, after: str) -> SelectOfScalar[int]:
    return select(func.count()).select_from(Design).where(_open(slug, since, after))


def _open_designs(
    session: Session, slug: str, since: datetime | None, after: str
) -> Iterator[tuple[Design, tuple[Where, ...], tuple[str, ...]]]:
    """The open designs by id, batch by batch, each with where it lies."""
    while True:
        statement = select(Design).where(_open(slug, since, after)).order_by(col(Design.id)).limit(_BATCH)
        batch = session.exec(statement).all()
        ids = [design.id for design in batch]
        in_bags = set(session.exec(_in_bags(slug).where(col(CartLine.design_id).in_(ids))).all())
        offered = _offers_with(session, ids)
        for design in batch:
            where: list[Where] = ["design"]
            if design.id in in_bags:
                where.append("bag")
            if design.id in offered:
                where.append("offer")
            yield design, tuple(where), offered.get(design.id, ())
        if len(batch) < _BATCH:
            return
        after = ids[-1]
