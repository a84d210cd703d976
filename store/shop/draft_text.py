"""The text of a product file as its owner edits it: where things stand, and rows pasted from a spreadsheet."""

import csv
import json
import re
from dataclasses import dataclass

import yaml

from store.errors import invalid

MOST_ROWS = 20_000
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_NUMBER = re.compile(r"-?[0-9]{1,15}\Z")
_NOT_PLAIN = {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}


@dataclass(frozen=True)
class Rows:
    """A rule or price of a draft that has rows: its groups, whether an amount ends each row, and its present rows."""

    id: str
    columns: tuple[str, ...]
    priced: bool
    count: int


def line_of(text: str) -> dict[str, int]:
    """The line where each id stands; options also as `group.option`. Empty when the text is no YAML."""
    lines: dict[str, int] = {}
    root = _root(text)
    if root is not None:
        _collect(root, "", lines)
    return lines


def tables_of(text: str) -> list[Rows]:
    """The table rules and price matrices of a draft, in its order; empty when the text is no YAML."""
    root = _root(text)
    return [rows for node in _mappings(root) if (rows := _rows_of(node))] if root is not None else []


def paste(text: str, rule_id: str, pasted: str) -> str:
    """The draft with the rows of one table or matrix replaced by those of a spreadsheet.

    A first row with the groups' ids gives the order of the columns; several values of a cell are parted by `|`.

    Raises:
        ShopError: 422, there is no such table, or a row has the wrong number of cells (it is named).
    """
    root = _root(text)
    for node in _mappings(root) if root is not None else ():
        rows = _rows_of(node)
        if rows is None or rows.id != rule_id:
            continue
        place = _member(node, "rows")
        assert place is not None
        return _replaced(text, place, _read(rows, pasted))
    raise invalid(f"No table and no matrix of this draft has the id {rule_id!r}.", field="rule")


# -- reading the tree ------------------------------------------------------------------------------------------------


def _root(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    return node


def _mappings(node: yaml.Node) -> list[yaml.MappingNode]:
    """All mappings, in the order of the text; by a stack of its own, however deep they stand."""
    found: list[yaml.MappingNode] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, yaml.MappingNode):
            found.append(one)
            waiting += [value for _, value in reversed(one.value)]
        elif isinstance(one, yaml.SequenceNode):
            waiting += reversed(one.value)
    return found


def _member(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _collect(root: yaml.Node, _home: str, lines: dict[str, int]) -> None:
    for node in _mappings(root):
        name = _member(node, "id")
        if not isinstance(name, yaml.ScalarNode):
            continue
        line = name.start_mark.line + 1
        lines.setdefault(name.value, line)
        options = _member(node, "options")
        for option in options.value if isinstance(options, yaml.SequenceNode) else ():
            own = _member(option, "id") if isinstance(option, yaml.MappingNode) else None
            if isinstance(own, yaml.ScalarNode):
                lines.setdefault(f"{name.value}.{own.value}", own.start_mark.line + 1)


def _rows_of(node: yaml.MappingNode) -> Rows | None:
    name, rows = _member(node, "id"), _member(node, "rows")
    if not isinstance(name, yaml.ScalarNode) or not isinstance(rows, yaml.SequenceNode):
        return None
    for key in ("allow", "forbid", "matrix"):
        columns = _member(node, key)
        if isinstance(columns, yaml.SequenceNode):
            names = tuple(str(one.value) for one in columns.value if isinstance(one, yaml.ScalarNode))
            return Rows(name.value, names, key == "matrix", len(rows.value))
    return None


# -- rows ------------------------------------------------------------------------------------------------------------


def _read(rows: Rows, pasted: str) -> list[str]:
    lines = [line for line in pasted.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if not lines:
        raise invalid("Please paste at least one row.", field="rows")
    if len(lines) > MOST_ROWS:
        raise invalid(f"At most {MOST_ROWS:,} rows fit into one table.", field="rows")
    divider = max("\t;,", key=lines[0].count)
    table = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=divider, strict=False)]
    width = len(rows.columns) + rows.priced
    order = list(range(width))
    if table[0][: len(rows.columns)] != list(rows.columns) and set(rows.columns) <= set(table[0]):
        named = [table[0].index(column) for column in rows.columns]
        order = named + [place for place in range(len(table[0])) if place not in named]
    first = 1 if set(rows.columns) <= set(table[0]) else 0
    written = []
    for number, row in enumerate(table[first:], first + 1):
        if len(row) != width or len(order) != width:
            what = ", ".join((*rows.columns, *(("the amount",) if rows.priced else ())))
            raise invalid(f"Row {number} has {len(row)} cells; it needs {width}: {what}.", field="rows")
        cells = [row[place] for place in order]
        if rows.priced and not _NUMBER.match(cells[-1]):
            detail = f"Row {number}: {cells[-1][:40]!r} is no amount; amounts are whole numbers of minor units."
            raise invalid(detail, field="rows")
        if not all(cells):
            raise invalid(f"Row {number} has an empty cell; write `any` where every value will do.", field="rows")
        written.append("[" + ", ".join(_cell(cell) for cell in cells) + "]")
    if not written:
        raise invalid("Only the heads of the columns were pasted.", field="rows")
    return written


def _cell(text: str) -> str:
    if "|" in text:
        return "[" + ", ".join(_cell(part.strip()) for part in text.split("|")) + "]"
    if _NUMBER.match(text):
        return str(int(text))
    if text.lower() in ("true", "false"):
        return text.lower()
    if _PLAIN.match(text) and text.lower() not in _NOT_PLAIN:
        return text
    return json.dumps(text, ensure_ascii=False)


def _replaced(text: str, place: yaml.Node, rows: list[str]) -> str:
    start, end = place.start_mark, place.end_mark
    assert isinstance(place, yaml.SequenceNode)
    if place.flow_style:
        return text[: start.index] + "[" + ", ".join(rows) + "]" + text[end.index :]
    last = place.value[-1] if place.value else place
    stop = (
        last.end_mark.index
        if getattr(last, "flow_style", False)
        else start.index + len(text[start.index : end.index].rstrip())
    )
    indent = "\n" + " " * start.column
    return text[: start.index] + indent.join(f"- {row}" for row in rows) + text[stop:]
