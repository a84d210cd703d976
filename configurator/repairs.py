"""The smallest ways out: which choices to change so that a wanted value fits, and what that changes."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from configurator.choices import banned, completed, decode, literals_of
from configurator.compile import Compiled
from configurator.engine import Engine
from configurator.model import Answers, Choices, Texts
from configurator.pricing import amount_of, days_of

TRIES = 400  # relaxations looked at before the answer is what was found so far


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
    shut = banned(c, audiences)
    wanted = literals_of(c, want)
    rest = {group: value for group, value in choices.items() if group not in want}
    literals = literals_of(c, rest)
    with c.live.engine() as engine:
        relaxed = corrections(engine, literals, (*shut, *wanted), k)
    before = completed(c, literals_of(c, choices))
    found = []
    for number, given_up in enumerate(relaxed):
        kept = tuple(sorted((x for x in (*literals, *wanted) if x not in given_up), key=lambda x: abs(x)))
        mask = completed(c, kept)
        if mask is None:
            continue
        values = decode(c, mask, choices)
        homes = {c.space.groups[c.space.home[abs(literal)]].id for literal in given_up}
        changes = dict(want) | {group: values[group] for group in rest if group in homes and group in values}
        drop = tuple(group for group in rest if group in homes and group not in values)
        price = amount_of(c, mask, choices, words)
        repair = Repair(
            set=changes,
            drop=drop,
            price_delta=None if before is None else price - amount_of(c, before, choices, words),
            lead_time_delta_days=None if before is None else days_of(c, mask, choices) - days_of(c, before, choices),
        )
        found.append((len(changes) + len(drop), price, number, repair))
    found.sort(key=lambda entry: entry[:3])
    return tuple(repair for *_, repair in found[:k])


def corrections(engine: Engine, soft: Sequence[int], hard: Sequence[int], k: int) -> list[frozenset[int]]:
    """Minimal sets of soft literals to give up so that the rest fits: all of the smallest sizes, until there are k.

    Source: implicit hitting sets (Moreno-Centeno and Karp, 2013): a set must meet every core found so far.
    """
    if not engine.holds(hard):
        return []
    order = {literal: position for position, literal in enumerate(soft)}
    cores: list[list[int]] = []
    queue: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    seen: set[tuple[int, ...]] = {()}
    found: list[frozenset[int]] = []
    tries = 0
    while queue and tries < TRIES:
        size, given_up = heapq.heappop(queue)
        out = {soft[position] for position in given_up}
        if found and len(found) >= k and size > len(found[-1]):
            break
        if any(other <= out for other in found):
            continue
        unmet = next((core for core in cores if not out.intersection(core)), None)
        if unmet is None:
            tries += 1
            core = engine.core([*hard, *(literal for literal in soft if literal not in out)])
            if core is None:
                found.append(frozenset(out))
                continue
            unmet = [literal for literal in core if literal in order]
            cores.append(unmet)
        for literal in unmet:
            wider = tuple(sorted((*given_up, order[literal])))
            if wider not in seen:
                seen.add(wider)
                heapq.heappush(queue, (size + 1, wider))
    return found
