"""EASE on baskets: the linear item-to-item model that predicts each item of a basket from the others, closed form."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.history import Floats, History, Ints
from recommender.query import Query
from recommender.rows import Arrays, Rows, best

NEIGHBOURS = 100
# The inverse takes items³ operations and items² × 4 bytes: the rarer items are left to the basket neighbours.
DENSE = 8_000
FEWEST = 3
REGULARISATION = 200.0


class Ease:
    """For a basket: the sum of the weights from its items to each other item.

    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"; only the strongest weights are kept.
    """

    def __init__(self, weights: Rows) -> None:
        self.weights = weights

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Inverts the regularised Gram matrix of the most frequent items, on one thread."""
        frequency = np.bincount(history.line_item, minlength=len(history.items))
        chosen = np.sort(np.lexsort((np.arange(len(frequency)), -frequency))[:DENSE])
        chosen = chosen[frequency[chosen] >= FEWEST]
        size = len(history.items)
        if not len(chosen):
            nothing = np.empty(0, dtype=np.float32)
            return cls(Rows.of(csr_matrix((nothing, (chosen, chosen)), shape=(size, size))))
        with threadpool_limits(limits=1):
            dense = _weights(history.baskets[:, chosen])
        row, column, weight = _strongest(dense, NEIGHBOURS)
        spread = csr_matrix((weight, (chosen[row], chosen[column])), shape=(size, size))
        return cls(Rows.of(spread))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored weights."""
        return cls(Rows.restored(arrays, "weights"))

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


def _weights(baskets: csr_matrix) -> Floats:
    """Items × items: row i holds how much i in the basket speaks for each other item."""
    gram = csr_matrix(baskets.T @ baskets).toarray()
    gram[np.diag_indices(len(gram))] += np.float32(REGULARISATION)
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
