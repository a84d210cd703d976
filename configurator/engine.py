"""One incremental solver with its pool of known valid designs. It answers one thread at a time.

A design is an int: bit v is set when the tracked variable v is true. The pool answers most questions by comparing ints;
the solver answers the rest, and every answer it finds joins the pool. Answers never depend on what the pool holds.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import neg

from pysat.solvers import Solver

from configurator.errors import NotKnownInTime
from configurator.neighbours import LARGEST, Neighbours
from configurator.space import Space
from configurator.swaps import Swaps

# of one question, after which it is "not known in time"; of one call where no question was begun
CONFLICTS = 200_000
PROPAGATIONS = 1_000_000_000
SECONDS = 15.0  # of the thread: only the outer guard, many times what the others let pass
PIECE = 10_000  # conflicts after which the time is looked at
POOL = 800  # witnesses kept: single changes of a few answer what more of them would
SOLVER = "minisat22"
DIGITS = b"01" + bytes(254)  # how a design is written before it is read as an int


@dataclass(frozen=True, slots=True)
class Domains:
    """What is possible: bit v of `true` (`false`) when variable v can be true (false), its own choice set aside."""

    true: int
    false: int


class _Left:
    """What a question may still use."""

    def __init__(self) -> None:
        self.conflicts = CONFLICTS
        self.propagations = PROPAGATIONS
        self.until = time.thread_time() + SECONDS


class Engine:
    """The solver of one space."""

    def __init__(self, space: Space, nearby: Neighbours | Swaps | None = None) -> None:
        self.space = space
        self.solver = Solver(name=SOLVER, bootstrap_with=space.clauses)
        if space.variables:  # so that every tracked variable exists, even one without clauses
            self.solver.add_clause([space.variables, -space.variables])
        self.pool: dict[int, None] = {}
        self.width = space.tracked + 1
        self.left: _Left | None = None
        self.nearby = nearby or nearby_of(space)
        self.example = self._first()

    def _first(self) -> int | None:
        """A design that is the same for every solver of the space, as nothing was asked before; None: not found."""
        self.solver.conf_budget(CONFLICTS)
        return self._witness() if self.solver.solve_limited() else None

    def close(self) -> None:
        """Gives the solver's memory back."""
        self.solver.delete()

    def solve(self, assumptions: Sequence[int]) -> int | None:
        """A valid design under the assumptions, or None."""
        return self._witness() if self.holds(assumptions) else None

    def begin(self) -> None:
        """From here on all calls belong to one question and share its budget."""
        self.left = _Left()

    def holds(self, assumptions: Sequence[int]) -> bool:
        """Whether a valid design exists under the assumptions.

        Raises:
            NotKnownInTime: the question has used up its conflicts, propagations or time; no answer is invented.
        """
        left = self.left or _Left()
        spent = self.solver.accum_stats()
        while left.conflicts > 0 and left.propagations > 0 and time.thread_time() < left.until:
            self.solver.conf_budget(min(PIECE, left.conflicts))
            self.solver.prop_budget(left.propagations)
            answer = self.solver.solve_limited(assumptions=assumptions)
            before, spent = spent, self.solver.accum_stats()
            left.conflicts -= spent["conflicts"] - before["conflicts"]
            left.propagations -= spent["propagations"] - before["propagations"]
            if answer is not None:
                return bool(answer)
        raise NotKnownInTime("whether a valid design has these values")

    def core(self, assumptions: Sequence[int]) -> tuple[int, ...] | None:
        """None when a valid design exists, else assumptions that cannot all hold."""
        if self.holds(assumptions):
            self._witness()
            return None
        return tuple(self.solver.get_core() or ())

    def refused(self, assumptions: Sequence[int]) -> frozenset[int]:
        """Literals that the assumptions shut out by propagation alone: surely impossible, though not all that are."""
        _, implied = self.solver.propagate(assumptions=assumptions)
        return frozenset(map(neg, implied))

    def _witness(self) -> int:
        model: list[int] = self.solver.get_model()
        signs = bytes(map((0).__lt__, model[self.width - 2 :: -1])) if self.width > 1 else b""
        mask = int(signs.translate(DIGITS) or b"0", 2) << 1
        self._keep(mask)
        return mask

    def _keep(self, mask: int) -> None:
        if mask not in self.pool:
            if len(self.pool) >= POOL:
                del self.pool[next(iter(self.pool))]
            self.pool[mask] = None

    def is_design(self, mask: int) -> bool:
        """Whether the tracked values are those of a valid design."""
        exact = [v if mask >> v & 1 else -v for v in range(1, self.width)]
        if not self.holds(exact):
            return False
        self._keep(mask)
        return True

    def true(self, mask: int, literal: int) -> bool:
        """Whether a tracked literal, or a conditional default, holds in a design."""
        if literal in self.space.meanings:
            needed, wish = self.space.meanings[literal]
            return not mask >> needed & 1 or self.true(mask, wish)
        return bool(mask >> abs(literal) & 1) == (literal > 0)


def nearby_of(space: Space) -> Neighbours | Swaps:
    """What finds designs near a known one: pairs written out where there is room for them, else the clauses."""
    return Neighbours(space) if space.tracked <= LARGEST else Swaps(space)
