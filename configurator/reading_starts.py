"""Reads where designs start and what they meet: presets, and what an accessory fits."""

from configurator.cursor import ID, Cursor
from configurator.model import Attribute, Choices, ChoiceValue, FitRule, OptionGroup, Preset
from configurator.names import Names
from configurator.yaml_tree import Node


def read_presets(top: Cursor, names: Names) -> tuple[Preset, ...]:
    """The named designs to start from."""
    presets: list[Preset] = []
    for item in top.parts("presets"):
        choices: Choices = {}
        for name, node in item.mapping("choices").items():
            group = names.group(name, node, item.where)
            if group.repeated is not None and isinstance(node.value, list):
                choices |= _parts(group, node, item, names)
            else:
                choices[name] = _choice(group, node, item, names)
        texts: dict[str, str] = {}
        for name, node in item.mapping("texts").items():
            group = names.group(name, node, item.where)
            if group.kind != "text" or not isinstance(node.value, str | int):
                raise item.refuse(f"{item.where}: {name!r} is no text group", node)
            texts[name] = str(node.value)
        preset = Preset(
            id=item.text("id"),
            label=item.text("label"),
            sentence=item.text("sentence"),
            choices=choices,
            texts=texts,
            audience=item.text("audience") or None,
        )
        if any(preset.id == other.id for other in presets):
            raise item.refuse(f"preset {preset.id!r} stands twice", item.items["id"])
        presets.append(preset)
    return tuple(presets)


def _parts(counter: OptionGroup, node: Node, item: Cursor, names: Names) -> Choices:
    """The answers of a list of repeated parts, by flat names, and how many there are."""
    entries = node.value if isinstance(node.value, list) else []
    low, high = counter.minimum or 0, counter.maximum or 0
    if not low <= len(entries) <= high:
        raise item.refuse(f"{item.where}: {counter.id!r} takes {low} to {high} parts, not {len(entries)}", node)
    choices: Choices = {counter.id: len(entries)}
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry.value, dict):
            raise item.refuse(f"{item.where}: {counter.id!r} takes a list of mappings, group: value", entry)
        for name, answer in entry.value.items():
            group = names.group(f"{counter.id}.{number}.{name}", answer, item.where)
            choices[group.id] = _choice(group, answer, item, names)
    return choices


def _choice(group: OptionGroup, node: Node, item: Cursor, names: Names) -> ChoiceValue:
    if group.kind == "several":
        values = names.values(group, node, item.where) if isinstance(node.value, list) else None
        if values is None:
            raise item.refuse(f"{item.where}: {group.id!r} takes a list of options", node)
        return sorted(str(value) for value in values)
    if group.kind in ("text", "upload"):
        raise item.refuse(f"{item.where}: {group.id!r} is a {group.kind} group and cannot stand in a preset", node)
    return names.value(group, node, item.where)


def read_fits(top: Cursor) -> tuple[tuple[FitRule, ...], dict[str, str]]:
    """What this product fits (a list), or what fits it (a mapping kind of accessory: attribute)."""
    node = top.items.get("fits")
    if node is None:
        return (), {}
    if isinstance(node.value, dict):
        return (), {kind: str(item.value) for kind, item in node.value.items()}
    if not isinstance(node.value, list):
        raise top.refuse(f"{top.where}: fits is a mapping kind: attribute, or a list of {{product, when, same}}", node)
    rules = []
    for item in (Cursor(entry, "fit", top.source, f"{top.where}, fits") for entry in node.value):
        when = {name: _wanted(item, entry) for name, entry in item.mapping("when").items()}
        same = {own: str(theirs) for own, theirs in item.scalars("same").items()}
        rules.append(FitRule(item.text("product"), when, same))
    return tuple(rules), {}


def _wanted(item: Cursor, node: Node) -> tuple[Attribute, ...]:
    entries = node.value if isinstance(node.value, list) else [node]
    wanted: list[Attribute] = []
    for entry in entries:
        if isinstance(entry.value, bool):
            wanted.append("true" if entry.value else "false")
        elif isinstance(entry.value, int) or (isinstance(entry.value, str) and ID.match(entry.value)):
            wanted.append(entry.value)
        else:
            raise item.refuse(f"{item.where}: {entry.value!r} is neither an id nor a number", entry)
    return tuple(wanted)
