"""How good the proposals are: the last order of each customer of the demo house is hidden, and then asked for.

Hit@3: whether one of three proposed pieces was in that order (new pieces only). Option match: of the piece that was
bought, the share of its options that the proposal would have chosen alike. Designs saved on the day of the hidden order
are hidden with it, and the recommender is trained without it.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select, update

import configurator
from store import db, demo, serving
from store.crm import insight, proposals
from store.crm.offers import Offer
from store.settings import Settings, read_settings
from store.shop import catalog, orders, taste
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine

PLACES = 3
DRAWS = 2_000
Bought = Sequence[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Held:
    """A customer whose last order is hidden: the new pieces in it."""

    customer_id: str
    bought: Bought


def measure() -> dict[str, str]:
    """Hit@3 of the proposals and of two simple rules, and how well options are met, with 95 % intervals."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _house(Path(folder))
        with db.transaction() as session:
            held = _hide(session)
        insight.train(settings)
        with db.transaction(read_only=True) as session:
            return {**_hits(session, held), **_options(session, held)}


def _house(folder: Path) -> Settings:
    """The demo house, grown in a place of its own."""
    settings = read_settings({"DATA_DIR": str(folder), "SECRET_KEY": "bench"})
    serving.prepare(settings)
    demo.grow(settings, int(os.environ.get("BENCH_CUSTOMERS") or demo.CUSTOMERS), demo.SEED, lambda _line: None)
    for version in (settings.data_dir / "models").glob("*"):
        version.unlink() if version.is_file() else version.rename(folder / f"old-{version.name}")
    return settings


def _hide(session: Session) -> list[Held]:
    """Hide each last order of customers with two or more; returns what was in them."""
    by_customer: dict[str, list[Order]] = {}
    for order in session.exec(select(Order).where(col(Order.state).in_(PAID)).order_by(col(Order.placed_at))):
        by_customer.setdefault(order.customer_id or "", []).append(order)
    found = []
    for customer_id, placed in sorted(by_customer.items()):
        if len(placed) < 2 or not customer_id:
            continue
        last = placed[-1]
        session.execute(update(Order).where(col(Order.id) == last.id).values(state="released"))
        began = last.placed_at - timedelta(hours=12)
        that_day = (col(Design.customer_id) == customer_id, col(Design.created_at) >= began)
        session.execute(update(Design).where(*that_day).values(customer_id=None, session_id=None))
        session.execute(update(Offer).where(col(Offer.customer_id) == customer_id).values(state="expired"))
        session.expire_all()
        owned = {line.slug for line in orders.owned_items(session, customer_id)}
        lines = session.exec(select(OrderLine).where(OrderLine.order_id == last.id)).all()
        new = [(line.slug, dict(line.choices)) for line in lines if line.slug not in owned]
        if new:
            found.append(Held(customer_id, new))
    return found


def _hits(session: Session, held: Sequence[Held]) -> dict[str, str]:
    category = {item.slug: item.model.category for item in catalog.listing(session)}
    paid = select(OrderLine).join(Order).where(col(Order.state).in_(PAID))
    sold = Counter(line.slug for line in session.exec(paid))
    popular = [slug for slug, _ in sorted(sold.items(), key=lambda pair: (-pair[1], pair[0])) if slug in category]
    hits: dict[str, list[bool]] = {"popularity": [], "last category": [], "proposals": []}
    for one in held:
        owned = [line.slug for line in orders.owned_items(session, one.customer_id)]
        wanted = {slug for slug, _ in one.bought}
        new = [slug for slug in popular if slug not in owned]
        last = category.get(owned[0]) if owned else None
        proposed = proposals.next_pieces(session, one.customer_id, PLACES, insight.chances)
        answers = {
            "popularity": new,
            "last category": sorted(new, key=lambda slug: category[slug] != last),
            "proposals": [item.slug for item in proposed],
        }
        for name, answer in answers.items():
            hits[name].append(bool(wanted.intersection(answer[:PLACES])))
    asked = f"{len(held)} customers"
    return {f"Hit@{PLACES}, {name}": f"{_mean(found)}  ({asked})" for name, found in hits.items()}


def _options(session: Session, held: Sequence[Held]) -> dict[str, str]:
    """Of each piece that was bought: how many of its options each way of configuring it meets."""
    met: dict[str, list[float]] = {"as it comes": [], "everyone's taste": [], "made ready for the customer": []}
    for one in held:
        for slug, choices in one.bought:
            item = catalog.find(session, slug)
            groups = [group.id for group in item.model.groups if group.kind == "one"] if item else []
            if item is None or len(groups) < 2:
                continue
            truth = configurator.complete(item.compiled, choices)
            ready, _ = proposals.ready(session, one.customer_id, slug)
            ways: dict[str, Mapping[str, Any]] = {
                "as it comes": configurator.complete(item.compiled, {}),
                "everyone's taste": taste.completed(item, {}, taste.weights(None, slug)),
                "made ready for the customer": configurator.complete(item.compiled, ready),
            }
            for name, way in ways.items():
                met[name].append(sum(way.get(group) == truth.get(group) for group in groups) / len(groups))
    return {f"option match, {name}": f"{_mean(found)}  ({len(found)} pieces)" for name, found in met.items()}


def _mean(values: Sequence[float]) -> str:
    """The mean with its 95 % bootstrap interval."""
    random_ = random.Random(7)
    size = max(1, len(values))
    means = sorted(sum(random_.choices(values, k=size)) / size for _ in range(DRAWS)) if values else [0.0] * DRAWS
    return f"{sum(values) / size:.3f} ({means[DRAWS // 40]:.3f} to {means[-DRAWS // 40]:.3f})"
