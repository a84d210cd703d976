"""Opaque ids as a sorted array of bytes that can be memory-mapped, looked up by binary search without a dictionary."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.history import Ints


class Ids:
    """Ids in order; an id's number is its place. UTF-8 keeps the order of code points, so the order is Python's."""

    def __init__(self, names: NDArray[Any], more: Sequence[str] = ()) -> None:
        self.names = names
        self.more = tuple(more)
        self._numbers = {name: len(names) + place for place, name in enumerate(self.more)}

    @classmethod
    def of(cls, names: Sequence[str]) -> "Ids":
        """Takes over ids that are already in order."""
        return cls(np.array([name.encode() for name in names] or [b""], dtype=np.bytes_)[: len(names)])

    def extended(self, names: Iterable[str]) -> "Ids":
        """These ids, and unknown ones of the given with the next numbers, in their order."""
        fresh = [name for name in dict.fromkeys(names) if self.number(name) < 0]
        return Ids(self.names, (*self.more, *fresh))

    def __len__(self) -> int:
        return len(self.names) + len(self.more)

    def number(self, name: str) -> int:
        """The id's number, −1 when unknown."""
        more = self._numbers.get(name)
        return int(self.numbers([name])[0]) if more is None else more

    def numbers(self, names: Iterable[str]) -> Ints:
        """The ids' numbers, −1 for each unknown one."""
        if self.more:
            names = list(names)
            added = np.array([self._numbers.get(name, -1) for name in names], dtype=np.int64)
            stored = Ids(self.names).numbers(names)[: len(added)]
            return np.where(added >= 0, added, stored)
        wanted = np.array([name.encode("utf-8", "replace") for name in names] or [b""], dtype=np.bytes_)
        if not len(self.names):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.searchsorted(self.names, wanted)
        inside = np.minimum(places, len(self.names) - 1)
        return np.where(self.names[inside] == wanted, inside, -1).astype(np.int64)

    def name(self, number: int) -> str:
        """The id of a number."""
        if number >= len(self.names):
            return self.more[number - len(self.names)]
        return bytes(self.names[number]).decode()
