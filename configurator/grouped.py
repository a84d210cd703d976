"""Reads grouped JSON: variables with their values, rules as expression trees, tables of allowed rows, sums."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

from configurator.conditions import Value
from configurator.errors import ModelError
from configurator.formula import FALSE, TRUE, Conj, Disj, Formula, negate
from configurator.space import Space, SpaceBuilder, SpaceGroup
from configurator.tables import allow_rows

MAX_DEPTH = 60
MAX_PAIRS = 200_000

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def read_grouped(text: str, source: str) -> Space:
    """The space of a grouped JSON text.

    Raises:
        ModelError: the text is not such a model; JSON keeps no lines, so the place is named in words.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(source, getattr(error, "lineno", 1), f"this is not JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("vars"), list):
        raise ModelError(source, 1, "a grouped model is an object with `vars`")
    return _Grouped(data, source).space()


class _Grouped:
    """One model while it is read."""

    def __init__(self, data: dict[str, Any], source: str) -> None:
        self.data = data
        self.source = source
        self.builder = SpaceBuilder()
        self.known: dict[str, dict[Value, int]] = {}
        self.names: list[str] = []

    def refuse(self, message: str) -> ModelError:
        return ModelError(self.source, 1, message)

    def space(self) -> Space:
        """The space; a rule, table or sum is one rule each."""
        for entry in self.data["vars"]:
            self._variable(entry)
        tracked = self.builder.variables
        for values in self.known.values():
            self.builder.add(*values.values())
            self.builder.exclusive(tuple(values.values()))
        for number, rule in enumerate(self._list("rules")):
            self._start(str(rule.get("id", f"rule {number + 1}")) if isinstance(rule, dict) else "")
            self.builder.require(self.formula(rule.get("expr") if isinstance(rule, dict) else rule))
        for number, table in enumerate(self._list("tables")):
            self._start(f"table {number + 1}")
            self._table(table)
        for number, entry in enumerate(self._list("sums")):
            self._start(f"sum {number + 1}")
            self._sum(entry)
        groups = tuple(
            SpaceGroup(name, "one", tuple(values), tuple(values.values())) for name, values in self.known.items()
        )
        return Space(
            groups=groups,
            variables=self.builder.variables,
            tracked=tracked,
            clauses=tuple(self.builder.clauses),
            owners=tuple(self.builder.owners),
            rules=tuple(self.names),
            inert=frozenset(self.builder.inert),
            diagrams=tuple(self.builder.diagrams),
            diagram_owners=tuple(self.builder.diagram_owners),
        )

    def _list(self, name: str) -> list[Any]:
        entries = self.data.get(name, [])
        if not isinstance(entries, list):
            raise self.refuse(f"{name} must be a list")
        return entries

    def _start(self, name: str) -> None:
        self.builder.owner = len(self.names)
        self.names.append(name)

    def _variable(self, entry: Any) -> None:
        name, values = (entry.get("name"), entry.get("values")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(values, list) or not values or name in self.known:
            raise self.refuse(f"a variable needs a name of its own and values, not {entry!r:.80}")
        if not all(isinstance(value, str | int) for value in values) or len(set(values)) < len(values):
            raise self.refuse(f"the values of {name!r} must be different texts or numbers")
        self.known[name] = {value: self.builder.new() for value in values}

    def _of(self, name: Any) -> dict[Value, int]:
        if not isinstance(name, str) or name not in self.known:
            raise self.refuse(f"there is no variable {name!r}")
        return self.known[name]

    def formula(self, tree: Any, depth: int = 0) -> Formula:
        """An expression tree: and, or, not, comparisons of `v` (variable) and `c` (constant)."""
        if depth > MAX_DEPTH:
            raise self.refuse(f"an expression is nested deeper than {MAX_DEPTH}")
        if not isinstance(tree, list) or not tree or not isinstance(tree[0], str):
            raise self.refuse(f"not an expression: {tree!r:.80}")
        word, *parts = tree
        if word in ("and", "or"):
            inner = tuple(self.formula(part, depth + 1) for part in parts)
            return Conj(inner) if word == "and" else Disj(inner)
        if word == "not" and len(parts) == 1:
            return negate(self.formula(parts[0], depth + 1))
        if word in _COMPARE and len(parts) == 2:
            return self._comparison(_COMPARE[word], parts[0], parts[1])
        raise self.refuse(f"unknown expression {word!r}")

    def _comparison(self, holds: Callable[[Any, Any], bool], left: Any, right: Any) -> Formula:
        a, b = self._side(left), self._side(right)
        if len(a) * len(b) > MAX_PAIRS:
            raise self.refuse("a comparison over too many pairs of values")
        try:
            pairs = [(x, y) for (value, x), (other, y) in product(a, b) if holds(value, other)]
        except TypeError:
            raise self.refuse("a comparison of a text with a number") from None
        parts = []
        for x, y in pairs:
            fixed = tuple(literal for literal in (x, y) if literal)
            parts.append(TRUE if not fixed else fixed[0] if len(fixed) == 1 else Conj(fixed))
        if TRUE in parts:
            return TRUE
        return Disj(tuple(parts)) if parts else FALSE

    def _side(self, side: Any) -> list[tuple[Any, int]]:
        """Values with their literals; a constant has none (0)."""
        if isinstance(side, list) and len(side) == 2 and side[0] == "c" and isinstance(side[1], str | int):
            return [(side[1], 0)]
        if isinstance(side, list) and len(side) == 2 and side[0] == "v":
            return list(self._of(side[1]).items())
        raise self.refuse(f"a comparison needs v or c, not {side!r:.80}")

    def _table(self, table: Any) -> None:
        if not isinstance(table, dict) or not isinstance(table.get("vars"), list):
            raise self.refuse("a table needs vars and rows")
        columns = [self._of(name) for name in table["vars"]]
        rows = []
        for row in table.get("rows", []):
            if not isinstance(row, list) or len(row) != len(columns):
                raise self.refuse(f"a row of the table over {table['vars']} has the wrong length")
            if all(value in column for value, column in zip(row, columns, strict=True)):
                rows.append(tuple(column[value] for value, column in zip(row, columns, strict=True)))
        allow_rows(self.builder, [tuple(column.values()) for column in columns], rows)

    def _sum(self, entry: Any) -> None:
        """A sum as a chain of reachable totals, cut where the right side is already decided."""
        if not isinstance(entry, dict) or entry.get("op") not in _COMPARE:
            raise self.refuse("a sum needs terms, op and right")
        right = entry.get("right", entry.get("rhs"))
        reached: dict[int, int] = {0: 0}
        for term in entry.get("terms", []):
            if not isinstance(term, list) or len(term) != 2:
                raise self.refuse("a term of a sum is [number, variable]")
            times, name = term if isinstance(term[0], int) else reversed(term)
            following: dict[int, int] = {}
            for total, before in reached.items():
                for value, literal in self._of(name).items():
                    after = total + times * int(value)
                    if after not in following:
                        following[after] = self.builder.new()
                    self.builder.add(following[after], -literal, *((-before,) if before else ()))
            if len(following) > MAX_PAIRS:
                raise self.refuse("a sum reaches too many totals")
            reached = following
        for total, literal in reached.items():
            if not _COMPARE[entry["op"]](total, right):
                self.builder.add(*((-literal,) if literal else ()))
