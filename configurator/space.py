"""The propositional side of a model: groups of values as literals, clauses, and which rule each clause comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from configurator.conditions import Value
from configurator.formula import Formula, clauses_of

PAIRWISE = 8  # values up to which "at most one" is written pair by pair


@dataclass(frozen=True)
class SpaceGroup:
    """A group as the solver sees it.

    `literals[i]` is true when `values[i]` holds; a flag has the values True and False on one variable. `needed` is the
    literal that says whether the group applies (0: always). `defaults` are preferred literals, in order.
    """

    id: str
    kind: Literal["one", "flag", "several"]
    values: tuple[Value, ...]
    literals: tuple[int, ...]
    needed: int = 0
    defaults: tuple[int, ...] = ()
    depth: int = 0  # how many groups its being needed waits for, one behind the other

    @cached_property
    def mask(self) -> int:
        """The bits of the group's variables."""
        mask = 0
        for literal in self.literals:
            mask |= 1 << abs(literal)
        return mask


# a literal of each column, and for each node (the root last) its edges: literal → node
Diagram = tuple[tuple[int, ...], tuple[dict[int, int], ...]]


@dataclass(frozen=True)
class Linear:
    """A number that must lie between `low` and `high` (or outside), unless one of the literals `unless` holds.

    The number is the sum of the weights of those literals that are true; all of them are tracked.
    """

    weights: tuple[tuple[int, int], ...]
    low: int
    high: int
    outside: bool = False
    unless: tuple[int, ...] = ()

    @property
    def literals(self) -> tuple[int, ...]:
        """The literals that it looks at."""
        return (*(literal for literal, _ in self.weights), *self.unless)

    def holds(self, design: int) -> bool:
        """Whether it holds in a design."""
        if any((design >> abs(literal) & 1) == (literal > 0) for literal in self.unless):
            return True
        total = sum(weight for literal, weight in self.weights if (design >> abs(literal) & 1) == (literal > 0))
        return (self.low <= total <= self.high) != self.outside


@dataclass(frozen=True)
class Space:
    """Variables 1..n, of which the first `tracked` stand for values and needs; clauses with their owners.

    `owners[i]` is the index in `rules` of the rule that clause i comes from, -1 for the structure of the groups.
    """

    groups: tuple[SpaceGroup, ...]
    variables: int
    tracked: int
    clauses: tuple[tuple[int, ...], ...]
    owners: tuple[int, ...]
    rules: tuple[str, ...]
    conditional: tuple[tuple[int, int, int], ...] = ()  # (e, n, l): e is equivalent to "not n, or l"
    inert: frozenset[int] = frozenset()  # auxiliary variables that define, and never forbid
    diagrams: tuple["Diagram", ...] = ()  # tables, for checking a row without the solver
    diagram_owners: tuple[int, ...] = ()  # the rule that each is, wholly
    linears: tuple[Linear, ...] = ()  # counts and sums, for checking without their auxiliary variables

    @cached_property
    def home(self) -> dict[int, int]:
        """Variable of a value → index of its group."""
        return {abs(literal): i for i, group in enumerate(self.groups) for literal in group.literals}

    @cached_property
    def exclusive_mask(self) -> int:
        """Bits of the variables whose value shows only when true: options of one-of groups."""
        return _union(group.mask for group in self.groups if group.kind == "one")

    @cached_property
    def free_mask(self) -> int:
        """Bits of the variables that can be true or false on their own: flags, options of several groups, needs."""
        needs = _union(1 << group.needed for group in self.groups if group.needed)
        return needs | _union(group.mask for group in self.groups if group.kind != "one")

    @cached_property
    def meanings(self) -> dict[int, tuple[int, int]]:
        """Auxiliary literal → (n, l), when it means "not n, or l"."""
        return {name: (needed, literal) for name, needed, literal in self.conditional}

    @cached_property
    def defaults(self) -> tuple[int, ...]:
        """The defaults of all groups, in order: what the default completion tries first."""
        return tuple(literal for group in self.groups for literal in group.defaults)

    @cached_property
    def fillings(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """What the default completion tries next: for each group, once known to be needed, its values in order."""
        groups = sorted((group for group in self.groups if group.kind == "one"), key=lambda group: group.depth)
        return tuple((group.needed, group.literals) for group in groups)


def has_row(space: Space, number: int, design: int) -> bool:
    """Whether a table has the row that a design shows."""
    columns, edges = space.diagrams[number]
    node = len(edges) - 1
    for literal in columns:
        mask = space.groups[space.home[literal]].mask
        following = edges[node].get((design & mask).bit_length() - 1)
        if following is None:
            return False
        node = following
    return True


def bits_of(mask: int) -> list[int]:
    """The positions of the bits that are set, the lowest first."""
    digits = bin(mask)[:1:-1]  # the lowest first; in one pass, however long
    found = []
    position = digits.find("1")
    while position >= 0:
        found.append(position)
        position = digits.find("1", position + 1)
    return found


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


class SpaceBuilder:
    """Collects variables and clauses; every clause belongs to the rule set in `owner`."""

    def __init__(self) -> None:
        self.variables = 0
        self.clauses: list[tuple[int, ...]] = []
        self.owners: list[int] = []
        self.owner = -1
        self.inert: set[int] = set()
        self.diagrams: list[Diagram] = []
        self.diagram_owners: list[int] = []
        self.linears: list[Linear] = []
        self.tracked = 0  # variables that stand for values and needs, once they are all there

    def exclusive(self, literals: tuple[int, ...]) -> None:
        """At most one of the values of a one-of group; what this needs beside them only defines."""
        before = self.variables
        self.at_most_one(literals)
        self.inert.update(range(before + 1, self.variables + 1))

    def new(self) -> int:
        """A new variable."""
        self.variables += 1
        return self.variables

    def add(self, *literals: int) -> None:
        """One clause."""
        self.clauses.append(literals)
        self.owners.append(self.owner)

    def require(self, formula: Formula) -> None:
        """The formula must hold."""
        for clause in clauses_of(formula, self.new):
            self.add(*clause)

    def remember(self, linear: Linear, before: int) -> None:
        """The variables after `before` only define what this says, which can be told without them."""
        if self.variables > before and all(abs(literal) <= self.tracked for literal in linear.literals):
            self.inert.update(range(before + 1, self.variables + 1))
            self.linears.append(linear)

    def at_most_one(self, literals: tuple[int, ...]) -> None:
        """No two of the literals."""
        if len(literals) <= PAIRWISE:
            for i, left in enumerate(literals):
                for right in literals[:i]:
                    self.add(-left, -right)
            return
        below = 0  # "one of those before is true"
        for i, literal in enumerate(literals):
            if below:
                self.add(-below, -literal)
            if i == len(literals) - 1:
                return
            here = self.new()
            self.add(-literal, here)
            if below:
                self.add(-below, here)
            below = here

    def counter(self, literals: tuple[int, ...], most: int) -> list[int]:
        """Literals `c[k]`, equivalent to "more than k of the literals", for k < most (Sinz's sequential counter)."""
        above: list[int] = []
        for i, literal in enumerate(literals):
            here = []
            for k in range(min(i + 1, most)):
                name = self.new()
                before = above[k] if k < len(above) else 0
                step = literal if k == 0 else 0
                lower = above[k - 1] if k else 0
                # name ⇔ before ∨ (literal ∧ lower)
                if before:
                    self.add(-before, name)
                if step:
                    self.add(-literal, name)
                    self.add(-name, literal, *((before,) if before else ()))
                else:
                    self.add(-literal, -lower, name)
                    self.add(-name, literal, *((before,) if before else ()))
                    self.add(-name, lower, *((before,) if before else ()))
                here.append(name)
            above = here
        return above

    def count(self, literals: tuple[int, ...], low: int | None, high: int | None, unless: tuple[int, ...] = ()) -> None:
        """Between `low` and `high` of the literals, unless one of the others holds."""
        n, before = len(literals), self.variables
        low = low or 0
        high = n if high is None else high
        self._count(literals, low, high, unless)
        self.remember(Linear(tuple((literal, 1) for literal in literals), low, high, unless=unless), before)

    def _count(self, literals: tuple[int, ...], low: int, high: int, unless: tuple[int, ...]) -> None:
        n = len(literals)
        if low > n or high < 0 or low > high:
            self.add(*unless)
            return
        if low == 1:
            self.add(*unless, *literals)
        if high == 1 and not unless:
            self.at_most_one(literals)
        if low <= 1 and (high >= n or (high == 1 and not unless)):
            return
        if high == 0:
            for literal in literals:
                self.add(*unless, -literal)
            return
        above = self.counter(literals, min(n, max(low, high + 1)))
        if low > 1:
            self.add(*unless, above[low - 1])
        if high < n:
            self.add(*unless, -above[high])
