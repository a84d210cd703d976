"""What a design costs, line by line, when it is ready, and of what it is made."""

from collections.abc import Mapping
from dataclasses import dataclass

from configurator.choices import completion_of, decode, graphemes
from configurator.compile import Compiled
from configurator.conditions import All, Answered, Condition, Is, Not
from configurator.model import Answers, ChoiceValue, Option, PriceRule, Texts

BASIS = 10_000  # basis points in the whole


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of the trace: the base, an option (its group), or a price rule."""

    label: str
    amount: int
    group: str | None = None
    rule: str | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one piece in minor units; the lines sum exactly to it."""

    amount: int
    currency: str
    lines: tuple[PriceLine, ...]


@dataclass(frozen=True, slots=True)
class LeadTime:
    """Days from order to delivery."""

    min_days: int
    max_days: int


def price(c: Compiled, choices: Answers, texts: Texts | None = None) -> Price:
    """The price of the default completion.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    mask = completion_of(c, choices)
    trace = _Trace(c, decode(c, mask, choices), _applying(c, mask, texts or {}))
    lines = trace.lines()
    return Price(sum(line.amount for line in lines), c.model.currency, lines)


def unit_cost(c: Compiled, choices: Answers, texts: Texts | None = None) -> int:
    """What one piece costs the house, in minor units."""
    mask = completion_of(c, choices)
    return _Trace(c, decode(c, mask, choices), _applying(c, mask, texts or {})).cost()


def lead_time(c: Compiled, choices: Answers) -> LeadTime:
    """Days to delivery: base, the slowest option, and what rules add."""
    days = days_of(c, completion_of(c, choices), choices)
    return LeadTime(days, days + c.model.margin_days)


def bill_of_materials(c: Compiled, choices: Answers) -> tuple[tuple[str, int], ...]:
    """Parts and quantities, in the order of the model."""
    values = decode(c, completion_of(c, choices), choices)
    parts: dict[str, int] = {}
    for rule in c.model.parts:
        if holds(rule.when, values):
            quantity = rule.quantity + sum(count(values.get(group)) for group in rule.each_of)
            parts[rule.part] = parts.get(rule.part, 0) + quantity
    return tuple((part, quantity) for part, quantity in parts.items() if quantity)


def amount_of(c: Compiled, mask: int, choices: Answers, texts: Texts) -> int:
    """The price of a completed design, remembered."""
    return figures_of(c, mask, choices, texts)[0]


def days_of(c: Compiled, mask: int, choices: Answers) -> int:
    """The days of a completed design, remembered."""
    return figures_of(c, mask, choices, {})[1]


def figures_of(c: Compiled, mask: int, choices: Answers, texts: Texts) -> tuple[int, int]:
    """Price and days of a completed design, remembered."""
    applying = _applying(c, mask, texts)
    counts = tuple((group, graphemes(text)) for group, text in sorted(applying.items()))

    def answer() -> tuple[int, int]:
        trace = _Trace(c, decode(c, mask, choices), applying)
        slowest = max((option.lead_days for _, option in trace.options), default=0)
        added = sum(rule.days for rule in c.model.lead_rules if holds(rule.when, trace.values))
        return trace.total(), max(0, c.model.supply.lead_days + slowest + added)

    return c.live.prices.get((mask, counts), answer)


def _applying(c: Compiled, mask: int, texts: Texts) -> Texts:
    if not texts:
        return {}
    return {
        code.id: texts[code.id]
        for code in c.space.groups
        if code.id in texts and (not code.needed or mask >> code.needed & 1)
    }


def chosen_options(c: Compiled, values: Mapping[str, ChoiceValue]) -> list[tuple[str, Option]]:
    """Group id and option of everything that a design holds."""
    found: list[tuple[str, Option]] = []
    for group_id, value in values.items():
        known = c.options[group_id]
        if isinstance(value, list):
            found += [(group_id, known[item]) for item in value if isinstance(item, str)]
        elif value in known:
            found.append((group_id, known[value]))
    return found


def holds(condition: Condition | None, values: Mapping[str, ChoiceValue]) -> bool:
    """Whether a condition holds for a completed design."""
    if condition is None:
        return True
    if isinstance(condition, Is):
        value = values.get(condition.group)
        if isinstance(value, list):
            return any(item in condition.values for item in value if isinstance(item, str))
        return value is not None and value in condition.values
    if isinstance(condition, Answered):
        return bool(values.get(condition.group)) or values.get(condition.group) in (False, 0)
    if isinstance(condition, Not):
        return not holds(condition.part, values)
    if isinstance(condition, All):
        return all(holds(part, values) for part in condition.parts)
    return any(holds(part, values) for part in condition.parts)


def count(value: ChoiceValue | None) -> int:
    """How many: a number, or the length of a list."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else 0


class _Trace:
    """Evaluates the price rules of one design, each once, by what they refer to."""

    def __init__(self, c: Compiled, values: Mapping[str, ChoiceValue], texts: Texts) -> None:
        self.model = c.model
        self.values = values
        self.texts = texts
        self.options = chosen_options(c, values)
        self.rules = {rule.id: rule for rule in c.model.prices}
        self.amounts: dict[str, int] = {}
        self.labels = c.labels

    def total(self) -> int:
        """The price alone: what the lines sum to."""
        options = sum(option.price for _, option in self.options)
        return self.model.base_price + options + sum(self.amount(rule) for rule in self.model.prices)

    def lines(self) -> tuple[PriceLine, ...]:
        """The base, every priced option, every rule that applies; in that order."""
        lines = [PriceLine(self.model.name, self.model.base_price)]
        for group_id, option in self.options:
            if option.price:
                label = self.labels[group_id]
                title = label if option.id == "true" else f"{label}: {option.label}"
                lines.append(PriceLine(title, option.price, group=group_id))
        for rule in self.model.prices:
            amount = self.amount(rule)
            if amount:
                group = rule.groups[0] if len(rule.groups) == 1 else None
                lines.append(PriceLine(rule.label, amount, group=group, rule=rule.id, once=rule.once))
        return tuple(lines)

    def cost(self) -> int:
        """Base, options and rules, at what they cost the house."""
        total = self.model.base_cost + sum(option.cost for _, option in self.options)
        for rule in self.model.prices:
            if rule.cost and holds(rule.when, self.values):
                total += rule.cost * (1 if rule.kind == "add" else self.units(rule))
        return total

    def units(self, rule: PriceRule) -> int:
        """Characters or pieces that a rule charges."""
        return max(0, self.counted(rule) - rule.free)

    def counted(self, rule: PriceRule) -> int:
        """Characters or pieces that a rule counts, those without surcharge included."""
        if rule.kind == "each_character":
            return sum(graphemes(self.texts.get(group, "")) for group in rule.groups)
        return sum(count(self.values.get(group)) for group in rule.groups)

    def amount(self, rule: PriceRule) -> int:
        """What a rule adds; a rule that waits for itself adds nothing (the lint refuses it)."""
        if rule.id not in self.amounts:
            self.amounts[rule.id] = 0
            self.amounts[rule.id] = self._amount(rule) if holds(rule.when, self.values) else 0
        return self.amounts[rule.id]

    def _amount(self, rule: PriceRule) -> int:
        if rule.kind == "add":
            return rule.amount
        if rule.kind == "percent":
            return rounded(sum(self._total(name, rule) for name in rule.of) * rule.amount, self.model.rounding)
        if rule.kind == "matrix":
            return self._matrix(rule)
        each = rule.amount
        counted = self.counted(rule)
        for start, amount in rule.tiers:
            if counted >= start:
                each = amount
        return self.units(rule) * each

    def _total(self, name: str, rule: PriceRule) -> int:
        options = sum(option.price for _, option in self.options)
        if name == "base":
            return self.model.base_price
        if name == "options":
            return options
        if name == "subtotal":
            before = self.model.prices[: self.model.prices.index(rule)]
            return self.model.base_price + options + sum(self.amount(other) for other in before)
        if name in self.rules:
            return self.amount(self.rules[name])
        return sum(option.price for group_id, option in self.options if group_id == name)

    def _matrix(self, rule: PriceRule) -> int:
        assert rule.matrix is not None
        values = [self.values.get(group) for group in rule.matrix.groups]
        for row, amount in zip(rule.matrix.rows, rule.amounts, strict=True):
            pairs = zip(row, values, strict=True)
            if all(value is not None and (cell is None or value in cell) for cell, value in pairs):
                return amount
        return 0


def rounded(amount_in_basis_points: int, unit: int) -> int:
    """Basis points to minor units, to the nearest `unit`, halves up: the one rounding rule of the configurator."""
    whole = BASIS * unit
    return (2 * amount_in_basis_points + whole) // (2 * whole) * unit
