"""Orders newer than the artifact: counted in at once, without training, exactly where counting is exact."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from recommender.artifact import Fitted, fit
from recommender.history import History, Interaction
from recommender.models import ALGORITHMS, Query, Recommender
from recommender.query import Recent
from recommender.suggest import Reason, suggest
from tests.recommender.conftest import HISTORIES, START

NEWER = [Interaction("c0", "later", START + timedelta(days=90), item, 1, 1000) for item in ("i1", "i2", "i3")]


@pytest.fixture
def fitted(usual: History) -> Fitted:
    return fit(usual, None, 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_takes_newer_baskets_and_keeps_itself(algorithm: str, any_history: History) -> None:
    model: Recommender = ALGORITHMS[algorithm].fit(any_history, 1)
    items = np.arange(len(any_history.items))
    asked = [Query(0, items[:1]), Query(len(any_history.customers), items[:1]), Query()]
    before = [model.score(query, items) for query in asked]
    recent = [Recent(0, items[:3]), Recent(len(any_history.customers), items[:2]), Recent(-1, items[:2])]
    folded = model.folded(recent)
    for query, scores in zip(asked, before, strict=True):
        assert np.array_equal(model.score(query, items), scores)
        after = folded.score(query, items)
        assert np.isfinite(after).all()
        assert (after >= 0).all()
        assert len(np.unique(folded.propose(query, 5))) <= 5


def test_counts_are_those_of_a_training_with_the_newer_orders(
    fitted: Fitted, history_of: Callable[..., History]
) -> None:
    folded = fitted.with_recent(NEWER)
    again = fit(history_of([*HISTORIES["usual"], *(("c0", "later", 90, i) for i in ("i1", "i2", "i3"))]), None, 1)
    items = np.arange(len(again.items))
    number = folded.customers.number("c0")
    assert np.array_equal(folded.popularity.weight, again.popularity.weight)
    assert np.array_equal(folded.frequency.own.at(number, items), again.frequency.own.at(number, items))
    for item in ("i1", "i2", "i3"):
        row = folded.items.number(item)
        assert np.array_equal(folded.neighbours.together.at(row, items), again.neighbours.together.at(row, items))


def test_an_own_order_is_owned_cited_and_habit_at_once(fitted: Fitted) -> None:
    folded = fitted.with_recent([*NEWER, *(_moved(line, "c-new", "first") for line in NEWER)])
    new = folded.customers.number("c-new")
    assert new == len(fitted.customers)
    assert folded.customers.name(new) == "c-new"
    assert fitted.customers.number("c-new") == -1
    assert [folded.items.name(int(i)) for i in folded.owned(new)] == ["i1", "i2", "i3"]
    twice = folded.with_recent([_moved(line, "c-new", "second", days=91) for line in NEWER])
    found = suggest(twice, customer="c-new", basket=[], candidates=["i1"], exclude=(), k=1)
    assert [(s.item, s.reason) for s in found] == [("i1", Reason("bought_before", None, 2))]


def test_what_the_history_held_and_returns_and_unknown_items_change_nothing(fitted: Fitted) -> None:
    old = Interaction("c0", "old", START, "i1", 1, 1000)
    back = Interaction("c0", "back", START + timedelta(days=90), "i1", -1, 1000)
    assert fitted.with_recent([old, back]) is fitted
    unknown = fitted.with_recent([Interaction("c0", "b", START + timedelta(days=90), "unheard", 1, 1000)])
    assert np.array_equal(unknown.popularity.weight, fitted.popularity.weight)


def _moved(line: Interaction, customer: str, basket: str, days: int = 90) -> Interaction:
    return Interaction(customer, basket, START + timedelta(days=days), line.item, 1, 1000)
