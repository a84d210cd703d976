"""Validation: what is hidden, and how answers are scored."""

from collections.abc import Callable

import numpy as np
import pytest

from recommender.evaluate import Case, measure, split
from recommender.history import History
from recommender.query import Query


def test_hides_the_last_basket_of_those_who_have_another(history_of: Callable[..., History]) -> None:
    history = history_of([("a", "b0", 0, "x"), ("a", "b1", 5, "y"), ("b", "b2", 3, "x"), (None, "b3", 9, "x")])
    kept, hidden = split(history, at_most=10, seed=0)
    assert [history.basket_at[b] for b in hidden] == [history.basket_at[2]]
    assert len(kept.basket_at) == 3
    assert kept.items == history.items


def test_takes_the_latest_when_there_are_too_many(history_of: Callable[..., History]) -> None:
    lines = [(f"c{n}", f"b{n}-{m}", n * 10 + m, "x") for n in range(5) for m in range(2)]
    history = history_of(lines)
    _, hidden = split(history, at_most=2, seed=0)
    assert history.basket_customer[hidden].tolist() == [3, 4]


def test_ndcg_is_normalised_by_the_smaller_of_ten_and_the_truths() -> None:
    none = np.empty(0, dtype=np.int64)
    cases = [Case(Query(0), np.array([1, 2]), none), Case(Query(1), np.array([9]), none)]
    found = measure([np.array([1, 3, 2]), np.array([4])], cases)
    assert found.ndcg == pytest.approx((1 + 0.5) / (1 + 1 / np.log2(3)) / 2)
    assert (found.recall, found.hit, found.distinct, found.cases) == (0.5, 0.5, 4, 2)
