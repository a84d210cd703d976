"""TIFU-KNN: a customer's own decayed baskets, and those of the customers who bought most alike."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, vstack

from recommender.history import Floats, History, Ints
from recommender.query import Query
from recommender.rows import Arrays, Rows, best, strongest

# Source: Hu et al. 2020, "Modeling Personalized Item Frequency Information for Next-basket Recommendation".
GROUP = 3
WITHIN = 0.9
BETWEEN = 0.6
NEIGHBOURS = 300
OTHERS = 0.8
KEPT = 300
BLOCK = 1024
# The likest are sought among so many customers, those with the latest baskets.
COMPARED = 20_000


class TifuKnn:
    """Own vector × 0.2 + mean vector of the nearest customers × 0.8."""

    def __init__(self, own: Rows, others: Rows) -> None:
        self.own = own
        self.others = others

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Finds each customer's nearest and keeps the strongest items of their mean."""
        own = vectors(history)
        return cls(Rows.of(own), Rows.of(_nearest_means(own, _latest(history))))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored vectors."""
        return cls(Rows.restored(arrays, "own"), Rows.restored(arrays, "others"))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Own vectors and the neighbours' means."""
        return {**self.own.arrays("own"), **self.others.arrays("others")}

    def propose(self, query: Query, count: int) -> Ints:
        """Own items and those of the nearest customers."""
        own, others = self.own.row(query.customer)[0], self.others.row(query.customer)[0]
        items = np.union1d(own, others).astype(np.int64)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The weighted sum of both vectors."""
        own, others = self.own.at(query.customer, items), self.others.at(query.customer, items)
        return np.float32(1 - OTHERS) * own + np.float32(OTHERS) * others


def vectors(history: History) -> csr_matrix:
    """Customers × items: baskets in groups of three counted from the last, decayed within and between groups."""
    owner = history.basket_customer
    # One more place at the end, which the unknown customer's −1 reads.
    number = np.bincount(owner[owner >= 0], minlength=len(history.customers) + 1)
    groups = np.maximum(1, -(-number // GROUP))
    place = history.basket_place
    # The oldest group is the one that may be short, as in the source.
    group, within = place // GROUP, place % GROUP
    of_group = np.minimum(GROUP, number[owner] - group * GROUP)
    weight = BETWEEN**group * WITHIN**within / np.maximum(1, of_group) / groups[owner]
    return history.per_customer(weight[history.line_basket].astype(np.float32))


def _latest(history: History) -> Ints:
    last = np.full(len(history.customers), -1, dtype=np.int64)
    known = history.basket_customer >= 0
    last[history.basket_customer[known]] = history.basket_at[known]
    return np.sort(np.lexsort((np.arange(len(last)), -last))[:COMPARED])


def _nearest_means(own: csr_matrix, compared: Ints) -> csr_matrix:
    """For each customer the mean vector of the nearest others by cosine, strongest items only."""
    length = np.sqrt(np.asarray(own.multiply(own).sum(axis=1)).ravel())
    unit = csr_matrix(diags_array(1 / np.maximum(length, 1e-12)) @ own).astype(np.float32)
    reference = unit[compared].T.tocsr()
    vectors_compared = own[compared]
    blocks = [own[:0]]
    for start in range(0, own.shape[0], BLOCK):
        likeness = (unit[start : start + BLOCK] @ reference).toarray()
        mine = np.searchsorted(compared, np.arange(start, start + len(likeness)))
        for row, place in enumerate(mine):
            if place < len(compared) and compared[place] == start + row:
                likeness[row, place] = 0
        near = _top(likeness, NEIGHBOURS)
        blocks.append(strongest(csr_matrix(near @ vectors_compared), KEPT))
    return csr_matrix(vstack(blocks))


def _top(likeness: Floats, count: int) -> csr_matrix:
    """A row of equal weights (summing to 1) over the `count` likest, none where nobody is alike."""
    count = min(count, likeness.shape[1])
    columns = np.argpartition(likeness, likeness.shape[1] - count, axis=1)[:, -count:] if count else np.empty((0, 0))
    rows = np.repeat(np.arange(len(likeness)), count)
    columns = columns.ravel().astype(np.int64)
    kept = likeness[rows, columns] > 0
    rows, columns = rows[kept], columns[kept]
    number = np.bincount(rows, minlength=len(likeness))
    return csr_matrix((1 / number[rows].astype(np.float32), (rows, columns)), shape=likeness.shape)
