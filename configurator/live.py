"""The moving side of a compiled model: solvers lent to one thread at a time, and bounded memos shared by all."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from configurator.engine import Engine
from configurator.space import Space

MEMO = 8192  # answers kept of each kind
T = TypeVar("T")


class Memo:
    """A bounded memory of answers; the least recently asked leaves first."""

    def __init__(self, limit: int = MEMO) -> None:
        self._answers: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()
        self._limit = limit

    def get(self, key: Hashable, answer: Callable[[], T]) -> T:
        """The remembered answer, or a new one."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]  # type: ignore[return-value]
        found = answer()
        with self._lock:
            self._answers[key] = found
            if len(self._answers) > self._limit:
                self._answers.popitem(last=False)
        return found


class Live:
    """Solvers of one space. A solver is used by one thread at a time; the last one given back is lent first."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._idle: list[Engine] = []
        self.domains = Memo()
        self.completions = Memo(4 * MEMO)
        self.analyses = Memo(MEMO // 8)
        self.prices = Memo(4 * MEMO)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """A solver for this thread alone."""
        try:
            engine = self._idle.pop()  # atomic: no two threads get the same
        except IndexError:
            engine = Engine(self.space)
        try:
            yield engine
        finally:
            self._idle.append(engine)
