"""Publishing models: a worse one stays out, what must go goes all the same, and one action brings the earlier back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

import recommender
from recommender import History, Interaction
from store import commands, db, people, privacy
from store.crm import insight
from store.errors import ShopError
from store.events import Event
from store.settings import Settings
from store.shop import curation, forgetting, taste
from store.tasks import Task
from tests.store.crm.cast import House

pytestmark = pytest.mark.usefixtures("own_models")
GOLD = {"case": "rose-gold", "strap": "alligator", "leather": "cognac"}


def better(settings: Settings, ndcg: float = 0.9, *customers: str) -> str:
    """Publish a model that did well on its own window; it knows these customers."""
    start = db.now() - timedelta(days=300)
    seen = [
        Interaction(customer, f"b{n}", start, "meridien", 1, 100) for n, customer in enumerate(customers or ("nobody",))
    ]
    history = History.of(seen) if customers else History.of([])
    fitted = recommender.fit(history, None, 1)
    figures = {"until": db.now().timestamp(), "window_ndcg": ndcg, "window_error": 0.01, "window_questions": 100.0}
    made = replace(fitted, metrics=figures)
    version = recommender.publish(made, settings.data_dir / "models")
    taste.use_models(settings.data_dir / "models")
    return version


def orders(house: House, number: int) -> None:
    """So many orders of two pieces, of a customer who consents."""
    house.consents(house.iris, "personalisation")
    for _ in range(number):
        house.orders(house.iris, ("meridien", GOLD), ("care-kit-leather", {}))
    house.session.commit()


def serving(settings: Settings) -> str | None:
    return recommender.current_version(settings.data_dir / "models")


def trained(session: Session) -> list[tuple[bool, str]]:
    return [(event.facts["published"], event.facts["version"]) for event in insight.trainings(session)]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of two questions is enough here: the rules of publishing are tested, not those of judging."""
    monkeypatch.setattr("recommender.judging.FEWEST", 2)
    monkeypatch.setattr("recommender.judging.WINDOW", 0.5)


@pytest.mark.usefixtures("judged")
def test_a_worse_model_is_not_published(house: House, settings: Settings) -> None:
    orders(house, 6)
    kept = better(settings, ndcg=1.5)  # more than any can reach
    told = insight.train(settings)
    assert told.startswith("Not published: it answers worse (NDCG@10 ")
    assert "1.500 by the one before" in told
    assert serving(settings) == kept
    assert trained(house.session) == [(False, kept)]


@pytest.mark.usefixtures("judged")
def test_a_better_one_is(house: House, settings: Settings) -> None:
    orders(house, 6)
    before = better(settings, ndcg=0.01)
    told = insight.train(settings)
    assert "published" in told
    assert serving(settings) not in (None, before)


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("how", ["erased", "withdrawn", "forgotten"])
def test_what_must_go_goes_even_by_a_worse_model(house: House, settings: Settings, how: str) -> None:
    orders(house, 6)
    house.consents(house.blanche, "personalisation")
    house.orders(house.blanche, ("meridien", {}))
    house.session.commit()
    assert house.blanche.customer_id
    kept = better(settings, 1.5, house.blanche.customer_id)
    assert insight.train(settings).startswith("Not published")
    if how == "erased":
        privacy.erase(house.session, house.blanche.customer_id)
    elif how == "withdrawn":
        house.consents(house.blanche)
    else:
        forgetting.forget(house.session, house.blanche, "meridien")
    house.session.commit()
    told = insight.train(settings)
    assert told.endswith("the one before held what had to go.")
    assert serving(settings) != kept
    fitted = taste.fitted()
    assert fitted is not None
    assert fitted.customers.number(house.blanche.customer_id) == -1


def test_one_action_goes_back_and_holds_until_models_may_go_on(house: House, settings: Settings) -> None:
    orders(house, 2)
    insight.train(settings)
    first = serving(settings)
    orders(house, 1)
    insight.train(settings)
    second = serving(settings)
    assert first != second
    told = insight.roll_back(house.session, settings, house.owner)
    house.session.commit()
    assert (serving(settings), taste.serving_version()) == (first, first)
    assert first is not None
    assert first in told
    assert insight.train(settings) == f"Not published: you hold the one that serves. Recommender {first} serves on."
    done = house.session.exec(select(Event).where(Event.staff_id == house.owner.staff_id)).all()
    assert "recommender rolled back" in {event.facts.get("action") for event in done}
    curation.rule_house(house.session, house.owner, curation.HELD, None)
    house.session.commit()
    insight.train(settings)
    assert serving(settings) == second


def test_nobody_is_brought_back_who_left(house: House, settings: Settings) -> None:
    house.consents(house.blanche, "personalisation")
    house.orders(house.blanche, ("meridien", {}))
    orders(house, 1)
    insight.train(settings)
    assert house.blanche.customer_id
    privacy.erase(house.session, house.blanche.customer_id)
    house.session.commit()
    insight.train(settings)
    now = serving(settings)
    with pytest.raises(ShopError) as refusal:
        insight.roll_back(house.session, settings, house.owner)
    assert refusal.value.status == 409
    assert serving(settings) == now
    assert not curation.policy(house.session).held


def test_without_an_earlier_model_there_is_no_way_back(house: House, settings: Settings) -> None:
    with pytest.raises(ShopError) as refusal:
        insight.roll_back(house.session, settings, house.owner)
    assert refusal.value.detail == "There is no earlier model to go back to."


def test_the_command_goes_back_as_well(
    house: House, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orders(house, 2)
    insight.train(settings)
    first = serving(settings)
    orders(house, 1)
    insight.train(settings)
    monkeypatch.setattr(commands, "read_settings", lambda: settings)
    ours = db.current_engine()
    commands.rollback()
    db.current_engine().dispose()  # the command opened one of its own
    db.use_engine(ours)
    assert serving(settings) == first
    assert f"Recommender {first} serves again" in capsys.readouterr().out


def test_who_leaves_says_no_or_forgets_has_it_unlearned_within_the_quarter(house: House) -> None:
    def asked() -> int:
        return len(house.session.exec(select(Task).where(Task.kind == insight.TRAIN)).all())

    house.consents(house.iris, "personalisation", "messages")
    assert asked() == 0
    house.consents(house.iris, "personalisation")
    assert asked() == 0  # messages have nothing to do with it
    forgetting.forget(house.session, house.iris, "meridien", "case", "steel")
    assert asked() == 1
    forgetting.forget(house.session, house.iris, "meridien", "case", "steel")
    assert len(house.session.exec(select(Event).where(Event.kind == "taste-forgotten")).all()) == 1
    people.answer_consent(house.session, house.iris, (), "account")
    assert asked() == 1  # once for all of the same quarter of an hour
