"""A newly trained model against the serving one: asked for baskets that neither has learned."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender import Fitted, History, Interaction, fit, judge
from recommender.judging import FEWEST, UNTIL

START = datetime(2025, 1, 1, tzinfo=UTC)
PAIRS = [(f"a{n}", f"b{n}") for n in range(12)]


def history(baskets: int, *, shuffled: bool = False, seed: int = 1) -> History:
    """Baskets of two that belong together; shuffled, what is bought has nothing to do with anything."""
    chance = random.Random(seed)
    pieces = [item for pair in PAIRS for item in pair]
    lines = []
    for number in range(baskets):
        pair = tuple(chance.sample(pieces, 2)) if shuffled else chance.choice(PAIRS)
        at = START + timedelta(hours=number)
        lines += [Interaction(f"c{number % 40}", f"k{number}", at, item, 1, 100) for item in pair]
    return History.of(lines)


def served(from_history: History) -> Fitted:
    """A model as it serves, with the figures of its window."""
    fitted = fit(from_history, None, 1)
    return replace(fitted, metrics={**fitted.metrics, **judge(from_history, None, 1).figures})


def test_without_a_serving_model_there_are_only_figures() -> None:
    verdict = judge(history(500), None, 1)
    assert (verdict.serving, verdict.worse) == (None, False)
    assert verdict.figures[UNTIL] == (START + timedelta(hours=499)).timestamp()
    assert verdict.figures["window_questions"] >= FEWEST
    assert verdict.figures["window_ndcg"] > 0.8  # each piece has one that belongs to it


def test_a_few_orders_more_make_no_model_worse() -> None:
    serving = served(history(500))
    assert not judge(history(503), serving, 1).worse


def test_a_history_that_was_spoilt_makes_a_worse_model() -> None:
    serving = served(history(500))
    verdict = judge(history(500, shuffled=True), serving, 1)
    assert verdict.worse
    assert verdict.serving == pytest.approx(serving.metrics["window_ndcg"])


def test_enough_new_baskets_are_asked_of_both() -> None:
    spoilt = served(history(500, shuffled=True))
    mended = history(700)
    verdict = judge(mended, spoilt, 1)
    assert not verdict.worse
    assert verdict.serving is not None
    assert verdict.serving < 0.5 < verdict.figures["window_ndcg"]
    assert judge(mended, served(mended), 1).serving is not None


def test_with_too_few_questions_nothing_is_called_worse() -> None:
    serving = served(history(500))
    verdict = judge(history(40, shuffled=True), serving, 1)
    assert (verdict.serving, verdict.worse) == (None, False)
