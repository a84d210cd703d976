"""Future purchases and their worth: BG/NBD × Gamma-Gamma by maximum likelihood, penalised for small shops.

Source: Fader, Hardie and Lee 2005, "Counting Your Customers the Easy Way"; Fader and Hardie 2013, "The Gamma-Gamma
Model of Monetary Value". Time is in weeks, value in hundreds of minor units, so that figures are those of the papers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin
from scipy.special import gammaln, hyp2f1

from recommender.history import History

Reals = NDArray[np.float64]

DAY = 86_400
HUNDRED = 100.0


@dataclass(frozen=True)
class Summary:
    """Of each customer: purchase days after the first, weeks to the last and observed, mean value of a repeat day."""

    repeats: Reals
    last: Reals
    observed: Reals
    worth: Reals


@dataclass(frozen=True, slots=True)
class Purchases:
    """Rates of buying are gamma (r, alpha), chances of leaving after a purchase are beta (a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Worth:
    """Values of a purchase are gamma (p, ν), ν itself gamma (q, v)."""

    p: float
    q: float
    v: float


def summarise(history: History, until: int) -> tuple[Summary, NDArray[np.int64]]:
    """Purchase days before the moment `until` (seconds since 1970), the observation ending the day before it.

    Returns the summary and the customer number of each row, ascending; customers without a purchase are left out.
    """
    customer, day, value = purchase_days(history)
    before = day < until // DAY
    customer, day, value = customer[before], day[before], value[before]
    who, first, number = np.unique(customer, return_index=True, return_counts=True)
    last = first + number - 1
    repeats = (number - 1).astype(np.float64)
    total = np.add.reduceat(value, first) if len(first) else value
    worth = np.where(repeats > 0, (total - value[first]) / np.maximum(repeats, 1), 0)
    end = until // DAY - 1
    return Summary(repeats, (day[last] - day[first]) / 7, (end - day[first]) / 7, worth / HUNDRED), who


def purchase_days(history: History) -> tuple[NDArray[np.int64], NDArray[np.int64], Reals]:
    """Customer, day since 1970 and value in minor units of each day on which a known customer bought, in that order."""
    known = history.line_customer >= 0
    day = history.basket_at[history.line_basket[known]] // DAY
    spent = (history.line_quantity * history.line_price)[known].astype(np.float64)
    pairs, place = np.unique(np.stack([history.line_customer[known], day]), axis=1, return_inverse=True)
    value = np.bincount(place.ravel(), weights=spent, minlength=pairs.shape[1])
    return pairs[0], pairs[1], value.astype(np.float64)


def fit_purchases(summary: Summary, penalty: float = 0.0) -> Purchases:
    """BG/NBD by maximum likelihood; `penalty` × the squared logarithms keeps few customers from a degenerate fit."""

    def loss(logs: Reals) -> float:
        return float(-_likelihood(np.exp(logs), summary).sum() + penalty * (logs**2).sum())

    found = np.exp(_least(loss, 4))
    r, alpha, a, b = (float(value) for value in found)
    return Purchases(r, alpha, a, b, float(_likelihood(found, summary).sum()))


def fit_worth(summary: Summary, penalty: float = 0.0) -> Worth | None:
    """Gamma-Gamma by maximum likelihood over customers with repeats of some value; None when there are none."""
    used = (summary.repeats > 0) & (summary.worth > 0)
    x, m = summary.repeats[used], summary.worth[used]
    if not len(x):
        return None

    def loss(logs: Reals) -> float:
        p, q, v = np.exp(logs)
        likely = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + (p * x - 1) * np.log(m)
        likely += p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        return float(-likely.sum() + penalty * (logs**2).sum())

    return Worth(*(float(value) for value in np.exp(_least(loss, 3))))


def expected_purchases(model: Purchases, summary: Summary, weeks: float) -> Reals:
    """Purchase days of each customer expected in the coming weeks."""
    x, last, observed = summary.repeats, summary.last, summary.observed
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    shape = hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + observed + weeks))
    rise = 1 - ((alpha + observed) / (alpha + observed + weeks)) ** (r + x) * shape
    gone = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + observed) / (alpha + last)) ** (r + x), 0)
    return np.asarray((a + b + x - 1) / (a - 1) * rise / (1 + gone))


def expected_worth(model: Worth, summary: Summary) -> Reals:
    """Mean value of each customer's coming purchase days, hundreds of minor units."""
    x, m = summary.repeats, summary.worth
    return np.asarray(model.p * (x * m + model.v) / (model.p * x + model.q - 1))


def _likelihood(parameters: Reals, summary: Summary) -> Reals:
    r, alpha, a, b = parameters
    x, last, observed = summary.repeats, summary.last, summary.observed
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    stays = -(r + x) * np.log(alpha + observed)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
    return np.asarray(common + np.where(x > 0, np.logaddexp(stays, left), stays))


def _least(loss: Callable[[Reals], float], size: int) -> Reals:
    """The logarithms of the parameters at the least loss, searched twice so that a narrow valley is followed down."""
    found = np.zeros(size)
    for _ in range(2):
        found = np.asarray(fmin(loss, found, xtol=1e-7, ftol=1e-9, maxiter=4000, maxfun=4000, disp=False))
    return found
