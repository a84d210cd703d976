"""Changes one value of a valid design and checks, without the solver, whether it is still valid.

Only the clauses that the change could break are looked at. Auxiliary variables that merely define something (inert
ones) take whatever value they must; a value that meets any other auxiliary variable is left to the solver.
"""

from configurator.space import Space, SpaceGroup

MENDS = 12  # second changes that are tried for one value


class Swaps:
    """What each literal appears in; shared by all trials of one space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.clauses: dict[int, list[tuple[int, ...]]] = {}
        self.opaque: set[int] = set()
        tracked = space.tracked
        for clause in space.clauses:
            auxiliary = [literal for literal in clause if abs(literal) > tracked]
            if auxiliary and any(abs(literal) in space.inert for literal in auxiliary):
                continue
            if auxiliary:
                self.opaque.update(clause)
            elif len(clause) > 1:
                for literal in clause:
                    self.clauses.setdefault(literal, []).append(clause)
            else:
                self.opaque.update(clause)
        self.diagrams: dict[int, list[int]] = {}
        self.columns: list[tuple[int, ...]] = []
        for number, (columns, _) in enumerate(space.diagrams):
            homes = tuple(space.home[literal] for literal in columns)
            self.columns.append(homes)
            for index in homes:
                self.diagrams.setdefault(index, []).append(number)


class Trial:
    """One valid design, its values as a list so that `truth[literal]` answers for positive and negative literals."""

    def __init__(self, swaps: Swaps, mask: int) -> None:
        self.swaps = swaps
        self.space = swaps.space
        self.mask = mask
        n = self.space.tracked
        digits = f"{mask >> 1:0{max(n, 1)}b}"
        positive = [digit == "1" for digit in reversed(digits)]
        self.truth = [False, *positive, *(not value for value in reversed(positive))]
        self.now: dict[int, int] = {}
        if swaps.columns:
            self.now = {
                self.space.home[literal]: literal for literal in range(1, n + 1)
                if positive[literal - 1] and literal in self.space.home
            }  # fmt: skip

    def swap(self, literal: int, keep: bool = False) -> bool:
        """Whether the design with this literal, its group's other value gone, is surely valid.

        False means that it is not, or that only the solver can tell. With `keep` a valid change stays.
        """
        space, truth = self.space, self.truth
        if truth[literal]:
            return True
        index = space.home[abs(literal)]
        group = space.groups[index]
        old = 0
        if group.kind == "one":
            here = self.mask & group.mask
            if not here or literal < 0:
                return False
            old = here.bit_length() - 1
        clauses, opaque = self.swaps.clauses, self.swaps.opaque
        if -literal in opaque or (old and old in opaque):
            return False
        truth[literal], truth[-literal] = True, False
        if old:
            truth[old], truth[-old] = False, True
        valid = self._holds(clauses.get(-literal)) and (not old or self._holds(clauses.get(old)))
        if valid and index in self.swaps.diagrams:
            valid = self._walk(index, literal)
        if valid and keep:
            self.mask ^= 1 << abs(literal) | (1 << old if old else 0)
            if self.now:
                self.now[index] = literal
            return True
        truth[literal], truth[-literal] = False, True
        if old:
            truth[old], truth[-old] = True, False
        return valid

    def reach(self, literal: int, taken: int) -> bool:
        """Whether the literal is surely possible with one further change, of a group whose bits are not taken."""
        if self.swaps.columns:  # rows of tables are checked by single changes only
            return False
        group = self.space.groups[self.space.home[abs(literal)]]
        old = self._old(group, literal)
        if old is None or -literal in self.swaps.opaque or old in self.swaps.opaque:
            return False
        self._set(literal, old)
        found = self._mend(literal, old, taken | group.mask)
        self._set(-literal, -old)
        return found

    def _old(self, group: SpaceGroup, literal: int) -> int | None:
        """The value that gives way: 0 when the literal's own opposite does, None when no change is meant."""
        if group.kind != "one":
            return 0
        here = self.mask & group.mask
        return here.bit_length() - 1 if here and literal > 0 else None

    def _set(self, literal: int, old: int) -> None:
        truth = self.truth
        truth[literal], truth[-literal] = True, False
        if old:
            truth[old], truth[-old] = False, True

    def _mend(self, literal: int, old: int, taken: int) -> bool:
        """Whether one change elsewhere makes good what the first change broke."""
        first = [*self.swaps.clauses.get(-literal, ()), *(self.swaps.clauses.get(old, ()) if old else ())]
        broken = next((clause for clause in first if not any(self.truth[x] for x in clause)), None)
        if broken is None:
            return True
        tries = MENDS
        for wish in broken:
            if taken >> abs(wish) & 1 or abs(wish) not in self.space.home:
                continue
            group = self.space.groups[self.space.home[abs(wish)]]
            targets = group.literals if group.kind == "one" and wish < 0 else (wish,)
            for target in targets:
                other = self._old(group, target)
                if self.truth[target] or other is None or -target in self.swaps.opaque or other in self.swaps.opaque:
                    continue
                tries -= 1
                self._set(target, other)
                good = (
                    self._holds(self.swaps.clauses.get(-target))
                    and (not other or self._holds(self.swaps.clauses.get(other)))
                    and self._holds(first)
                )
                self._set(-target, -other)
                if good or not tries:
                    return good
        return False

    def _holds(self, clauses: list[tuple[int, ...]] | None) -> bool:
        if clauses:
            truth = self.truth
            for clause in clauses:
                for literal in clause:
                    if truth[literal]:
                        break
                else:
                    return False
        return True

    def _walk(self, index: int, literal: int) -> bool:
        """Whether every table of the group still has the row."""
        for number in self.swaps.diagrams[index]:
            _, edges = self.space.diagrams[number]
            node = len(edges) - 1
            for home in self.swaps.columns[number]:
                following = edges[node].get(literal if home == index else self.now.get(home, 0))
                if following is None:
                    return False
                node = following
        return True
