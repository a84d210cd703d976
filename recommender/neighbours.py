"""Items that lie in the same baskets: exact counts of togetherness and tf-idf likeness, strongest neighbours only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recommender.history import Floats, History, Ints
from recommender.query import Query, Recent
from recommender.rows import Arrays, Rows, best, strongest

NEIGHBOURS = 200
# A basket of hundreds of lines says little about which two belong together, and costs their square.
LARGEST_BASKET = 200


class BasketNeighbours:
    """For a basket: the sum of its items' tf-idf cosine to each neighbour, the rarer item weighing more."""

    def __init__(self, likeness: Rows, together: Rows, scale: Floats) -> None:
        self.likeness = likeness
        self.together = together
        self.scale = scale

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Counts pairs by basket and keeps the strongest neighbours of each item."""
        counts = together(history)
        frequency = np.bincount(history.line_item, minlength=len(history.items)).astype(np.float64)
        idf = np.log1p(max(1, len(history.basket_at)) / np.maximum(frequency, 1))
        scale = np.sqrt(idf) / np.sqrt(np.maximum(frequency, 1))
        sure = counts.copy()
        sure.data = surely(sure.data)
        likeness = strongest(csr_matrix(diags_array(scale) @ sure @ diags_array(scale)), NEIGHBOURS)
        return cls(Rows.of(likeness), Rows.of(_same_cells(likeness, counts)), scale.astype(np.float32))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored neighbours."""
        return cls(Rows.restored(arrays, "likeness"), Rows.restored(arrays, "together"), arrays["scale"])

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Counts the newer pairs in and likens them anew; the items' own frequencies wait for the next training."""
        pairs: dict[int, list[Ints]] = {}
        for basket in recent:
            if 1 < len(basket.items) <= LARGEST_BASKET:
                for item in basket.items.tolist():
                    pairs.setdefault(item, []).append(basket.items[basket.items != item])
        lines = {item: np.concatenate(of) for item, of in pairs.items()}
        counts = self.together.added({i: (of, np.ones(len(of), dtype=np.float32)) for i, of in lines.items()})
        likeness = dict(self.likeness.patch)
        for item in lines:
            near, number = counts.row(item)
            likeness[item] = near, self.scale[item] * self.scale[near] * surely(number)
        return type(self)(replace(self.likeness, patch=likeness), counts, self.scale)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Likeness and exact counts of the same pairs."""
        return {**self.likeness.arrays("likeness"), **self.together.arrays("together"), "scale": self.scale}

    def propose(self, query: Query, count: int) -> Ints:
        """The neighbours of all that lies in the basket, without the basket itself."""
        items = np.setdiff1d(self.likeness.columns_of(query.basket), query.basket)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The mean likeness to the basket's items."""
        if not len(query.basket):
            return np.zeros(len(items), dtype=np.float32)
        return self.likeness.summed(query.basket, items) / np.float32(len(query.basket))


def surely(counts: Floats) -> Floats:
    """A pair seen once is mostly chance: one less for each takes it out and discounts the rare ones."""
    return np.maximum(counts - 1, np.float32(0.1)).astype(np.float32)


def together(history: History) -> csr_matrix:
    """Items × items: in how many baskets both were; the diagonal is empty."""
    sizes = np.bincount(history.line_basket, minlength=len(history.basket_at))
    baskets = history.baskets[(sizes > 1) & (sizes <= LARGEST_BASKET)]
    counts = csr_matrix(baskets.T @ baskets)
    counts.setdiag(0)
    counts.eliminate_zeros()
    return counts


def _same_cells(pattern: csr_matrix, values: csr_matrix) -> csr_matrix:
    """The cells of `values` at which `pattern` has one."""
    mask = pattern.copy()
    mask.data = np.ones_like(mask.data)
    return csr_matrix(values.multiply(mask))
