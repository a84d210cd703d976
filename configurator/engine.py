"""One incremental solver with its pool of known valid designs: domains, completions, conflicts. One thread at a time.

A design is an int: bit v is set when the tracked variable v is true. The pool answers most questions by comparing ints;
the solver answers the rest, and every answer it finds joins the pool. Answers never depend on what the pool holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pysat.solvers import Solver

from configurator.errors import NotKnownInTime
from configurator.space import Space
from configurator.swaps import Swaps, Trial

CONFLICTS = 200_000  # of one question, after which it is "not known in time"
POOL = 800  # witnesses kept: single changes of a few answer what more of them would
WORTH = 20  # one in so many must be found for single changes to be tried again
RETRY = 8  # unseen values from which single changes of a new witness are tried before asking again
SOLVER = "minisat22"


@dataclass(frozen=True, slots=True)
class Domains:
    """What is possible: bit v of `true` (`false`) when variable v can be true (false), its own choice set aside."""

    true: int
    false: int


class Engine:
    """The solver of one space."""

    def __init__(self, space: Space, swaps: Swaps | None = None) -> None:
        self.space = space
        self.solver = Solver(name=SOLVER, bootstrap_with=space.clauses)
        if space.variables:  # so that every tracked variable exists, even one without clauses
            self.solver.add_clause([space.variables, -space.variables])
        self.pool: dict[int, None] = {}
        self.width = space.tracked + 1
        self.swaps = swaps or Swaps(space)

    def close(self) -> None:
        """Gives the solver's memory back."""
        self.solver.delete()

    def solve(self, assumptions: Sequence[int]) -> int | None:
        """A valid design under the assumptions, or None."""
        return self._witness() if self.holds(assumptions) else None

    def holds(self, assumptions: Sequence[int]) -> bool:
        """Whether a valid design exists under the assumptions.

        Raises:
            NotKnownInTime: the solver met too many conflicts; no answer is invented.
        """
        self.solver.conf_budget(CONFLICTS)
        answer = self.solver.solve_limited(assumptions=assumptions)
        if answer is None:
            raise NotKnownInTime("whether a valid design has these values")
        return bool(answer)

    def core(self, assumptions: Sequence[int]) -> tuple[int, ...] | None:
        """None when a valid design exists, else assumptions that cannot all hold."""
        if self.holds(assumptions):
            self._witness()
            return None
        return tuple(self.solver.get_core() or ())

    def _witness(self) -> int:
        model: list[int] = self.solver.get_model()
        digits = ["1" if literal > 0 else "0" for literal in model[self.width - 2 :: -1]] if self.width > 1 else []
        mask = int("".join(digits) or "0", 2) << 1
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

    def domains(
        self,
        chosen: tuple[int, ...],
        banned: tuple[int, ...] = (),
        within: Domains | None = None,
        settled: frozenset[int] = frozenset(),
    ) -> Domains | None:
        """The domains under the chosen literals, or None when these contradict each other.

        Args:
            chosen: literals, each set aside in turn for its own group's domain.
            banned: literals that always hold.
            within: domains under fewer choices, which can only have been wider.
            settled: chosen literals whose own group has exactly the domain it has in `within`.
        """
        return _Search(self, chosen, banned, within, settled).run()

    def complete(self, assumptions: Sequence[int]) -> int | None:
        """The default completion: keeps defaults greedily in group order, then fills groups by their first value."""
        self.solver.set_phases(self.space.defaults)
        best = self.solve(assumptions)
        if best is None:
            return None
        return self._fill(best, dict.fromkeys(assumptions))

    def prefer(self, assumptions: Sequence[int], wishes: Iterable[int]) -> int | None:
        """The design that keeps the wishes greedily in the order given, then the defaults."""
        best = self.solve(assumptions)
        if best is None:
            return None
        fixed = dict.fromkeys(assumptions)
        trial = Trial(self.swaps, best)
        for literal in wishes:
            trial = self._first(trial, fixed, (literal,))
        return self._fill(trial.mask, fixed)

    def _fill(self, best: int, fixed: dict[int, None]) -> int:
        trial = Trial(self.swaps, best)
        for literal in self.space.defaults:
            trial = self._first(trial, fixed, (literal,))
        for needed, literals in self.space.fillings:
            if (not needed or self.true(trial.mask, needed)) and not self._decided(literals, fixed):
                trial = self._first(trial, fixed, literals)
        return trial.mask

    def _first(self, trial: Trial, fixed: dict[int, None], alternatives: tuple[int, ...]) -> Trial:
        """Fixes the first alternative that is possible; the design that shows it."""
        for literal in alternatives:
            if self.true(trial.mask, literal):
                fixed[literal] = None
                return trial
            wish = self.space.meanings.get(literal, (0, literal))[1]
            if not self._settled(wish, fixed) and trial.swap(wish, keep=True):
                fixed[literal] = None
                return trial
            found = self.solve([*fixed, literal])
            if found is not None:
                fixed[literal] = None
                return Trial(self.swaps, found)
        return trial

    def _decided(self, literals: tuple[int, ...], fixed: dict[int, None]) -> bool:
        """Whether a needed one-of group already has its value: chosen, or its default kept."""
        defaults = self.space.groups[self.space.home[abs(literals[0])]].defaults if literals else ()
        return not literals or any(literal in fixed for literal in (*literals, *defaults))

    def _settled(self, literal: int, fixed: dict[int, None]) -> bool:
        """Whether the literal's own group is already fixed, so that changing it would undo a choice."""
        group = self.space.groups[self.space.home[abs(literal)]]
        if group.kind == "one":
            return any(other in fixed for other in (*group.literals, *group.defaults))
        return -literal in fixed or (bool(group.needed) and any(other in fixed for other in group.defaults))

    def true(self, mask: int, literal: int) -> bool:
        """Whether a tracked literal, or a conditional default, holds in a design."""
        if literal in self.space.meanings:
            needed, wish = self.space.meanings[literal]
            return not mask >> needed & 1 or self.true(mask, wish)
        return bool(mask >> abs(literal) & 1) == (literal > 0)


class _Search:
    """One question for domains: the pool first, then propagation, then the solver for what is still unseen."""

    def __init__(
        self,
        engine: Engine,
        chosen: tuple[int, ...],
        banned: tuple[int, ...],
        within: Domains | None,
        settled: frozenset[int],
    ) -> None:
        self.engine = engine
        self.settled = settled
        self.wide_true = within.true if within else -1
        self.wide_false = within.false if within else -1
        self.space = engine.space
        self.chosen = chosen
        self.banned = banned
        self.assumptions = [*chosen, *banned]
        self.want = self.care = 0
        for literal in self.assumptions:
            bit = 1 << abs(literal)
            self.care |= bit
            if literal > 0:
                self.want |= bit
        self.flips: dict[int, int] = {1 << abs(literal): 0 for literal in chosen}
        self.seen_true = 0
        self.seen_always = -1
        self.sample: int | None = None
        self.taken = 0

    def run(self) -> Domains | None:
        want, care, flips = self.want, self.care, self.flips
        for witness in self.engine.pool:  # as _look does, but without a call for each
            difference = (witness ^ want) & care
            if not difference:
                self._look(witness)
            elif difference in flips:
                flips[difference] |= witness
        taken = self.care
        for literal in self.chosen:
            group = self.space.groups[self.space.home[abs(literal)]]
            taken |= group.mask if group.kind == "one" else 1 << abs(literal)
        if self.sample is None:
            first = self.engine.solve(self.assumptions)
            if first is None:
                return None
            self._look(first)
        assert self.sample is not None
        self.trial = Trial(self.engine.swaps, self.sample)
        self.taken = taken
        exclusive, free = self.space.exclusive_mask, self.space.free_mask
        self._base((exclusive | free) & ~taken, free & ~taken)
        true = self.seen_true & ~taken
        false = free & ~taken & ~self.seen_always
        for literal in self.chosen:
            positive, negative = self._own(literal)
            true |= positive
            false |= negative
        return Domains(true, false)

    def _look(self, witness: int) -> None:
        difference = (witness ^ self.want) & self.care
        if not difference:
            self.seen_true |= witness
            self.seen_always &= witness
            self.sample = witness
        elif difference in self.flips:  # one bit only: a single choice is different
            self.flips[difference] |= witness

    def _base(self, positive: int, negative: int) -> None:
        """Settles every value outside the chosen groups."""
        unseen = positive & self.wide_true & ~self.seen_true
        always = negative & self.wide_false & self.seen_always
        if unseen or always:
            _, implied = self.engine.solver.propagate(assumptions=self.assumptions)
            for literal in implied:
                if literal < 0:
                    unseen &= ~(1 << -literal)
                else:
                    always &= ~(1 << literal)
            unseen, always = self._swapped(unseen, always)
        for variable in _bits(unseen & ~self.care):
            if variable in self.space.home and self.trial.reach(variable, self.taken):
                unseen ^= 1 << variable
                self.seen_true |= 1 << variable
        if unseen or always:
            self._ask(unseen, always)

    def _ask(self, unseen: int, always: int) -> None:
        """Asks the solver for each value left, led toward those not yet seen."""
        solver = self.engine.solver
        seen = self.space.exclusive_mask & ~unseen  # else the solver would repeat what it showed last
        solver.set_phases([*_bits(unseen), *(-v for v in _bits(seen | always))])
        swapping = True
        while unseen or always:
            literal = (unseen & -unseen).bit_length() - 1 if unseen else 1 - (always & -always).bit_length()
            witness = self.engine.solve([*self.assumptions, literal])
            if witness is None:
                unseen &= ~(1 << literal if literal > 0 else 0)
                always &= ~(1 << -literal if literal < 0 else 0)
                continue
            self._look(witness)
            before = unseen
            unseen &= ~witness
            always &= witness
            left = unseen.bit_count() + always.bit_count()
            if swapping and left > RETRY:
                self.trial = Trial(self.engine.swaps, witness)
                unseen, always = self._swapped(unseen, always)
                swapping = (left - unseen.bit_count() - always.bit_count()) * WORTH >= left
            solver.set_phases([-v for v in _bits(before & ~unseen)])

    def _swapped(self, unseen: int, always: int) -> tuple[int, int]:
        """What is left unseen once single changes of a known design have been tried."""
        for variable in _bits(unseen & ~self.care):
            if variable in self.space.home and self.trial.swap(variable):
                unseen ^= 1 << variable
                self.seen_true |= 1 << variable
        for variable in _bits(always & ~self.care):
            if variable in self.space.home and self.trial.swap(-variable):
                always ^= 1 << variable
                self.seen_always &= ~(1 << variable)
        return unseen, always

    def _own(self, literal: int) -> tuple[int, int]:
        """What the group of a chosen literal could be instead, with this choice set aside; and what it is."""
        bit = 1 << abs(literal)
        group = self.space.groups[self.space.home[abs(literal)]]
        if literal in self.settled:
            return self.wide_true & group.mask, self.wide_false & group.mask if group.kind != "one" else 0
        others = [other for other in self.assumptions if other != literal]
        if group.kind != "one":
            wide = self.wide_true if literal < 0 else self.wide_false
            flipped = bool(self.flips[bit]) or (
                bool(wide & bit) and (self.trial.swap(-literal) or self._flip(others, -literal))
            )
            positive = literal > 0 or flipped
            return (bit if positive else 0), (bit if literal < 0 or flipped else 0)
        possible = self.flips[bit] & group.mask | bit
        unseen = group.mask & self.wide_true & ~possible
        for other in _bits(unseen & ~self.care):
            if self.trial.swap(other) or self.trial.reach(other, self.taken):
                unseen ^= 1 << other
                possible |= 1 << other
        if unseen:
            _, implied = self.engine.solver.propagate(assumptions=others)
            for other in implied:
                if other < 0:
                    unseen &= ~(1 << -other)
                elif other in group.literals:
                    unseen &= 1 << other
        while unseen:
            other = (unseen & -unseen).bit_length() - 1
            unseen &= unseen - 1
            witness = self.engine.solve([*others, other])
            if witness is not None:
                self._look(witness)
                possible |= 1 << other
        return possible, 0

    def _flip(self, others: list[int], literal: int) -> bool:
        _, implied = self.engine.solver.propagate(assumptions=others)
        if -literal in implied:
            return False
        return self.engine.solve([*others, literal]) is not None


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
