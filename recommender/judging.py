"""Whether a newly trained model may take the place of the one that serves: both are asked for what came last."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender import suggest
from recommender.artifact import Fitted, fit, load_version
from recommender.blend import Task
from recommender.evaluate import Case, K, cases_of, ndcg, split
from recommender.history import Floats, History, Ints
from recommender.pointer import pointed
from recommender.query import NOBODY

FEWEST = 30  # questions, below which nothing is said
ASKED = 400  # at most, of each kind
CERTAIN = 1.645  # standard errors: one in twenty equals is called worse
WINDOW = 0.1  # of the baskets
UNTIL, NDCG, ERROR, QUESTIONS = "until", "window_ndcg", "window_error", "window_questions"


@dataclass(frozen=True)
class Verdict:
    """What a window of hidden baskets says.

    Attributes:
        figures: of the new model, to be kept in its manifest for the next comparison.
        new: NDCG@10 of the new model, beside that of the serving one.
        serving: NDCG@10 of the model that serves; None when there is none, or too little to ask.
        worse: the new one answers worse, beyond chance.
    """

    figures: dict[str, float]
    new: float
    serving: float | None
    worse: bool


def judge(history: History, serving: Fitted | None, seed: int) -> Verdict:
    """Compares a model trained now with the serving one, on baskets that neither has seen.

    With enough baskets newer than the serving model they are asked of both, question by question. With fewer, each is
    taken by the figure of its own window, the last tenth of what it was trained on: asked for baskets that it has
    learned, the serving one would always win.
    """
    kept, hidden = split(history, WINDOW)
    figures = {
        UNTIL: float(history.end),
        **_figures(_asked(fit(kept, None, seed), history, _cases(history, kept, hidden, seed))),
    }
    if serving is None:
        return Verdict(figures, figures.get(NDCG, 0.0), None, worse=False)
    fresh = _fresh(history, serving, seed)
    if fresh is not None:
        known, cases = fresh
        new, old = _asked(fit(known, None, seed), history, cases), _asked(serving, history, cases)
        error = float((new - old).std(ddof=1)) / math.sqrt(len(new))
        return Verdict(figures, float(new.mean()), float(old.mean()), float((new - old).mean()) < -CERTAIN * error)
    before = serving.metrics
    if min(figures.get(QUESTIONS, 0.0), before.get(QUESTIONS, 0.0)) < FEWEST:
        return Verdict(figures, figures.get(NDCG, 0.0), None, worse=False)
    error = math.hypot(figures[ERROR], before[ERROR])
    return Verdict(figures, figures[NDCG], before[NDCG], figures[NDCG] - before[NDCG] < -CERTAIN * error)


def _fresh(history: History, serving: Fitted, seed: int) -> tuple[History, list[Case]] | None:
    """What was known when the serving model was trained, and questions of later baskets; None for too few."""
    known = history.basket_at <= serving.metrics.get(UNTIL, math.inf)
    kept = history.keep(known)
    cases = _cases(history, kept, np.flatnonzero(~known), seed) if known.any() else []
    return (kept, cases) if len(cases) >= FEWEST else None


def _cases(history: History, kept: History, hidden: Ints, seed: int) -> list[Case]:
    """What a shop asks: what goes with a bag, and what else a customer would take."""
    return [case for task in (Task.BASKET, Task.NEW) for case in cases_of(history, kept, hidden, task, ASKED, seed)]


def _asked(fitted: Fitted, history: History, cases: Sequence[Case]) -> Floats:
    """NDCG@10 of each question; by names, as two models number differently."""
    number = {item: place for place, item in enumerate(history.items)}
    return np.array([ndcg(_answer(fitted, history, case, number), case.truth) for case in cases], dtype=np.float32)


def _answer(fitted: Fitted, history: History, case: Case, number: dict[str, int]) -> Ints:
    found = suggest.suggest(
        fitted,
        customer=None if case.query.customer == NOBODY else history.customers[case.query.customer],
        basket=_names(history, case.query.basket),
        candidates=None,
        exclude=_names(history, case.barred),
        k=K,
    )
    return np.array([number.get(one.item, NOBODY) for one in found], dtype=np.int64)


def _names(history: History, items: NDArray[np.int64]) -> list[str]:
    return [history.items[int(item)] for item in items]


def _figures(found: Floats) -> dict[str, float]:
    if len(found) < FEWEST:
        return {QUESTIONS: float(len(found))}
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    return {NDCG: float(found.mean()), ERROR: error, QUESTIONS: float(len(found))}


def previous(directory: Path) -> Fitted | None:
    """The artifact that served before the current one; None when there is none, or it is damaged."""
    versions = pointed(directory)
    return load_version(directory, versions[1]) if len(versions) > 1 else None
