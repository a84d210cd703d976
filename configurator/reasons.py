"""Why a value is impossible: the customer's own choices that stand against it, and the owner's rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from configurator.choices import banned, group_literals, literals_of
from configurator.compile import Compiled
from configurator.live import Live
from configurator.model import Answers, ChoiceValue


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


def explain(c: Compiled, choices: Answers, want: Answers, audiences: frozenset[str] = frozenset()) -> Explanation:
    """Why the wanted values do not go with the choices; empty when they do."""
    rest = {group: value for group, value in choices.items() if group not in want}
    return explain_conflict(c, rest, (*banned(c, audiences), *literals_of(c, want)))


def explain_conflict(c: Compiled, choices: Answers, fixed: tuple[int, ...]) -> Explanation:
    """A minimal conflict among the choices, given literals that hold anyway; empty when there is none."""
    names = list(choices)
    found = conflict(c.live, [tuple(group_literals(c, group, choices[group])) for group in names], fixed)
    if found is None:
        return Explanation((), ())
    culprits = tuple((names[position], choices[names[position]]) for position in found[0])
    return Explanation(culprits, tuple(RuleReason(c.model.rules[i].id, c.model.rules[i].reason) for i in found[1]))


def conflict(
    live: Live, choices: Sequence[tuple[int, ...]], fixed: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Positions of minimal choices that contradict the fixed literals, and minimal rules that make them do so."""
    with live.engine() as engine:
        if engine.holds([*fixed, *(x for literals in choices for x in literals)]):
            return None
        culprits = minimal(
            range(len(choices)), lambda kept: not engine.holds([*fixed, *(x for at in kept for x in choices[at])])
        )
    culprits.sort()
    return tuple(culprits), tuple(live.contradictions.rules([*fixed, *(x for at in culprits for x in choices[at])]))


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
