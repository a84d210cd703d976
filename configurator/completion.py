"""Completes choices to a whole valid design: by default, at the lowest price, soonest, or nearest to a taste."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from configurator.choices import banned, completed, decode, hidden_groups, literals_of
from configurator.compile import Compiled
from configurator.course import default_completion
from configurator.errors import Unsatisfiable
from configurator.linear import days_terms, price_terms
from configurator.model import Answers, Choices
from configurator.optimum import minimise
from configurator.pricing import amount_of, days_of

Objective = Literal["default", "cheapest", "fastest", "taste"]
TASTE_STEPS = 1_000_000  # a taste weight counts to the sixth decimal


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a design may still cost, in minor units and in days."""

    price_min: int
    price_max: int
    days_min: int
    days_max: int


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
    values = decode(c, best_mask(c, choices, objective, weights, audiences), choices)
    unknown = hidden_groups(c, audiences)
    return {group: value for group, value in values.items() if group not in unknown or group in choices}


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
    return c.live.completions.get(key, lambda: extreme_price(c, literals, shut, choices, 1)[1])


def from_price(c: Compiled) -> int:
    """The lowest price of any design that everyone may order; exact."""
    return amount_of(c, best_mask(c, {}, "cheapest", None, frozenset()), {}, {})


def _with(c: Compiled, fixed: tuple[int, ...], pattern: tuple[int, ...]) -> int:
    """The default completion that also has the pattern."""
    with c.live.engine() as engine:
        mask = default_completion(
            engine, [*fixed, *(literal for literal in pattern if abs(literal) <= c.space.tracked)]
        )
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


def extreme_price(
    c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...], choices: Answers, sign: int
) -> tuple[int, int]:
    """The lowest (sign 1) or highest (sign -1) price without texts, and a design that has it.

    Designs come in order of a bound of their price, until no other can be better than the best one seen.
    """
    terms = price_terms(c)
    fixed = [*literals, *shut]
    clauses = list(terms.clauses)
    best: tuple[int, int] | None = None
    while True:
        found = minimise(c.space, fixed, [(x, sign * weight) for x, weight in terms.weights], clauses)
        if found is None or (best is not None and sign * terms.bound(sign * found[0], sign) >= sign * best[0]):
            break
        pattern = found[1]
        mask = terms.mask(c, fixed, pattern)
        amount = amount_of(c, mask, choices, {})
        if best is None or sign * amount < sign * best[0]:
            best = (amount, mask)
        if terms.exact:
            break
        clauses.append(tuple(-literal for literal in pattern))
    assert best is not None
    return best


def _slowest(c: Compiled, literals: tuple[int, ...], shut: tuple[int, ...]) -> int:
    """The most days: for each wait that some option causes, the most that rules can add."""
    terms = days_terms(c)
    best = 0
    for wait, literals_of_wait in terms.waits:
        clauses = [*terms.clauses, *((literals_of_wait,) if wait else ())]
        found = minimise(c.space, [*literals, *shut], [(x, -days) for x, days in terms.weights], clauses)
        if found is not None:
            best = max(best, wait + terms.constant - found[0])
    return max(0, c.model.supply.lead_days + best)


def bounds(c: Compiled, choices: Answers, audiences: frozenset[str] = frozenset()) -> Bounds:
    """The lowest and the highest price (without texts) and days of any design that holds the choices; exact.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    literals = literals_of(c, choices)
    soonest = best_mask(c, choices, "fastest", None, audiences)
    cheapest = best_mask(c, choices, "cheapest", None, audiences)
    shut = tuple(literal for literal in banned(c, audiences) if -literal not in literals)
    with c.live.engine() as engine:
        if not engine.holds([*literals, *shut]):
            shut = ()
    key = ("bounds", literals, shut)
    highest, latest = c.live.completions.get(
        key, lambda: (extreme_price(c, literals, shut, choices, -1)[0], _slowest(c, literals, shut))
    )
    return Bounds(amount_of(c, cheapest, choices, {}), highest, days_of(c, soonest, choices), latest)


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
