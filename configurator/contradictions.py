"""Minimal rules that make values impossible together, the same for the same question whatever was asked before."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from threading import Lock

from pysat.solvers import Minisat22

from configurator import engine
from configurator.errors import NotKnownInTime
from configurator.slices import Grounds
from configurator.space import Diagram, Space

FEW = 1000  # rules up to which a solver is kept that knows them all


class Contradictions:
    """Names the rules of one space; usable from every thread.

    Of a few rules, however large each is, a solver is kept; of many small ones each question meets only some.
    """

    def __init__(self, space: Space, example: Callable[[], int | None]) -> None:
        self.space = space
        self._example = example
        self._lock = Lock()

    def rules(self, assumptions: Sequence[int]) -> list[int]:
        """A minimal set of rules that makes the assumptions impossible; the structure of the groups always holds.

        Raises:
            NotKnownInTime: it takes too many conflicts to tell.
        """
        if len(self.space.rules) > FEW:
            return self._grounds.rules(assumptions)
        with self._lock:
            return self._kept.rules(assumptions)

    @cached_property
    def _grounds(self) -> Grounds:
        return Grounds(self.space, self._example())

    @cached_property
    def _kept(self) -> "_Kept":
        return _Kept(self.space)


class _Kept:
    """A solver that knows every rule, each only while its selector is assumed."""

    def __init__(self, space: Space) -> None:
        self.first = space.variables + 1  # the selector of the first rule
        self.solver = Minisat22()
        self.selectors = list(range(self.first, self.first + len(space.rules)))
        self.used = self.first + len(space.rules)
        tables = dict(zip(space.diagram_owners, space.diagrams, strict=True))
        add, first = self.solver.add_clause, self.first
        for clause, owner in zip(space.clauses, space.owners, strict=True):
            if owner < 0:
                add(clause)
            elif owner not in tables:
                add((*clause, -(first + owner)))
        for owner, diagram in tables.items():
            self._tell(first + owner, diagram)

    def _tell(self, root: int, diagram: Diagram) -> None:
        """The paths of a table downwards: a node needs one of its edges and the node that this leads to.

        No more is said than that, so that the table speaks only when its root's variable, the selector, is true.
        """
        add, edges = self.solver.add_clause, diagram[1]
        below = self.used - 1  # node 1 has the next variable, the root that of the selector
        self.used += len(edges) - 2
        for node, ways in enumerate(edges[1:], 1):
            here = -(root if node == len(edges) - 1 else below + node)
            add((here, *ways))
            if 0 in ways.values():  # on the last level all edges end
                continue
            targets: dict[int, list[int]] = {}
            for literal, target in ways.items():
                if target in targets:
                    targets[target].append(literal)
                else:
                    targets[target] = [literal]
            for target, literals in targets.items():
                if len(literals) == 1:
                    add((here, -literals[0], below + target))
                else:  # no two values of a column hold at once
                    add((here, below + target, *(ways.keys() - literals)))

    def rules(self, assumptions: Sequence[int]) -> list[int]:
        """Of all minimal sets the one that needs the later rules least; what the solver has learned is no matter.

        The last rule of a core is necessary when what was found necessary and the rules before it leave a design; else
        there is a core among these, and all that is later can be left out.
        """
        needed: list[int] = []
        core = self._core(assumptions, self.selectors)
        while core:
            last = core[-1]
            kept = [*needed, *self.selectors[: last - self.first]]
            found = self._core(assumptions, kept)
            if found is None:
                needed.append(last)
                core.pop()
            else:
                core = [selector for selector in found if selector not in needed]
        return sorted(selector - self.first for selector in needed)

    def _core(self, assumptions: Sequence[int], selectors: Iterable[int]) -> list[int] | None:
        """Of the selectors those with which the assumptions are impossible; None when they are possible."""
        self.solver.conf_budget(engine.CONFLICTS)
        possible = self.solver.solve_limited(assumptions=[*assumptions, *selectors])
        if possible is None:
            raise NotKnownInTime("which rules stand against these values")
        return None if possible else sorted(x for x in self.solver.get_core() or () if x >= self.first)
