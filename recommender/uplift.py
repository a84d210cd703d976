"""Who is moved by an offer: two regressions on a randomised campaign, cross-fitted, and judged against chance.

Source: Radcliffe 2007, "Using control groups to target on predicted lift" (Qini); Künzel et al. 2019 (T-learner).
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.offers import lift
from recommender.traits import Traits, read_rows

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOLDS = 5
REPEATS = 3
RESAMPLES = 300
RIDGE = 20.0


@dataclass(frozen=True)
class Campaign:
    """A randomised campaign: traits of each customer, who was reached, what came of it."""

    traits: Reals
    treated: Flags
    outcome: Reals


def uplift_files(
    train: Path, apply: Path, out: Path, *, treatment: str, arm: str, control: str, outcome: str, seed: int = 0
) -> dict[str, Any]:
    """Learns from the first file, writes `row,uplift` for each row of the second, returns what the command prints.

    Traits are the columns that both files have, without treatment and outcome, and without those that only the
    outcome can have brought about (a column that is zero wherever the outcome is, or the reverse).

    Raises:
        ValueError: a column is missing, an arm has no customer, or an outcome is no number.
    """
    rows, others = read_rows(train), read_rows(apply)
    for name in (treatment, outcome):
        if not rows or name not in rows[0]:
            raise ValueError(f"{train}: no column {name}")
    used = [row for row in rows if row[treatment] in (arm, control)]
    treated = np.array([row[treatment] == arm for row in used], dtype=bool)
    if not treated.any() or treated.all():
        raise ValueError(f"{train}: {treatment} must hold both {arm} and {control}")
    try:
        results = np.array([float(row[outcome] or 0) for row in used])
    except ValueError as error:
        raise ValueError(f"{train}: {outcome}: {error}") from error
    shared = [name for name in rows[0] if name not in (treatment, outcome) and (not others or name in others[0])]
    traits = Traits.of(used, [name for name in shared if not _consequence(used, name, results)])
    campaign = Campaign(traits.matrix(used), treated, results)
    predicted = _cross_fitted(campaign, seed)
    found = judge(campaign, predicted, seed)
    average = found["lift"]
    trust = _trust(found["qini"], found["qini_interval"]) if found["personal_difference"] else 0.0
    personal = _fitted_uplift(campaign, traits.matrix(others)) if others else np.empty(0)
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "uplift"])
        for number, value in enumerate(average + trust * (personal - average)):
            writer.writerow([number, f"{value:.8f}"])
    return {**found, "traits": traits.names, "trust": round(trust, 4)}


def judge(campaign: Campaign, predicted: Reals, seed: int) -> dict[str, Any]:
    """Average lift and Qini of the predictions, both with 95 % intervals; a difference is personal above zero only."""
    treated, control = campaign.outcome[campaign.treated], campaign.outcome[~campaign.treated]
    binary = bool(np.isin(campaign.outcome, (0, 1)).all())
    whole = lift(_millionths(treated), _millionths(control))
    random = np.random.default_rng(seed)
    size = len(campaign.outcome)
    draws = []
    for _ in range(RESAMPLES):
        drawn = random.integers(size, size=size)
        draws.append(qini(campaign.outcome[drawn], predicted[drawn], campaign.treated[drawn]))
    low, high = (float(value) for value in np.quantile(draws, [0.025, 0.975]))
    return {
        "learner": "T-logit" if binary else "T-ridge",
        "lift": whole.difference / 1e6,
        "lift_interval": [whole.low / 1e6, whole.high / 1e6],
        "qini": qini(campaign.outcome, predicted, campaign.treated),
        "qini_interval": [low, high],
        "personal_difference": low > 0,
        "customers_needed": whole.needed,
    }


def qini(outcome: Reals, predicted: Reals, treated: Flags) -> float:
    """Area between the Qini curve and chance over the same of the perfect order; 0 when there is no perfect one."""
    perfect = _area(outcome, np.where(treated, outcome, -outcome), treated)
    return _area(outcome, predicted, treated) / perfect if perfect else 0.0


def _area(outcome: Reals, predicted: Reals, treated: Flags) -> float:
    """Area under the curve of incremental outcomes, less the triangle of chance; equal predictions are one step."""
    order = np.argsort(-predicted, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(predicted[order]) != 0, True])
    reached = np.cumsum(treated[order])[ends]
    held = ends + 1 - reached
    gained = np.cumsum(np.where(treated, outcome, 0)[order])[ends]
    anyway = np.cumsum(np.where(treated, 0, outcome)[order])[ends]
    curve = np.r_[0, gained - np.divide(anyway * reached, held, out=np.zeros(len(ends)), where=held > 0)]
    return float(np.trapezoid(curve, np.r_[0, ends + 1]) - curve[-1] * len(outcome) / 2)


def _cross_fitted(campaign: Campaign, seed: int) -> Reals:
    """Each customer's uplift from regressions that did not see that customer, averaged over several partitions."""
    random = np.random.default_rng(seed)
    total = np.zeros(len(campaign.outcome))
    for _ in range(REPEATS):
        fold = np.empty(len(total), dtype=np.int64)
        for arm in (campaign.treated, ~campaign.treated):
            fold[arm] = random.permutation(np.arange(arm.sum()) % FOLDS)
        for number in range(FOLDS):
            rest, mine = fold != number, fold == number
            part = Campaign(campaign.traits[rest], campaign.treated[rest], campaign.outcome[rest])
            total[mine] += _fitted_uplift(part, campaign.traits[mine])
    return total / REPEATS


def _fitted_uplift(campaign: Campaign, traits: Reals) -> Reals:
    """Expected outcome if reached less expected outcome if not."""
    arms = (campaign.treated, ~campaign.treated)
    reached, held = (_expected(campaign.traits[arm], campaign.outcome[arm], traits) for arm in arms)
    return reached - held


def _expected(traits: Reals, outcome: Reals, asked: Reals) -> Reals:
    """Ridge regression of the outcome, logistic where it is yes or no."""
    x, wanted = (np.c_[np.ones(len(part)), part] for part in (traits, asked))
    penalty = np.diag(np.r_[1e-6, np.full(traits.shape[1], RIDGE)])
    if not np.isin(outcome, (0, 1)).all():
        return np.asarray(wanted @ np.linalg.solve(x.T @ x + penalty, x.T @ outcome))
    weights = np.zeros(x.shape[1])
    for _ in range(12):
        likely = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        spread = np.maximum(likely * (1 - likely), 1e-6)
        step = np.linalg.solve((x * spread[:, None]).T @ x + penalty, x.T @ (outcome - likely) - penalty @ weights)
        weights += step
    return np.asarray(1 / (1 + np.exp(-np.clip(wanted @ weights, -30, 30))))


def _trust(value: float, interval: list[float]) -> float:
    """How much of the personal differences to keep: the less, the nearer the figure is to its own error."""
    error = (interval[1] - interval[0]) / 4
    return max(0.0, 1 - (error / value) ** 2)


def _consequence(rows: list[dict[str, str]], name: str, outcome: Reals) -> bool:
    """Whether a number is nonzero only where the outcome is, or the reverse, which no earlier trait would be."""
    try:
        value = np.array([float(row[name] or 0) for row in rows])
    except ValueError:
        return False
    there, happened = value != 0, outcome != 0
    if there.sum() < 20 or happened.sum() < 20 or there.mean() > 0.5:
        return False
    return bool((there <= happened).all() or (happened <= there).all())


def _millionths(outcome: Reals) -> list[int]:
    return [round(float(value) * 1_000_000) for value in outcome]
