"""Counts the valid designs exactly, in a process of its own that is stopped when its time is up."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from configurator.choices import banned, literals_of
from configurator.compile import Compiled
from configurator.model import Answers
from configurator.space import Space

BUDGET_SECONDS = 60.0


def count(
    c: Compiled, choices: Answers, seconds: float = BUDGET_SECONDS, audiences: frozenset[str] = frozenset()
) -> int | None:
    """The number of valid designs that hold the choices, without others' private options; None when not known in time.

    Words and files make no further design.
    """
    literals = literals_of(c, choices)
    shut = tuple(literal for literal in banned(c, audiences) if -literal not in literals)
    return count_designs(c.space, seconds, (*literals, *shut))


def count_designs(space: Space, seconds: float = BUDGET_SECONDS, assumed: Sequence[int] = ()) -> int | None:
    """The number of valid designs, or None when it is not known in time (or no counter is installed).

    Only the values of groups are counted: what auxiliary variables may be beside them makes no further design.
    """
    values = sorted({abs(literal) for group in space.groups for literal in group.literals})
    if not values:
        return 1
    lines = [f"{space.variables} {' '.join(map(str, values))}"]
    lines += [" ".join(map(str, clause)) for clause in space.clauses]
    lines += [str(literal) for literal in assumed]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "configurator.counting"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=Path(__file__).parents[1],
        )
    except subprocess.TimeoutExpired:
        return None
    answer = done.stdout.strip().rpartition("\n")[2]  # the counter may say more before it
    return int(answer) if done.returncode == 0 and answer.isdecimal() else None


def _child() -> None:
    """Reads variables, counted variables and clauses; writes the count."""
    from pyganak import Counter  # noqa: PLC0415 - loaded in the child alone, which may die of it

    sys.set_int_max_str_digits(0)
    first, *clauses = sys.stdin.read().split("\n")
    variables, *values = map(int, first.split())
    counter = Counter()
    counter.new_vars(variables)
    counter.add_clauses([[int(word) for word in clause.split()] for clause in clauses])
    if len(values) < variables:
        counter.set_sampling_set(values)
    sys.stdout.write(str(counter.count()))


if __name__ == "__main__":
    _child()
