"""Turns conditions and rules into clauses."""

from collections import defaultdict
from itertools import product
from math import prod

from configurator.conditions import All, Answered, Condition, Is, Not, Value
from configurator.errors import ModelError
from configurator.formula import FALSE, TRUE, Conj, Disj, Formula, negate
from configurator.model import Count, IfThen, Never, Rule, Same, Sum, Table, Term
from configurator.space import Linear, SpaceBuilder
from configurator.tables import allow_rows

MAX_PLAIN_ROWS = 20_000
MAX_SUM = 4000  # different sums that a chain of terms may reach


class Encoder:
    """Knows the literal of every value, and writes rules as clauses of a builder."""

    def __init__(self, builder: SpaceBuilder, source: str) -> None:
        self.builder = builder
        self.source = source
        self.literals: dict[str, dict[Value, int]] = {}
        self.attributes: dict[str, dict[Value, dict[str, str | int]]] = {}
        self.always_answered: set[str] = set()
        self.answered: dict[str, int] = {}
        self.many: set[str] = set()

    def formula(self, condition: Condition) -> Formula:
        """The formula of a condition."""
        if isinstance(condition, Is):
            known = self.literals[condition.group]
            inside = tuple(known[value] for value in known if value in condition.values)
            outside = tuple(-known[value] for value in known if value not in condition.values)
            if condition.group in self.always_answered and len(outside) < len(inside):
                return Conj(outside)
            return Disj(inside)
        if isinstance(condition, Answered):
            if condition.group in self.answered:
                return self.answered[condition.group]
            if condition.group in self.always_answered:
                return TRUE
            return Disj(tuple(self.literals[condition.group].values()))
        if isinstance(condition, Not):
            return negate(self.formula(condition.part))
        parts = tuple(self.formula(part) for part in condition.parts)
        return Conj(parts) if isinstance(condition, All) else Disj(parts)

    def literal(self, condition: Condition) -> int:
        """A literal equivalent to the condition."""
        formula = self.formula(condition)
        while not isinstance(formula, int) and len(formula.parts) == 1:
            formula = formula.parts[0]
        if isinstance(formula, int):
            return formula
        name = self.builder.new()
        self.builder.require(Disj((-name, formula)))
        self.builder.require(Disj((name, negate(formula))))
        return name

    def rule(self, rule: Rule) -> None:
        """The clauses of one rule; tables of allowed rows come through `allow` instead."""
        form = rule.form
        if isinstance(form, IfThen):
            self.builder.require(Disj((negate(self.formula(form.when)), self.formula(form.then))))
        elif isinstance(form, Never):
            self.builder.require(negate(self.formula(form.condition)))
        elif isinstance(form, Count):
            unless = self._unless(form.when)
            self.builder.count(tuple(self.literal(c) for c in form.conditions), form.low, form.high, unless)
        elif isinstance(form, Sum):
            self._sum(form, rule)
        elif isinstance(form, Same):
            self._same(form)
        else:
            self._forbid(form)

    def _unless(self, when: Condition | None) -> tuple[int, ...]:
        """What ends a clause of a rule that speaks only when a condition holds."""
        return () if when is None else (-self.literal(when),)

    def _forbid(self, table: Table) -> None:
        for row in table.rows:
            cells = [
                self.formula(Answered(group) if cell is None else Is(group, cell))
                for group, cell in zip(table.groups, row, strict=True)
            ]
            self.builder.require(negate(Conj(tuple(cells))))

    def allow(self, groups: tuple[str, ...], rows: list[tuple[frozenset[Value] | None, ...]]) -> None:
        """Only these rows are allowed, once every group of the table is answered."""
        silent = tuple(negate(self.formula(Answered(group))) for group in groups)
        silent = tuple(part for part in silent if part != FALSE)
        if len(groups) == 2:
            self._pairs(groups, rows, silent)
            return
        if not silent and self._by_rows(groups, rows):
            return
        names: list[int] = []
        for row in rows:
            name = self.builder.new()
            names.append(name)
            for group, cell in zip(groups, row, strict=True):
                if cell is not None:
                    self.builder.require(Disj((-name, self.formula(Is(group, cell)))))
        self.builder.require(Disj((*silent, *names)))
        for position, group in enumerate(groups):  # so that a value without any row is seen at once
            support: dict[Value, list[int]] = {value: [] for value in self.literals[group]}
            for name, row in zip(names, rows, strict=True):
                cell = row[position]
                for value in support if cell is None else cell:
                    support[value].append(name)
            for value, rows_of_value in support.items():
                self.builder.require(Disj((*silent, -self.literals[group][value], *rows_of_value)))

    def _by_rows(self, groups: tuple[str, ...], rows: list[tuple[frozenset[Value] | None, ...]]) -> bool:
        """Writes the table row by row as a diagram, unless its rows stand for too many."""
        columns = [self.literals[group] for group in groups]
        if any(literal < 0 for column in columns for literal in column.values()):
            return False
        plain: set[tuple[int, ...]] = set()
        for row in rows:
            cells = [
                [column[v] for v in (column if cell is None else cell)]
                for cell, column in zip(row, columns, strict=True)
            ]
            if prod(map(len, cells)) + len(plain) > MAX_PLAIN_ROWS:
                return False
            plain.update(product(*cells))
        allow_rows(self.builder, [tuple(column.values()) for column in columns], sorted(plain))
        return True

    def _pairs(
        self,
        groups: tuple[str, ...],
        rows: list[tuple[frozenset[Value] | None, ...]],
        silent: tuple[Formula, ...],
    ) -> None:
        left, right = groups
        partners: dict[Value, set[Value]] = {value: set() for value in self.literals[left]}
        for first, second in rows:
            for value in partners if first is None else first:
                partners[value] |= set(self.literals[right]) if second is None else second
        for value, fitting in partners.items():
            if len(fitting) < len(self.literals[right]):
                allowed = self.formula(Is(right, frozenset(fitting)))
                self.builder.require(Disj((*silent, -self.literals[left][value], allowed)))

    def _numbers(self, term: Term) -> list[list[tuple[int, int]]]:
        """For each independent part of the term, pairs of literal and number."""
        known = self.literals[term.group]
        if term.attribute is None:
            return [[(literal, int(value) * term.times) for value, literal in known.items()]]
        pairs = []
        for value, literal in known.items():
            number = self.attributes[term.group].get(value, {}).get(term.attribute, 0)
            if isinstance(number, int) and number:
                pairs.append((literal, number * term.times))
        return [[pair] for pair in pairs] if term.group in self.many else [pairs]

    def _sum(self, form: Sum, rule: Rule) -> None:
        """A chain of layers: which partial sums are reachable, each as a literal implied by its way there."""
        parts = [part for term in form.terms for part in self._numbers(term)]
        first = self.builder.variables
        reached: dict[int, int] = {0: 0}  # sum → literal (0: always)
        for part in parts:
            layer: dict[int, list[tuple[int, int]]] = defaultdict(list)
            nothing = tuple(literal for literal, _ in part)
            for total, before in reached.items():
                for literal, number in part:
                    layer[total + number].append((before, literal))
                layer[total].append((before, 0))
            if len(layer) > MAX_SUM:
                raise ModelError(
                    self.source, rule.line, f"rule {rule.id!r} reaches more than {MAX_SUM} sums; take larger steps"
                )
            following: dict[int, int] = {}
            for total in sorted(layer):
                following[total] = self.builder.new()
            for total, ways in layer.items():
                for before, literal in ways:
                    clause = [following[total]]
                    if before:
                        clause.append(-before)
                    clause.extend([-literal] if literal else nothing)
                    self.builder.add(*clause)
            reached = following
        low = min(reached) if form.low is None else form.low
        high = max(reached) if form.high is None else form.high
        unless = self._unless(form.when)
        for total, literal in reached.items():
            if (low <= total <= high) == form.outside:
                self.builder.add(*unless, *((-literal,) if literal else ()))
        weights = tuple(pair for part in parts for pair in part)
        self.builder.remember(Linear(weights, low, high, form.outside, unless), first)

    def _same(self, form: Same) -> None:
        left, right = self._by_attribute(form.left), self._by_attribute(form.right)
        carries_right = tuple(literal for literals in right.values() for literal in literals)
        for value, literals in left.items():
            equal = set(right.get(value, ()))
            wrong = [x for x in carries_right if (x in equal) != form.equal]
            for one, other in product(literals, wrong):
                self.builder.add(-one, -other)

    def _by_attribute(self, term: Term) -> dict[Value, list[int]]:
        found: dict[Value, list[int]] = {}
        for value, literal in self.literals[term.group].items():
            if term.attribute is None:
                found.setdefault(value, []).append(literal)
            elif term.attribute in self.attributes[term.group].get(value, {}):
                found.setdefault(self.attributes[term.group][value][term.attribute], []).append(literal)
        return found
