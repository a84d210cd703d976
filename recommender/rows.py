"""A sparse matrix by rows whose three arrays can be memory-mapped, and reading, summing and pruning such rows."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recommender.history import Floats, Ints

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Rows:
    """Rows of (column, value); columns ascend within a row.

    Attributes:
        indptr: (rows + 1) int64, where each row starts.
        indices: (entries) int32, columns.
        data: (entries) float32, values.
        width: number of columns.
        patch: rows that stand in place of the stored ones, or beyond them; they are never stored.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: Floats
    width: int
    patch: Mapping[int, tuple[NDArray[np.int32], Floats]] = field(default_factory=dict)

    @classmethod
    def of(cls, matrix: csr_matrix) -> "Rows":
        """Takes over a scipy matrix."""
        matrix = matrix.tocsr()
        matrix.sort_indices()
        return cls(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            matrix.data.astype(np.float32),
            int(matrix.shape[1]),
        )

    @classmethod
    def restored(cls, arrays: Arrays, name: str) -> "Rows":
        """Reads what `arrays` wrote under that name."""
        width = int(arrays[f"{name}.width"][0])
        return cls(arrays[f"{name}.indptr"], arrays[f"{name}.indices"], arrays[f"{name}.data"], width)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays to store, each under a name that starts with `name`."""
        return {
            f"{name}.indptr": self.indptr,
            f"{name}.indices": self.indices,
            f"{name}.data": self.data,
            f"{name}.width": np.array([self.width], dtype=np.int64),
        }

    def row(self, number: int) -> tuple[NDArray[np.int32], Floats]:
        """Columns and values of a row; none for a number outside the matrix."""
        if self.patch and number in self.patch:
            return self.patch[number]
        if not 0 <= number < len(self.indptr) - 1:
            return self.indices[:0], self.data[:0]
        start, end = self.indptr[number], self.indptr[number + 1]
        return self.indices[start:end], self.data[start:end]

    def added(self, rows: Mapping[int, tuple[Ints, Floats]]) -> "Rows":
        """The matrix with values added to some rows; columns may repeat and come in any order."""
        patch = dict(self.patch)
        for number, (columns, values) in rows.items():
            known, before = self.row(number)
            together, places = np.unique(np.concatenate([known, columns]), return_inverse=True)
            total = np.bincount(places, weights=np.concatenate([before, values]), minlength=len(together))
            patch[number] = together.astype(np.int32), total.astype(np.float32)
        return replace(self, patch=patch)

    def at(self, number: int, columns: Ints) -> Floats:
        """The values of one row at the given columns, 0 where it has none."""
        known, values = self.row(number)
        return placed(known.astype(np.int64), values, columns, self.width)

    def value(self, number: int, column: int) -> float:
        """One value, 0 when there is none."""
        columns, values = self.row(number)
        place = int(np.searchsorted(columns, column))
        return float(values[place]) if place < len(columns) and columns[place] == column else 0.0

    def gathered(self, numbers: Iterable[int], weights: Iterable[float] | None = None) -> tuple[Ints, Floats]:
        """The columns and weighted values of some rows one after another; a column may come several times."""
        if self.patch:
            return self._gathered_patched(list(numbers), weights)
        rows = np.fromiter(numbers, dtype=np.int64)
        starts = self.indptr[rows]
        sizes = self.indptr[rows + 1] - starts
        places = np.arange(int(sizes.sum())) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        values = self.data[places]
        if weights is not None:
            values = values * np.repeat(np.fromiter(weights, dtype=np.float32, count=len(rows)), sizes)
        return self.indices[places].astype(np.int64), values

    def _gathered_patched(self, numbers: Sequence[int], weights: Iterable[float] | None) -> tuple[Ints, Floats]:
        found = [self.row(number) for number in numbers]
        columns = np.concatenate([np.empty(0, dtype=np.int64), *(indices for indices, _ in found)])
        values = np.concatenate([np.empty(0, dtype=np.float32), *(data for _, data in found)])
        if weights is not None:
            sizes = [len(data) for _, data in found]
            values = values * np.repeat(np.fromiter(weights, dtype=np.float32, count=len(found)), sizes)
        return columns, values

    def summed(self, numbers: Iterable[int], columns: Ints, weights: Iterable[float] | None = None) -> Floats:
        """The weighted sum of some rows at the given columns."""
        return placed(*self.gathered(numbers, weights), columns, self.width)

    def columns_of(self, numbers: Iterable[int]) -> Ints:
        """Every column that some of the rows have, ascending."""
        return np.unique(self.gathered(numbers)[0])


def merged(columns: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The columns each once, ascending, and the sums of their values."""
    if not len(columns):
        return columns, values
    # Rows come one after another, each in order: that is what a stable sort merges quickly.
    order = np.argsort(columns, kind="stable")
    columns = columns[order]
    starts = np.flatnonzero(np.concatenate([[True], columns[1:] != columns[:-1]]))
    return columns[starts], np.add.reduceat(values[order], starts)


def without(items: Ints, barred: Ints) -> Ints:
    """Ascending items less a few others."""
    places = np.searchsorted(items, barred)
    inside = places < len(items)
    places = places[inside]
    kept = np.ones(len(items), dtype=bool)
    kept[places[items[places] == barred[inside]]] = False
    return items[kept]


_SCRATCH = threading.local()


def placed(columns: Ints, values: Floats, asked: Ints, width: int) -> Floats:
    """The sums of the values by column, read at the asked columns.

    The sums are made in a dense row that each thread keeps, zero between calls: a fresh one of 100,000 items would
    cost more than all that is done with it.
    """
    row: Floats | None = getattr(_SCRATCH, "row", None)
    if row is None or len(row) < width:
        row = np.zeros(width, dtype=np.float32)
        _SCRATCH.row = row
    np.add.at(row, columns, values)
    found = row[asked]
    row[columns] = 0
    return found


def strongest(matrix: csr_matrix, count: int) -> csr_matrix:
    """Keeps the `count` largest values of each row; of equal ones those of the lower column."""
    matrix = matrix.tocsr()
    kept = [np.empty(0, dtype=np.int64)]
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        places = np.arange(start, end)
        kept.append(
            places if end - start <= count else places[best(matrix.data[start:end], matrix.indices[start:end], count)]
        )
    chosen = np.concatenate(kept)
    row = np.repeat(np.arange(matrix.shape[0]), np.minimum(np.diff(matrix.indptr), count))
    return csr_matrix((matrix.data[chosen], (row, matrix.indices[chosen])), shape=matrix.shape)


def best(scores: Floats, items: NDArray[np.integer[Any]], count: int) -> Ints:
    """Places of the `count` highest scores, ties by the lower item number, so that the answer never depends on luck."""
    if len(scores) > 4 * count > 0:
        edge = np.partition(scores, len(scores) - count)[len(scores) - count]
        above, level = np.flatnonzero(scores > edge), np.flatnonzero(scores == edge)
        near = np.concatenate([above, level[np.argsort(items[level], kind="stable")][: count - len(above)]])
    else:
        near = np.arange(len(scores))
    return near[np.lexsort((items[near], -scores[near]))][:count]
