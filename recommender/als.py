"""Matrix factorisation of customers × items by alternating least squares: `implicit` where it loads, else NumPy."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.counting import by_customer
from recommender.history import Floats, History, Ints
from recommender.query import Query, Recent
from recommender.rows import Arrays, Rows, best

FACTORS = 64
ROUNDS = 12
REGULARISATION = 1.0
CONFIDENCE = 4.0


def engine() -> str:
    """ "implicit" when its compiled part loads, else "numpy" (a bare Debian lacks libgomp.so.1)."""
    try:
        importlib.import_module("implicit.cpu.als")
    except ImportError:
        return "numpy"
    return "implicit"


class Als:
    """Customers and items as vectors; a live basket is folded in by solving for its own vector."""

    def __init__(self, customers: Floats, items: Floats, own: Rows, moved: Mapping[int, Floats] | None = None) -> None:
        self.customers = customers
        self.moved = moved or {}
        self.items = items
        self.own = own
        self.gram = np.asarray(items.T @ items) + REGULARISATION * np.eye(items.shape[1], dtype=np.float32)

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Factorises BM25-weighted counts, on one thread, which is both fastest and repeatable."""
        counts = history.per_customer()
        weighted = confidence(counts)
        # Loaded before the limit is set: a BLAS that loads inside would keep its threads.
        solve = _implicit if engine() == "implicit" else _numpy
        with threadpool_limits(limits=1):
            customers, items = solve(weighted, min(FACTORS, max(2, min(counts.shape) - 1)), seed)
        return cls(customers, items, Rows.of(counts))

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored vectors."""
        return cls(arrays["customers"], arrays["items"], Rows.restored(arrays, "own"))

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Solves again for the vectors of the customers of newer baskets, the items' held fixed."""
        added = by_customer(recent)
        own = self.own.added(added)
        return type(self)(self.customers, self.items, own, {c: self._solved(own, c) for c in added})

    def _solved(self, own: Rows, customer: int) -> Floats:
        items, counts = own.row(customer)
        y, weight = np.asarray(self.items[items]), CONFIDENCE * counts / (counts + 2)
        return np.asarray(np.linalg.solve(self.gram + (y * weight[:, None]).T @ y, (1 + weight) @ y), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Vectors of customers and items, and counts for folding in."""
        return {"customers": self.customers, "items": self.items, **self.own.arrays("own")}

    def propose(self, query: Query, count: int) -> Ints:
        """The items of the highest scores among all."""
        everything = np.arange(len(self.items))
        scores = self.score(query, everything)
        return everything[best(scores, everything, count)] if scores.any() else everything[:0]

    def score(self, query: Query, items: Ints) -> Floats:
        """The product of vectors, cut at 0; with a basket, the customer's vector is moved toward it."""
        vector = self._vector(query)
        if vector is None:
            return np.zeros(len(items), dtype=np.float32)
        return np.asarray(np.maximum(np.asarray(self.items[items]) @ vector, 0), dtype=np.float32)

    def _vector(self, query: Query) -> Floats | None:
        own = self._own_vector(query.customer)
        if not len(query.basket):
            return own
        y = np.asarray(self.items[query.basket[:100]])
        folded = np.linalg.solve(self.gram + CONFIDENCE * (y.T @ y), (1 + CONFIDENCE) * y.sum(axis=0))
        if own is not None:
            folded = folded + own
        return np.asarray(folded, dtype=np.float32)

    def _own_vector(self, customer: int) -> Floats | None:
        if customer in self.moved:
            return self.moved[customer]
        return np.asarray(self.customers[customer]) if 0 <= customer < len(self.customers) else None


def confidence(counts: csr_matrix) -> csr_matrix:
    """BM25 weights of counts: the tenth purchase adds less than the second, a rare item more than a common one."""
    weighted = counts.copy().astype(np.float32)
    if not weighted.nnz:
        return weighted
    of_item = np.bincount(weighted.indices, minlength=weighted.shape[1])
    idf = np.log1p(weighted.shape[0] / np.maximum(of_item, 1)).astype(np.float32)
    weighted.data = CONFIDENCE * weighted.data / (weighted.data + 2) * idf[weighted.indices]
    return weighted


def _implicit(weighted: csr_matrix, factors: int, seed: int) -> tuple[Floats, Floats]:
    als = importlib.import_module("implicit.cpu.als")
    model = als.AlternatingLeastSquares(
        factors=factors, regularization=REGULARISATION, iterations=ROUNDS, num_threads=1, random_state=seed
    )
    if weighted.nnz:
        model.fit(weighted, show_progress=False)
        return np.asarray(model.user_factors), np.asarray(model.item_factors)
    rows, columns = weighted.shape
    return np.zeros((rows, factors), dtype=np.float32), np.zeros((columns, factors), dtype=np.float32)


def _numpy(weighted: csr_matrix, factors: int, seed: int) -> tuple[Floats, Floats]:
    """Source: Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets"."""
    random = np.random.default_rng(seed)
    rows, columns = weighted.shape
    customers = np.zeros((rows, factors), dtype=np.float32)
    items = (random.random((columns, factors), dtype=np.float32) - np.float32(0.5)) * np.float32(0.1)
    if not weighted.nnz:
        return customers, np.zeros_like(items)
    by_item = weighted.T.tocsr()
    for _ in range(ROUNDS):
        customers = _solved(weighted, items)
        items = _solved(by_item, customers)
    return customers, items


def _solved(weighted: csr_matrix, other: Floats) -> Floats:
    """The vectors that fit each row best, the other side held fixed."""
    gram = other.T @ other + REGULARISATION * np.eye(other.shape[1], dtype=np.float32)
    solved = np.zeros((weighted.shape[0], other.shape[1]), dtype=np.float32)
    for row in np.flatnonzero(np.diff(weighted.indptr)):
        places = slice(weighted.indptr[row], weighted.indptr[row + 1])
        y, c = other[weighted.indices[places]], weighted.data[places]
        # implicit reads the weight itself as the confidence, so 1 of it is already in the gram matrix.
        solved[row] = np.linalg.solve(gram + (y * (c - 1)[:, None]).T @ y, c @ y)
    return solved
