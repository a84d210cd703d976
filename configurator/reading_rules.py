"""Reads the rules of a product file: every form the language has for what fits what."""

from configurator.conditions import All, Condition, Value
from configurator.cursor import Cursor
from configurator.model import Count, IfThen, Never, OptionGroup, Rule, RuleForm, Same, Sum, Table, Term
from configurator.names import Names
from configurator.yaml_tree import Node

MAX_ROWS = 100_000
_FORMS = ("if", "never", "requires", "excludes", "allow", "forbid", "of", "sum", "compare", "same", "different")
_WITH = {
    "if": {"then"},
    "allow": {"rows"},
    "forbid": {"rows"},
    "of": {"at_least", "at_most", "exactly"},
    "sum": {"at_least", "at_most", "exactly"},
}
_COMPARISONS = ("<", "<=", "=", "==", "!=", ">=", ">")


def read_rules(top: Cursor, names: Names) -> tuple[Rule, ...]:
    """The rules, in order."""
    rules: list[Rule] = []
    seen: set[str] = set()
    for item in top.parts("rules"):
        rule_id = item.text("id")
        if rule_id in seen:
            raise item.refuse(f"rule {rule_id!r} stands twice", item.items["id"])
        seen.add(rule_id)
        rules.append(Rule(rule_id, item.text("reason"), _form(item, names), line=item.node.line))
    return tuple(rules)


def _form(item: Cursor, names: Names) -> RuleForm:
    forms = [name for name in _FORMS if item.has(name)]
    if len(forms) != 1:
        said = " and ".join(forms) if forms else "none of them"
        raise item.refuse(f"{item.where} must say one of {', '.join(_FORMS)}; it says {said}")
    form = forms[0]
    extra = set(item.items) - {"id", "reason", form} - _WITH.get(form, set())
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
        return Count(tuple(_conditions(item, "of", names, least=1)), low, high)
    if form == "sum":
        low, high = _limits(item)
        return Sum(tuple(_number_term(item, node, names) for node in item.each("sum")), low, high)
    if form == "compare":
        return _compare(item, names)
    return _same(item, form, names)


def _condition(item: Cursor, name: str, names: Names) -> Condition:
    return names.condition(item.items[name], f"{item.where}, {name}")


def _conditions(item: Cursor, name: str, names: Names, least: int = 2) -> list[Condition]:
    found = [names.condition(node, f"{item.where}, {name}") for node in item.each(name)]
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
        rows.append(
            tuple(read_cell(cell, group, item.where, names) for cell, group in zip(node.value, groups, strict=True))
        )
    return Table(tuple(group.id for group in groups), tuple(rows), allowed=form == "allow")


def read_cell(cell: Node, group: OptionGroup, where: str, names: Names) -> frozenset[Value] | None:
    """A cell of a table: a value, a list of values, or any (None)."""
    if cell.value == "any" and group.option("any") is None:
        return None
    return frozenset(names.values(group, cell, where))


def read_term(item: Cursor, node: Node, names: Names) -> Term:
    """A number of the design: `group`, `group.attribute`, or `{of: …, times: n}`."""
    times = 1
    if isinstance(node.value, dict):
        if not {"of"} <= node.value.keys() <= {"of", "times"}:
            raise item.refuse(f"{item.where}: a term is group, group.attribute, or {{of, times}}", node)
        factor = node.value["times"].value if "times" in node.value else 1
        if not isinstance(factor, int) or isinstance(factor, bool):
            raise item.refuse(f"{item.where}: times must be a whole number", node)
        times, node = factor, node.value["of"]
    if not isinstance(node.value, str):
        raise item.refuse(f"{item.where}: {node.value!r} is neither a group nor group.attribute", node)
    group_id, _, attribute = node.value.partition(".")
    group = names.group(group_id, node, item.where)
    if not attribute:
        if group.kind != "integer":
            raise item.refuse(f"{item.where}: {group_id!r} is no integer group; name one of its attributes", node)
        return Term(group_id, None, times)
    if not any(attribute in option.attributes for option in group.options):
        raise item.refuse(f"{item.where}: no option of {group_id!r} has {attribute!r}", node)
    return Term(group_id, attribute, times)


def _number_term(item: Cursor, node: Node, names: Names) -> Term:
    term = read_term(item, node, names)
    group = names.groups[term.group]
    values = [option.attributes.get(term.attribute or "", 0) for option in group.options]
    if not all(isinstance(value, int) for value in values):
        raise item.refuse(f"{item.where}: {term.group}.{term.attribute} is not a number for every option", node)
    return term


def _compare(item: Cursor, names: Names) -> RuleForm:
    nodes = item.each("compare")
    if len(nodes) != 3 or nodes[1].value not in _COMPARISONS:
        raise item.refuse(f"{item.where}: compare takes [number, one of {' '.join(_COMPARISONS)}, number]")
    sides: list[Term] = []
    constant = 0
    for node, side in ((nodes[0], 1), (nodes[2], -1)):
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            constant -= side * node.value
        else:
            term = _number_term(item, node, names)
            sides.append(Term(term.group, term.attribute, side * term.times))
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
    left, right = (read_term(item, node, names) for node in nodes)
    for term, node in ((left, nodes[0]), (right, nodes[1])):
        if names.groups[term.group].kind == "several":
            raise item.refuse(f"{item.where}: {term.group!r} may hold several options; one is needed here", node)
    return Same(left, right, equal=form == "same")
