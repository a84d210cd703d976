"""What every value would change in price and days."""

from collections.abc import Iterator
from dataclasses import dataclass

from configurator.analysis import domains_of, possible
from configurator.choices import banned, completed, decode, hidden_groups, key, literals_of
from configurator.compile import Compiled
from configurator.model import Answers, Texts
from configurator.nesting import present
from configurator.pricing import figures_of
from configurator.space import SpaceGroup

LISTED = 64  # numbers and days up to which a group's values carry differences


@dataclass(frozen=True, slots=True)
class Difference:
    """What a value would change; None when it is impossible."""

    price_delta: int | None
    lead_time_delta_days: int | None


def differences(
    c: Compiled, choices: Answers, texts: Texts | None = None, audiences: frozenset[str] = frozenset()
) -> dict[tuple[str, str], Difference]:
    """For every value of every group with values: the default completion with it, less the current one.

    Groups of a repeated part that is not there, and those with more than 64 values, are left out.
    Values are keyed by group id and the value as forms write it ("true", "3"). Empty when the choices conflict.
    """
    words = {group: text for group, text in (texts or {}).items() if text}
    literals, shut = literals_of(c, choices), banned(c, audiences)
    domains, mask = domains_of(c, literals, shut), completed(c, literals)
    if domains is None or mask is None:
        return {}
    price, days = figures_of(c, mask, choices, words)
    hidden = {-literal for literal in shut}
    unknown = hidden_groups(c, audiences)
    swap = _Swap(c, literals, mask)
    shown = decode(c, mask, choices)
    found: dict[tuple[str, str], Difference] = {}
    for group, code in zip(c.model.groups, c.space.groups, strict=True):
        if group.kind == "text" or len(code.literals) > LISTED or group.id in unknown:
            continue
        if not present(group, shown):
            continue
        for value, literal in zip(code.values, code.literals, strict=True):
            if literal in hidden:
                continue
            if bool(mask >> abs(literal) & 1) == (literal > 0):
                found[group.id, key(value)] = Difference(0, 0)
                continue
            other = swap.to(code, literal) if possible(literal, domains) else None
            if other is None:
                found[group.id, key(value)] = Difference(None, None)
            else:
                given = {**choices, group.id: "…"} if group.kind == "upload" else choices
                amount, wait = figures_of(c, other, given, words)
                found[group.id, key(value)] = Difference(amount - price, wait - days)
    return found


class _Swap:
    """The default completion with one more value, mostly found by changing one bit of the present completion.

    The greedy completion would find the design that differs in the one value alone, if it is valid and what every group
    would rather show is refused without the group that changes: by the choices and by what is fixed before it.
    """

    def __init__(self, c: Compiled, literals: tuple[int, ...], mask: int) -> None:
        self.c = c
        self.literals = literals
        self.mask = mask
        self.near = c.live.nearby.around(mask)
        self.missed: list[tuple[int, set[int], tuple[int, ...]]] = list(self._missed())
        self.settled: dict[int, bool] = {}

    def _missed(self) -> Iterator[tuple[int, set[int], tuple[int, ...]]]:
        """Groups that show less than their first wish: the group, what it would rather show, what is fixed before."""
        chosen = {self.c.space.home[abs(literal)] for literal in self.literals}
        fixed = [*self.literals]
        waiting = []
        for index, code in enumerate(self.c.space.groups):
            if index in chosen or (code.kind == "one" and code.needed and not self._true(code.needed)):
                continue
            missed = {literal for literal in code.defaults if not self._true(literal)}
            if missed:
                yield index, missed, tuple(fixed)
            if code.kind == "one" and code.literals and (missed or not code.defaults):
                waiting.append((code.depth, index))
            fixed += (literal for literal in code.defaults if literal not in missed)
        for _, index in sorted(waiting):
            literals = self.c.space.groups[index].literals
            place = next(place for place, literal in enumerate(literals) if self._true(literal))
            if place:
                yield index, set(literals[:place]), tuple(fixed)
            fixed.append(literals[place])

    def _true(self, literal: int) -> bool:
        meanings = self.c.space.meanings
        if literal in meanings:
            needed, wish = meanings[literal]
            return not self.mask >> needed & 1 or self._true(wish)
        return bool(self.mask >> abs(literal) & 1) == (literal > 0)

    def _alone(self, index: int) -> bool:
        """Whether nothing better can come in anywhere else when this group changes, whatever it changes to."""
        if index not in self.settled:
            self.settled[index] = all(self._refused(index, *missed) for missed in self.missed)
        return self.settled[index]

    def _refused(self, changing: int, index: int, better: set[int], fixed: tuple[int, ...]) -> bool:
        code = self.c.space.groups[changing]
        if changing == index:
            return code.kind == "one"
        variables = {abs(literal) for literal in (*code.literals, *code.defaults)}
        with self.c.live.engine() as engine:
            return better <= engine.refused([literal for literal in fixed if abs(literal) not in variables])

    def to(self, code: SpaceGroup, literal: int) -> int | None:
        """The default completion with the literal instead of what its own group holds now."""
        index = self.c.space.home[abs(literal)]
        if code.kind == "one":
            rest = tuple(x for x in self.literals if x not in code.literals)
        else:
            rest = tuple(x for x in self.literals if abs(x) != abs(literal))
        wanted = tuple(sorted((*rest, literal), key=lambda x: abs(x)))
        if self._alone(index):
            bit = 1 << abs(literal)
            swapped = (self.mask & ~code.mask | bit) if code.kind == "one" else self.mask ^ bit
            if swapped and self.near.with_value(literal, -1) == swapped:  # 0 means that none was found
                return swapped
            with self.c.live.engine() as engine:
                if swapped in engine.pool or engine.is_design(swapped):
                    return swapped
        return completed(self.c, wanted)
