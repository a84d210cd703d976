"""Boolean formulas over literals, and their clauses: distributed while small, with auxiliary variables beyond."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

MAX_PRODUCT = 24  # clauses that distribution may make of one disjunction before it gets an auxiliary variable


class Conj(NamedTuple):
    """Every part holds; empty: true."""

    parts: tuple["Formula", ...]


class Disj(NamedTuple):
    """At least one part holds; empty: false."""

    parts: tuple["Formula", ...]


Formula = int | Conj | Disj
TRUE = Conj(())
FALSE = Disj(())


def negate(formula: Formula) -> Formula:
    """The negation, pushed down to the literals."""
    if isinstance(formula, int):
        return -formula
    parts = tuple(negate(part) for part in formula.parts)
    return Disj(parts) if isinstance(formula, Conj) else Conj(parts)


def clauses_of(formula: Formula, new_variable: Callable[[], int]) -> Iterable[tuple[int, ...]]:
    """Clauses that hold, for some value of the new variables, exactly when the formula does."""
    made: list[tuple[int, ...]] = []
    for clause in _clauses(formula, new_variable, made):
        literals = tuple(dict.fromkeys(clause))
        if not any(-literal in literals for literal in literals):
            made.append(literals)
    return made


def _clauses(formula: Formula, new: Callable[[], int], made: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    if isinstance(formula, int):
        return [(formula,)]
    if isinstance(formula, Conj):
        return [clause for part in formula.parts for clause in _clauses(part, new, made)]
    plain = tuple(part for part in formula.parts if isinstance(part, int))
    product: list[tuple[int, ...]] = [plain]
    for part in formula.parts:
        if isinstance(part, int):
            continue
        inner = _clauses(part, new, made)
        if len(inner) > 1 and len(product) * len(inner) > MAX_PRODUCT:
            name = new()
            made.extend((-name, *clause) for clause in inner)
            inner = [(name,)]
        product = [left + right for left in product for right in inner]
    return product
