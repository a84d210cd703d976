"""TIFU-KNN: a customer's own decayed baskets, and those of the customers who are nearest."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from recommender.history import Floats, History, Ints, latest_customers
from recommender.query import NOBODY, Query, Recent
from recommender.rows import Arrays, Rows, best, strongest

# Source: Hu et al. 2020, "Modeling Personalized Item Frequency Information for Next-basket Recommendation".
GROUP = 3
WITHIN = 0.9
BETWEEN = 0.6
NEIGHBOURS = 300
OTHERS = 0.8
KEPT = 400
BLOCK = 1024
# The nearest are sought among so many customers, those with the latest baskets.
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
        return cls(Rows.of(own), Rows.of(_nearest_means(own, latest_customers(history, COMPARED))))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored vectors."""
        return cls(Rows.restored(arrays, "own"), Rows.restored(arrays, "others"))

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Puts newer baskets before the own ones, which fade by what a place costs on average; nearest stay."""
        own = self.own
        for basket in recent:
            if basket.customer != NOBODY:
                items, before = own.row(basket.customer)
                fading = np.float32(BETWEEN ** (1 / GROUP))
                weight = np.full(len(basket.items), 1 - fading if len(items) else 1, dtype=np.float32)
                own = own.added(
                    {
                        basket.customer: (
                            np.concatenate([items, basket.items]),
                            np.concatenate([before * (fading - 1), weight]),
                        )
                    }
                )
        return type(self)(own, self.others)

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


def _nearest_means(own: csr_matrix, compared: Ints) -> csr_matrix:
    """For each customer the mean vector of the nearest others by Euclidean distance, strongest items only."""
    reference = own[compared]
    # Of |a − b|² only 2ab − |b|² differs between the compared: the larger, the nearer.
    length = np.asarray(reference.multiply(reference).sum(axis=1)).ravel().astype(np.float32)
    by_item = reference.T.tocsr()
    blocks = [own[:0]]
    for start in range(0, own.shape[0], BLOCK):
        mine = own[start : start + BLOCK]
        nearness = 2 * (mine @ by_item).toarray() - length
        places = np.searchsorted(compared, np.arange(start, start + mine.shape[0]))
        inside = np.minimum(places, len(compared) - 1)
        itself = np.flatnonzero(compared[inside] == np.arange(start, start + mine.shape[0]))
        nearness[itself, inside[itself]] = -np.inf
        # Who never bought is near to everyone alike, which says nothing.
        nearness[np.diff(mine.indptr) == 0] = -np.inf
        blocks.append(strongest(csr_matrix(_nearest(nearness, NEIGHBOURS) @ reference), KEPT))
    return csr_matrix(vstack(blocks))


def _nearest(nearness: Floats, count: int) -> csr_matrix:
    """A row of equal weights (summing to 1) over the `count` nearest, none where nobody can be compared."""
    count = min(count, nearness.shape[1])
    columns = np.argpartition(nearness, nearness.shape[1] - count, axis=1)[:, -count:]
    rows = np.repeat(np.arange(len(nearness)), count)
    columns = columns.ravel().astype(np.int64)
    kept = np.isfinite(nearness[rows, columns])
    rows, columns = rows[kept], columns[kept]
    number = np.bincount(rows, minlength=len(nearness))
    return csr_matrix((1 / number[rows].astype(np.float32), (rows, columns)), shape=nearness.shape)
