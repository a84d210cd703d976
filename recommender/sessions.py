"""Baskets like the live one: what else lay in the customer's own such baskets, and in everyone's latest."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recommender.history import Floats, History, Ints
from recommender.query import NOBODY, Query, Recent
from recommender.rows import Arrays, Rows, best, placed

# Of each item so many of its latest baskets are compared, and of those the likest vote.
LATEST = 300
LIKEST = 150
BASKET_READ = 30
STORED = ("items", "starts", "first_of", "idf")


class OwnSessions:
    """Each of the customer's own baskets votes for its items by the idf of what it has in common with the live one."""

    def __init__(
        self,
        items: NDArray[np.int32],
        starts: Ints,
        first_of: Ints,
        idf: Floats,
        newer: Mapping[int, Sequence[Ints]] | None = None,
    ) -> None:
        self.newer = newer or {}
        self.items = items
        self.starts = starts
        self.first_of = first_of
        self.idf = idf

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Lays the baskets of each customer side by side."""
        order = np.argsort(history.basket_customer, kind="stable")
        order = order[history.basket_customer[order] >= 0]
        baskets = history.baskets[order]
        owners = history.basket_customer[order]
        return cls(
            baskets.indices.astype(np.int32),
            baskets.indptr.astype(np.int64),
            np.searchsorted(owners, np.arange(len(history.customers) + 1)).astype(np.int64),
            idf(history),
        )

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored baskets."""
        return cls(arrays["items"], arrays["starts"], arrays["first_of"], arrays["idf"])

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Lays the newer baskets beside the customer's others."""
        newer: dict[int, list[Ints]] = {customer: list(of) for customer, of in self.newer.items()}
        for basket in recent:
            if basket.customer != NOBODY and len(basket.items):
                newer.setdefault(basket.customer, []).append(basket.items)
        return type(self)(self.items, self.starts, self.first_of, self.idf, newer)

    def _own(self, customer: int) -> tuple[Ints, Ints]:
        """The items of the own baskets one after another, and the sizes of the baskets."""
        known = 0 <= customer < len(self.first_of) - 1
        edges = self.starts[self.first_of[customer] : self.first_of[customer + 1] + 1] if known else self.starts[:1]
        items, sizes = self.items[edges[0] : edges[-1]].astype(np.int64), np.diff(edges)
        newer = self.newer.get(customer, ())
        if newer:
            items = np.concatenate([items, *newer])
            sizes = np.concatenate([sizes, [len(of) for of in newer]])
        return items, sizes

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Items by basket, baskets by customer, and the idf of each item."""
        return {name: getattr(self, name) for name in STORED}

    def propose(self, query: Query, count: int) -> Ints:
        """What lay in own baskets with something of the live one."""
        columns, _ = self.votes(query)
        items = np.setdiff1d(columns, query.basket)
        scores = self.score(query, items)
        return items[best(scores, items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The summed votes."""
        return placed(*self.votes(query), items, len(self.idf))

    def votes(self, query: Query) -> tuple[Ints, Floats]:
        """Items of the own baskets that have something in common, and their votes; an item may come several times."""
        items, sizes = self._own(query.customer) if len(query.basket) else (query.basket, query.basket)
        if not len(sizes):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        common = placed(query.basket, self.idf[query.basket], items, len(self.idf))
        vote = np.add.reduceat(common, np.cumsum(sizes) - sizes) / np.sqrt(sizes)
        votes = np.repeat(vote, sizes).astype(np.float32)
        kept = votes > 0
        return items[kept], votes[kept]


class Sessions:
    """Of the latest baskets with something of the live one, the likest vote for their items.

    Source: Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms" (V-SKNN).
    """

    def __init__(self, baskets: Rows, latest: Rows, idf: Floats) -> None:
        self.baskets = baskets
        self.latest = latest
        self.idf = idf

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Keeps the latest baskets of each item."""
        sizes = np.bincount(history.line_basket, minlength=len(history.basket_at))
        # A basket of one item says nothing of what goes with it.
        baskets = csr_matrix(diags_array((sizes > 1).astype(np.float32)) @ history.baskets)
        baskets.eliminate_zeros()
        by_item = baskets.T.tocsr()
        by_item.sort_indices()
        place = by_item.indptr[1:].repeat(np.diff(by_item.indptr)) - np.arange(by_item.nnz)
        row = np.repeat(np.arange(by_item.shape[0]), np.diff(by_item.indptr))
        kept = place <= LATEST
        latest = csr_matrix((by_item.data[kept], (row[kept], by_item.indices[kept])), shape=by_item.shape)
        used = np.zeros(baskets.shape[0], dtype=bool)
        used[latest.indices] = True
        number = np.cumsum(used) - 1
        latest = csr_matrix(
            (latest.data, number[latest.indices], latest.indptr), shape=(latest.shape[0], int(used.sum()))
        )
        return cls(Rows.of(csr_matrix(baskets[used])), Rows.of(latest), idf(history))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored baskets."""
        return cls(Rows.restored(arrays, "baskets"), Rows.restored(arrays, "latest"), arrays["idf"])

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Newer baskets wait for the next training."""
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Baskets, the latest of each item, and the idf of each item."""
        return {**self.baskets.arrays("baskets"), **self.latest.arrays("latest"), "idf": self.idf}

    def propose(self, query: Query, count: int) -> Ints:
        """What lay in the likest baskets."""
        items = np.setdiff1d(self.votes(query)[0], query.basket)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """The summed votes."""
        return placed(*self.votes(query), items, len(self.idf))

    def votes(self, query: Query) -> tuple[Ints, Floats]:
        """Items of the likest baskets and the basket's likeness; an item may come several times."""
        asked = query.basket[:BASKET_READ]
        baskets, common = self.latest.gathered(asked, self.idf[asked])
        if not len(baskets):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        order = np.argsort(baskets, kind="stable")
        baskets, common = baskets[order], common[order]
        starts = np.flatnonzero(np.r_[True, baskets[1:] != baskets[:-1]])
        found = baskets[starts]
        sizes = self.baskets.indptr[found + 1] - self.baskets.indptr[found]
        likeness = np.add.reduceat(common, starts) / np.sqrt(sizes)
        likest = best(likeness, found, LIKEST)
        return self.baskets.gathered(found[likest].tolist(), likeness[likest].tolist())


def idf(history: History) -> Floats:
    """Of each item the logarithm of one basket in how many has it."""
    frequency = np.bincount(history.line_item, minlength=len(history.items))
    return np.log1p(max(1, len(history.basket_at)) / np.maximum(frequency, 1)).astype(np.float32)
