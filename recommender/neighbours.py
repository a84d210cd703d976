"""Items that lie in the same baskets: exact counts of togetherness and tf-idf likeness, strongest neighbours only."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recommender.history import Floats, History, Ints
from recommender.query import Query
from recommender.rows import Arrays, Rows, best, strongest

NEIGHBOURS = 200
# A basket of hundreds of lines says little about which two belong together, and costs their square.
LARGEST_BASKET = 200


class BasketNeighbours:
    """For a basket: the sum of its items' tf-idf cosine to each neighbour, the rarer item weighing more."""

    def __init__(self, likeness: Rows, together: Rows) -> None:
        self.likeness = likeness
        self.together = together

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Counts pairs by basket and keeps the strongest neighbours of each item."""
        counts = together(history)
        frequency = np.bincount(history.line_item, minlength=len(history.items)).astype(np.float64)
        idf = np.log1p(max(1, len(history.basket_at)) / np.maximum(frequency, 1))
        scale = np.sqrt(idf) / np.sqrt(np.maximum(frequency, 1))
        # A pair seen once is mostly chance: subtracting one from each count takes it out and discounts the rare ones.
        surely = counts.copy()
        surely.data = np.maximum(surely.data - 1, 0.1).astype(np.float32)
        likeness = strongest(csr_matrix(diags_array(scale) @ surely @ diags_array(scale)), NEIGHBOURS)
        return cls(Rows.of(likeness), Rows.of(_same_cells(likeness, counts)))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored neighbours."""
        return cls(Rows.restored(arrays, "likeness"), Rows.restored(arrays, "together"))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Likeness and exact counts of the same pairs."""
        return {**self.likeness.arrays("likeness"), **self.together.arrays("together")}

    def propose(self, query: Query, count: int) -> Ints:
        """The neighbours of all that lies in the basket, without the basket itself."""
        items = np.setdiff1d(self.likeness.columns_of(query.basket), query.basket)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The mean likeness to the basket's items."""
        if not len(query.basket):
            return np.zeros(len(items), dtype=np.float32)
        return self.likeness.summed(query.basket, items) / np.float32(len(query.basket))


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
