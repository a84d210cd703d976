"""The state of every value after every click, and what each would change in price and days."""

from dataclasses import dataclass
from typing import Literal

from configurator.choices import banned, completed, decode, hidden_groups, key, literals_of
from configurator.compile import Compiled
from configurator.conditions import Value
from configurator.engine import Domains
from configurator.model import Answers, Choices, ChoiceValue, OptionGroup, Texts
from configurator.pricing import figures_of
from configurator.reasons import RuleReason, explain_conflict
from configurator.space import SpaceGroup

State = Literal["chosen", "open", "forced", "impossible"]
LISTED = 64  # numbers and days up to which a group's values carry differences


@dataclass(frozen=True, slots=True)
class ValueState:
    """A value and its state."""

    id: Value
    state: State


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group, whether it applies to the default completion, and its values."""

    id: str
    needed: bool
    values: tuple[ValueState, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything a configurator page shows about choices that fit together."""

    choices: Choices
    completion: Choices
    complete: bool
    groups: tuple[GroupState, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Choices that no valid design contains: which of them, and by which rules."""

    culprits: tuple[tuple[str, ChoiceValue], ...]
    rules: tuple[RuleReason, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a value would change; None when it is impossible."""

    price_delta: int | None
    lead_time_delta_days: int | None


def analyse(c: Compiled, choices: Answers, audiences: frozenset[str] = frozenset()) -> Analysis | Conflict:
    """The state of every value, or the conflict among the choices."""
    literals, shut = literals_of(c, choices), banned(c, audiences)
    uploads = tuple(str(choices[g.id]) for g in c.model.groups if g.kind == "upload" and g.id in choices)
    unknown = hidden_groups(c, audiences)
    asked = (literals, shut, uploads, unknown, c.model.language)  # a conflict quotes reasons
    return c.live.analyses.get(asked, lambda: _analyse(c, choices, literals, shut, unknown))


def _analyse(
    c: Compiled, choices: Answers, literals: tuple[int, ...], shut: tuple[int, ...], unknown: frozenset[str]
) -> Analysis | Conflict:
    domains = domains_of(c, literals, shut)
    if domains is None:
        found = explain_conflict(c, choices, shut)
        return Conflict(found.culprits, found.rules)
    mask = completed(c, literals)
    assert mask is not None
    hidden = {-literal for literal in shut}
    groups = tuple(
        _group_state(group, code, choices, mask, domains, hidden)
        for group, code in zip(c.model.groups, c.space.groups, strict=True)
        if group.id not in unknown
    )
    return Analysis(
        choices=dict(choices),
        completion={group: value for group, value in decode(c, mask, choices).items() if group not in unknown},
        complete=all(
            g.id in unknown or _settled(g, code, choices, domains)
            for g, code in zip(c.model.groups, c.space.groups, strict=True)
        ),
        groups=groups,
    )


def domains_of(c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...]) -> Domains | None:
    """The domains under literals, remembered."""
    return c.live.domains(literals, shut)


def _possible(literal: int, domains: Domains) -> bool:
    return bool((domains.true if literal > 0 else domains.false) >> abs(literal) & 1)


def _settled(group: OptionGroup, code: SpaceGroup, choices: Answers, domains: Domains) -> bool:
    """Whether the choices alone leave this group one answer."""
    if group.id in choices or group.kind in ("text", "upload"):
        return True
    if code.kind == "several":
        return not any(_possible(literal, domains) and _possible(-literal, domains) for literal in code.literals)
    return sum(_possible(literal, domains) for literal in code.literals) <= 1 and not (
        code.needed and _possible(code.needed, domains) and _possible(-code.needed, domains)
    )


def _group_state(
    group: OptionGroup, code: SpaceGroup, choices: Answers, mask: int, domains: Domains, hidden: set[int]
) -> GroupState:
    needed = not code.needed or bool(mask >> code.needed & 1)
    if group.kind in ("text", "upload"):
        return GroupState(group.id, needed, ())
    options = {option.id: option for option in group.options}
    left = sum(_possible(literal, domains) for literal in code.literals)
    values = []
    for value, literal in zip(code.values, code.literals, strict=True):
        option = options.get(str(value)) if group.kind in ("one", "several") else None
        if literal in hidden or (option is not None and option.retired):
            continue
        shown = bool(mask >> abs(literal) & 1) == (literal > 0)
        state: State = "impossible"
        if code.kind == "several":
            is_default = option is not None and option.default
            only = not _possible(-literal, domains)
        else:
            is_default = value == group.default
            only = left == 1
        if shown:
            state = "forced" if only and group.id not in choices and not is_default else "chosen"
        elif _possible(literal, domains):
            state = "open"
        values.append(ValueState(value, state))
    return GroupState(group.id, needed, tuple(values))


def differences(
    c: Compiled, choices: Answers, texts: Texts | None = None, audiences: frozenset[str] = frozenset()
) -> dict[tuple[str, str], Difference]:
    """For every value of every group with values: the default completion with it, less the current one.

    Values are keyed by group id and the value as forms write it ("true", "3"). Empty when the choices conflict.
    """
    words = {group: text for group, text in (texts or {}).items() if text}
    literals, shut = literals_of(c, choices), banned(c, audiences)
    domains, mask = domains_of(c, literals, shut), completed(c, literals)
    if domains is None or mask is None:
        return {}
    price, days = figures_of(c, mask, choices, words)
    hidden = {-literal for literal in shut}
    unknown = hidden_groups(c, audiences)
    swap = _Swap(c, literals, mask)
    found: dict[tuple[str, str], Difference] = {}
    for group, code in zip(c.model.groups, c.space.groups, strict=True):
        if group.kind in ("text", "upload") or len(code.literals) > LISTED or group.id in unknown:
            continue
        for value, literal in zip(code.values, code.literals, strict=True):
            if literal in hidden:
                continue
            if bool(mask >> abs(literal) & 1) == (literal > 0):
                found[group.id, key(value)] = Difference(0, 0)
                continue
            other = swap.to(code, literal) if _possible(literal, domains) else None
            if other is None:
                found[group.id, key(value)] = Difference(None, None)
            else:
                amount, wait = figures_of(c, other, choices, words)
                found[group.id, key(value)] = Difference(amount - price, wait - days)
    return found


class _Swap:
    """The default completion with one more value, mostly found by changing one bit of the present completion.

    Where every group that was not chosen shows its first wish, the design that differs in the one value alone, if it is
    valid, is what the greedy completion would find: nothing could be better, and it keeps all there is to keep.
    """

    def __init__(self, c: Compiled, literals: tuple[int, ...], mask: int) -> None:
        self.c = c
        self.literals = literals
        self.mask = mask
        self.near = c.live.nearby.around(mask)
        self.chosen = {c.space.home[abs(literal)] for literal in literals}
        self.lost = {index for index in range(len(c.space.groups)) if index not in self.chosen and self._loses(index)}

    def _loses(self, index: int) -> bool:
        code = self.c.space.groups[index]
        if code.kind != "one":
            return any(not self._true(literal) for literal in code.defaults)
        if code.needed and not self.mask >> code.needed & 1:
            return False
        first = code.defaults or code.literals[:1]
        return bool(first) and not self._true(first[0])

    def _true(self, literal: int) -> bool:
        meanings = self.c.space.meanings
        if literal in meanings:
            needed, wish = meanings[literal]
            return not self.mask >> needed & 1 or self._true(wish)
        return bool(self.mask >> abs(literal) & 1) == (literal > 0)

    def to(self, code: SpaceGroup, literal: int) -> int | None:
        """The default completion with the literal instead of what its own group holds now."""
        index = self.c.space.home[abs(literal)]
        if code.kind == "one":
            rest = tuple(x for x in self.literals if x not in code.literals)
        else:
            rest = tuple(x for x in self.literals if abs(x) != abs(literal))
        wanted = tuple(sorted((*rest, literal), key=lambda x: abs(x)))
        if not self.lost - {index} and (code.kind == "one" or index not in self.lost):
            bit = 1 << abs(literal)
            swapped = (self.mask & ~code.mask | bit) if code.kind == "one" else self.mask ^ bit
            if swapped and self.near.with_value(literal, -1) == swapped:  # 0 means that none was found
                return swapped
            with self.c.live.engine() as engine:
                if swapped in engine.pool or engine.is_design(swapped):
                    return swapped
        return completed(self.c, wanted)
