"""Reads the groups of a product file; a repeated group becomes a number and the groups of each of its parts."""

from collections.abc import Iterator
from dataclasses import replace

from configurator.cursor import Cursor
from configurator.model import OptionGroup, Part, Repeated
from configurator.names import Names
from configurator.reading_groups import read_group
from configurator.references import NEIGHBOURS
from configurator.yaml_tree import Node

MAX_PARTS = 50
MAX_GROUPS = 2000  # with every part of the repeated ones counted
MAX_VALUES = 60_000
NUMBER = "{number}"
# group id → the condition under which it applies, and the part it was written in
Needs = dict[str, tuple[Node, tuple[str, int] | None]]
_PLAIN = ("options", "several", "flag", "integer", "date", "text", "upload", "phrase")


def read_groups(top: Cursor) -> tuple[tuple[OptionGroup, ...], Needs]:
    """The groups, parts expanded, and the conditions under which some apply (read once all groups are known)."""
    groups: dict[str, OptionGroup] = {}
    needs: Needs = {}
    items = list(top.parts("groups"))
    outside = {item.text("id") for item in items}
    for item in items:
        found = _repeated(item, outside, needs) if item.has("repeated") else (read_group(item),)
        for group in found:
            if group.id in groups:
                raise item.refuse(f"group {group.id!r} stands twice", item.items["id"])
            groups[group.id] = group
        if item.has("needed_when"):
            needs[found[0].id] = (item.items["needed_when"], None)
        _refuse_too_many(item, groups)
    return tuple(groups.values()), needs


def _refuse_too_many(item: Cursor, groups: dict[str, OptionGroup]) -> None:
    if len(groups) > MAX_GROUPS:
        raise item.refuse(
            f"{item.where} makes {len(groups):,} groups, more than {MAX_GROUPS:,}; lower `max` of its parts, or split "
            "the product"
        )
    values = sum(len(group.options) + len(group.dates) for group in groups.values())
    if values > MAX_VALUES:
        raise item.refuse(
            f"with {item.where} the product has {values:,} options and days, more than {MAX_VALUES:,}; lower `max` of "
            "repeated parts, shorten seasons, or split the product"
        )


def _repeated(item: Cursor, outside: set[str], needs: Needs) -> tuple[OptionGroup, ...]:
    """The group that holds how many parts there are, and the groups of each part, one part after the other."""
    if item.has("audience"):
        raise item.refuse(f"{item.where} is repeated; an `audience` belongs to its `groups`", item.items["audience"])
    stray = next((name for name in _PLAIN if item.has(name)), None)
    if stray:
        raise item.refuse(f"{item.where} is repeated; {stray!r} belongs to one of its `groups`", item.items[stray])
    form = item.inner("repeated")
    low, high = form.integer("min", low=0), form.integer("max", low=1)
    if low > high or high > MAX_PARTS:
        raise form.refuse(f"{item.where}: there may be 1 to {MAX_PARTS} parts, and min must not lie above max")
    default = form.integer("default", low)
    if not low <= default <= high:
        raise form.refuse(f"{item.where}: default {default} lies outside {low} to {high}", form.items["default"])
    inner = _inner(item, outside)
    label = item.text("label")
    name = form.text("label", f"{label} {NUMBER}")
    counter = OptionGroup(
        id=item.text("id"),
        label=label,
        step=item.text("step", label),
        kind="integer",
        sentence=item.text("sentence"),
        minimum=low,
        maximum=high,
        default=default,
        renamed_from=item.texts("renamed_from"),
        language=item.tongue.language,
        repeated=Repeated(tuple(group.id for group, _ in inner), name),
    )
    found = [counter]
    for number in range(1, high + 1):
        for group, node in inner:
            found.append(_in_part(group, counter, number))
            if node is not None:
                needs[found[-1].id] = (node, (counter.id, number))
    return tuple(found)


def _inner(item: Cursor, outside: set[str]) -> list[tuple[OptionGroup, Node | None]]:
    found: list[tuple[OptionGroup, Node | None]] = []
    for inner in item.parts("groups"):
        name = inner.text("id")
        if inner.has("repeated"):
            raise inner.refuse(
                f"{inner.where}: parts within parts are not part of the language", inner.items["repeated"]
            )
        if name in outside or name in NEIGHBOURS or name.isdecimal():
            why = "is the id of a group outside too" if name in outside else "cannot name a group of a part"
            raise inner.refuse(f"{item.where}: {name!r} {why}; take another", inner.items["id"])
        if any(name == group.id for group, _ in found):
            raise inner.refuse(f"{item.where}: group {name!r} stands twice", inner.items["id"])
        found.append((read_group(inner), inner.items.get("needed_when")))
    if not found:
        raise item.refuse(f"{item.where} is repeated and needs `groups`: what each part asks")
    return found


def _in_part(group: OptionGroup, counter: OptionGroup, number: int) -> OptionGroup:
    assert counter.repeated is not None
    label = part_label(counter, number)
    earlier = [
        f"{of}.{number}.{name}"
        for of in (counter.id, *counter.renamed_from)
        for name in (group.id, *group.renamed_from)
        if (of, name) != (counter.id, group.id)
    ]
    return replace(
        group,
        id=f"{counter.id}.{number}.{group.id}",
        label=f"{label} · {group.label}",
        step=counter.step,
        renamed_from=tuple(earlier),
        part=Part(counter.id, number, group.id, label, group.label),
    )


def part_label(counter: OptionGroup, number: int) -> str:
    """What one part is called."""
    name = counter.repeated.label if counter.repeated else counter.label
    return name.replace(NUMBER, str(number)) if NUMBER in name else f"{name} {number}"


def repeated_items(top: Cursor, names: Names) -> Iterator[tuple[Cursor, OptionGroup]]:
    """The repeated groups, as written and as read."""
    for item in top.parts("groups"):
        if item.has("repeated"):
            yield item, names.groups[item.text("id")]
