"""One score out of many models', for each kind of question: a weighted sum, or trees where they proved better."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from recommender.features import SCORES, scaled
from recommender.history import Floats
from recommender.rows import best


class Task(StrEnum):
    """The kinds of question, each with weights of its own."""

    NEXT = "next"
    NEW = "new"
    BASKET = "basket"


# Before anything is learned: own frequency first, then what lies together, popularity last.
GIVEN: Mapping[Task, Mapping[str, float]] = {
    Task.NEXT: {"decayed_6": 1.0, "baskets": 0.5, "als": 0.05, "popularity": 0.02},
    Task.NEW: {"als": 0.3, "recent": 0.5, "popularity": 0.3, "neighbours_of_own": 0.1},
    Task.BASKET: {"neighbours": 1.0, "ease": 0.5, "decayed_6": 0.8, "als": 0.2, "popularity": 0.05},
}


# Trees order the best so many by the weights: what they cost must not grow with the number of candidates.
SHORTLIST = 100
# How much the weights count beside the trees, both in standard deviations of a question's candidates.
PULL = 0.5


def alone(name: str) -> Floats:
    """The weights that let one score decide, its ties by popularity."""
    weights = np.zeros(2 * len(SCORES), dtype=np.float32)
    weights[SCORES.index("popularity")] = 1e-4
    weights[SCORES.index(name)] = 1.0
    return weights


def _standard(scores: Floats) -> Floats:
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-9), dtype=np.float32)


def given(task: Task) -> Floats:
    """The weights to start from, in the order of `scaled`."""
    named = GIVEN[task]
    return np.array([named.get(name, 0.0) for name in SCORES] + [0.0] * len(SCORES), dtype=np.float32)


@dataclass(frozen=True)
class Ranker:
    """Weights of the scaled scores, and LightGBM's text of the trees where those are used."""

    weights: Floats
    trees: str | None = None

    @cached_property
    def booster(self) -> Any | None:
        """The trees, where there are some and LightGBM loads; without it the weights answer."""
        if self.trees is None:
            return None
        try:
            return importlib.import_module("lightgbm").Booster(model_str=self.trees)
        except (ImportError, OSError):
            return None

    def score(self, table: Floats) -> Floats:
        """A score for each row of `Features.table`."""
        score = np.asarray(scaled(table) @ self.weights, dtype=np.float32)
        if self.booster is None or not len(table):
            return score
        first = best(score, np.arange(len(score)), SHORTLIST)
        trees = np.asarray(self.booster.predict(table[first], num_threads=1), dtype=np.float32)
        # What the weights say pulls the trees back to what is simple: alone they follow the stretch they learned from.
        both = _standard(trees) + PULL * _standard(score[first])
        score -= score.max() - both.min() + 1
        score[first] = both
        return score


@dataclass(frozen=True)
class Blend:
    """A ranker for each kind of question."""

    rankers: Mapping[Task, Ranker] = field(default_factory=lambda: {task: Ranker(given(task)) for task in Task})

    def to_json(self) -> dict[str, Any]:
        """Weights and trees by task."""
        return {t: {"weights": [float(w) for w in r.weights], "trees": r.trees} for t, r in self.rankers.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Blend":
        """Reads what `to_json` wrote."""
        return cls({Task(t): Ranker(np.array(r["weights"], dtype=np.float32), r["trees"]) for t, r in stored.items()})
