"""Reads what a product file says about money, days and parts: prices as data, never as code."""

from dataclasses import replace

from configurator.conditions import Any, Condition, both
from configurator.cursor import Cursor
from configurator.errors import ModelError
from configurator.language import PRICE_FORMS
from configurator.model import LeadRule, PartRule, PriceKind, PriceRule, Table
from configurator.names import Names, said
from configurator.reading_parts import part_label, repeated_items
from configurator.references import NoSuchPart, Reference, near
from configurator.yaml_tree import Node

_FORMS = tuple(form for form in PRICE_FORMS if form != "add")
_EACH: dict[str, tuple[str, ...]] = {"each_character_of": ("text",), "each_of": ("integer", "several")}
_TOTALS = ("base", "options", "subtotal")


def read_prices(top: Cursor, names: Names) -> tuple[PriceRule, ...]:
    """The price rules, in order: those of repeated parts, written out for every part, then the product's."""
    homes = list(repeated_items(top, names))
    known: dict[str, tuple[str, ...]] = {}
    for item in top.parts("prices"):
        _claim(item, item.text("id"), (item.text("id"),), known, names)
    for home, counter in homes:
        for item in home.parts("prices"):
            numbers = range(1, (counter.maximum or 0) + 1)
            ids = tuple(f"{counter.id}.{number}.{item.text('id')}" for number in numbers)
            _claim(item, f"{counter.id}.{item.text('id')}", ids, known, names)
    prices: list[PriceRule] = []
    for home, counter in homes:
        own = {item.text("id") for item in home.parts("prices")}
        for number, inside in names.from_each_part(counter.id):
            seen = known | {name: (f"{counter.id}.{number}.{name}",) for name in own}
            for item in home.parts("prices"):
                rule = _price(item, inside, seen)
                title = f"{part_label(counter, number)} · {rule.label}"
                when = both(inside.there(), rule.when)
                prices.append(replace(rule, id=f"{counter.id}.{number}.{rule.id}", label=title, when=when))
    return (*prices, *(_price(item, names, known) for item in top.parts("prices")))


def _claim(item: Cursor, name: str, ids: tuple[str, ...], known: dict[str, tuple[str, ...]], names: Names) -> None:
    if name in known or (name in names.groups and item.has("percent")):
        raise item.refuse(f"price {name!r} stands twice, or bears a group's id", item.items["id"])
    known[name] = ids


def _price(item: Cursor, names: Names, known: dict[str, tuple[str, ...]]) -> PriceRule:
    forms = [name for name in _FORMS if item.has(name)]
    form = forms[0] if forms else "add"
    tiers = sorted(name for name in item.items if name.startswith("from_"))
    extra = set(item.items) - {"id", "label", "when", form} - _beside(form) - set(tiers if form in _EACH else ())
    if len(forms) > 1 or extra:
        name = forms[1] if len(forms) > 1 else sorted(extra)[0]
        raise item.refuse(f"{item.where}: {name!r} does not go with {form!r}", item.items[name])
    if form == "add" and not item.has("add"):
        raise item.refuse(f"{item.where} must say one of add, {', '.join(_FORMS)}")
    rule_id = item.text("id")
    label = item.text("label", rule_id.replace("-", " ").replace("_", " ").capitalize())
    when = _when(item, names)
    amount, cost, free = item.integer("add"), item.integer("cost"), item.integer("free", low=0)
    if form in _EACH:
        kind: PriceKind = "each_character" if form == "each_character_of" else "each"
        groups = _counted(item, item.text(form), item.items[form], _EACH[form], names)
        steps = sorted((int(name.removeprefix("from_")), item.integer(name)) for name in tiers)
        return PriceRule(rule_id, kind, label, when, amount, cost, groups, free, tuple(steps))
    if form == "percent":
        return PriceRule(rule_id, "percent", label, when, item.integer("percent"), of=_base(item, names, known))
    if form == "matrix":
        table, amounts = _matrix(item, names)
        return PriceRule(rule_id, "matrix", label, when, matrix=table, amounts=amounts, once=item.boolean("once"))
    return PriceRule(rule_id, "add", label, when, amount, cost, once=item.boolean("once"))


def _beside(form: str) -> set[str]:
    return {name for names in PRICE_FORMS[form] for name in names} | ({"add"} if form == "add" else set())


def _counted(item: Cursor, name: str, node: Node, kinds: tuple[str, ...], names: Names) -> tuple[str, ...]:
    """The groups whose units are counted together: one, or that of every part."""
    found = names.refer(name, node, item.where)
    if found.first.kind not in kinds or found.attribute is not None:
        problem = "is no text group" if kinds == ("text",) else "cannot be counted"
        raise item.refuse(f"{item.where}: {name!r} {problem}", node)
    return tuple(group.id for group in found.groups)


def _base(item: Cursor, names: Names, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if not item.has("of"):
        raise item.refuse(f"{item.where}: a percentage needs `of`: {', '.join(_TOTALS)}, groups or price rules")
    node = item.items["of"]
    found: list[str] = []
    for entry in node.value if isinstance(node.value, list) else [node]:
        name = entry.value if isinstance(entry.value, str) else ""
        if name in _TOTALS:
            found.append(name)
        elif name in known:
            found += known[name]
        else:
            try:
                found += _priced(names.refer(name, entry, item.where), names)
            except ModelError:
                close = near(name, [*_TOTALS, *known, *names.groups])
                what = f"a percentage of {said(entry.value)}, which is no group and no price rule"
                raise item.refuse(f"{item.where}: {what}{close}", entry) from None
    return tuple(dict.fromkeys(found))


def _priced(reference: Reference, names: Names) -> list[str]:
    """The groups whose options a percentage takes; those of all parts when it speaks of the whole repeated group."""
    repeated = reference.first
    if repeated.repeated is not None:
        return [group.id for group in names.groups.values() if group.part and group.part.of == repeated.id]
    return [group.id for group in reference.groups]


def _matrix(item: Cursor, names: Names) -> tuple[Table, tuple[int, ...]]:
    groups = [names.group(name, item.items["matrix"], item.where) for name in item.texts("matrix")]
    if not groups or any(group.kind not in ("one", "flag", "integer", "date") for group in groups):
        raise item.refuse(f"{item.where}: a matrix takes groups with one answer each", item.items["matrix"])
    rows, amounts = [], []
    for node in item.each("rows"):
        cells = node.value if isinstance(node.value, list) else []
        amount = cells[-1].value if cells else None
        if len(cells) != len(groups) + 1 or not isinstance(amount, int) or isinstance(amount, bool):
            raise item.refuse(f"{item.where}: each row needs {len(groups)} values and an amount", node)
        rows.append(tuple(names.cell(g, c, item.where) for c, g in zip(cells, groups, strict=False)))
        amounts.append(amount)
    if not rows:
        raise item.refuse(f"{item.where} needs rows")
    return Table(tuple(group.id for group in groups), tuple(rows), allowed=True), tuple(amounts)


def read_lead(top: Cursor, names: Names) -> tuple[LeadRule, ...]:
    """The days that come on top, for every part of repeated groups too."""
    lead = []
    for home, counter in repeated_items(top, names):
        for _, inside in names.from_each_part(counter.id):
            for item in home.parts("lead"):
                when = _when(item, inside)
                lead.append(LeadRule(item.integer("days"), both(inside.there(), when)))
    return (*lead, *(LeadRule(item.integer("days"), _when(item, names)) for item in top.parts("lead")))


def read_parts(top: Cursor, names: Names) -> tuple[PartRule, ...]:
    """The bill of materials, for every part of repeated groups too."""
    parts = []
    for home, counter in repeated_items(top, names):
        for _, inside in names.from_each_part(counter.id):
            parts += [_part(item, inside) for item in home.parts("parts")]
    return (*parts, *(_part(item, names) for item in top.parts("parts")))


def _part(item: Cursor, names: Names) -> PartRule:
    quantity, each_of = _quantity(item, item.items.get("quantity"), names)
    when = _when(item, names)
    return PartRule(item.text("part"), quantity, both(names.there(), when), each_of)


def _when(item: Cursor, names: Names) -> Condition | None:
    """The condition of a line; what is said of the next part says nothing in the last one."""
    if not item.has("when"):
        return None
    try:
        return names.condition(item.items["when"], f"{item.where}, when")
    except NoSuchPart:
        return Any(())


def _quantity(item: Cursor, node: Node | None, names: Names) -> tuple[int, tuple[str, ...]]:
    if node is None:
        return 1, ()
    if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
        return node.value, ()
    if isinstance(node.value, dict) and {"each_of"} <= node.value.keys() <= {"each_of", "plus"}:
        plus = node.value["plus"].value if "plus" in node.value else 0
        if isinstance(plus, int) and not isinstance(plus, bool):
            counted = node.value["each_of"]
            return plus, _counted(item, str(counted.value), counted, ("integer", "several"), names)
    raise item.refuse(f"{item.where}: quantity is a number, or {{each_of: a group that counts, plus: number}}", node)
