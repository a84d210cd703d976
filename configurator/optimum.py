"""The best valid design by a sum of weights on literals: exact, by core-guided MaxSAT."""

from collections.abc import Iterable, Sequence

from pysat.examples.rc2 import RC2, RC2Stratified
from pysat.formula import WCNF

from configurator.space import Space


def minimise(
    space: Space,
    assumptions: Sequence[int],
    weights: Iterable[tuple[int, int]],
    extra: Sequence[tuple[int, ...]] = (),
) -> tuple[int, tuple[int, ...]] | None:
    """The smallest total weight of true literals, and the literals of the weighted variables that reach it.

    Args:
        space: the model.
        assumptions: literals that must hold.
        weights: pairs of literal and integer weight, negative ones included.
        extra: further clauses, over further variables.

    Returns:
        None when no valid design meets the assumptions.
    """
    formula = WCNF()
    for clause in (*space.clauses, *extra):
        formula.append(list(clause))
    for literal in assumptions:
        formula.append([literal])
    constant = 0
    summed: dict[int, int] = {}
    for literal, weight in weights:
        summed[literal] = summed.get(literal, 0) + weight
    for literal, weight in summed.items():
        if weight > 0:
            formula.append([-literal], weight=weight)
        elif weight < 0:
            constant += weight
            formula.append([literal], weight=-weight)
    # Heavy weights first: prices differ by orders of magnitude, and without strata the search gets lost in them.
    with RC2Stratified(formula, solver="g4", blo="full") if formula.soft else RC2(formula) as solver:
        model = solver.compute()
        if model is None:
            return None
        truth = set(model)
        pattern = tuple(literal if literal in truth else -literal for literal, weight in summed.items() if weight)
        return constant + int(solver.cost), pattern
