"""What a customer does again and again: for each own item how often, how lately and at what interval."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommender.counting import decay
from recommender.history import Floats, History, Ints
from recommender.query import NOBODY, Query, Recent
from recommender.rows import Arrays, best

# Columns of the table, one row for each customer and item: baskets; baskets decayed with a half-life of 1/24, 1/12,
# 1/6 and 1/3 of the history's span; 1 / (1 + baskets since the last one with it); age of the last and of the first
# purchase as a share of the span.
COLUMNS = ("baskets", "decayed_24", "decayed_12", "decayed_6", "decayed_3", "lately", "age", "first")
LATELY = COLUMNS.index("lately")
STORED = ("indptr", "indices", "table", "baskets", "repeated", "company")
SHARES = (1 / 24, 1 / 12, 1 / 6, 1 / 3)


class Habits:
    """An own item's share of the customer's baskets, halved for each usual interval by which it is overdue."""

    def __init__(
        self,
        indptr: Ints,
        indices: NDArray[np.int32],
        table: Floats,
        baskets: Ints,
        repeated: Floats,
        company: Floats,
        newer: Mapping[int, tuple[Ints, Floats, int]] | None = None,
    ) -> None:
        self.newer = newer or {}
        self.indptr = indptr
        self.indices = indices
        self.table = table
        self.baskets = baskets
        self.repeated = repeated
        self.company = company

    @classmethod
    def fit(cls, history: History, seed: int) -> Self:
        """Gathers the lines of each customer and item."""
        known = np.flatnonzero(history.line_customer >= 0)
        key = history.line_customer[known] * max(1, len(history.items)) + history.line_item[known]
        order = known[np.argsort(key, kind="stable")]
        key = np.sort(key)
        starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, dtype=np.int64)
        span = max(1, history.end - int(history.basket_at[0])) if len(history.basket_at) else 1
        # Lines of one customer and item stay in the order of time, so the first is the oldest and the last the latest.
        last = np.r_[starts[1:], len(key)][: len(starts)] - 1
        age = (history.end - history.basket_at[history.line_basket[order]]) / span
        lately = 1 / (1 + history.basket_place[history.line_basket[order]])
        columns = [np.diff(np.r_[starts, len(key)][: len(starts) + 1]) if len(starts) else starts]
        columns += [np.add.reduceat(decay(history, s)[order], starts) if len(starts) else starts for s in SHARES]
        columns += [lately[last], age[last], age[starts]]
        customer, item = np.divmod(key[starts], max(1, len(history.items)))
        owner = history.basket_customer[history.basket_customer >= 0]
        return cls(
            np.searchsorted(customer, np.arange(len(history.customers) + 1)).astype(np.int64),
            item.astype(np.int32),
            np.stack(columns, axis=1).astype(np.float32),
            np.bincount(owner, minlength=len(history.customers)).astype(np.int64),
            _repeated(history),
            _company(history),
        )

    @classmethod
    def restored(cls, arrays: Arrays) -> Self:
        """Reads the stored table."""
        return cls(
            arrays["indptr"],
            arrays["indices"],
            arrays["table"],
            arrays["baskets"],
            arrays["repeated"],
            arrays["company"],
        )

    def folded(self, recent: Sequence[Recent]) -> Self:
        """Counts the newer baskets in as bought now; what is older ages by its place only, until the next training."""
        newer = dict(self.newer)
        stored = (self.indptr, self.indices, self.table, self.baskets, self.repeated, self.company)
        folded = type(self)(*stored, newer)
        for basket in recent:
            if basket.customer == NOBODY:
                continue
            own, _ = folded.row(basket.customer)
            items = np.union1d(own, basket.items)
            found = folded.at(basket.customer, items)
            bought = np.isin(items, basket.items)
            found[bought & (found[:, 0] == 0), LATELY:] = 0
            found[:, LATELY] = np.where(found[:, LATELY] > 0, 1 / (1 / np.maximum(found[:, LATELY], 1e-6) + 1), 0)
            found[bought, :LATELY] += 1
            found[bought, LATELY] = 1
            found[bought, LATELY + 1] = 0
            newer[basket.customer] = items, found, folded.number(basket.customer) + 1
            folded.newer = newer
        return folded

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The table by customer, each customer's number of baskets, and two facts of each item."""
        return {name: getattr(self, name) for name in STORED}

    def row(self, customer: int) -> tuple[Ints, Floats]:
        """A customer's items, ascending, and their (items × columns) table."""
        if customer in self.newer:
            return self.newer[customer][:2]
        known = 0 <= customer < len(self.indptr) - 1
        place = slice(self.indptr[customer], self.indptr[customer + 1]) if known else slice(0, 0)
        return self.indices[place].astype(np.int64), np.asarray(self.table[place])

    def at(self, customer: int, items: Ints) -> Floats:
        """The table at the given items, zeros where the customer never had one."""
        own, table = self.row(customer)
        found = np.zeros((len(items), len(COLUMNS)), dtype=np.float32)
        if len(own):
            place = np.minimum(np.searchsorted(own, items), len(own) - 1)
            hit = own[place] == items
            found[hit] = table[place[hit]]
        return found

    def number(self, customer: int) -> int:
        """How many baskets the customer had."""
        if customer in self.newer:
            return self.newer[customer][2]
        return int(self.baskets[customer]) if 0 <= customer < len(self.baskets) else 0

    def propose(self, query: Query, count: int) -> Ints:
        """The customer's own items."""
        items, _ = self.row(query.customer)
        return items[best(self.score(query, items), items, count)]

    def score(self, query: Query, items: Ints) -> Floats:
        """Share of the baskets × 2^−(intervals overdue)."""
        table = self.at(query.customer, items)
        overdue = np.clip(overdueness(table) - 1, 0, 20)
        return np.asarray(table[:, 0] / max(1, self.number(query.customer)) * np.exp2(-overdue), dtype=np.float32)


def overdueness(table: Floats) -> Floats:
    """Time since the last purchase in usual intervals; 0 where there is no interval yet."""
    baskets, age, first = table[:, 0], table[:, 6], table[:, 7]
    gap = (first - age) / np.maximum(1, baskets - 1)
    return np.where(gap > 0, age / np.maximum(gap, 1e-6), 0).astype(np.float32)


def _repeated(history: History) -> Floats:
    """Of each item: the smoothed share of its customers who bought it in two baskets or more."""
    own = history.per_customer()
    customers = np.bincount(own.indices, minlength=len(history.items))
    again = np.bincount(own.indices, weights=own.data >= 2, minlength=len(history.items))
    return ((again + 0.1) / (customers + 1)).astype(np.float32)


def _company(history: History) -> Floats:
    """Of each item: the mean size of the baskets it was in."""
    sizes = np.bincount(history.line_basket, minlength=len(history.basket_at))
    total = np.bincount(history.line_item, weights=sizes[history.line_basket], minlength=len(history.items))
    number = np.bincount(history.line_item, minlength=len(history.items))
    return (total / np.maximum(number, 1)).astype(np.float32)
