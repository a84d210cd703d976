"""The state of every value after every click."""

from dataclasses import dataclass
from typing import Literal

from configurator.choices import banned, completed, decode, hidden_groups, literals_of
from configurator.compile import Compiled
from configurator.conditions import Value
from configurator.engine import Domains
from configurator.model import Answers, Choices, ChoiceValue, OptionGroup
from configurator.reasons import RuleReason, explain_conflict
from configurator.space import SpaceGroup

State = Literal["chosen", "open", "forced", "impossible"]


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


def possible(literal: int, domains: Domains) -> bool:
    """Whether a value can be taken, its own group's choice set aside."""
    return bool((domains.true if literal > 0 else domains.false) >> abs(literal) & 1)


def _settled(group: OptionGroup, code: SpaceGroup, choices: Answers, domains: Domains) -> bool:
    """Whether the choices alone leave this group one answer."""
    if group.id in choices or group.kind in ("text", "upload"):
        return True
    if code.kind == "several":
        return not any(possible(literal, domains) and possible(-literal, domains) for literal in code.literals)
    return sum(possible(literal, domains) for literal in code.literals) <= 1 and not (
        code.needed and possible(code.needed, domains) and possible(-code.needed, domains)
    )


def _group_state(
    group: OptionGroup, code: SpaceGroup, choices: Answers, mask: int, domains: Domains, hidden: set[int]
) -> GroupState:
    needed = not code.needed or bool(mask >> code.needed & 1)
    if group.kind in ("text", "upload"):
        return GroupState(group.id, needed, ())
    options = {option.id: option for option in group.options}
    left = sum(possible(literal, domains) for literal in code.literals)
    values = []
    for value, literal in zip(code.values, code.literals, strict=True):
        option = options.get(str(value)) if group.kind in ("one", "several") else None
        if literal in hidden or (option is not None and option.retired):
            continue
        shown = bool(mask >> abs(literal) & 1) == (literal > 0)
        state: State = "impossible"
        if code.kind == "several":
            is_default = option is not None and option.default
            only = not possible(-literal, domains)
        else:
            is_default = value == group.default
            only = left == 1
        if shown:
            state = "forced" if only and group.id not in choices and not is_default else "chosen"
        elif possible(literal, domains):
            state = "open"
        values.append(ValueState(value, state))
    return GroupState(group.id, needed, tuple(values))
