"""Conditions over a design: one small closed tree for rules, prices, parts and questions that apply at times."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Is:
    """The group's answer is one of the values (a several group: it contains one of them)."""

    group: str
    values: frozenset[Value]


@dataclass(frozen=True, slots=True)
class Answered:
    """The group has an answer (a several group: at least one option)."""

    group: str


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Is | Answered | All | Any | Not


def groups_of(condition: Condition | None) -> frozenset[str]:
    """The groups that a condition looks at."""
    if condition is None:
        return frozenset()
    if isinstance(condition, Is | Answered):
        return frozenset({condition.group})
    if isinstance(condition, Not):
        return groups_of(condition.part)
    return frozenset().union(*(groups_of(part) for part in condition.parts))


def both(left: Condition | None, right: Condition | None) -> Condition | None:
    """The condition that two conditions hold; None always holds."""
    if left is None or right is None:
        return right if left is None else left
    return All((left, right))


def moved(condition: Condition, names: Mapping[str, str]) -> Condition:
    """The same said of other groups."""
    if isinstance(condition, Is):
        return Is(names.get(condition.group, condition.group), condition.values)
    if isinstance(condition, Answered):
        return Answered(names.get(condition.group, condition.group))
    if isinstance(condition, Not):
        return Not(moved(condition.part, names))
    parts = tuple(moved(part, names) for part in condition.parts)
    return All(parts) if isinstance(condition, All) else Any(parts)
