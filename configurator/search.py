"""What is still possible: the pool of known designs first, then designs near one of them, then the solver."""

from configurator.engine import Domains, Engine
from configurator.space import bits_of

WORTH = 20  # one in so many must be found for the neighbours of a new design to be looked at again
RETRY = 8  # unseen values from which the neighbours of a new design are looked at before asking again


def domains_under(
    engine: Engine,
    chosen: tuple[int, ...],
    banned: tuple[int, ...] = (),
    within: Domains | None = None,
    settled: frozenset[int] = frozenset(),
) -> Domains | None:
    """The domains under the chosen literals, or None when these contradict each other.

    Args:
        engine: the solver.
        chosen: literals, each set aside in turn for its own group's domain.
        banned: literals that always hold.
        within: domains under fewer choices, which can only have been wider.
        settled: chosen literals whose own group has exactly the domain it has in `within`.
    """
    return _Search(engine, chosen, banned, within, settled).run()


class _Search:
    """One question for domains: the pool first, then propagation, then the solver for what is still unseen."""

    def __init__(
        self,
        engine: Engine,
        chosen: tuple[int, ...],
        banned: tuple[int, ...],
        within: Domains | None,
        settled: frozenset[int],
    ) -> None:
        self.engine = engine
        self.settled = settled
        self.wide_true = within.true if within else -1
        self.wide_false = within.false if within else -1
        self.space = engine.space
        self.chosen = chosen
        self.banned = banned
        self.assumptions = [*chosen, *banned]
        self.want = self.care = 0
        for literal in self.assumptions:
            bit = 1 << abs(literal)
            self.care |= bit
            if literal > 0:
                self.want |= bit
        self.flips: dict[int, int] = {1 << abs(literal): 0 for literal in chosen}
        self.seen_true = 0
        self.seen_always = -1
        self.sample: int | None = None
        self.taken = 0

    def run(self) -> Domains | None:
        want, care, flips = self.want, self.care, self.flips
        for witness in self.engine.pool:  # as _look does, but without a call for each
            difference = (witness ^ want) & care
            if not difference:
                self._look(witness)
            elif difference in flips:
                flips[difference] |= witness
        taken = self.care
        for literal in self.chosen:
            group = self.space.groups[self.space.home[abs(literal)]]
            taken |= group.mask if group.kind == "one" else 1 << abs(literal)
        if self.sample is None:
            first = self.engine.solve(self.assumptions)
            if first is None:
                return None
            self._look(first)
        assert self.sample is not None
        self.near = self.engine.nearby.around(self.sample)
        self.taken = taken
        exclusive, free = self.space.exclusive_mask, self.space.free_mask
        self._base((exclusive | free) & ~taken, free & ~taken)
        true = self.seen_true & ~taken
        false = free & ~taken & ~self.seen_always
        for literal in self.chosen:
            positive, negative = self._own(literal)
            true |= positive
            false |= negative
        return Domains(true, false)

    def _look(self, witness: int) -> None:
        difference = (witness ^ self.want) & self.care
        if not difference:
            self.seen_true |= witness
            self.seen_always &= witness
            self.sample = witness
        elif difference in self.flips:  # one bit only: a single choice is different
            self.flips[difference] |= witness

    def _base(self, positive: int, negative: int) -> None:
        """Settles every value outside the chosen groups."""
        unseen = positive & self.wide_true & ~self.seen_true
        always = negative & self.wide_false & self.seen_always
        if unseen or always:
            _, implied = self.engine.solver.propagate(assumptions=self.assumptions)
            for literal in implied:
                if literal < 0:
                    unseen &= ~(1 << -literal)
                else:
                    always &= ~(1 << literal)
            unseen, always = self._nearby(unseen, always, self.taken)
        if unseen or always:
            self._ask(unseen, always)

    def _nearby(self, unseen: int, always: int, taken: int) -> tuple[int, int]:
        """What is left unseen once designs near a known one have been looked at."""
        alone = self.near.alone(unseen & ~self.care)
        unseen &= ~alone
        self.seen_true |= alone
        for literal in (*bits_of(unseen & ~self.care), *(-v for v in bits_of(always & ~self.care))):
            if not (unseen if literal > 0 else always) >> abs(literal) & 1:
                continue
            found = self.near.with_value(literal, taken)
            if found:
                unseen &= ~found
                always &= found
                self.seen_true |= found
                self.seen_always &= found
        return unseen, always

    def _ask(self, unseen: int, always: int) -> None:
        """Asks the solver for each value left, led toward those not yet seen."""
        solver = self.engine.solver
        seen = self.space.exclusive_mask & ~unseen  # else the solver would repeat what it showed last
        solver.set_phases([*bits_of(unseen), *(-v for v in bits_of(seen | always))])
        swapping = True
        while unseen or always:
            literal = (unseen & -unseen).bit_length() - 1 if unseen else 1 - (always & -always).bit_length()
            witness = self.engine.solve([*self.assumptions, literal])
            if witness is None:
                unseen &= ~(1 << literal if literal > 0 else 0)
                always &= ~(1 << -literal if literal < 0 else 0)
                continue
            self._look(witness)
            before = unseen
            unseen &= ~witness
            always &= witness
            left = unseen.bit_count() + always.bit_count()
            if swapping and left > RETRY:
                self.near = self.near.moved(witness)
                unseen, always = self._nearby(unseen, always, -1)
                swapping = (left - unseen.bit_count() - always.bit_count()) * WORTH >= left
            solver.set_phases([-v for v in bits_of(before & ~unseen)])

    def _own(self, literal: int) -> tuple[int, int]:
        """What the group of a chosen literal could be instead, with this choice set aside; and what it is."""
        bit = 1 << abs(literal)
        group = self.space.groups[self.space.home[abs(literal)]]
        if literal in self.settled:
            return self.wide_true & group.mask, self.wide_false & group.mask if group.kind != "one" else 0
        others = [other for other in self.assumptions if other != literal]
        if group.kind != "one":
            wide = self.wide_true if literal < 0 else self.wide_false
            flipped = bool(self.flips[bit]) or (
                bool(wide & bit)
                and (bool(self.near.with_value(-literal, self.taken & ~bit)) or self._flip(others, -literal))
            )
            positive = literal > 0 or flipped
            return (bit if positive else 0), (bit if literal < 0 or flipped else 0)
        possible = self.flips[bit] & group.mask | bit
        unseen = group.mask & self.wide_true & ~possible
        for other in bits_of(unseen & ~self.care):
            if self.near.with_value(other, self.taken & ~group.mask):
                unseen ^= 1 << other
                possible |= 1 << other
        if unseen:
            _, implied = self.engine.solver.propagate(assumptions=others)
            for other in implied:
                if other < 0:
                    unseen &= ~(1 << -other)
                elif other in group.literals:
                    unseen &= 1 << other
        while unseen:
            other = (unseen & -unseen).bit_length() - 1
            unseen &= unseen - 1
            witness = self.engine.solve([*others, other])
            if witness is not None:
                self._look(witness)
                possible |= 1 << other
        return possible, 0

    def _flip(self, others: list[int], literal: int) -> bool:
        _, implied = self.engine.solver.propagate(assumptions=others)
        if -literal in implied:
            return False
        return self.engine.solve([*others, literal]) is not None
