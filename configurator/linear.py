"""Prices and days as sums of weights on literals, so that the cheapest and the soonest design can be found exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pysat.solvers import Solver

from configurator.compile import Compiled
from configurator.conditions import Answered, Condition, Is
from configurator.encoding import Encoder
from configurator.model import PriceRule
from configurator.pricing import BASIS
from configurator.space import SpaceBuilder

SCALE = BASIS * BASIS  # weights are in these parts of a minor unit, so that a percentage of a percentage stays whole


@dataclass
class Terms:
    """Weights on literals; `clauses` define the literals beyond the model's own."""

    weights: list[tuple[int, int]]
    clauses: list[tuple[int, ...]]
    constant: int = 0
    slack: int = 0
    limits: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    least: int = 0
    waits: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether the sum is the price itself, with nothing rounded."""
        return not self.slack

    def bound(self, total: int, sign: int) -> int:
        """The lowest (sign 1) or highest (sign -1) price that a design with this sum of weights can have."""
        if sign > 0:
            return -(-(total + self.constant - self.slack) // SCALE)
        return (total + self.constant + self.slack) // SCALE

    def mask(self, c: Compiled, fixed: Sequence[int], pattern: Sequence[int]) -> int:
        """The default completion among the designs with this pattern of weighted literals."""
        space = c.space
        wishes = [*space.defaults, *(literal for _, literals in space.fillings for literal in literals)]
        with Solver(name="minisat22", bootstrap_with=[*space.clauses, *self.clauses]) as solver:
            kept = [*fixed, *pattern]
            solver.solve(assumptions=kept)
            truth = set(solver.get_model())
            for wish in wishes:
                if wish not in truth:
                    if not solver.solve(assumptions=[*kept, wish]):
                        continue
                    truth = set(solver.get_model())
                kept.append(wish)
            mask = 0
            for variable in range(1, space.tracked + 1):
                mask |= (variable in truth) << variable
            return mask


class _Writer:
    """Adds literals for conditions to a model that is already compiled."""

    def __init__(self, c: Compiled) -> None:
        self.builder = SpaceBuilder()
        self.builder.variables = c.space.variables
        self.encoder = Encoder(self.builder, c.model.slug)
        self.encoder.literals = c.literals
        for group, code in zip(c.model.groups, c.space.groups, strict=True):
            if group.kind == "upload":
                self.encoder.answered[group.id] = c.literals[group.id][True]
            elif group.kind not in ("several", "text") and not code.needed:
                self.encoder.always_answered.add(group.id)
        self.c = c
        self.known: dict[tuple[int, int], int] = {}

    def literal(self, condition: Condition | None) -> int:
        """A literal for a condition; 0 when it always holds."""
        return 0 if condition is None else self.encoder.literal(condition)

    def both(self, left: int, right: int) -> int:
        """A literal for "left and right"; 0 stands for true."""
        if not left or not right or left == right:
            return left or right
        key = (min(left, right), max(left, right))
        if key not in self.known:
            name = self.builder.new()
            self.builder.add(-name, left)
            self.builder.add(-name, right)
            self.builder.add(name, -left, -right)
            self.known[key] = name
        return self.known[key]

    def options(self, groups: Sequence[str] | None = None) -> list[tuple[int, int]]:
        """Literal and price of every option, or of those of some groups."""
        return [
            (self.c.literals[group.id][True if group.kind == "flag" else option.id], option.price)
            for group in self.c.model.groups
            if groups is None or group.id in groups
            for option in group.options
            if option.price and option.id != "false"
        ]


def price_terms(c: Compiled) -> Terms:
    """The price, without texts, as weights; percentages are taken unrounded, `slack` says how far that may be off."""
    return c.live.analyses.get("price_terms", lambda: _price_terms(c))


def _price_terms(c: Compiled) -> Terms:
    writer = _Writer(c)
    sums: dict[str, list[tuple[int, int]]] = {}
    slack = 0
    for rule in c.model.prices:
        _sum_of(rule, writer, sums, frozenset())
        unit = c.model.rounding * SCALE
        if rule.kind == "percent" and any(weight % unit for _, weight in sums[rule.id]):
            slack += unit  # else every sum of its parts is whole, and nothing is rounded
    parts = [(0, c.model.base_price * SCALE), *((x, price * SCALE) for x, price in writer.options())]
    parts += [part for rule in c.model.prices for part in sums[rule.id]]
    constant = sum(weight for literal, weight in parts if not literal)
    return Terms([part for part in parts if part[0]], writer.builder.clauses, constant, slack)


def _sum_of(
    rule: PriceRule, writer: _Writer, sums: dict[str, list[tuple[int, int]]], waiting: frozenset[str]
) -> list[tuple[int, int]]:
    """A rule as weights in parts of a minor unit; one that waits for itself is nothing."""
    if rule.id in sums or rule.id in waiting:
        return sums.get(rule.id, [])
    model = writer.c.model
    when = writer.literal(rule.when)
    parts: list[tuple[int, int]] = []
    if rule.kind == "add":
        parts = [(when, rule.amount * SCALE)]
    elif rule.kind == "each":
        parts = [(writer.both(when, x), amount * SCALE) for x, amount in _each(rule, writer)]
    elif rule.kind == "matrix":
        parts = [(writer.both(when, x), amount * SCALE) for x, amount in _matrix(rule, writer)]
    elif rule.kind == "percent":
        below = waiting | {rule.id}
        for name in rule.of:
            for literal, weight in _total(name, rule, writer, sums, below):
                parts.append((writer.both(when, literal), weight * rule.amount // BASIS))
    sums[rule.id] = parts
    del model
    return parts


def _total(
    name: str, rule: PriceRule, writer: _Writer, sums: dict[str, list[tuple[int, int]]], waiting: frozenset[str]
) -> list[tuple[int, int]]:
    model = writer.c.model
    base = [(0, model.base_price * SCALE)]
    options = [(literal, price * SCALE) for literal, price in writer.options()]
    if name == "base":
        return base
    if name == "options":
        return options
    if name == "subtotal":
        before = model.prices[: model.prices.index(rule)]
        return base + options + [part for other in before for part in _sum_of(other, writer, sums, waiting)]
    named = next((other for other in model.prices if other.id == name), None)
    if named is not None:
        return _sum_of(named, writer, sums, waiting)
    return [(literal, price * SCALE) for literal, price in writer.options([name])]


def _each(rule: PriceRule, writer: _Writer) -> list[tuple[int, int]]:
    """What each number adds; for options counted, what each further one adds."""

    def amount(number: int) -> int:
        each = rule.amount
        for start, tier in rule.tiers:
            if number >= start:
                each = tier
        return max(0, number - rule.free) * each

    groups = [group for group in writer.c.model.groups if group.id in rule.groups]
    if groups[0].kind == "several":
        known = tuple(literal for group in groups for literal in writer.c.literals[group.id].values())
        more = writer.builder.counter(known, len(known))
        return [(literal, amount(k + 1) - amount(k)) for k, literal in enumerate(more)]
    numbers = [{literal: int(v) for v, literal in writer.c.literals[group.id].items()} for group in groups]
    if len(groups) > 1 and not rule.tiers and not rule.free:
        return [(literal, amount(number)) for part in numbers for literal, number in part.items() if number]
    return [(literal, amount(total)) for literal, total in _totals(numbers, writer) if amount(total)]


def _totals(numbers: list[dict[int, int]], writer: _Writer) -> list[tuple[int, int]]:
    """For every sum that numbers of several groups can have, the literal that says it is so."""
    if len(numbers) == 1:
        return list(numbers[0].items())
    builder = writer.builder
    reached: dict[int, int] = {0: 0}  # sum → literal (0: always)
    for part in numbers:
        ways: dict[int, list[tuple[int, ...]]] = {}
        for total, before in reached.items():
            start = (-before,) if before else ()
            for literal, number in part.items():
                ways.setdefault(total + number, []).append((*start, -literal))
            ways.setdefault(total, []).append((*start, *part))
        following = {total: builder.new() for total in sorted(ways)}
        for total, clauses in ways.items():
            for clause in clauses:
                builder.add(*clause, following[total])
        builder.at_most_one(tuple(following.values()))
        reached = following
    return [(literal, total) for total, literal in reached.items()]


def _matrix(rule: PriceRule, writer: _Writer) -> list[tuple[int, int]]:
    """Each row when it matches and none before it does."""
    assert rule.matrix is not None
    found: list[tuple[int, int]] = []
    earlier = 0
    for row, amount in zip(rule.matrix.rows, rule.amounts, strict=True):
        literal = 0
        for group, cell in zip(rule.matrix.groups, row, strict=True):
            if cell is not None:
                literal = writer.both(literal, writer.encoder.literal(Is(group, cell)))
            elif group not in writer.encoder.always_answered:
                literal = writer.both(literal, writer.encoder.literal(Answered(group)))
        found.append((writer.both(literal, earlier), amount))
        if not literal:
            break
        earlier = writer.both(earlier, -literal)
    return found


def days_terms(c: Compiled) -> Terms:
    """The days that rules add as weights, and the waits that options may cause, each with the slower options."""
    return c.live.analyses.get("days_terms", lambda: _days_terms(c))


def _days_terms(c: Compiled) -> Terms:
    writer = _Writer(c)
    weights = [(writer.literal(rule.when), rule.days) for rule in c.model.lead_rules]
    waits = [
        (c.literals[group.id][True if group.kind == "flag" else option.id], option.lead_days)
        for group in c.model.groups
        for option in group.options
        if option.lead_days and option.id != "false"
    ]
    limits = [
        (wait, tuple(literal for literal, days in waits if days > wait))
        for wait in sorted({0, *(days for _, days in waits)})
    ]
    least = sum(min(0, days) for literal, days in weights if literal)
    constant = sum(days for literal, days in weights if not literal)
    causes = [(wait, tuple(literal for literal, days in waits if days >= wait)) for wait, _ in limits]
    parts = [part for part in weights if part[0]]
    return Terms(parts, writer.builder.clauses, constant, limits=limits, least=least, waits=causes)
