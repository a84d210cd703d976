"""Which offer pays: expected incremental margin in exact integers, and the lift of the reached over the held out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist, fmean, variance

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """One offer to one customer; money in minor units of one currency.

    Attributes:
        margin: what the sale brings before the benefit, net of tax.
        probability: that she buys when offered.
        benefit_cost: what the benefit costs if she buys.
        contact_cost: what reaching her costs in any case.
        baseline: that she buys the same without an offer.
    """

    item: str
    margin: int
    probability: float
    benefit_cost: int
    contact_cost: int
    baseline: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A proposal and the margin that it is expected to add, minor units."""

    proposal: Proposal
    expected: int


@dataclass(frozen=True, slots=True)
class Lift:
    """Mean outcome of the treated less that of the control, with its 95 % interval.

    Attributes:
        enough: both arms reach `needed`.
        needed: customers an arm to see a difference of this size four times in five at 5 % false alarms; 0: unknown,
            because no difference or no spread has been seen.
    """

    difference: float
    low: float
    high: float
    enough: bool
    needed: int


def expected_margin(proposal: Proposal) -> int:
    """[P(buy | offer) − P(buy | none)] × margin − P(buy | offer) × benefit − contact, rounded down to a minor unit.

    Probabilities are taken to the millionth; rounding down never promises a cent too much.
    """
    buys, anyway = round(proposal.probability * MILLION), round(proposal.baseline * MILLION)
    gain = (buys - anyway) * proposal.margin - buys * proposal.benefit_cost
    return gain // MILLION - proposal.contact_cost


def rank(proposals: Iterable[Proposal]) -> list[Ranked]:
    """The proposals by expected incremental margin, highest first, ties by item; those that lose money left out."""
    ranked = [Ranked(proposal, expected_margin(proposal)) for proposal in proposals]
    return sorted((r for r in ranked if r.expected >= 0), key=lambda r: (-r.expected, r.proposal.item))


def lift(outcomes_treated: Sequence[int], outcomes_control: Sequence[int]) -> Lift:
    """Compares by assignment: one outcome for each assigned customer, 0 for those who did nothing.

    The interval is Welch's with the normal quantile; with fewer than two customers in an arm it is unbounded.
    """
    treated, control = len(outcomes_treated), len(outcomes_control)
    if not treated or not control:
        return Lift(0.0, -math.inf, math.inf, enough=False, needed=0)
    difference = float(Fraction(sum(outcomes_treated), treated) - Fraction(sum(outcomes_control), control))
    if treated < 2 or control < 2:
        return Lift(difference, -math.inf, math.inf, enough=False, needed=0)
    spread = [float(variance(outcomes, fmean(outcomes))) for outcomes in (outcomes_treated, outcomes_control)]
    half = NormalDist().inv_cdf(0.975) * math.sqrt(spread[0] / treated + spread[1] / control)
    needed = customers_needed(difference, *spread)
    return Lift(
        difference, difference - half, difference + half, enough=0 < needed <= min(treated, control), needed=needed
    )


def customers_needed(difference: float, variance_treated: float, variance_control: float) -> int:
    """Customers an arm to see such a difference with power 80 % at 5 %, two-sided; 0 when it cannot be said."""
    total = variance_treated + variance_control
    if difference == 0 or total == 0:
        return 0
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    return math.ceil(quantiles**2 * total / difference**2)
