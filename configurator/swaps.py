"""Changes one value of a valid design and checks, without the solver, whether it is still valid.

Only the clauses that the change could break are looked at. Auxiliary variables that merely define something (inert
ones) take whatever value they must; a value that meets any other auxiliary variable is left to the solver.
"""

from configurator.space import Space


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
