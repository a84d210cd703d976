"""Resolves dotted names of a product file: a group, its attribute, one part of a repeated group, or all its parts."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from configurator.conditions import Condition, Is
from configurator.errors import ModelError
from configurator.model import OptionGroup
from configurator.yaml_tree import Node

NEIGHBOURS = {"next": 1, "previous": -1}


class NoSuchPart(Exception):  # noqa: N818 - what is said of the next part says nothing in the last one
    """The part spoken of is never there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a name speaks of: one group, or the like groups of every part; perhaps an attribute of their options."""

    groups: tuple[OptionGroup, ...]
    attribute: str | None
    every_part: bool = False

    @property
    def first(self) -> OptionGroup:
        """The group, or that of the first part."""
        return self.groups[0]


class References:
    """The groups of a product, by id, seen from outside or from within one part of a repeated group."""

    def __init__(
        self, groups: dict[str, OptionGroup], source: str, waiting: frozenset[str], at: tuple[str, int] | None = None
    ) -> None:
        self.groups = groups
        self.source = source
        self.waiting = waiting  # groups that apply at times
        self.at = at
        self.reach = at[1] if at else 0  # the highest part spoken of

    def refuse(self, node: Node, message: str) -> ModelError:
        """The refusal of a node."""
        return ModelError(self.source, node.line, message)

    def refer(self, name: str, node: Node, where: str) -> Reference:
        """What a dotted name speaks of.

        Raises:
            ModelError: there is no such group or attribute.
            NoSuchPart: the next part of the last one, or the one before the first.
        """
        groups, rest, every = self._groups(name.split("."), node, where)
        if not rest:
            return Reference(groups, None, every)
        known = {attribute for option in groups[0].options for attribute in option.attributes}
        if groups[0].repeated and len(rest) == 1:
            inside = groups[0].repeated.groups
            raise self.refuse(node, f"{where}: no part of {groups[0].id!r} has {rest[0]!r}{near(rest[0], inside)}")
        if len(rest) > 1 or rest[0] not in known:
            attribute = ".".join(rest)
            raise self.refuse(node, f"{where}: no option of {groups[0].id!r} has {attribute!r}{near(attribute, known)}")
        return Reference(groups, rest[0], every)

    def group(self, name: str, node: Node, where: str) -> OptionGroup:
        """The one group of that name."""
        found = self.refer(name, node, where)
        if found.attribute is not None or found.every_part:
            said = "an attribute" if found.attribute is not None else f"every part of {found.first.part.of!r}"  # type: ignore[union-attr]
            raise self.refuse(node, f"{where}: {name!r} is {said}; one group is needed here")
        return found.first

    def _groups(self, words: list[str], node: Node, where: str) -> tuple[tuple[OptionGroup, ...], list[str], bool]:
        head, *rest = words
        if self.at is not None:
            of, number = self.at
            if head in NEIGHBOURS and rest:
                return (self._in_part(of, number + NEIGHBOURS[head], rest[0], node, where),), rest[1:], False
            own = self.groups.get(f"{of}.{number}.{head}")
            if own is not None:
                return (own,), rest, False
        group = self.groups.get(head)
        if group is None or group.part is not None:
            raise self.refuse(node, f"{where}: there is no group {head!r}{near(head, self._known())}")
        if group.repeated is not None and rest:
            if rest[0].isdecimal() and len(rest) > 1:
                return (self._in_part(head, int(rest[0]), rest[1], node, where),), rest[2:], False
            if rest[0] in group.repeated.groups:
                numbers = range(1, (group.maximum or 0) + 1)
                return tuple(self.groups[f"{head}.{number}.{rest[0]}"] for number in numbers), rest[1:], True
        return (group,), rest, False

    def _in_part(self, of: str, number: int, name: str, node: Node, where: str) -> OptionGroup:
        repeated = self.groups[of]
        inside = repeated.repeated.groups if repeated.repeated else ()
        if name not in inside:
            raise self.refuse(node, f"{where}: no part of {of!r} has {name!r}{near(name, inside)}")
        if not 1 <= number <= (repeated.maximum or 0):
            if self.at is None or self.at[0] != of:
                raise self.refuse(node, f"{where}: {of!r} has at most {repeated.maximum} parts, not {number}")
            raise NoSuchPart
        if self.at is not None and self.at[0] == of:
            self.reach = max(self.reach, number)
        return self.groups[f"{of}.{number}.{name}"]

    def _known(self) -> list[str]:
        """The names that can be said from here."""
        names = [group.id for group in self.groups.values() if group.part is None]
        if self.at is not None:
            inside = self.groups[self.at[0]].repeated
            names += [
                *(inside.groups if inside else ()),
                *(f"next.{name}" for name in (inside.groups if inside else ())),
            ]
        return names

    def inside(self, of: str, number: int) -> Self:
        """The same groups, seen from within one part."""
        return type(self)(self.groups, self.source, self.waiting, (of, number))

    def from_each_part(self, of: str) -> Iterator[tuple[int, Self]]:
        """The view from every part that there can be."""
        for number in range(1, (self.groups[of].maximum or 0) + 1):
            yield number, self.inside(of, number)

    def exists(self, of: str, number: int) -> Condition | None:
        """The condition that there is such a part; None when there always is."""
        group = self.groups[of]
        low, high = group.minimum or 0, group.maximum or 0
        if number <= low and of not in self.waiting:
            return None
        return Is(of, frozenset(range(max(number, low), high + 1)))

    def there(self) -> Condition | None:
        """The condition that every part spoken of from within this one is there."""
        return self.exists(self.at[0], self.reach) if self.at else None


def near(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    """What may have been meant, as the end of a refusal."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(names)[:12]) or 'none'}"
