"""Minimal rules that make values impossible together, found in a small solver that learns the rules as it needs them.

One valid design is known. The solver, which at first has no rule at all, answers with a design of its own that has the
values and is else as near to the known one as it can be; the rules that this breaks are told to it, until none is left
that has the values. So it meets the rules around a contradiction only, however large the model. It is begun afresh for
every question, and never sees an earlier one, so that the same question always meets the same rules.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import inf

from pysat.solvers import Minisat22

from configurator import engine
from configurator.errors import NotKnownInTime
from configurator.space import Space

GROWTH = 1.5  # after each answer so many times as much is told as before it: few answers are needed, little is told
LARGE = 20  # clauses of a rule, on average, beyond which turning a value breaks too many to be worth it
PATIENCE = 100  # clauses told before it is tried whether propagation finds the contradiction


class Grounds:
    """Where values occur in the rules of a space, and one design that is valid, if any is; shared by all questions."""

    def __init__(self, space: Space, example: int | None) -> None:
        self.space = space
        self.void = example is None
        self.signs = bytes(map(int, f"{(example or 0) >> 1:0{max(1, space.tracked)}b}"[::-1]))
        self.first = array("i", bytes(4 * len(space.rules)))  # the first clause of each rule; the others follow it
        self.sizes = array("i", bytes(4 * len(space.rules)))  # how many clauses each rule is
        self.clauses_at: list[list[int]] = [[] for _ in range(2 * space.tracked + 1)]  # literal → clauses over values
        self.rules_at: dict[int, dict[int, None]] = {}  # variable → rules told by more than clauses over values
        self.units: list[int] = []
        self.structure: dict[int, list[int]] = {}  # variable → clauses of the groups it is tied to, shared
        self._read()

    def _read(self) -> None:
        space, tracked, clauses_at = self.space, self.space.tracked, self.clauses_at
        plain = space.variables == tracked
        first, sizes, before = self.first, self.sizes, -1
        ties: list[tuple[int, tuple[int, ...]]] = []
        for number, clause in enumerate(space.clauses):
            owner = space.owners[number]
            if owner < 0:
                ties.append((number, clause))
                continue
            if owner != before:
                first[owner] = number
            before = owner
            sizes[owner] += 1
            if plain or max(map(abs, clause), default=0) <= tracked:
                if len(clause) == 1:
                    self.units.append(number)
                for literal in clause:
                    clauses_at[literal].append(number)
            else:
                for literal in clause:
                    if abs(literal) <= tracked:
                        self.rules_at.setdefault(abs(literal), {})[owner] = None
        self._tie(ties)

    def _tie(self, ties: Iterable[tuple[int, tuple[int, ...]]]) -> None:
        """Joins the structure clauses that share variables, directly or through others."""
        parts = self.structure
        for number, clause in ties:
            joined = max((parts.get(abs(x), []) for x in clause), key=len, default=[])
            joined.append(number)
            for literal in clause:
                part = parts.get(abs(literal))
                if part is None:
                    parts[abs(literal)] = joined
                elif part is not joined:
                    joined += part
                    for other in chain.from_iterable(self.space.clauses[n] for n in part):
                        parts[abs(other)] = joined

    def clauses_of(self, rule: int) -> Sequence[tuple[int, ...]]:
        """The clauses of a rule; they stand together."""
        return self.space.clauses[self.first[rule] : self.first[rule] + self.sizes[rule]]

    def rules(self, assumptions: Sequence[int]) -> list[int]:
        """A minimal set of rules that makes the assumptions impossible; the structure of the groups always holds."""
        if self.void and not self._structure_holds():
            return []
        wide = _Slice(self, assumptions)
        found = wide.contradiction(PATIENCE)
        if found is None:
            found = self._traced(assumptions) or wide.contradiction()
        narrow = _Slice(self, assumptions)
        for rule in found or ():
            narrow.tell(rule)
        return sorted(narrow.minimal())

    def _structure_holds(self) -> bool:
        space = self.space
        told = [clause for clause, owner in zip(space.clauses, space.owners, strict=True) if owner < 0]
        with Minisat22(bootstrap_with=told) as solver:
            return bool(solver.solve())

    def _traced(self, assumptions: Sequence[int]) -> list[int] | None:
        """Rules that contradict the assumptions by unit propagation through clauses over values; None: not so."""
        clauses, clauses_at = self.space.clauses, self.clauses_at
        reasons = dict.fromkeys(assumptions, -1)
        queue = list(assumptions)
        for number in self.units:
            if clauses[number][0] not in reasons:
                reasons[clauses[number][0]] = number
                queue.append(clauses[number][0])
        for literal in queue:  # grows on the way
            if -literal in reasons:
                return self._owners((literal, -literal), reasons)
            for number in clauses_at[-literal]:
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
                        return self._owners(clauses[number], reasons, number)
                    reasons[unknown] = number
                    queue.append(unknown)
        return None

    def _owners(self, literals: Iterable[int], reasons: dict[int, int], last: int = -1) -> list[int]:
        """The rules that led to what the literals say, or to the opposite, and the one that did so last."""
        used = {last}
        stack = [abs(literal) for literal in literals]
        seen: set[int] = set()
        while stack:
            variable = stack.pop()
            if variable in seen:
                continue
            seen.add(variable)
            for literal in (variable, -variable):
                number = reasons.get(literal, -1)
                if number >= 0:
                    used.add(number)
                    stack += [abs(other) for other in self.space.clauses[number]]
        return sorted({self.space.owners[number] for number in used if number >= 0})


class _Slice:
    """A solver of its own that knows some of the rules, each only while its selector is assumed."""

    def __init__(self, grounds: Grounds, assumptions: Sequence[int]) -> None:
        self.grounds = grounds
        self.solver = Minisat22()
        self.names: dict[int, int] = {}  # variable of the space → variable here
        self.origins: list[int] = []  # the other way; of what is only here, and of auxiliary variables: 0
        self.wish: list[int] = []  # what the known design says of each
        self.selectors: dict[int, int] = {}  # rule → its selector
        self.clauses: list[tuple[int, list[int]]] = []  # with the rule they are of, or -1
        self.told = 0  # how much they say together
        self.fixed = [self._literal(literal) for literal in assumptions]

    def _new(self, origin: int = 0) -> int:
        self.origins.append(origin)
        name = len(self.origins)
        self.wish.append(name if origin and self.grounds.signs[origin - 1] else -name)
        return name

    def _literal(self, literal: int) -> int:
        variable = abs(literal)
        name = self.names.get(variable)
        if name is None:
            grounds = self.grounds
            name = self.names[variable] = self._new(variable if variable <= grounds.space.tracked else 0)
            if variable in grounds.structure:
                self._structure(variable)
        return name if literal > 0 else -name

    def _structure(self, variable: int) -> None:
        """Tells what groups the variable is tied to, which is always so."""
        clauses = self.grounds.space.clauses
        told = [clauses[number] for number in self.grounds.structure[variable]]
        for other in dict.fromkeys(abs(literal) for clause in told for literal in clause):
            if other not in self.names:
                self.names[other] = self._new(other if other <= self.grounds.space.tracked else 0)
        for clause in told:
            self._add(-1, self._clause(clause))

    def _clause(self, clause: Iterable[int]) -> list[int]:
        name = self._literal
        return [name(literal) for literal in clause]

    def _add(self, rule: int, clause: list[int]) -> None:
        self.clauses.append((rule, clause))
        self.solver.add_clause(clause)

    def tell(self, rule: int) -> None:
        """From here on the rule can be assumed."""
        selector = self.selectors[rule] = self._new()
        self.told += self.grounds.sizes[rule]
        for clause in self.grounds.clauses_of(rule):
            self._add(rule, [*self._clause(clause), -selector])

    def contradiction(self, most: float = inf) -> list[int] | None:
        """Rules that make the assumptions impossible, most of them necessary; None when more than `most` is told.

        Raises:
            ValueError: the assumptions are possible.
        """
        solver = self.solver
        solver.set_phases(self.wish)
        while self.possible(self.selectors.values()):
            if self.told > most:
                return None
            origins, before, told = self.origins, len(self.wish), self.told
            changed = [origins[abs(x) - 1] for x, y in zip(solver.get_model(), self.wish, strict=False) if x != y]
            for rule in self._broken([variable for variable in changed if variable]):
                self.tell(rule)
                if self.told > told * GROWTH:
                    break
            if self.told == told:  # no design is valid at all, so that none was known
                self._tell_all()
            solver.set_phases(self.wish[before:])
        return self._core()

    def _tell_all(self) -> None:
        rules = [rule for rule in range(len(self.grounds.space.rules)) if rule not in self.selectors]
        if not rules:
            raise ValueError("the rules do not contradict the assumptions")
        for rule in rules:
            self.tell(rule)

    def possible(self, selectors: Iterable[int]) -> bool:
        """Whether a design exists with the assumptions and the rules of the selectors.

        Raises:
            NotKnownInTime: it takes too many conflicts to tell.
        """
        self.solver.conf_budget(engine.CONFLICTS)
        answer = self.solver.solve_limited(assumptions=[*self.fixed, *selectors])
        if answer is None:
            raise NotKnownInTime("which rules stand against these values")
        return bool(answer)

    def _core(self) -> list[int]:
        core = set(self.solver.get_core() or ())
        return [rule for rule, selector in self.selectors.items() if selector in core]

    def _broken(self, changed: Sequence[int]) -> Iterator[int]:
        """The rules that do not hold where the design differs from the known one; then small ones next to these."""
        grounds, space, signs = self.grounds, self.grounds.space, bytearray(self.grounds.signs)
        for variable in changed:
            signs[variable - 1] ^= 1
        near: list[int] = []
        owners, clauses, selectors = space.owners, space.clauses, self.selectors
        for variable in changed:
            for number in grounds.clauses_at[-variable if signs[variable - 1] else variable]:
                if owners[number] in selectors:
                    continue
                for x in clauses[number]:
                    if signs[abs(x) - 1] == (x > 0):
                        near.append(owners[number])
                        break
                else:
                    yield owners[number]
            for rule in grounds.rules_at.get(variable, ()):  # to look into them would take as long as to tell them
                if rule not in selectors:
                    yield rule
        for rule in near:
            if rule not in selectors:
                yield rule
        for variable in [name for name in self.names if name <= space.tracked]:
            for number in (*grounds.clauses_at[variable], *grounds.clauses_at[-variable]):
                if owners[number] not in selectors:
                    yield owners[number]

    def minimal(self) -> list[int]:
        """Of the rules, which contradict the assumptions, some that still do, and of which none can be left out.

        Source: deletion with refinement by cores, and recursive model rotation (Belov, Lynce and Marques-Silva,
        "Towards efficient MUS extraction", AI Communications 2012).
        """
        selectors = self.selectors
        rules = list(selectors)
        needed: set[int] = set()
        turning = _Turning(self) if len(self.clauses) <= LARGE * len(rules) else None
        if rules and not self.possible(selectors.values()):
            rules = self._core()
        while left := [rule for rule in rules if rule not in needed]:
            trial = [selectors[rule] for rule in rules if rule != left[-1]]
            if self.possible(trial):
                needed.add(left[-1])
                if turning is not None:
                    turning.from_design(self.solver.get_model(), left[-1], rules, needed)
            else:
                rules = self._core()
        return rules


class _Turning:
    """Designs that break one rule alone, which is therefore necessary; turned by one value, they break another one."""

    def __init__(self, rules: _Slice) -> None:
        self.clauses = rules.clauses
        self.selectors = rules.selectors
        self.fixed = {abs(literal) for literal in (*rules.fixed, *rules.selectors.values())}
        self.at: dict[int, list[int]] = {}  # literal → its clauses
        self.of: dict[int, list[list[int]]] = {}  # rule → its clauses
        for number, (rule, clause) in enumerate(rules.clauses):
            self.of.setdefault(rule, []).append(clause)
            for literal in clause:
                self.at.setdefault(literal, []).append(number)

    def from_design(self, model: Sequence[int], rule: int, rules: Sequence[int], needed: set[int]) -> None:
        """Adds to the needed rules those that designs break alone which come of this one; it breaks `rule` alone."""
        truth = [False] * (2 * len(model) + 1)
        for literal in model:
            truth[literal] = True
        for selector in self.selectors.values():
            truth[selector], truth[-selector] = True, False
        alive = {-1, *rules}
        ways = [(rule, 0, self._ways(rule, truth))]
        while ways:
            rule, turned, options = ways[-1]
            for literal in options:
                truth[literal], truth[-literal] = True, False
                other = self._only(rule, literal, truth, alive)
                if other >= 0 and other not in needed:
                    needed.add(other)
                    ways.append((other, literal, self._ways(other, truth)))
                    break
                truth[literal], truth[-literal] = False, True
            else:
                truth[turned], truth[-turned] = False, True
                ways.pop()

    def _ways(self, rule: int, truth: Sequence[bool]) -> Iterator[int]:
        """The literals of a clause that the rule is broken by: one of them must become true."""
        clause = next(clause for clause in self.of[rule] if not any(truth[x] for x in clause))
        return iter([literal for literal in clause if abs(literal) not in self.fixed])

    def _only(self, rule: int, literal: int, truth: Sequence[bool], alive: set[int]) -> int:
        """The one rule broken now that the literal has become true; -1 when there is none, or more than that."""
        broken = -1
        for number in self.at.get(-literal, ()):
            owner, clause = self.clauses[number]
            if owner in alive and owner != broken and not any(truth[x] for x in clause):
                if owner < 0 or broken >= 0:
                    return -1
                broken = owner
        return broken if all(any(truth[x] for x in clause) for clause in self.of[rule]) else -1
