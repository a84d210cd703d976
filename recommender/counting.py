"""What counting knows: popularity, recent popularity, and each customer's own frequency, plain and decayed."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommender.history import Floats, History, Ints
from recommender.query import NOBODY, Query, Recent
from recommender.rows import Arrays, Rows, best


class Popularity:
    """In how many baskets an item was, counting all time alike."""

    def __init__(self, weight: Floats, top: Ints) -> None:
        self.weight = weight
        self.top = top

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Counts the baskets of each item."""
        return cls._of(np.bincount(history.line_item, minlength=len(history.items)))

    @classmethod
    def _of(cls, counts: NDArray[Any]) -> Self:
        weight = counts.astype(np.float32)
        return cls(weight, best(weight, np.arange(len(weight)), 1000))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored counts."""
        return cls(arrays["weight"], arrays["top"])

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Counts the newer baskets in."""
        return self._of(self.weight + counted(recent, len(self.weight)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts, and the most popular items in order."""
        return {"weight": self.weight, "top": self.top}

    def propose(self, query: Query, count: int) -> Ints:
        """The most popular items, whoever asks."""
        return np.asarray(self.top[:count])

    def score(self, query: Query, items: Ints) -> Floats:
        """The count."""
        return np.asarray(self.weight[items])


class RecentPopularity(Popularity):
    """Popularity in which a basket counts half as much for every twelfth of the history's span that it is old."""

    SHARE = 1 / 12

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Sums the decayed baskets of each item."""
        weight = decay(history, share_of_span=cls.SHARE)
        return cls._of(np.bincount(history.line_item, weights=weight, minlength=len(history.items)))


class FreshPopularity(RecentPopularity):
    """The same with a half-life of a 48th of the span, a week of a year: what is bought just now."""

    SHARE = 1 / 48


def decay(history: History, share_of_span: float) -> Floats:
    """The weight of each line when it halves with every such share of the history's whole span."""
    if not len(history.basket_at):
        return np.empty(0, dtype=np.float32)
    span = max(1, history.end - int(history.basket_at[0]))
    age = (history.end - history.basket_at[history.line_basket]) / span
    return np.exp2(-age / share_of_span).astype(np.float32)


class Frequency:
    """In how many of the customer's own baskets an item was; ties, and only ties, by popularity."""

    def __init__(self, own: Rows, popularity: Floats) -> None:
        self.own = own
        self.popularity = popularity

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Counts baskets by customer and item."""
        return cls(Rows.of(history.per_customer(cls._weights(history))), _shares(history))

    @staticmethod
    def _weights(history: History) -> Floats | None:
        return None

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored counts."""
        return cls(Rows.restored(arrays, "own"), arrays["popularity"])

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Counts the newer baskets in; what is older does not decay until the next training."""
        return type(self)(self.own.added(by_customer(recent)), self.popularity)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts by customer, and popularity below 1 for the ties."""
        return {**self.own.arrays("own"), "popularity": self.popularity}

    def propose(self, query: Query, count: int) -> Ints:
        """The customer's own items."""
        items = self.own.row(query.customer)[0].astype(np.int64)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The count, plus a popularity share too small to overrule it."""
        own = self.own.at(query.customer, items)
        return own + np.where(own > 0, self.popularity[items] * np.float32(1e-3), np.float32(0))


class DecayedFrequency(Frequency):
    """Own frequency in which a basket counts half as much for every sixth of the history's span that it is old."""

    @staticmethod
    def _weights(history: History) -> Floats | None:
        return decay(history, share_of_span=1 / 6)


def counted(recent: Sequence[Recent], items: int) -> Floats:
    """In how many of the baskets each item is."""
    lines = [basket.items for basket in recent]
    return np.bincount(np.concatenate(lines or [np.empty(0, dtype=np.int64)]), minlength=items).astype(np.float32)


def by_customer(recent: Sequence[Recent]) -> dict[int, tuple[Ints, Floats]]:
    """The items of each known customer's baskets, one of weight 1 for every basket."""
    found: dict[int, list[Ints]] = {}
    for basket in recent:
        if basket.customer != NOBODY:
            found.setdefault(basket.customer, []).append(basket.items)
    lines = {customer: np.concatenate(of) for customer, of in found.items()}
    return {customer: (items, np.ones(len(items), dtype=np.float32)) for customer, items in lines.items()}


def _shares(history: History) -> Floats:
    counts = np.bincount(history.line_item, minlength=len(history.items))
    return (counts / max(1, int(counts.max(initial=1)))).astype(np.float32)
