"""Rows of a CSV file as numbers: standardised columns, and one column for each frequent value of a text."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FREQUENT = 30
VALUES = 20


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by column name; a short row's missing cells are empty."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, restval=""))


@dataclass(frozen=True)
class Traits:
    """How columns become numbers, learned from the rows of one file and used on those of another.

    Attributes:
        numbers: column → mean and deviation; amounts that only rise are taken as logarithms.
        values: column → the values that get a column of their own.
    """

    numbers: dict[str, tuple[float, float]]
    values: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, rows: Sequence[dict[str, str]], columns: Sequence[str]) -> "Traits":
        """Learns scales and values."""
        numbers: dict[str, tuple[float, float]] = {}
        values: dict[str, tuple[str, ...]] = {}
        for name in columns:
            cells = [row[name] for row in rows]
            number = _numbers(cells)
            if number is not None:
                number = _tamed(number)
                numbers[name] = (float(number.mean()), float(number.std()) or 1.0)
            else:
                counted = sorted(Counter(cells).items(), key=lambda pair: (-pair[1], pair[0]))
                values[name] = tuple(value for value, count in counted[:VALUES] if count >= FREQUENT)
        return cls(numbers, values)

    @property
    def names(self) -> list[str]:
        """The columns that are used."""
        return [*self.numbers, *self.values]

    def matrix(self, rows: Sequence[dict[str, str]]) -> NDArray[np.float64]:
        """Rows × traits; a cell that is no number counts as the mean, an unknown value as none of the known."""
        columns = [np.zeros((len(rows), 0))]
        for name, (mean, deviation) in self.numbers.items():
            cells = [row.get(name, "") for row in rows]
            number = np.array([_number(cell, mean) for cell in cells])
            columns.append(((_tamed(number) - mean) / deviation)[:, None])
        for name, known in self.values.items():
            columns.append(np.array([[row.get(name, "") == value for value in known] for row in rows], dtype=float))
        return np.concatenate([column.reshape(len(rows), -1) for column in columns], axis=1)


def _numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return None


def _number(cell: str, otherwise: float) -> float:
    try:
        return float(cell)
    except ValueError:
        return otherwise


def _tamed(number: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of what is never negative, so that a few large amounts do not rule the fit."""
    return np.sign(number) * np.log1p(np.abs(number))
