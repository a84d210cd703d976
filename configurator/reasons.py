"""Why a value is impossible: the customer's own choices that stand against it, and the owner's rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pysat.solvers import Solver

from configurator.choices import banned, group_literals, literals_of
from configurator.compile import Compiled
from configurator.live import Live
from configurator.model import Answers, ChoiceValue
from configurator.space import Space


@dataclass(frozen=True, slots=True)
class RuleReason:
    """A rule of the owner, with the reason in the owner's words."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A smallest set of choices and rules that cannot hold together (none smaller is contained in it)."""

    culprits: tuple[tuple[str, ChoiceValue], ...]
    rules: tuple[RuleReason, ...]
    literals: tuple[int, ...] = ()


def explain(c: Compiled, choices: Answers, want: Answers, audiences: frozenset[str] = frozenset()) -> Explanation:
    """Why the wanted values do not go with the choices; empty when they do."""
    rest = {group: value for group, value in choices.items() if group not in want}
    wanted = literals_of(c, want)
    found = explain_conflict(c, literals_of(c, rest), banned(c, audiences), wanted)
    return Explanation(culprits_of(c, rest, found.literals), found.rules)


def explain_conflict(
    c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...], wanted: tuple[int, ...] = ()
) -> Explanation:
    """A minimal conflict among the literals, given the wanted ones; empty when there is none."""
    found = conflict(c.live, literals, (*shut, *wanted))
    if found is None:
        return Explanation((), ())
    culprits, rules = found
    return Explanation((), tuple(RuleReason(c.model.rules[i].id, c.model.rules[i].reason) for i in rules), culprits)


def conflict(
    live: Live, literals: Sequence[int], fixed: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Minimal literals that contradict the fixed ones, and the indices of minimal rules that make them do so."""
    with live.engine() as engine:
        if engine.holds([*literals, *fixed]):
            return None
        culprits = minimal(literals, lambda kept: not engine.holds([*fixed, *kept]))
    return tuple(culprits), tuple(_rules(live.space, [*fixed, *culprits]))


def culprits_of(c: Compiled, choices: Answers, literals: Sequence[int]) -> tuple[tuple[str, ChoiceValue], ...]:
    """The choices that hold the literals."""
    return tuple(
        (group, value) for group, value in choices.items() if set(group_literals(c, group, value)) & set(literals)
    )


def minimal(items: Sequence[int], conflicts: Callable[[Sequence[int]], bool]) -> list[int]:
    """A subset of the items that still conflicts and none of whose items can be left out.

    Items are tried in their order, so that the answer does not depend on the solver's state.
    Source: QuickXplain (Junker, AAAI 2004).
    """

    def search(background: list[int], added: bool, candidates: list[int]) -> list[int]:
        if added and conflicts(background):
            return []
        if len(candidates) == 1:
            return candidates
        half = len(candidates) // 2
        left, right = candidates[:half], candidates[half:]
        from_right = search([*background, *left], True, right)
        from_left = search([*background, *from_right], bool(from_right), left)
        return from_left + from_right

    candidates = list(items)
    if not candidates or conflicts([]):
        return []
    return search([], False, candidates)


def _rules(space: Space, assumptions: list[int]) -> list[int]:
    """A minimal set of rules that makes the assumptions impossible; the structure of the groups always holds."""
    first = space.variables + 1
    with Solver(name="minisat22") as solver:
        for clause, owner in zip(space.clauses, space.owners, strict=True):
            solver.add_clause(clause if owner < 0 else (*clause, -(first + owner)))
        selectors = [first + index for index in sorted(set(space.owners) - {-1})]
        kept = minimal(selectors, lambda some: not solver.solve(assumptions=[*assumptions, *some]))
    return sorted(selector - first for selector in kept)
