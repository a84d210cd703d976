"""One score out of many models': a weighted sum for each kind of question, weights learned where they help."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from recommender.history import Floats, Ints
from recommender.query import Query, Recommender


class Task(StrEnum):
    """The kinds of question, each with weights of its own."""

    NEXT = "next"
    NEW = "new"
    BASKET = "basket"


# Before anything is learned: own frequency first, then what lies together, popularity last.
GIVEN: Mapping[Task, Mapping[str, float]] = {
    Task.NEXT: {"decayed": 1.0, "frequency": 0.5, "neighbours": 0.1, "als": 0.05, "popularity": 0.02},
    Task.NEW: {"als": 0.3, "recent": 0.5, "popularity": 0.3},
    Task.BASKET: {"neighbours": 1.0, "decayed": 0.8, "als": 0.2, "popularity": 0.05},
}


@dataclass(frozen=True)
class Blend:
    """Weights by task and model; a model that is not named does not count."""

    weights: Mapping[Task, Mapping[str, float]] = field(default_factory=lambda: GIVEN)

    def score(self, models: Mapping[str, Recommender], task: Task, query: Query, items: Ints) -> Floats:
        """The weighted sum of each model's scores, scaled so that its best among these items is 1."""
        total = np.zeros(len(items), dtype=np.float32)
        for name, weight in self.weights[task].items():
            if name in models and weight:
                scores = models[name].score(query, items)
                total += np.float32(weight) * scores / max(float(scores.max(initial=0)), 1e-9)
        return total
