"""Reads what a product file says about money, days and parts: prices as data, never as code."""

from configurator.conditions import Condition
from configurator.cursor import Cursor
from configurator.model import LeadRule, PartRule, PriceRule, Table
from configurator.names import Names
from configurator.reading_rules import read_cell
from configurator.yaml_tree import Node

_FORMS = ("each_character_of", "each_of", "percent", "matrix")
_WITH = {
    "add": {"add", "cost", "once"},
    "each_character_of": {"add", "cost", "free"},
    "each_of": {"add", "cost", "free"},
    "percent": {"of"},
    "matrix": {"rows", "once"},
}
_TOTALS = ("base", "options", "subtotal")


def read_prices(top: Cursor, names: Names) -> tuple[PriceRule, ...]:
    """The price rules, in order."""
    items = list(top.parts("prices"))
    ids = [item.text("id") for item in items]
    for item, rule_id in zip(items, ids, strict=True):
        if ids.count(rule_id) > 1 or (rule_id in names.groups and item.has("percent")):
            raise item.refuse(f"price {rule_id!r} stands twice, or bears a group's id", item.items["id"])
    return tuple(_price(item, names, set(ids)) for item in items)


def _price(item: Cursor, names: Names, rule_ids: set[str]) -> PriceRule:
    forms = [name for name in _FORMS if item.has(name)]
    form = forms[0] if forms else "add"
    tiers = sorted(name for name in item.items if name.startswith("from_"))
    extra = set(item.items) - {"id", "label", "when", form} - _WITH[form] - set(tiers if form == "each_of" else ())
    if len(forms) > 1 or extra:
        name = forms[1] if len(forms) > 1 else sorted(extra)[0]
        raise item.refuse(f"{item.where}: {name!r} does not go with {form!r}", item.items[name])
    if form == "add" and not item.has("add"):
        raise item.refuse(f"{item.where} must say one of add, {', '.join(_FORMS)}")
    rule_id = item.text("id")
    label = item.text("label", rule_id.replace("-", " ").replace("_", " ").capitalize())
    when = names.condition(item.items["when"], f"{item.where}, when") if item.has("when") else None
    amount, cost, free = item.integer("add"), item.integer("cost"), item.integer("free", low=0)
    if form == "each_character_of":
        group = names.group(item.text(form), item.items[form], item.where)
        if group.kind != "text":
            raise item.refuse(f"{item.where}: {group.id!r} is no text group", item.items[form])
        return PriceRule(rule_id, "each_character", label, when, amount, cost, group.id, free)
    if form == "each_of":
        group = names.group(item.text(form), item.items[form], item.where)
        if group.kind not in ("integer", "several"):
            raise item.refuse(f"{item.where}: {group.id!r} cannot be counted", item.items[form])
        steps = sorted((int(name.removeprefix("from_")), item.integer(name)) for name in tiers)
        return PriceRule(rule_id, "each", label, when, amount, cost, group.id, free, tuple(steps))
    if form == "percent":
        return PriceRule(rule_id, "percent", label, when, item.integer("percent"), of=_base(item, names, rule_ids))
    if form == "matrix":
        table, amounts = _matrix(item, names)
        return PriceRule(rule_id, "matrix", label, when, matrix=table, amounts=amounts, once=item.boolean("once"))
    return PriceRule(rule_id, "add", label, when, amount, cost, once=item.boolean("once"))


def _base(item: Cursor, names: Names, rule_ids: set[str]) -> tuple[str, ...]:
    if not item.has("of"):
        raise item.refuse(f"{item.where}: a percentage needs `of`: {', '.join(_TOTALS)}, groups or price rules")
    node = item.items["of"]
    nodes = node.value if isinstance(node.value, list) else [node]
    for entry in nodes:
        name = entry.value
        if not isinstance(name, str) or (name not in _TOTALS and name not in rule_ids and name not in names.groups):
            raise item.refuse(f"{item.where}: a percentage of {name!r}, which is no group and no price rule", entry)
    return tuple(str(entry.value) for entry in nodes)


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
        rows.append(tuple(read_cell(c, g, item.where, names) for c, g in zip(cells, groups, strict=False)))
        amounts.append(amount)
    if not rows:
        raise item.refuse(f"{item.where} needs rows")
    return Table(tuple(group.id for group in groups), tuple(rows), allowed=True), tuple(amounts)


def read_lead(top: Cursor, names: Names) -> tuple[LeadRule, ...]:
    """The days that come on top."""
    return tuple(LeadRule(item.integer("days"), _when(item, names)) for item in top.parts("lead"))


def read_parts(top: Cursor, names: Names) -> tuple[PartRule, ...]:
    """The bill of materials."""
    parts = []
    for item in top.parts("parts"):
        quantity, each_of = _quantity(item, item.items.get("quantity"), names)
        parts.append(PartRule(item.text("part"), quantity, _when(item, names), each_of))
    return tuple(parts)


def _when(item: Cursor, names: Names) -> Condition | None:
    return names.condition(item.items["when"], f"{item.where}, when") if item.has("when") else None


def _quantity(item: Cursor, node: Node | None, names: Names) -> tuple[int, str | None]:
    if node is None:
        return 1, None
    if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
        return node.value, None
    if isinstance(node.value, dict) and {"each_of"} <= node.value.keys() <= {"each_of", "plus"}:
        group = names.group(str(node.value["each_of"].value), node, item.where)
        plus = node.value["plus"].value if "plus" in node.value else 0
        if group.kind in ("integer", "several") and isinstance(plus, int) and not isinstance(plus, bool):
            return plus, group.id
    raise item.refuse(f"{item.where}: quantity is a number, or {{each_of: a group that counts, plus: number}}", node)
