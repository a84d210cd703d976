"""Share codes, and saved designs carried from the version they were made with to the newest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from configurator.analysis import Conflict, analyse
from configurator.choices import check_choices, completed, decode, group_literals, literals_of
from configurator.compile import Compiled, compile_model
from configurator.conditions import Value
from configurator.errors import ChoiceError
from configurator.live import Live
from configurator.model import Answers, Choices, ChoiceValue, OptionGroup
from configurator.pricing import amount_of
from configurator.product import ProductModel
from configurator.repairs import corrections

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31 characters, a prime: every single slip and swap changes the check
LENGTH = 8


class Random(Protocol):
    """Where codes come from: random.Random in tests, secrets.SystemRandom in the shop."""

    def randrange(self, stop: int, /) -> int:
        """A number from 0 to stop - 1."""


def new_code(random: Random) -> str:
    """An 8-character code that is not sequential; the last character checks the others."""
    body = [random.randrange(len(ALPHABET)) for _ in range(LENGTH - 1)]
    return "".join(ALPHABET[digit] for digit in (*body, _check(body)))


def normalise(text: str) -> str | None:
    """The code as stored, however it was typed; None when it cannot be a code."""
    code = "".join(text[:64].upper().split()).replace("-", "")
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        return None
    digits = [ALPHABET.index(character) for character in code]
    return code if _check(digits[:-1]) == digits[-1] else None


def _check(body: list[int]) -> int:
    return sum((position + 2) * digit for position, digit in enumerate(body)) % len(ALPHABET)


ChangeKind = Literal["renamed", "retired", "removed", "repaired", "price"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a saved design on its way to the newest version; the price in minor units."""

    kind: ChangeKind
    group: str | None
    before: ChoiceValue | None
    after: ChoiceValue | None


@dataclass(frozen=True, slots=True)
class Carried:
    """The choices on the newest version, and everything that changed on the way."""

    choices: Choices
    changes: tuple[Change, ...]


def carry(old: ProductModel | Compiled, new: Compiled, choices: Answers) -> Carried:
    """A saved design on the newest version: renamed options follow, lost ones go, conflicts are minimally repaired.

    Args:
        old: the version it was made with; compiled already, where many designs are carried.
    """
    changes: list[Change] = []
    moved: Choices = {}
    for group_id, value in choices.items():
        group = successor(new.model, group_id)
        if group is None:
            changes.append(Change("removed", group_id, value, None))
            continue
        followed = follow(group, value)
        try:
            moved |= check_choices(new, {group.id: followed}, new.model.audiences, wish=True)
        except ChoiceError:
            retired = any(option.id == followed and option.retired for option in group.options)
            changes.append(Change("retired" if retired else "removed", group_id, value, None))
            continue
        if group.id != group_id or followed != value:
            changes.append(Change("renamed", group.id, value, followed))
    moved = {group.id: moved[group.id] for group in new.model.groups if group.id in moved}
    moved = _repair(new, moved, changes)
    before, after = _price(old if isinstance(old, Compiled) else compile_model(old), choices), _price(new, moved)
    if before != after:
        changes.append(Change("price", None, before, after))
    return Carried(moved, tuple(changes))


def successor(model: ProductModel, group_id: str) -> OptionGroup | None:
    """The group that a group of an earlier version has become; None when it is gone."""
    return model.group(group_id) or next((group for group in model.groups if group_id in group.renamed_from), None)


def follow(group: OptionGroup, value: ChoiceValue) -> ChoiceValue:
    """The answer of an earlier version by today's option ids; of a several group, what is left of it."""
    names = {old: option.id for option in group.options for old in option.renamed_from}
    if isinstance(value, str):
        return value if group.option(value) else names.get(value, value)
    if isinstance(value, list):
        kept = [names.get(item, item) for item in value if isinstance(item, str)]
        return sorted(item for item in kept if (option := group.option(item)) and not option.retired)
    return value


def _repair(new: Compiled, moved: Choices, changes: list[Change]) -> Choices:
    if not isinstance(analyse(new, moved, new.model.audiences), Conflict):
        return moved
    names = list(moved)
    with new.live.engine() as engine:
        found = corrections(engine, [tuple(group_literals(new, name, moved[name])) for name in names], (), 1)
    homes = [names[position] for position in sorted(found[0])] if found else names
    mask = completed(new, literals_of(new, {name: value for name, value in moved.items() if name not in homes}))
    values = {} if mask is None else decode(new, mask, moved)
    changes += [Change("repaired", name, moved[name], values.get(name)) for name in homes]
    return {
        name: values.get(name, value) if name in homes else value
        for name, value in moved.items()
        if name not in homes or name in values
    }


def _price(c: Compiled, choices: Answers) -> int | None:
    mask = completed(c, literals_of(c, choices))
    return None if mask is None else amount_of(c, mask, choices, {})


@dataclass(frozen=True, slots=True)
class CarriedValues:
    """Values of a model from elsewhere on its newest version: kept, no longer there, and given up for the rest."""

    kept: dict[str, Value]
    removed: tuple[str, ...]
    given_up: tuple[str, ...]


def carry_values(new: Live, values: Mapping[str, Value]) -> CarriedValues:
    """Choices in a model that has groups and rules but no product around it, on another version of it."""
    groups = {group.id: group for group in new.space.groups}
    removed = tuple(name for name, value in values.items() if name not in groups or value not in groups[name].values)
    left = {name: value for name, value in values.items() if name not in removed}
    literals = [(groups[name].literals[groups[name].values.index(value)],) for name, value in left.items()]
    with new.engine() as engine:
        found = corrections(engine, literals, (), 1)
    names = list(left)
    given_up = tuple(names[position] for position in sorted(found[0])) if found else tuple(names)
    return CarriedValues({n: v for n, v in left.items() if n not in given_up}, removed, given_up)
