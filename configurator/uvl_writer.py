"""Writes a model in the Universal Variability Language: groups as a tree, rules as Boolean constraints."""

from configurator.errors import ModelError
from configurator.space import Space, SpaceGroup


def write_uvl(space: Space, name: str) -> str:
    """The UVL text with the same designs; features are named `group: value`, or by the group when it is a flag.

    Auxiliary variables of counts, sums and wide tables become features of their own, marked abstract.

    Raises:
        ModelError: a name that UVL cannot hold.
    """
    names = {}
    for group in space.groups:
        for value, literal in zip(group.values, group.literals, strict=True):
            if literal > 0:
                names[literal] = _quoted(group.id if group.kind == "flag" else f"{group.id}: {value}")
    unnamed = [variable for variable in range(1, space.variables + 1) if variable not in names]
    names |= {variable: _quoted(f"auxiliary {variable}") for variable in unnamed}
    lines = ["features", f"    {_quoted(name)} {{abstract true}}"]
    ones = [group for group in space.groups if group.kind == "one" and group.literals]
    free = [literal for group in space.groups if group.kind != "one" for literal in group.literals if literal > 0]
    for group in ones:
        lines += _group(group, names)
    if free or unnamed:
        lines.append("        optional")
        lines += [f"            {names[literal]}" for literal in free]
        lines += [f"            {names[variable]} {{abstract true}}" for variable in unnamed]
    lines.append("constraints")
    for clause in space.clauses:
        if not clause:
            lines.append(f"    !{_quoted(name)}")
        elif not _structural(clause, space):
            lines.append("    " + " | ".join(names[x] if x > 0 else f"!{names[-x]}" for x in clause))
    return "\n".join(lines) + "\n"


def _group(group: SpaceGroup, names: dict[int, str]) -> list[str]:
    keyword = "[0..1]" if group.needed else "alternative"
    indent = "        "
    if group.needed or len(group.literals) > 1:
        return [f"{indent}{keyword}", *(f"{indent}    {names[literal]}" for literal in group.literals)]
    return [f"{indent}mandatory", f"{indent}    {names[group.literals[0]]}"]


def _structural(clause: tuple[int, ...], space: Space) -> bool:
    """Whether the tree already says it: two values of one group never go together."""
    if len(clause) != 2 or clause[0] > 0 or clause[1] > 0:
        return False
    homes = [space.home.get(-literal) for literal in clause]
    return homes[0] is not None and homes[0] == homes[1] and space.groups[homes[0]].kind == "one"


def _quoted(name: str) -> str:
    if '"' in name or "\n" in name:
        raise ModelError(name, 1, "UVL names hold neither quotes nor line breaks")
    return f'"{name}"'
