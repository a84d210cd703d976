"""The demo house: lived through the shop's own functions, the same for the same seed, killed and gone on with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from store import db, demo, events, links, people, serving
from store.auth import Signer
from store.crm import insight, performance
from store.crm.contacts import Contact
from store.demo import growth, plan, visiting
from store.events import Event
from store.people import Customer
from store.reactions import REACTIONS
from store.settings import Settings, read_settings
from store.shop import catalog, payment_tasks, snapshots, taste
from store.shop.orders import PAID, Order, OrderLine
from store.shop.stock import Stock
from store.shop.suggestions import Suggestion
from store.shop.taste import Whose
from store.tasks import Task

FEW = 10


@pytest.fixture(autouse=True)
def _shop(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop's reactions and links, and no pauses."""
    links.use_links("http://testserver", Signer("test"))
    events.use_reactions(REACTIONS)
    monkeypatch.setattr(growth, "PAUSE_SECONDS", 0)
    yield
    events.use_reactions({})
    taste.use_models(Path("/nowhere"))


def silent(_sentence: str) -> None:
    """Nobody listens."""


def facts(session: Session) -> dict[str, Any]:
    """What was lived, up to ids."""
    lines = session.execute(
        select(OrderLine, Order.placed_at).join(Order).order_by(col(Order.placed_at), col(OrderLine.position))
    ).all()
    kinds = session.exec(select(Event.kind, func.count()).group_by(Event.kind).order_by(Event.kind)).all()
    shown = session.exec(select(Suggestion).order_by(col(Suggestion.shown_at), col(Suggestion.position))).all()
    return {
        "lines": [(line.slug, line.sentence, line.unit_price, line.discount, at) for line, at in lines],
        "events": {kind: count for kind, count in kinds if kind not in ("model-published", "product-published")},
        "shown": [(row.slug, row.arm, row.reason_kind, row.position, row.shown_at) for row in shown],
    }


def test_it_lives_orders_that_add_up_and_takes_no_edition(settings: Settings) -> None:
    demo.grow(settings, FEW, 1901, silent)
    with db.transaction(read_only=True) as session:
        placed = session.exec(select(Order)).all()
        assert {order.state for order in placed} <= {*PAID, "released"}
        assert len([order for order in placed if order.is_paid]) >= FEW // 2
        for order in placed:
            assert snapshots.replay(session, order) == []
            assert order.total == order.subtotal - order.discount + order.shipping
            assert order.synthetic
        everybody = session.exec(select(Customer)).all()
        assert len(everybody) >= FEW // 2
        assert all(customer.synthetic for customer in everybody)
        bought = set(session.exec(select(OrderLine.slug)).all())
        assert not any(slug.startswith("edition-") for slug in bought)
        editions = session.exec(select(Stock).where(col(Stock.slug).startswith("edition-"))).all()
        assert {(stock.on_hand, stock.reserved) for stock in editions} == {(5, 0)}
        assert all(contact.cost > 0 for contact in session.exec(select(Contact)))
        assert session.exec(select(Suggestion.id)).first() is not None
        assert demo.state(session) == "ready"
        # Nothing of the past is left for the worker, and it is asked to train.
        waiting = session.exec(select(Task.kind).where(Task.state == "queued")).all()
        assert {"send-mail", payment_tasks.RELEASE} & set(waiting) == set()
        assert "train" in waiting
        attach = performance.of_suggestions(session)
        assert attach.shown.shown + attach.control.shown == len(session.exec(select(Suggestion.id)).all())
    demo.grow(settings, FEW, 1901, silent)  # grown already: nothing more happens
    with db.transaction(read_only=True) as session:
        assert len(session.exec(select(Order.id)).all()) == len(placed)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_recommender_finds_the_planted_tastes_again(settings: Settings) -> None:
    """It never reads the file of tastes; what people chose is enough for most archetypes, well above chance."""
    demo.grow(settings, 40, 1901, silent)
    insight.train(settings)
    hits: dict[str, list[bool]] = {}
    with db.transaction(read_only=True) as session:
        for person in plan.people(40, 1901):
            customer = people.find_by_email(session, person.email)
            leaning = taste.leaning(Whose(customer.id))[:1] if customer else []
            for strongest in leaning:
                hits.setdefault(person.archetype.name, []).append(strongest.value in person.archetype.options)
        told = [hit for of_archetype in hits.values() for hit in of_archetype]
        watch = catalog.published(session, "meridien")
    values = {option.id for group in watch.model.groups for option in group.options if option.attributes}
    planted = {person.archetype.name: person.archetype.options for person in plan.people(40, 1901)}
    chance = sum(len(values & set(options)) for options in planted.values()) / len(planted) / len(values)
    assert len(told) >= 12
    assert sum(told) / len(told) > chance + 0.25
    assert sum(sum(found) / len(found) > chance for found in hits.values()) > len(hits) / 2


class _KilledError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_and_begun_again_it_is_the_same_house(
    settings: Settings, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = visiting.live
    left = iter(range(11))

    def killed(*args: Any) -> None:
        lived(*args)
        if next(left, None) is None:
            raise _KilledError  # in the middle of a visit that was written but not committed

    monkeypatch.setattr(growth, "live", killed)
    with pytest.raises(_KilledError):
        demo.grow(settings, 4, 7, silent)
    monkeypatch.setattr(growth, "live", lived)
    with db.transaction(read_only=True) as session:
        assert demo.state(session) == "growing"
    demo.grow(settings, 4, 7, silent)
    with db.transaction(read_only=True) as session:
        interrupted = facts(session)
        keys = session.exec(select(Order.idempotency_key)).all()
    assert len(keys) == len(set(keys))

    other = read_settings({"DATA_DIR": str(tmp_path / "other"), "SECRET_KEY": "test"})
    serving.prepare(other)
    demo.grow(other, 4, 7, silent)
    with db.transaction(read_only=True) as session:
        again = facts(session)
        assert again == interrupted
    db.current_engine().dispose()
    db.use_engine(engine)


def test_another_seed_is_another_house_and_more_customers_keep_the_first_ones() -> None:
    few, more = plan.visits(3, 5, _end()), plan.visits(6, 5, _end())
    first = [(visit.at, visit.person.email, visit.number) for visit in more if visit.person.index < 3]
    assert [(visit.at, visit.person.email, visit.number) for visit in few] == first
    assert plan.visits(3, 6, _end()) != few


def _end() -> Any:
    return db.now().replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_there_is_no_demo_in_production(settings: Settings) -> None:
    said: list[str] = []
    production = read_settings(
        {
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "APP_ENV": "production",
            "SECRET_KEY": "test",
            "STRIPE_API_KEY": "sk_live_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "MAIL_URL": "smtp://mail.example",
            "PUBLIC_URL": "https://aurele.example",
        }
    )
    demo.ask_for_house(production)
    demo.grow(production, FEW, 1901, said.append)
    assert said == ["The demo house is not for production."]
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Customer.id)).all() == []
        assert demo.state(session) == "none"
