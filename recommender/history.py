"""What was bought, by whom, in which basket and when: columns in a fixed order, and the matrices made of them."""

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

COLUMNS = ("customer", "basket", "at", "item", "quantity", "price")

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

K = TypeVar("K", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Interaction:
    """One line of one basket; opaque ids, `price` of one piece in minor units."""

    customer: str | None
    basket: str
    at: datetime
    item: str
    quantity: int
    price: int


@dataclass(frozen=True)
class History:
    """Purchases as columns, sorted by time, so that the order of the input never matters.

    Baskets are numbered by (time, customer, id) and lines by (basket, item); an item counts once a basket.
    Lines of no or negative quantity (returns) are no purchase and are left out.

    Attributes:
        customers: ids in order; a customer's number is the place in here.
        items: ids in order; an item's number is the place in here.
        basket_customer: customer number of each basket, −1 when unknown.
        basket_at: seconds since 1970 (UTC) of each basket, ascending.
        line_basket: basket number of each line, ascending.
        line_item: item number of each line.
        line_quantity: pieces.
        line_price: price of one piece in minor units.
    """

    customers: tuple[str, ...]
    items: tuple[str, ...]
    basket_customer: Ints
    basket_at: Ints
    line_basket: Ints
    line_item: Ints
    line_quantity: Ints
    line_price: Ints

    @classmethod
    def of(cls, interactions: Iterable[Interaction]) -> "History":
        """Orders and numbers the interactions."""
        return _build((i.customer or "", i.basket, seconds(i.at), i.item, i.quantity, i.price) for i in interactions)

    @property
    def end(self) -> int:
        """Seconds since 1970 of the last basket, 0 when there is none."""
        return int(self.basket_at[-1]) if len(self.basket_at) else 0

    @cached_property
    def baskets(self) -> csr_matrix:
        """Baskets × items, 1 where the item was in the basket (float32)."""
        shape = (len(self.basket_at), len(self.items))
        ones = np.ones(len(self.line_item), dtype=np.float32)
        return csr_matrix((ones, (self.line_basket, self.line_item)), shape=shape)

    @cached_property
    def line_customer(self) -> Ints:
        """Customer number of each line, −1 when unknown."""
        return self.basket_customer[self.line_basket]

    def per_customer(self, weights: Floats | None = None) -> csr_matrix:
        """Customers × items: in how many baskets, or the sum of the given weight of each line (float32)."""
        known = self.line_customer >= 0
        values = np.ones(len(self.line_item), dtype=np.float32) if weights is None else weights
        shape = (len(self.customers), len(self.items))
        return csr_matrix((values[known], (self.line_customer[known], self.line_item[known])), shape=shape)

    @cached_property
    def basket_place(self) -> Ints:
        """How many baskets of the same customer came after each basket (0 is the last); 0 where unknown."""
        order = np.argsort(self.basket_customer, kind="stable")
        owner = self.basket_customer[order]
        ends = np.searchsorted(owner, owner, side="right")
        place = np.zeros(len(owner), dtype=np.int64)
        place[order] = ends - 1 - np.arange(len(owner))
        place[self.basket_customer < 0] = 0
        return place

    def keep(self, baskets: NDArray[np.bool_]) -> "History":
        """The history of some baskets only, with the same numbers for customers and items."""
        number = np.cumsum(baskets) - 1
        lines = baskets[self.line_basket]
        return History(
            self.customers,
            self.items,
            self.basket_customer[baskets],
            self.basket_at[baskets],
            number[self.line_basket[lines]],
            self.line_item[lines],
            self.line_quantity[lines],
            self.line_price[lines],
        )


def latest_customers(history: History, count: int) -> Ints:
    """Numbers, ascending, of at most so many customers: those with the latest baskets."""
    last = np.full(len(history.customers), -1, dtype=np.int64)
    known = history.basket_customer >= 0
    last[history.basket_customer[known]] = history.basket_at[known]
    return np.sort(np.lexsort((np.arange(len(last)), -last))[:count])


def read_csv(path: Path) -> History:
    """Reads `customer,basket,at,item,quantity,price` from a .csv or .csv.gz file.

    An empty customer is unknown; an empty basket is one of its own for that customer and time; an empty quantity
    is 1, an empty price 0.

    Raises:
        ValueError: a column is missing or a cell cannot be read, with file and line.
    """
    with _opened(path) as stream:
        reader = csv.reader(stream)
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise ValueError(f"{path}:1: no column {', '.join(missing)}")
        places = [header.index(name) for name in COLUMNS]
        return _build(_parsed(path, reader, places))


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _parsed(
    path: Path, reader: Iterable[list[str]], places: list[int]
) -> Iterable[tuple[str, str, int, str, int, int]]:
    customer, basket, at, item, quantity, price = places
    times: dict[str, int] = {}
    for number, row in enumerate(reader, start=2):
        if not row:
            continue
        try:
            when = row[at]
            if when not in times:
                times[when] = seconds(datetime.fromisoformat(when))
            yield (
                row[customer],
                row[basket] or f"@{when}",
                times[when],
                row[item],
                int(float(row[quantity] or 1)),
                round(float(row[price] or 0)),
            )
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}:{number}: {error}") from error


def seconds(at: datetime) -> int:
    """Since 1970; a time without a zone is UTC."""
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _build(rows: Iterable[tuple[str, str, int, str, int, int]]) -> History:
    customers: dict[str, int] = {}
    baskets: dict[tuple[str, str], int] = {}
    items: dict[str, int] = {}
    numbers: list[tuple[int, int, int, int, int, int]] = []
    for customer, basket, at, item, quantity, price in rows:
        if quantity > 0 and item:
            numbers.append(
                (
                    customers.setdefault(customer, len(customers)),
                    # The same basket id under two customers is two baskets.
                    baskets.setdefault((customer, basket), len(baskets)),
                    at,
                    items.setdefault(item, len(items)),
                    quantity,
                    price,
                )
            )
    table = np.fromiter(chain.from_iterable(numbers), dtype=np.int64, count=6 * len(numbers)).reshape(-1, 6)
    named, customer_number = _ordered(customers)
    if named and named[0] == "":
        named, customer_number = named[1:], customer_number - 1
    item_names, item_number = _ordered(items)
    _, basket_number = _ordered(baskets)
    return _columns(
        named, item_names, customer_number[table[:, 0]], basket_number[table[:, 1]], item_number[table[:, 3]], table
    )


def _ordered(numbers: dict[K, int]) -> tuple[list[K], Ints]:
    """The keys in order, and for each first-seen number its place in that order."""
    keys = sorted(numbers)
    place = np.empty(len(keys), dtype=np.int64)
    place[[numbers[key] for key in keys]] = np.arange(len(keys))
    return keys, place


def _columns(
    customers: Sequence[str], items: Sequence[str], owner: Ints, basket: Ints, item: Ints, table: Ints
) -> History:
    """Sorts the lines and merges those of one item in one basket; a basket's time is its first line's."""
    count = int(basket.max()) + 1 if len(basket) else 0
    basket_at = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(basket_at, basket, table[:, 2])
    basket_owner = np.empty(count, dtype=np.int64)
    basket_owner[basket] = owner
    by_time = np.lexsort((np.arange(count), basket_owner, basket_at))
    place = np.empty(count, dtype=np.int64)
    place[by_time] = np.arange(count)
    # The price orders equal lines too, so that the one that is kept does not depend on the input's order.
    order = np.lexsort((table[:, 5], item, place[basket]))
    line_basket, line_item = place[basket][order], item[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (line_basket[1:] != line_basket[:-1]) | (line_item[1:] != line_item[:-1])
    starts = np.flatnonzero(first)
    quantity = np.add.reduceat(table[order, 4], starts) if len(starts) else np.empty(0, dtype=np.int64)
    return History(
        tuple(customers),
        tuple(items),
        basket_owner[by_time],
        basket_at[by_time],
        line_basket[starts],
        line_item[starts],
        quantity,
        table[order, 5][starts],
    )
