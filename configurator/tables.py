"""Tables of allowed rows as clauses, compressed: rows that differ nowhere else share one path of a decision diagram."""

from collections.abc import Sequence

from configurator.space import SpaceBuilder

Row = tuple[int, ...]


def allow_rows(builder: SpaceBuilder, columns: Sequence[Row], rows: Sequence[Row]) -> None:
    """Only these rows, given as one literal of every column.

    Two columns become clauses without further variables. Wider tables become a reduced multi-valued decision diagram
    whose nodes are variables; both directions are written, so that propagation sees every lost support.

    Source: Abío, Gange, Mayer-Eichberger and Stuckey, "On CNF encodings of decision diagrams", CPAIOR 2016.
    """
    if not rows:
        builder.add()
        return
    if len(columns) == 1:
        _support(builder, columns[0], {row[0] for row in rows})
    elif len(columns) == 2:
        _pairs(builder, columns, rows)
    else:
        _diagram(builder, columns, rows)


def _support(builder: SpaceBuilder, column: Row, allowed: set[int]) -> None:
    for literal in column:
        if literal not in allowed:
            builder.add(-literal)


def _pairs(builder: SpaceBuilder, columns: Sequence[Row], rows: Sequence[Row]) -> None:
    for here, there in ((0, 1), (1, 0)):
        partners: dict[int, set[int]] = {literal: set() for literal in columns[here]}
        for row in rows:
            partners[row[here]].add(row[there])
        for literal, fitting in partners.items():
            if not fitting:
                builder.add(-literal)
            elif len(fitting) < len(columns[there]):
                builder.add(-literal, *(x for x in columns[there] if x in fitting))


class _Diagram:
    """Nodes shared by what can follow them: node → (level, edges literal → node); node 0 is the end."""

    def __init__(self) -> None:
        self.edges: list[tuple[int, tuple[tuple[int, int], ...]]] = [(-1, ())]
        self.known: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}

    def node(self, level: int, edges: tuple[tuple[int, int], ...]) -> int:
        """The one node with these edges."""
        key = (level, edges)
        if key not in self.known:
            self.known[key] = len(self.edges)
            self.edges.append(key)
        return self.known[key]


def _diagram(builder: SpaceBuilder, columns: Sequence[Row], rows: Sequence[Row]) -> None:
    order = best_order(columns, rows)
    ordered = sorted({tuple(row[column] for column in order) for row in rows})
    diagram = _Diagram()
    root = _build(diagram, ordered, 0, len(order))
    before = builder.variables
    _write(builder, diagram, root, [columns[column] for column in order])
    builder.inert.update(range(before + 1, builder.variables + 1))
    builder.diagram_owners.append(builder.owner)
    builder.diagrams.append(
        (tuple(columns[column][0] for column in order), tuple(dict(edges) for _, edges in diagram.edges))
    )


def best_order(columns: Sequence[Row], rows: Sequence[Row]) -> list[int]:
    """Columns so ordered that few different prefixes arise: the one that adds fewest comes next."""
    order: list[int] = []
    left = list(range(len(columns)))
    sample = rows if len(rows) <= 3000 else rows[:: len(rows) // 3000 + 1]
    while left:
        best = min(left, key=lambda column: len({tuple(row[c] for c in (*order, column)) for row in sample}))
        order.append(best)
        left.remove(best)
    return order


def _build(diagram: _Diagram, rows: list[Row], level: int, width: int) -> int:
    if level == width:
        return 0
    parts: dict[int, list[Row]] = {}
    for row in rows:
        parts.setdefault(row[level], []).append(row)
    edges = tuple((literal, _build(diagram, some, level + 1, width)) for literal, some in sorted(parts.items()))
    return diagram.node(level, edges)


def _write(builder: SpaceBuilder, diagram: _Diagram, root: int, columns: list[Row]) -> None:
    """A design takes one path: through one node a level, along an edge whose value holds."""
    names = {node: builder.new() for node in range(1, len(diagram.edges))}
    builder.add(names[root])
    levels: dict[int, list[int]] = {}
    into: dict[int, list[tuple[int, int]]] = {}
    for node, (level, edges) in enumerate(diagram.edges):
        if node == 0:
            continue
        levels.setdefault(level, []).append(node)
        targets: dict[int, list[int]] = {}
        for literal, target in edges:
            targets.setdefault(target, []).append(literal)
            into.setdefault(target, []).append((node, literal))
        builder.add(-names[node], *(literal for literal, _ in edges))
        for target, literals in targets.items():
            if target:
                for literal in literals:
                    builder.add(-names[node], -literal, names[target])
    for level, nodes in sorted(levels.items()):
        carried: dict[int, list[int]] = {literal: [] for literal in columns[level]}
        for node in nodes:
            for literal, _ in diagram.edges[node][1]:
                carried[literal].append(names[node])
        for literal, through in carried.items():
            if len(through) < len(nodes):
                builder.add(-literal, *through)
        if level:
            builder.at_most_one(tuple(names[node] for node in nodes))
            for node in nodes:
                builder.add(-names[node], *(names[before] for before in dict(into[node])))
