"""The lift of an arm over its control, by assignment: an interval that keeps its word for few and very unequal sums.

Margins per customer are mostly nothing and now and then very much: a normal interval cries wolf in 6 to 16 of a
hundred comparisons of equals with a hundred customers in the control. Drawing the arms again does not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

DRAWS = 1_999  # with the one that happened 2,000, of which the fiftieth from either end bounds the interval
MANY = 20_000  # customers, from which on the normal interval is right and drawing takes too long
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class ByDraw:
    """Mean outcome of the treated less that of the control, with its 95 % interval.

    Attributes:
        spread: standard deviation of one customer's outcome, both arms together.
        mean: of all outcomes.
    """

    difference: float
    low: float
    high: float
    mean: float
    spread: float

    @property
    def seen(self) -> bool:
        """Whether the interval leaves out that nothing was brought."""
        return self.low > 0 or self.high < 0


def lift_by_draw(treated: Sequence[int], control: Sequence[int], seed: int, draws: int = DRAWS) -> ByDraw:
    """Compares by assignment: one outcome for each assigned customer, 0 for those who did nothing.

    The same outcomes are dealt to arms of the same sizes again and again; the interval is the difference less what
    dealing alone brings about, right for an effect that is the same for everyone.

    Source: R. A. Fisher, The Design of Experiments, 1935 (the randomisation test); J. Ludbrook and H. Dudley, Why
    permutation tests are superior to t and F tests in biomedical research, The American Statistician 52 (1998).
    """
    outcomes = np.array([*treated, *control], dtype=np.float64)
    few, size = min(len(treated), len(control)), len(outcomes)
    mean = float(outcomes.mean()) if size else 0.0
    spread = float(outcomes.std(ddof=1)) if size > 1 else 0.0
    if few < 2:
        return ByDraw(0.0, -math.inf, math.inf, mean, spread)
    difference = float(np.mean(np.asarray(treated, dtype=np.float64)) - np.mean(np.asarray(control, dtype=np.float64)))
    if size > MANY:
        half = NormalDist().inv_cdf(1 - ALPHA / 2) * spread * math.sqrt(1 / len(treated) + 1 / len(control))
        return ByDraw(difference, difference - half, difference + half, mean, spread)
    random, held = np.random.default_rng(seed), len(control)
    sums = np.array([random.permutation(outcomes)[:held].sum() for _ in range(draws)])
    dealt = np.sort((outcomes.sum() - sums) / (size - held) - sums / held)
    place = max(1, math.floor(ALPHA / 2 * (draws + 1)))  # the arms as they were drawn count as one of the draws
    low, high = float(dealt[place - 1]), float(dealt[-place])
    return ByDraw(difference, difference - high, difference - low, mean, spread)


def control_needed(spread: float, difference: float, held_out: float) -> int:
    """Customers in the control to see such a difference four times in five at 5 % false alarms; 0 when unknown.

    Args:
        spread: standard deviation of one customer's outcome.
        difference: worth seeing, in the same unit.
        held_out: the control's share of all.
    """
    if not spread or not difference:
        return 0
    quantiles = NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(0.8)
    total = quantiles**2 * spread**2 * (1 / held_out + 1 / (1 - held_out)) / difference**2
    return math.ceil(total * held_out)
