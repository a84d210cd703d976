"""EASE on baskets: the linear item-to-item model that predicts each item of a basket from the others, closed form."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.history import Floats, History, Ints, latest_customers
from recommender.query import Query, Recent
from recommender.rows import Arrays, Rows, best

NEIGHBOURS = 100
# The inverse takes items³ operations and items² × 4 bytes: the rarer items are left to the basket neighbours.
DENSE = 6_000
FEWEST = 3
REGULARISATION = 200.0
CUSTOMER_REGULARISATION = 1000.0
# Of so many customers, those with the latest baskets, so many items are found beforehand.
CUSTOMERS = 20_000
KEPT = 400
BLOCK = 512


class Ease:
    """For a basket: the sum of the weights from its items to each other item.

    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"; only the strongest weights are kept.
    """

    def __init__(self, weights: Rows) -> None:
        self.weights = weights

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Inverts the regularised Gram matrix of the most frequent items, on one thread."""
        chosen = _most_frequent(history, FEWEST)
        size = len(history.items)
        if not len(chosen):
            nothing = np.empty(0, dtype=np.float32)
            return cls(Rows.of(csr_matrix((nothing, (chosen, chosen)), shape=(size, size))))
        with threadpool_limits(limits=1):
            dense = _weights(history.baskets[:, chosen], REGULARISATION)
        row, column, weight = _strongest(dense, NEIGHBOURS)
        spread = csr_matrix((weight, (chosen[row], chosen[column])), shape=(size, size))
        return cls(Rows.of(spread))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored weights."""
        return cls(Rows.restored(arrays, "weights"))

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Newer baskets hardly move the weights: they wait for the next training."""
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The strongest weights of each item."""
        return self.weights.arrays("weights")

    def propose(self, query: Query, count: int) -> Ints:
        """The items that the basket's items point to, without the basket itself."""
        items = np.setdiff1d(self.weights.columns_of(query.basket), query.basket)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The summed weight."""
        return self.weights.summed(query.basket, items)


class CustomerEase:
    """EASE on what each customer ever bought: the strongest items that her own speak for, whole and beforehand.

    Its weights against an item count as much as those for it, so that it cannot be summed from the strongest alone.
    """

    def __init__(self, found: Rows) -> None:
        self.found = found

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Solves on the logarithm of counts, and keeps the strongest items of the customers of the latest baskets."""
        counts = history.per_customer()
        counts.data = np.log1p(counts.data)
        chosen = _most_frequent(history, 2)
        asked = latest_customers(history, CUSTOMERS)
        if not len(chosen) or not len(asked):
            return cls(Rows.of(csr_matrix(counts * np.float32(0))))
        used = counts[:, chosen]
        with threadpool_limits(limits=1):
            dense = _weights(used, CUSTOMER_REGULARISATION)
        parts = []
        for start in range(0, len(asked), BLOCK):
            customers = asked[start : start + BLOCK]
            row, column, score = _strongest(np.asarray(used[customers] @ dense, dtype=np.float32), KEPT)
            parts.append((customers[row], chosen[column], score))
        rows, columns, scores = (np.concatenate([part[n] for part in parts]) for n in range(3))
        return cls(Rows.of(csr_matrix((scores, (rows, columns)), shape=counts.shape)))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored items."""
        return cls(Rows.restored(arrays, "found"))

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Newer baskets wait for the next training."""
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The strongest items of each customer."""
        return self.found.arrays("found")

    def propose(self, query: Query, count: int) -> Ints:
        """The customer's strongest items, own ones among them."""
        columns, scores = self.found.row(query.customer)
        return columns[best(scores, columns, count)].astype(np.int64)

    def score(self, query: Query, items: Ints) -> Floats:
        """The summed weight."""
        return self.found.at(query.customer, items)


def _most_frequent(history: History, fewest: int) -> Ints:
    frequency = np.bincount(history.line_item, minlength=len(history.items))
    chosen = np.sort(np.lexsort((np.arange(len(frequency)), -frequency))[:DENSE])
    return chosen[frequency[chosen] >= fewest]


def _weights(baskets: csr_matrix, regularisation: float) -> Floats:
    """Items × items: row i holds how much i in the basket speaks for each other item."""
    gram = csr_matrix(baskets.T @ baskets).toarray()
    gram[np.diag_indices(len(gram))] += np.float32(regularisation)
    factor, _ = lapack.spotrf(gram, lower=1, overwrite_a=1, clean=0)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse)
    inverse += np.tril(inverse, -1).T
    inverse /= -np.diag(inverse).copy()
    inverse[np.diag_indices(len(inverse))] = 0
    return np.asarray(inverse, dtype=np.float32)


def _strongest(dense: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Row, column and value of the largest positive cells of each row."""
    count = min(count, dense.shape[1])
    columns = np.argpartition(dense, dense.shape[1] - count, axis=1)[:, -count:]
    rows = np.repeat(np.arange(len(dense)), count)
    values = np.take_along_axis(dense, columns, axis=1).ravel()
    kept = values > 0
    return rows[kept], columns.ravel()[kept].astype(np.int64), values[kept]
