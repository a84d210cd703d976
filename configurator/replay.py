"""Replays random customers on a model and measures what a click, an explanation and a repair cost."""

import gc
import random
import time
from dataclasses import dataclass, field

from pysat.solvers import Solver

from configurator.analysis import Analysis, analyse
from configurator.engine import Domains
from configurator.errors import NotKnownInTime
from configurator.foreign import Foreign
from configurator.live import Live
from configurator.model import Choices, ChoiceValue
from configurator.pricing import price
from configurator.reasons import conflict
from configurator.repairs import corrections
from configurator.space import Space, SpaceGroup

SESSION = 40  # clicks after which a customer leaves


@dataclass
class Timings:
    """CPU milliseconds of the thread."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    explain: list[float] = field(default_factory=list)
    repair: list[float] = field(default_factory=list)
    clicks: int = 0
    disagreements: int = 0
    unknown: int = 0  # questions not answered within their budget


def percentile(numbers: list[float], share: float) -> float | None:
    """The number below which that share lies; None of nothing."""
    ordered = sorted(numbers)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else None


class Replay:
    """Customers who choose at random among what is possible, and now and then insist on what is not."""

    def __init__(self, foreign: Foreign, seed: int, verify: bool) -> None:
        self.foreign = foreign
        self.space: Space = foreign.space
        self.live = foreign.compiled.live if foreign.compiled else Live(foreign.space)
        self.random = random.Random(seed)  # noqa: S311 - a measurement
        self.timings = Timings()
        self.judge = Solver(name="cadical153", bootstrap_with=self.space.clauses) if verify else None

    def run(self, clicks: int) -> Timings:
        """So many clicks, in sessions."""
        gc.collect()  # what reading the file left behind is not part of a click
        while self.timings.clicks < clicks:
            if not self._session(min(SESSION, clicks - self.timings.clicks)):
                break
        return self.timings

    def _session(self, clicks: int) -> bool:
        chosen: dict[int, tuple[int, ...]] = {}
        for _ in range(clicks):
            literals = tuple(literal for index in sorted(chosen) for literal in chosen[index])
            self.timings.clicks += 1
            try:
                domains = self._click(literals, chosen)
                if domains is None:
                    self.timings.clicks -= 1
                    return False
                if self.judge is not None:
                    self.timings.disagreements += self._compare(literals, domains)
                self._insist(domains, chosen)
            except NotKnownInTime:
                self.timings.unknown += 1
                break
            if not self._choose(domains, chosen):
                break
        return True

    def _click(self, literals: tuple[int, ...], chosen: dict[int, tuple[int, ...]]) -> Domains | None:
        started = time.thread_time()
        domains = self._answer(literals, chosen)
        self.timings.cold.append((time.thread_time() - started) * 1000)
        started = time.thread_time()
        again = self._answer(literals, chosen)
        self.timings.warm.append((time.thread_time() - started) * 1000)
        assert again == domains
        return domains

    def _answer(self, literals: tuple[int, ...], chosen: dict[int, tuple[int, ...]]) -> Domains | None:
        """What a click computes: the domains, and for a product of the house also completion and price."""
        c = self.foreign.compiled
        if c is not None:
            choices = self._choices(chosen)
            if isinstance(analyse(c, choices), Analysis):
                price(c, choices)
        return self.live.domains(literals)

    def _choices(self, chosen: dict[int, tuple[int, ...]]) -> Choices:
        choices: Choices = {}
        for index in sorted(chosen):
            group = self.space.groups[index]
            by_literal = dict(zip(group.literals, group.values, strict=True))
            value: ChoiceValue = (
                sorted(str(by_literal[x]) for x in chosen[index] if x > 0)
                if group.kind == "several"
                else by_literal[chosen[index][0]]
            )
            choices[group.id] = value
        return choices

    def _choose(self, domains: Domains, chosen: dict[int, tuple[int, ...]]) -> bool:
        """A random possible value of a random group that is still open."""
        open_groups = [
            index
            for index, group in enumerate(self.space.groups)
            if index not in chosen and len(_possible(group, domains)) > 1 and self._takes_choices(group)
        ]
        if not open_groups:
            return False
        index = self.random.choice(open_groups)
        group = self.space.groups[index]
        literal = self.random.choice(_possible(group, domains))
        if group.kind == "several":
            value = next(v for v, x in zip(group.values, group.literals, strict=True) if x == literal)
            literals = tuple(x if v == value else -x for v, x in zip(group.values, group.literals, strict=True))
            with self.live.engine() as engine:
                if not engine.holds([x for index in sorted(chosen) for x in chosen[index]] + list(literals)):
                    return False
            chosen[index] = literals
        else:
            chosen[index] = (literal,)
        return True

    def _takes_choices(self, group: SpaceGroup) -> bool:
        c = self.foreign.compiled
        return c is None or group.id in {g.id for g in c.model.groups if g.kind not in ("text", "upload")}

    def _insist(self, domains: Domains, chosen: dict[int, tuple[int, ...]]) -> None:
        """Asks for an impossible value: why, and what would make it possible."""
        index = self.random.randrange(len(self.space.groups))
        group = self.space.groups[index]
        ruled_out = [
            literal
            for literal in group.literals
            if not (domains.true if literal > 0 else domains.false) >> abs(literal) & 1
        ]
        if not ruled_out or group.kind == "several":
            return
        wanted = (self.random.choice(ruled_out),)
        rest = [chosen[other] for other in sorted(chosen) if other != index]
        started = time.thread_time()
        conflict(self.live, rest, wanted)
        self.timings.explain.append((time.thread_time() - started) * 1000)
        started = time.thread_time()
        with self.live.engine() as engine:
            corrections(engine, rest, wanted, 3)
        self.timings.repair.append((time.thread_time() - started) * 1000)

    def _compare(self, literals: tuple[int, ...], domains: Domains) -> int:
        """Values about which plain SAT says otherwise."""
        assert self.judge is not None
        wrong = 0
        fixed = set(literals)
        for group in self.space.groups:
            own = [literal for literal in literals if abs(literal) in {abs(x) for x in group.literals}]
            for literal in {*group.literals, *(-x for x in group.literals if group.kind == "several")}:
                if literal in fixed:
                    continue
                aside = own if group.kind != "several" else [-literal]
                truth = self.judge.solve(assumptions=[*(x for x in literals if x not in aside), literal])
                known = bool((domains.true if literal > 0 else domains.false) >> abs(literal) & 1)
                wrong += known != truth
        return wrong


def _possible(group: SpaceGroup, domains: Domains) -> list[int]:
    return [x for x in group.literals if (domains.true if x > 0 else domains.false) >> abs(x) & 1]
