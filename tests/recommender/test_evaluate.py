"""Validation: what is hidden, and how answers are scored."""

from collections.abc import Callable

import numpy as np
import pytest

from recommender.blend import Task
from recommender.evaluate import Case, cases_of, measure, split
from recommender.history import History
from recommender.query import Query

LINES = [
    *[(f"c{n}", f"b{n}-{m}", m * 10, f"i{m}") for n in range(5) for m in range(4)],
    ("new", "n0", 40, "i0"),
    ("c0", "late", 40, "i0"),
    ("c0", "late", 40, "i9"),
    ("c0", "later", 41, "i5"),
    (None, "nobody", 42, "i1"),
]


def test_hides_everything_from_a_moment_on(history_of: Callable[..., History]) -> None:
    history = history_of(LINES)
    kept, hidden = split(history, share=0.1)
    assert len(kept.basket_at) == 20
    assert hidden.tolist() == [20, 21, 22, 23]
    assert kept.items == history.items


def test_asks_for_the_first_hidden_baskets_of_customers_who_have_an_earlier_one(
    history_of: Callable[..., History],
) -> None:
    history = history_of(LINES)
    kept, hidden = split(history, share=0.1)
    names = [[history.items[n] for n in c.truth] for c in cases_of(history, kept, hidden, Task.NEXT, 9, seed=0)]
    assert names == [["i0", "i9"], ["i5"]]
    names = [[history.items[n] for n in c.truth] for c in cases_of(history, kept, hidden, Task.NEW, 9, seed=0)]
    assert names == [["i9"], ["i5"]]


def test_asks_for_one_item_of_a_hidden_basket(history_of: Callable[..., History]) -> None:
    history = history_of(LINES)
    kept, hidden = split(history, share=0.1)
    (case,) = cases_of(history, kept, hidden, Task.BASKET, 9, seed=0)
    assert sorted([*case.truth, *case.query.basket]) == [0, 5]
    assert case.barred.tolist() == case.query.basket.tolist()


def test_ndcg_is_normalised_by_the_smaller_of_ten_and_the_truths() -> None:
    none = np.empty(0, dtype=np.int64)
    cases = [Case(Query(0), np.array([1, 2]), none), Case(Query(1), np.array([9]), none)]
    found = measure([np.array([1, 3, 2]), np.array([4])], cases)
    assert found.ndcg == pytest.approx((1 + 0.5) / (1 + 1 / np.log2(3)) / 2)
    assert (found.recall, found.hit, found.distinct, found.cases) == (0.5, 0.5, 4, 2)
