"""The question a recommender is asked, in item and customer numbers, and what every recommender must answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recommender.history import Floats, History, Ints
from recommender.rows import Arrays

NOBODY = -1


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Query:
    """Who asks (−1: unknown) and what lies in the basket (known item numbers, each once)."""

    customer: int = NOBODY
    basket: Ints = field(default_factory=_none)


@dataclass(frozen=True)
class Recent:
    """A basket newer than the model: whose (−1: unknown, beyond the known: new), and its item numbers, ascending."""

    customer: int
    items: Ints


class Recommender(Protocol):
    """A model that proposes items and scores any; the same data and seed give the same answer.

    A score of 0 means that the model knows nothing for the item; scores of different models are not comparable.
    """

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Learns from a history, which may be empty."""

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """The model that `arrays` described; the arrays may be memory-mapped and are never written."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to answer, as plain arrays by name."""

    def folded(self, recent: Sequence[Recent]) -> Self:
        """The model with newer baskets, oldest first, counted in as far as that needs no training; itself is kept."""

    def propose(self, query: Query, count: int) -> Ints:
        """Items worth scoring, best first, about `count` of them; none when the model has nothing to say."""

    def score(self, query: Query, items: Ints) -> Floats:
        """A score for each of the items, ≥ 0."""
