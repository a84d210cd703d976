"""The moving side of a compiled model: solvers lent to one thread at a time, and bounded memos shared by all."""

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from configurator.contradictions import Contradictions
from configurator.engine import Domains, Engine, nearby_of
from configurator.search import domains_under
from configurator.space import Space

MEMO = 8192  # answers kept of each kind
T = TypeVar("T")


class Memo:
    """A bounded memory of answers; the least recently asked leaves first."""

    def __init__(self, limit: int = MEMO) -> None:
        self._answers: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()
        self._limit = limit

    def peek(self, key: Hashable) -> tuple[bool, object]:
        """Whether there is an answer, and which."""
        with self._lock:
            return key in self._answers, self._answers.get(key)

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
        self.nearby = nearby_of(space)
        self.contradictions = Contradictions(space, self._example)
        self.answers = Memo()
        self.completions = Memo(4 * MEMO)
        self.analyses = Memo(MEMO // 8)
        self.prices = Memo(4 * MEMO)

    def at_other_prices(self) -> "Live":
        """The same solvers and domains, with memos of its own for what depends on prices."""
        other = copy.copy(self)
        other.completions, other.analyses = Memo(4 * MEMO), Memo(MEMO // 8)
        other.prices = Memo(4 * MEMO)
        return other

    def domains(self, literals: tuple[int, ...], banned: tuple[int, ...] = ()) -> Domains | None:
        """The domains under literals, remembered; narrowed from those known under one choice fewer, if any are."""
        return self.answers.get((literals, banned), lambda: self._domains(literals, banned))

    def _domains(self, literals: tuple[int, ...], banned: tuple[int, ...]) -> Domains | None:
        within: Domains | None = None
        settled: frozenset[int] = frozenset()
        for group in dict.fromkeys(self.space.home[abs(literal)] for literal in reversed(literals)):
            own = [literal for literal in literals if self.space.home[abs(literal)] == group]
            known, wider = self.answers.peek((tuple(x for x in literals if x not in own), banned))
            if known and not isinstance(wider, Domains):
                return None  # fewer choices already contradict each other
            if isinstance(wider, Domains):
                within = wider
                if len(own) == 1:
                    settled = frozenset(own)
                    break
        if within is None and literals:
            within = self.domains((), banned)
            if within is None:
                return None
        with self.engine() as engine:
            return domains_under(engine, literals, banned, within, settled)

    def _example(self) -> int | None:
        with self.engine() as engine:
            return engine.example

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """A solver for this thread alone, with the budget of one question."""
        try:
            engine = self._idle.pop()  # atomic: no two threads get the same
        except IndexError:
            engine = Engine(self.space, self.nearby)
        engine.begin()
        try:
            yield engine
        finally:
            self._idle.append(engine)
