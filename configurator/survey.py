"""What holds in every design of a model and what in none: core and dead values, counted as models are compared by."""

from dataclasses import dataclass

from configurator.engine import Engine
from configurator.search import domains_under
from configurator.space import Space


@dataclass(frozen=True, slots=True)
class Survey:
    """Values in every design, values in none, or a void model."""

    valid: bool
    core: tuple[tuple[str, str], ...] = ()
    dead: tuple[tuple[str, str], ...] = ()


def survey(space: Space, engine: Engine) -> Survey:
    """Core and dead values; a feature counts once (dead when it is never in), retired options are dead.

    Of a void model every value is dead, and none is called core.
    """
    domains = domains_under(engine, ())
    if domains is None:
        never = [
            (group.id, str(value))
            for group in space.groups
            for value, literal in zip(group.values, group.literals, strict=True)
            if literal > 0
        ]
        return Survey(False, (), tuple(never))
    core: list[tuple[str, str]] = []
    dead: list[tuple[str, str]] = []
    for group in space.groups:
        left = [literal for literal in group.literals if literal > 0 and domains.true >> literal & 1]
        for value, literal in zip(group.values, group.literals, strict=True):
            if literal < 0:
                continue
            if not domains.true >> literal & 1:
                dead.append((group.id, str(value)))
            elif group.kind == "one":
                if left == [literal] and not group.needed:
                    core.append((group.id, str(value)))
            elif not domains.false >> literal & 1:
                core.append((group.id, str(value)))
    return Survey(True, tuple(core), tuple(dead))
