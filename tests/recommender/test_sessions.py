"""Exact votes of baskets like the live one, the customer's own and everyone's."""

from collections.abc import Callable

import numpy as np
import pytest

from recommender.history import History
from recommender.query import Query
from recommender.sessions import OwnSessions, Sessions

LINES = [
    ("a", "a1", 0, "tea"), ("a", "a1", 0, "milk"),
    ("a", "a2", 1, "tea"), ("a", "a2", 1, "lemon"), ("a", "a2", 1, "sugar"),
    ("b", "b1", 2, "tea"), ("b", "b1", 2, "milk"),
    ("b", "b2", 3, "salt"),
]  # fmt: skip


def test_own_baskets_vote_by_what_they_have_in_common(history_of: Callable[..., History]) -> None:
    history = history_of(LINES)
    model = OwnSessions.fit(history, 0)
    number = {name: place for place, name in enumerate(history.items)}
    tea = np.log1p(4 / 3)
    basket = np.array([number["tea"]])
    asked = np.array([number[name] for name in ("milk", "lemon", "salt")])
    expected = [tea / np.sqrt(2), tea / np.sqrt(3), 0]
    assert model.score(Query(history.customers.index("a"), basket), asked) == pytest.approx(expected)
    assert model.score(Query(-1, basket), asked).tolist() == [0, 0, 0]


def test_everyones_baskets_vote_whoever_asks(history_of: Callable[..., History]) -> None:
    history = history_of(LINES)
    model = Sessions.fit(history, 0)
    number = {name: place for place, name in enumerate(history.items)}
    tea = np.log1p(4 / 3)
    query = Query(-1, np.array([number["tea"]]))
    asked = np.array([number[name] for name in ("milk", "lemon", "salt")])
    assert model.score(query, asked) == pytest.approx([2 * tea / np.sqrt(2), tea / np.sqrt(3), 0])
    assert [history.items[n] for n in model.propose(query, 1)] == ["milk"]
