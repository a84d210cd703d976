"""The smallest ways out: which choices to change so that a wanted value fits, and what that changes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pysat.examples.hitman import Hitman

from configurator.choices import banned, completed, decode, group_literals, literals_of
from configurator.compile import Compiled
from configurator.course import preferred
from configurator.engine import Engine
from configurator.model import Answers, Choices, Texts
from configurator.pricing import amount_of, days_of

TRIES = 200  # sets looked at before one that is minimal, though perhaps not the smallest, is the answer


@dataclass(frozen=True, slots=True)
class Repair:
    """Apply it as: choices without `drop`, updated with `set`. Differences are None when the choices had no price."""

    set: Choices
    drop: tuple[str, ...]
    price_delta: int | None
    lead_time_delta_days: int | None


def repairs(
    c: Compiled,
    choices: Answers,
    want: Answers,
    texts: Texts | None = None,
    k: int = 3,
    audiences: frozenset[str] = frozenset(),
) -> tuple[Repair, ...]:
    """Up to k minimal changes that make the wanted values fit: fewest changes first, then the lower price."""
    words = texts or {}
    fixed = (*banned(c, audiences), *literals_of(c, want))
    rest = {group: value for group, value in choices.items() if group not in want}
    soft = [tuple(group_literals(c, group, value)) for group, value in rest.items()]
    with c.live.engine() as engine:
        relaxed = corrections(engine, soft, fixed, k)
    before = completed(c, literals_of(c, choices))
    names = list(rest)
    found = []
    for number, given_up in enumerate(relaxed):
        after = _after(c, rest, want, [names[position] for position in sorted(given_up)])
        mask = completed(c, literals_of(c, after))
        if mask is None:
            continue
        values = decode(c, mask, choices)
        homes = [names[position] for position in sorted(given_up)]
        changes = dict(want) | {group: values[group] for group in homes if group in values}
        price = amount_of(c, mask, choices, words)
        repair = Repair(
            set=changes,
            drop=tuple(group for group in homes if group not in values),
            price_delta=None if before is None else price - amount_of(c, before, choices, words),
            lead_time_delta_days=None if before is None else days_of(c, mask, choices) - days_of(c, before, choices),
        )
        found.append((len(homes), price, number, repair))
    found.sort(key=lambda entry: entry[:3])
    return tuple(repair for *_, repair in found[:k])


def _after(c: Compiled, rest: Answers, want: Answers, given_up: Sequence[str]) -> Choices:
    """The choices without those given up; of several options given up, as many stay as they are as can."""
    kept = {group: value for group, value in (*rest.items(), *want.items()) if group not in given_up}
    wishes = [x for group in given_up if isinstance(rest[group], list) for x in group_literals(c, group, rest[group])]
    if wishes:
        with c.live.engine() as engine:
            mask = preferred(engine, literals_of(c, kept), wishes)
        if mask is not None:
            values = decode(c, mask, rest)
            kept |= {group: values[group] for group in given_up if isinstance(rest[group], list) and group in values}
    return kept


def corrections(engine: Engine, soft: Sequence[tuple[int, ...]], hard: Sequence[int], k: int) -> list[frozenset[int]]:
    """Minimal sets of choices to give up so that the rest fits: all of the smallest sizes, until there are k.

    Args:
        engine: the solver.
        soft: for each choice the literals it fixes.
        hard: literals that must hold.
        k: how many sets are wanted.

    Returns:
        Positions in `soft`. Source: implicit hitting sets (Moreno-Centeno and Karp, 2013): a set must meet every core.
    """
    if not engine.holds(hard):
        return []
    home = {literal: position for position, literals in enumerate(soft) for literal in literals}

    def unmet(given_up: Collection[int]) -> list[int] | None:
        """Choices of which one more must go, when those are given up; None when the rest fits."""
        kept = [x for position, literals in enumerate(soft) if position not in given_up for x in literals]
        core = engine.core([*hard, *kept])
        return None if core is None else sorted({home[literal] for literal in core if literal in home})

    found: list[frozenset[int]] = []
    first = unmet(())
    if first is None:
        return [frozenset()]
    with Hitman(bootstrap_with=[first], solver="m22", htype="sorted") as sets:
        for _ in range(TRIES):
            given_up = sets.get()
            if given_up is None or (len(found) >= k and len(given_up) > len(found[-1])):
                return found
            further = unmet(given_up)
            if further is None:
                found.append(frozenset(given_up))
                sets.block(given_up)
            else:
                sets.hit(further)
    return [_greedy(engine, soft, hard)]  # what was found until then depends on the order in which reasons were met


def _greedy(engine: Engine, soft: Sequence[tuple[int, ...]], hard: Sequence[int]) -> frozenset[int]:
    """A set of which nothing can be kept, though perhaps not the smallest: the earlier choices stay where they can."""
    kept, out = list(hard), []
    for position, literals in enumerate(soft):
        if engine.holds([*kept, *literals]):
            kept += literals
        else:
            out.append(position)
    return frozenset(out)
