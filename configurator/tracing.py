"""Follows unit propagation through the clauses, to see which rules make assumptions contradict each other.

Clauses are taken in their order, so that the same question always meets the same rules.
"""

from collections import deque
from collections.abc import Sequence

from configurator.space import Space


class Tracer:
    """Where each literal occurs in the clauses of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.occurrences: dict[int, list[int]] = {}
        self.units: list[int] = []
        self.clauses_of: dict[int, list[int]] = {}  # rule, or -1 for the structure of the groups → its clauses
        for number, clause in enumerate(space.clauses):
            self.clauses_of.setdefault(space.owners[number], []).append(number)
            if len(clause) <= 1:
                self.units.append(number)
            for literal in clause:
                self.occurrences.setdefault(literal, []).append(number)

    def rules(self, assumptions: Sequence[int]) -> list[int] | None:
        """Rules that suffice, by unit propagation alone, to contradict the assumptions; None when it does not reach."""
        reasons: dict[int, int] = {}
        queue: deque[int] = deque()
        clauses = self.space.clauses
        for literal in assumptions:
            if -literal in reasons:
                return []
            if literal not in reasons:
                reasons[literal] = -1
                queue.append(literal)
        conflict: int | None = None
        for number in self.units:
            if not clauses[number]:
                return self._owners({number})
            literal = clauses[number][0]
            if -literal in reasons:
                conflict = number
                break
            if literal not in reasons:
                reasons[literal] = number
                queue.append(literal)
        while conflict is None and queue:
            conflict = self._propagate(queue.popleft(), reasons, queue)
        return None if conflict is None else self._owners(self._back(conflict, reasons))

    def _propagate(self, literal: int, reasons: dict[int, int], queue: "deque[int]") -> int | None:
        clauses = self.space.clauses
        for number in self.occurrences.get(-literal, ()):
            unknown = 0
            for other in clauses[number]:
                if other in reasons:
                    break
                if -other not in reasons:
                    if unknown:
                        break
                    unknown = other
            else:
                if not unknown:
                    return number
                reasons[unknown] = number
                queue.append(unknown)
        return None

    def _back(self, conflict: int, reasons: dict[int, int]) -> set[int]:
        """The clauses that led to the conflict."""
        used = {conflict}
        stack = [-literal for literal in self.space.clauses[conflict]]
        seen: set[int] = set()
        while stack:
            literal = stack.pop()
            if literal in seen:
                continue
            seen.add(literal)
            number = reasons.get(literal, -1)
            if number >= 0:
                used.add(number)
                stack += [-other for other in self.space.clauses[number] if other != literal]
        return used

    def _owners(self, clauses: set[int]) -> list[int]:
        return sorted({self.space.owners[number] for number in clauses} - {-1})
