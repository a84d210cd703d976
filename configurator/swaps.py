"""Changes one value of a valid design, or two, and checks without the solver whether it is still valid.

Only the clauses that the change could break are looked at. Auxiliary variables that merely define something (inert
ones) take whatever value they must; a value that meets any other auxiliary variable is left to the solver.
"""

from collections.abc import Iterable

from configurator.space import Space, SpaceGroup, bits_of, has_row

MENDS = 12  # second changes that are tried for one value
STEPS = 12  # further changes after which a wish is left to the solver
HUB = 100  # clauses of a literal from which it is not looked at which of them hold
CREDIT = 40  # wishes that may fail before changes further away are no longer tried; each that succeeds gives one more


class Swaps:
    """What each literal appears in; shared by all trials of one space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.pairs: dict[int, list[int]] = {}  # literal → the other one of its clauses of two
        self.clauses: dict[int, list[tuple[int, ...]]] = {}  # literal → its longer clauses
        self.opaque: set[int] = set()
        tracked = space.tracked
        for clause in space.clauses:
            auxiliary = [literal for literal in clause if abs(literal) > tracked]
            if auxiliary and any(abs(literal) in space.inert for literal in auxiliary):
                continue
            if auxiliary:
                self.opaque.update(clause)
            elif len(clause) == 2:
                one, other = clause
                self.pairs.setdefault(one, []).append(other)
                self.pairs.setdefault(other, []).append(one)
            elif clause[1:]:
                for literal in clause:
                    self.clauses.setdefault(literal, []).append(clause)
            else:
                self.opaque.update(clause)
        self.opaque.update(side for linear in space.linears for x in linear.literals for side in (x, -x))
        self.diagrams: dict[int, list[int]] = {}
        for number, (columns, _) in enumerate(space.diagrams):
            for literal in columns:
                self.diagrams.setdefault(space.home[literal], []).append(number)

    def around(self, design: int) -> "Trial":
        """The designs near a valid one."""
        return Trial(self, design)


class Trial:
    """One valid design, its values as a list so that `truth[literal]` answers for positive and negative literals."""

    def __init__(self, swaps: Swaps, mask: int) -> None:
        self.swaps = swaps
        self.space = swaps.space
        self.mask = mask
        self.credit = CREDIT
        n = self.space.tracked
        digits = f"{mask >> 1:0{max(n, 1)}b}"
        positive = [digit == "1" for digit in reversed(digits)]
        self.truth = [False, *positive, *(not value for value in reversed(positive))]

    def moved(self, design: int) -> "Trial":
        """The designs near another valid one; this trial is given up for it."""
        for variable in bits_of(self.mask ^ design):
            holds = bool(design >> variable & 1)
            self.truth[variable], self.truth[-variable] = holds, not holds
        self.mask = design
        return self

    def alone(self, _values: int) -> int:
        """Of these variables, those that can surely be true with nothing changed but their own group: not told here."""
        return 0

    def excludes(self, _literal: int, _taken: int) -> bool:
        """Whether the value is surely impossible as long as the taken variables are as they are: not told here."""
        return False

    def with_value(self, literal: int, taken: int) -> int:
        """A valid design with this value in which the taken variables are as they are; 0 when none was found.

        Args:
            literal: the value that is wished; whether its own variable is taken does not matter.
            taken: bits of variables; -1 when nothing else may change.
        """
        if self.truth[literal]:
            return self.mask
        if abs(literal) not in self.space.home:
            return 0
        index = self.space.home[abs(literal)]
        group = self.space.groups[index]
        old = self._old(group, literal)
        if old is None or -literal in self.swaps.opaque or (old and old in self.swaps.opaque):
            return 0
        self._set(literal, old)
        changed = self.mask ^ (1 << abs(literal) | (1 << old if old else 0))
        valid = self._without(-literal) and (not old or self._without(old))
        if valid:
            valid = all(has_row(self.space, number, changed) for number in self.swaps.diagrams.get(index, ()))
        elif taken != -1 and not self.swaps.diagrams:  # rows of tables are checked by single changes only
            changed = self._mend(literal, old, taken | group.mask)
            valid = bool(changed)
            self.credit += 1 if valid else -1
        self._set(-literal, -old)
        return changed if valid else 0

    def _old(self, group: SpaceGroup, literal: int) -> int | None:
        """The value that gives way: 0 when the literal's own opposite does, None when there is none."""
        if group.kind != "one":
            return 0
        here = self.mask & group.mask
        return here.bit_length() - 1 if here and literal > 0 else None

    def _set(self, literal: int, old: int) -> None:
        truth = self.truth
        truth[literal], truth[-literal] = True, False
        if old:
            truth[old], truth[-old] = False, True

    def _mend(self, literal: int, old: int, taken: int) -> int:
        """The design in which changes elsewhere make good what the first change broke; 0 when none were found.

        Each mends one clause, by the change that breaks least; no group changes twice.
        """
        changed = self.mask
        moves = [(literal, old)]
        suspects: list[tuple[int, ...]] = []
        steps, tries = (STEPS, STEPS * MENDS // 2) if self.credit > 0 else (1, MENDS)
        try:
            while True:
                target, other = moves[-1]
                changed ^= 1 << abs(target) | (1 << other if other else 0)
                suspects += self._suspects(-target)
                suspects += self._suspects(other) if other else ()
                while suspects and self._hold(suspects[-1:]):
                    suspects.pop()
                if not suspects:
                    return changed
                move = self._mending(suspects[-1], taken, tries) if len(moves) <= steps else None
                if move is None:
                    return 0
                tries -= len(suspects[-1]) - 1
                taken |= self.space.groups[self.space.home[abs(move[0])]].mask
                self._set(*move)
                moves.append(move)
        finally:
            for target, other in moves[:0:-1]:
                self._set(-target, -other)

    def _mending(self, clause: tuple[int, ...], taken: int, tries: int) -> tuple[int, int] | None:
        """The change that makes a clause true and breaks fewest others."""
        best, least = None, 1 << 30
        for wish in clause:
            if taken >> abs(wish) & 1 or abs(wish) not in self.space.home:
                continue
            group = self.space.groups[self.space.home[abs(wish)]]
            for target in group.literals if group.kind == "one" and wish < 0 else (wish,):
                other = self._old(group, target)
                if self.truth[target] or other is None or -target in self.swaps.opaque or other in self.swaps.opaque:
                    continue
                if tries <= 0:
                    return best
                tries -= 1
                self._set(target, other)
                broken = self._broken(-target) + (self._broken(other) if other else 0)
                self._set(-target, -other)
                if not broken:
                    return target, other
                if broken < least:
                    best, least = (target, other), broken
        return best

    def _suspects(self, literal: int) -> list[tuple[int, ...]]:
        """The clauses of a literal that has just become false, but for pairs that hold."""
        truth = self.truth
        pairs = [(literal, other) for other in self.swaps.pairs.get(literal, ()) if not truth[other]]
        return [*pairs, *self.swaps.clauses.get(literal, ())]

    def _broken(self, literal: int) -> int:
        """How many clauses with the literal, which has just become false, do not hold; of a hub: as if none held."""
        truth, number = self.truth, 0
        pairs, clauses = self.swaps.pairs.get(literal, ()), self.swaps.clauses.get(literal, ())
        if len(pairs) + len(clauses) > HUB:
            return len(pairs) + len(clauses)
        for other in pairs:
            if not truth[other]:
                number += 1
        for clause in clauses:
            if not self._hold((clause,)):
                number += 1
        return number

    def _without(self, literal: int) -> bool:
        """Whether the clauses of a literal hold now that it does not."""
        truth = self.truth
        for other in self.swaps.pairs.get(literal, ()):
            if not truth[other]:
                return False
        return self._hold(self.swaps.clauses.get(literal, ()))

    def _hold(self, clauses: Iterable[tuple[int, ...]]) -> bool:
        truth = self.truth
        for clause in clauses:
            for literal in clause:
                if truth[literal]:
                    break
            else:
                return False
        return True
