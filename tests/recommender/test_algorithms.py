"""The contract of every algorithm in the registry, on histories of every shape."""

import numpy as np
import pytest

from recommender.history import History
from recommender.models import ALGORITHMS, Query, Recommender

NONE = np.empty(0, dtype=np.int64)


def questions(history: History) -> list[Query]:
    """Known and unknown customers, with no basket, a small one and one of everything."""
    items = np.arange(len(history.items))
    customers = [-1, 0, len(history.customers) - 1, len(history.customers) + 5]
    return [Query(c, basket) for c in customers for basket in (NONE, items[:2], items)]


@pytest.fixture(params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> type[Recommender]:
    return ALGORITHMS[request.param]


def test_proposes_known_items_each_once_and_scores_them_finite(
    algorithm: type[Recommender], any_history: History
) -> None:
    model = algorithm.fit(any_history, seed=3)
    for query in questions(any_history):
        proposed = model.propose(query, 10)
        assert len(np.unique(proposed)) == len(proposed) <= 10
        assert ((proposed >= 0) & (proposed < len(any_history.items))).all()
        scores = model.score(query, proposed)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()
        assert (np.diff(scores) <= 1e-6).all(), "proposals come best first"


def test_scores_an_item_alike_alone_and_among_all(algorithm: type[Recommender], usual: History) -> None:
    model = algorithm.fit(usual, seed=3)
    everything = np.arange(len(usual.items))
    for query in questions(usual):
        together = model.score(query, everything)
        assert np.allclose([model.score(query, everything[i : i + 1])[0] for i in everything], together, atol=1e-5)


def test_same_data_and_seed_give_the_same_arrays(algorithm: type[Recommender], any_history: History) -> None:
    first, second = algorithm.fit(any_history, seed=7).arrays(), algorithm.fit(any_history, seed=7).arrays()
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_answers_alike_when_restored_from_its_arrays(algorithm: type[Recommender], any_history: History) -> None:
    model = algorithm.fit(any_history, seed=3)
    arrays = model.arrays()
    for array in arrays.values():
        array.flags.writeable = False
    restored = algorithm.restored(arrays)
    for query in questions(any_history):
        assert np.array_equal(restored.propose(query, 10), model.propose(query, 10))
