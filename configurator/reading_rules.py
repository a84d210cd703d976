"""Reads the rules of a product file: every form the language has for what fits what."""

from dataclasses import replace

from configurator.conditions import All, Any, Condition, Is, Value, both
from configurator.cursor import Cursor
from configurator.errors import ModelError
from configurator.language import RULE_FORMS
from configurator.model import Count, IfThen, Never, OptionGroup, Rule, RuleForm, Same, Sum, Table, Term
from configurator.names import Names, said
from configurator.reading_parts import repeated_items
from configurator.references import NoSuchPart
from configurator.yaml_tree import Node

MAX_ROWS = 100_000
MAX_RULES = 20_000  # with those of every part
MAX_PAIRS = 100_000
_COMPARISONS = ("<", "<=", "=", "==", "!=", ">=", ">")


def read_rules(top: Cursor, names: Names) -> tuple[Rule, ...]:
    """The rules, in order: those of repeated parts, written out for every part, then the product's."""
    rules: list[Rule] = []
    for home, counter in repeated_items(top, names):
        for item in home.parts("rules"):
            rules += _of_parts(item, counter.id, names)
    rules += [
        Rule(item.text("id"), item.text("reason"), _form(item, names), item.node.line) for item in top.parts("rules")
    ]
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise ModelError(top.source, rule.line, f"rule {rule.id!r} stands twice")
        seen.add(rule.id)
    if len(rules) > MAX_RULES:
        raise top.refuse(
            f"{top.where} has {len(rules):,} rules, more than {MAX_RULES:,}; lower `max` of repeated parts"
        )
    return tuple(rules)


def _of_parts(item: Cursor, of: str, names: Names) -> list[Rule]:
    """A rule written within a repeated part, for every part; `next` says nothing in the last one."""
    rule_id, reason, line = item.text("id"), item.text("reason"), item.node.line
    if item.has("distinct"):
        return [Rule(f"{of}.{rule_id}", reason, _form(item, names, of), line)]
    found = []
    for number, inside in names.from_each_part(of):
        try:
            form = _form(item, inside)
        except NoSuchPart:
            continue
        found.append(Rule(f"{of}.{number}.{rule_id}", reason, _where_there(form, inside.there()), line))
    return found


def _where_there(form: RuleForm, there: Condition | None) -> RuleForm:
    """The form where its parts are there; tables and attributes say nothing without an answer anyway."""
    if there is None or isinstance(form, Table | Same):
        return form
    if isinstance(form, IfThen):
        return IfThen(All((there, form.when)), form.then)
    if isinstance(form, Never):
        return Never(All((there, form.condition)))
    return replace(form, when=both(there, form.when))


def _form(item: Cursor, names: Names, of: str = "") -> RuleForm:
    forms = [name for name in RULE_FORMS if item.has(name)]
    if len(forms) != 1:
        said = " and ".join(forms) if forms else "none of them"
        raise item.refuse(f"{item.where} must say one of {', '.join(RULE_FORMS)}; it says {said}")
    form = forms[0]
    extra = set(item.items) - {"id", "reason", form} - {name for companions in RULE_FORMS[form] for name in companions}
    if extra:
        name = sorted(extra)[0]
        raise item.refuse(f"{item.where}: {name!r} does not go with {form!r}", item.items[name])
    if form == "if":
        if not item.has("then"):
            raise item.refuse(f"{item.where} says `if` and needs `then`")
        return IfThen(_condition(item, "if", names), _condition(item, "then", names))
    if form == "never":
        return Never(_condition(item, "never", names))
    if form == "requires":
        first, *others = _conditions(item, "requires", names)
        return IfThen(first, others[0] if len(others) == 1 else All(tuple(others)))
    if form == "excludes":
        return Count(tuple(_conditions(item, "excludes", names)), None, 1)
    if form in ("allow", "forbid"):
        return _table(item, form, names)
    if form == "of":
        low, high = _limits(item)
        return Count(tuple(_conditions(item, "of", names, least=1)), low, high, _when(item, names))
    if form == "sum":
        low, high = _limits(item)
        terms = tuple(term for node in item.each("sum") for term in _number_terms(item, node, names))
        return Sum(terms, low, high, when=_when(item, names))
    if form == "compare":
        return replace(_compare(item, names), when=_when(item, names))
    if form == "distinct":
        return _distinct(item, names, of)
    return _same(item, form, names)


def _when(item: Cursor, names: Names) -> Condition | None:
    return names.condition(item.items["when"], f"{item.where}, when") if item.has("when") else None


def _condition(item: Cursor, name: str, names: Names) -> Condition:
    return names.condition(item.items[name], f"{item.where}, {name}")


def _conditions(item: Cursor, name: str, names: Names, least: int = 2) -> list[Condition]:
    if name == "requires":
        found = [names.condition(node, f"{item.where}, {name}") for node in item.each(name)]
    else:
        found = [one for node in item.each(name) for one in names.counted(node, f"{item.where}, {name}")]
    if len(found) < least:
        raise item.refuse(f"{item.where}: {name!r} needs at least {least} conditions", item.items[name])
    return found


def _limits(item: Cursor) -> tuple[int | None, int | None]:
    exactly = item.maybe_integer("exactly")
    if exactly is not None:
        if item.has("at_least") or item.has("at_most"):
            raise item.refuse(f"{item.where}: `exactly` stands alone", item.items["exactly"])
        return exactly, exactly
    low, high = item.maybe_integer("at_least"), item.maybe_integer("at_most")
    if low is None and high is None:
        raise item.refuse(f"{item.where} needs at_least, at_most or exactly")
    return low, high


def _table(item: Cursor, form: str, names: Names) -> Table:
    groups = [names.group(name, item.items[form], item.where) for name in item.texts(form)]
    if len(groups) < 2 or len({group.id for group in groups}) < len(groups):
        raise item.refuse(f"{item.where}: a table needs two or more different groups", item.items[form])
    for group in groups:
        if group.kind not in ("one", "flag", "integer", "date"):
            raise item.refuse(
                f"{item.where}: a table cannot hold the {group.kind} group {group.id!r}", item.items[form]
            )
    if not item.each("rows") or len(item.each("rows")) > MAX_ROWS:
        raise item.refuse(f"{item.where} needs 1 to {MAX_ROWS:,} rows")
    rows = []
    for node in item.each("rows"):
        if not isinstance(node.value, list) or len(node.value) != len(groups):
            raise item.refuse(f"{item.where}: each row needs {len(groups)} values", node)
        rows.append(tuple(names.cell(group, cell, item.where) for cell, group in zip(node.value, groups, strict=True)))
    return Table(tuple(group.id for group in groups), tuple(rows), allowed=form == "allow")


def read_terms(item: Cursor, node: Node, names: Names) -> list[Term]:
    """Numbers of the design: `group`, `group.attribute`, or `{of: …, times: n}`; of a repeated group, every part's."""
    times = 1
    if isinstance(node.value, dict):
        if not {"of"} <= node.value.keys() <= {"of", "times"}:
            raise item.refuse(f"{item.where}: a term is group, group.attribute, or {{of, times}}", node)
        factor = node.value["times"].value if "times" in node.value else 1
        if not isinstance(factor, int) or isinstance(factor, bool):
            raise item.refuse(f"{item.where}: times must be a whole number", node)
        times, node = factor, node.value["of"]
    if not isinstance(node.value, str):
        raise item.refuse(f"{item.where}: {said(node.value)} is neither a group nor group.attribute", node)
    found = names.refer(node.value, node, item.where)
    if found.attribute is None and found.first.kind != "integer":
        raise item.refuse(f"{item.where}: {node.value!r} is no integer group; name one of its attributes", node)
    return [Term(group.id, found.attribute, times) for group in found.groups]


def _number_terms(item: Cursor, node: Node, names: Names) -> list[Term]:
    terms = read_terms(item, node, names)
    group, attribute = names.groups[terms[0].group], terms[0].attribute
    values = [option.attributes.get(attribute or "", 0) for option in group.options]
    if not all(isinstance(value, int) for value in values):
        raise item.refuse(f"{item.where}: {group.id}.{attribute} is not a number for every option", node)
    return terms


def _compare(item: Cursor, names: Names) -> Sum:
    nodes = item.each("compare")
    if len(nodes) != 3 or nodes[1].value not in _COMPARISONS:
        raise item.refuse(f"{item.where}: compare takes [number, one of {' '.join(_COMPARISONS)}, number]")
    sides: list[Term] = []
    constant = 0
    for node, side in ((nodes[0], 1), (nodes[2], -1)):
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            constant -= side * node.value
        else:
            sides += [replace(term, times=side * term.times) for term in _number_terms(item, node, names)]
    if not sides:
        raise item.refuse(f"{item.where}: compare needs a group on one side")
    terms = tuple(sides)
    sign = str(nodes[1].value)
    if sign == "!=":
        return Sum(terms, constant, constant, outside=True)
    lows = {"=": constant, "==": constant, ">=": constant, ">": constant + 1}
    highs = {"=": constant, "==": constant, "<=": constant, "<": constant - 1}
    return Sum(terms, lows.get(sign), highs.get(sign))


def _same(item: Cursor, form: str, names: Names) -> Same:
    nodes = item.each(form)
    if len(nodes) != 2:
        raise item.refuse(f"{item.where}: {form!r} takes two group.attribute", item.items[form])
    found = [names.refer(str(node.value), node, item.where) for node in nodes]
    for reference, node in zip(found, nodes, strict=True):
        group = reference.first
        if reference.every_part:
            raise item.refuse(
                f"{item.where}: {node.value!r} are many; write the rule within the part, with next.", node
            )
        if group.kind == "several":
            raise item.refuse(f"{item.where}: {group.id!r} may hold several options; one is needed here", node)
        if group.kind in ("text", "upload"):
            raise item.refuse(f"{item.where}: {group.id!r} is a {group.kind} group; rules cannot look at it", node)
    left, right = (Term(reference.first.id, reference.attribute) for reference in found)
    return Same(left, right, equal=form == "same")


def _distinct(item: Cursor, names: Names, of: str) -> Never:
    """No two of the groups hold the same option, or options with the same attribute."""
    node = item.items["distinct"]
    nodes = node.value if isinstance(node.value, list) else [node]
    groups: list[OptionGroup] = []
    attribute: str | None = None
    for entry in nodes:
        found = names.refer(f"{of}.{entry.value}" if of else str(entry.value), entry, item.where)
        if found.first.kind in ("text", "upload", "flag"):
            raise item.refuse(f"{item.where}: {found.first.id!r} is a {found.first.kind} group", entry)
        groups += found.groups
        attribute = found.attribute
    classes = [_alike(group, attribute) for group in groups]
    pairs = [(i, j, key) for j in range(len(groups)) for i in range(j) for key in classes[i] if key in classes[j]]
    if not pairs:
        raise item.refuse(f"{item.where}: distinct needs two or more groups, or parts, with values in common", node)
    if len(pairs) > MAX_PAIRS:
        raise item.refuse(
            f"{item.where} compares {len(pairs):,} pairs, more than {MAX_PAIRS:,}; take fewer parts", node
        )
    return Never(
        Any(tuple(All((Is(groups[i].id, classes[i][k]), Is(groups[j].id, classes[j][k]))) for i, j, k in pairs))
    )


def _alike(group: OptionGroup, attribute: str | None) -> dict[Value, frozenset[Value]]:
    """The values of a group by what must not be the same."""
    if attribute is None:
        values: tuple[Value, ...] = tuple(o.id for o in group.options) or group.dates or tuple(group.numbers())
        return {value: frozenset({value}) for value in values}
    found: dict[Value, set[Value]] = {}
    for option in group.options:
        if attribute in option.attributes:
            found.setdefault(option.attributes[attribute], set()).add(option.id)
    return {key: frozenset(values) for key, values in found.items()}
