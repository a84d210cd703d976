"""Completes choices to a whole valid design: by default, at the lowest price, soonest, or nearest to a taste."""

from collections.abc import Mapping
from typing import Literal

from configurator.choices import banned, completed, decode, literals_of
from configurator.compile import Compiled
from configurator.errors import Unsatisfiable
from configurator.linear import days_terms, price_terms
from configurator.model import Answers, Choices
from configurator.optimum import minimise
from configurator.pricing import amount_of

Objective = Literal["default", "cheapest", "fastest", "taste"]
TASTE_STEPS = 1_000_000  # a taste weight counts to the sixth decimal


def complete(
    c: Compiled,
    choices: Answers,
    objective: Objective = "default",
    weights: Mapping[tuple[str, str], float] | None = None,
    audiences: frozenset[str] = frozenset(),
) -> Choices:
    """A complete valid design that holds the choices.

    Args:
        c: the product.
        choices: what the customer chose.
        objective: default keeps defaults; cheapest and fastest are exact; taste maximises the sum of weights.
        weights: for taste: how much each (group, value) is liked; values are written as in forms.
        audiences: whose private options may be filled in by cheapest, fastest and taste.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    return decode(c, best_mask(c, choices, objective, weights, audiences), choices)


def best_mask(
    c: Compiled,
    choices: Answers,
    objective: Objective,
    weights: Mapping[tuple[str, str], float] | None,
    audiences: frozenset[str],
) -> int:
    """The design that `complete` answers, as the solver holds it."""
    literals = literals_of(c, choices)
    mask = completed(c, literals)
    if mask is None:
        raise Unsatisfiable(f"no valid {c.model.slug} has these choices")
    shut = tuple(literal for literal in banned(c, audiences) if -literal not in literals)
    with c.live.engine() as engine:
        if not engine.holds([*literals, *shut]):
            shut = ()
    if objective == "default" or (objective == "taste" and not weights):
        return mask
    if objective == "taste":
        terms = _taste_terms(c, weights or {})
        found = minimise(c.space, [*literals, *shut], terms)
        return mask if found is None else _with(c, (*literals, *shut), found[1])
    key = (objective, literals, shut)
    if objective == "fastest":
        return c.live.completions.get(key, lambda: _fastest(c, literals, shut))
    return c.live.completions.get(key, lambda: _cheapest(c, literals, shut, choices))


def from_price(c: Compiled) -> int:
    """The lowest price of any design that everyone may order; exact."""
    return amount_of(c, best_mask(c, {}, "cheapest", None, frozenset()), {}, {})


def _with(c: Compiled, fixed: tuple[int, ...], pattern: tuple[int, ...]) -> int:
    """The default completion that also has the pattern."""
    with c.live.engine() as engine:
        mask = engine.complete([*fixed, *(literal for literal in pattern if abs(literal) <= c.space.tracked)])
    assert mask is not None
    return mask


def _taste_terms(c: Compiled, weights: Mapping[tuple[str, str], float]) -> list[tuple[int, int]]:
    terms = []
    for code in c.space.groups:
        for value, literal in zip(code.values, code.literals, strict=True):
            liking = weights.get((code.id, str(value).lower() if isinstance(value, bool) else str(value)))
            if liking:
                terms.append((literal, -round(liking * TASTE_STEPS)))
    return terms


def _cheapest(c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...], choices: Answers) -> int:
    """Designs in order of a lower bound of their price, until no other can be cheaper than the best one seen."""
    terms = price_terms(c)
    fixed = [*literals, *shut]
    clauses = list(terms.clauses)
    best: tuple[int, int] | None = None
    while True:
        found = minimise(c.space, fixed, terms.weights, clauses)
        if found is None:
            break
        bound, pattern = found
        if best is not None and terms.lower(bound) >= best[0]:
            break
        mask = terms.mask(c, fixed, pattern)
        amount = amount_of(c, mask, choices, {})
        if best is None or amount < best[0]:
            best = (amount, mask)
        if terms.exact:
            break
        clauses.append(tuple(-literal for literal in pattern))
    assert best is not None
    return best[1]


def _fastest(c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...]) -> int:
    """For each possible longest wait among options, shortest first: the least that rules must add."""
    best: tuple[int, int] | None = None
    for wait, slower in days_terms(c).limits:
        if best is not None and wait + days_terms(c).least >= best[0]:
            break
        fixed = [*literals, *shut, *(-literal for literal in slower)]
        found = minimise(c.space, fixed, days_terms(c).weights, days_terms(c).clauses)
        if found is not None and (best is None or wait + found[0] < best[0]):
            best = (wait + found[0], days_terms(c).mask(c, fixed, found[1]))
    assert best is not None
    return best[1]
