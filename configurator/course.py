"""Completes to the design that keeps as much as possible of what is wished, in order: the defaults, or a taste."""

from collections.abc import Iterable, Sequence

from configurator.engine import Engine


def default_completion(engine: Engine, assumptions: Sequence[int]) -> int | None:
    """The default completion: keeps defaults greedily in group order, then fills groups by their first value."""
    engine.solver.set_phases(engine.space.defaults)
    return preferred(engine, assumptions, ())


def preferred(engine: Engine, assumptions: Sequence[int], wishes: Iterable[int]) -> int | None:
    """The design that keeps the wishes greedily in the order given, then the defaults."""
    design = engine.solve(assumptions)
    if design is None:
        return None
    course = _Course(engine, design, assumptions)
    for literal in wishes:
        course.first((literal,))
    for literal in engine.space.defaults:
        course.first((literal,))
    for needed, literals in engine.space.fillings:
        if (not needed or engine.true(course.design, needed)) and not course.decided(literals):
            course.first(literals)
    return course.design


class _Course:
    """The way from one valid design to the one that has what is wished, one wish after the other."""

    def __init__(self, engine: Engine, design: int, assumptions: Sequence[int]) -> None:
        self.engine = engine
        self.design = design
        self.near = engine.nearby.around(design)
        self.fixed: dict[int, None] = {}
        self.taken = 0
        self.conditional: list[int] = []
        self.refused: frozenset[int] | None = None
        for literal in assumptions:
            self._fix(literal)

    def _fix(self, literal: int) -> None:
        self.fixed[literal] = None
        if literal in self.engine.space.meanings:
            self.conditional.append(literal)
        else:
            self.taken |= 1 << abs(literal)

    def first(self, alternatives: tuple[int, ...]) -> None:
        """Fixes the first alternative that is possible with all that is fixed already."""
        self.refused = None
        for literal in alternatives:
            if self.engine.true(self.design, literal) or self._move(literal):
                self._fix(literal)
                return

    def _move(self, literal: int) -> bool:
        """Goes to a design with the literal, if there is one."""
        if self.refused and literal in self.refused:
            return False
        space = self.engine.space
        wish = space.meanings.get(literal, (0, literal))[1]
        group = space.groups[space.home[abs(wish)]]
        own = self.taken & (group.mask if group.kind == "one" else 1 << abs(wish))
        if wish == literal and (own & self.design or self.near.excludes(wish, self.taken)):
            return False
        found = 0 if own else self.near.with_value(wish, self.taken)
        if found and all(self.engine.true(found, other) for other in self.conditional):
            self._go(found)
            return True
        solved = self.engine.solve([*self.fixed, literal])
        if solved is None:
            if self.refused is None:  # of a hundred days most fall together
                self.refused = self.engine.refused([*self.fixed])
            return False
        self._go(solved)
        return True

    def _go(self, design: int) -> None:
        self.design = design
        self.near = self.near.moved(design)

    def decided(self, literals: tuple[int, ...]) -> bool:
        """Whether a needed one-of group already has its value: chosen, or its default kept."""
        defaults = self.engine.space.groups[self.engine.space.home[abs(literals[0])]].defaults if literals else ()
        return not literals or any(literal in self.fixed for literal in (*literals, *defaults))
