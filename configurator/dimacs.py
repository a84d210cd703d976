"""Reads DIMACS files: clauses over features, named by comment lines `c NUMBER NAME`."""

from configurator.errors import ModelError
from configurator.space import Space, SpaceBuilder, SpaceGroup

MAX_VARIABLES = 200_000


def read_dimacs(text: str, source: str) -> Space:
    """The space of a DIMACS text, every variable a feature that is in or out.

    Raises:
        ModelError: naming the line.
    """
    builder = SpaceBuilder()
    names: dict[int, str] = {}
    variables = clauses = -1
    pending: list[int] = []
    number = 0
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0] == "%":
            continue
        if words[0] == "c":
            if len(words) > 2 and words[1].isdecimal():
                names[int(words[1])] = " ".join(words[2:])
        elif words[0] == "p":
            if len(words) != 4 or words[1] != "cnf" or not (words[2].isdecimal() and words[3].isdecimal()):
                raise ModelError(source, number, "expected: p cnf VARIABLES CLAUSES")
            variables, clauses = int(words[2]), int(words[3])
            if variables > MAX_VARIABLES:
                raise ModelError(source, number, f"more than {MAX_VARIABLES:,} variables")
        else:
            pending = _literals(words, variables, pending, builder, source, number)
    if variables < 0:
        raise ModelError(source, max(number, 1), "there is no line `p cnf VARIABLES CLAUSES`")
    if pending or len(builder.clauses) != clauses:
        raise ModelError(source, number, f"{clauses} clauses were announced, {len(builder.clauses)} are complete")
    return features_space([names.get(v, f"v{v}") for v in range(1, variables + 1)], builder)


def _literals(
    words: list[str], variables: int, pending: list[int], builder: SpaceBuilder, source: str, line: int
) -> list[int]:
    for word in words:
        try:
            literal = int(word)
        except ValueError:
            raise ModelError(source, line, f"{word!r} is not a literal") from None
        if abs(literal) > variables:
            raise ModelError(source, line, f"variable {abs(literal)} was not announced")
        if literal:
            pending.append(literal)
        else:
            builder.owner = len(builder.clauses)
            builder.add(*pending)
            pending = []
    return pending


def features_space(names: list[str], builder: SpaceBuilder, rules: list[str] | None = None) -> Space:
    """A space whose first variables are features; without rule names, every clause is a rule of its own."""
    groups = tuple(
        SpaceGroup(name, "flag", (True, False), (variable, -variable), 0, (-variable,))
        for variable, name in enumerate(names, 1)
    )
    return Space(
        groups=groups,
        variables=max(builder.variables, len(names)),
        tracked=len(names),
        clauses=tuple(builder.clauses),
        owners=tuple(builder.owners),
        rules=tuple(rules if rules is not None else (f"clause {n + 1}" for n in range(len(builder.clauses)))),
    )
