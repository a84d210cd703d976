"""The blend: given weights until learned ones prove better, trees only where LightGBM loads, the same from the same."""

import json
import sys
from collections.abc import Callable

import numpy as np
import pytest

from recommender import learning
from recommender.artifact import Fitted, fit
from recommender.blend import Blend, Ranker, Task, given
from recommender.evaluate import cases_of, measure, split
from recommender.features import NAMES, SCORES, Features
from recommender.history import History, Ints
from recommender.learning import learn_blend
from recommender.models import ALGORITHMS
from recommender.query import Query
from recommender.rows import best
from tests.recommender.conftest import shop_lines


@pytest.fixture(scope="module")
def repeating() -> list[tuple[str | None, str, int, str]]:
    """150 customers who mostly buy again what they bought before."""
    return shop_lines(150, 10, 3, 60, 0.9, 9)


def test_few_questions_teach_nothing(usual: History) -> None:
    blend, figures = learn_blend(usual, ALGORITHMS, 1, tuple(Task))
    assert figures == {}
    assert all(np.array_equal(blend.rankers[task].weights, given(task)) for task in Task)


def test_the_same_history_and_seed_give_the_same_blend(
    history_of: Callable[..., History], repeating: list[tuple[str | None, str, int, str]]
) -> None:
    history = history_of(repeating)
    first, figures = learn_blend(history, ALGORITHMS, 1, tuple(Task))
    second, again = learn_blend(history, ALGORITHMS, 1, tuple(Task))
    assert figures == again
    assert set(figures) >= {"ndcg_next_given", "ndcg_next_weights", "ndcg_basket_given"}
    assert first.to_json() == second.to_json()


def test_on_nine_in_ten_repeats_it_answers_no_worse_than_the_best_simple_model(
    history_of: Callable[..., History], repeating: list[tuple[str | None, str, int, str]]
) -> None:
    history = history_of(repeating)
    kept, hidden = split(history, share=0.1)
    cases = cases_of(history, kept, hidden, Task.NEXT, 500, seed=2)
    fitted = fit(kept, None, 1)
    blended = measure([_answer(fitted, case.query, Task.NEXT) for case in cases], cases)
    simple = [
        measure([fitted.models[name].propose(case.query, 10) for case in cases], cases)
        for name in ("popularity", "frequency", "decayed", "tifu", "als")
    ]
    assert blended.ndcg >= max(one.ndcg for one in simple) - 0.01


def _answer(fitted: Fitted, query: Query, task: Task) -> Ints:
    reading = fitted.features.read(query)
    items = reading.candidates()
    return items[best(fitted.blend.rankers[task].score(reading.table(items)), items, 10)]


def test_trees_are_learned_when_there_is_enough_and_kept_as_text(
    monkeypatch: pytest.MonkeyPatch,
    history_of: Callable[..., History],
    repeating: list[tuple[str | None, str, int, str]],
) -> None:
    monkeypatch.setattr(learning, "FEWEST_FOR_TREES", 50)
    _, figures = learn_blend(history_of(repeating), ALGORITHMS, 1, [Task.NEXT])
    assert "ndcg_next_trees" in figures


def test_without_lightgbm_the_weights_of_the_same_ranker_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.abs(np.random.default_rng(0).normal(size=(20, len(NAMES)))).astype(np.float32)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with_trees = Ranker(given(Task.NEXT), trees="tree\n")
    assert with_trees.booster is None
    assert np.array_equal(with_trees.score(table), Ranker(given(Task.NEXT)).score(table))


def test_a_blend_survives_its_text() -> None:
    blend = Blend()
    restored = Blend.from_json(json.loads(json.dumps(blend.to_json())))
    assert all(np.array_equal(restored.rankers[task].weights, blend.rankers[task].weights) for task in Task)


def test_every_feature_has_a_name(usual: History) -> None:
    features = Features({name: algorithm.fit(usual, 1) for name, algorithm in ALGORITHMS.items()})
    for case in cases_of(usual, *split(usual, 0.1), Task.BASKET, 5, seed=0):
        reading = features.read(case.query)
        items = reading.candidates()
        assert reading.table(items).shape == (len(items), len(NAMES))
    assert len(given(Task.NEXT)) == 2 * len(SCORES)
