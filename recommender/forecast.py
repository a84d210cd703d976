"""The `value` command: fits a history up to a day, and tests the forecast on the weeks after it."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recommender.history import History, read_csv
from recommender.lifetime import (
    DAY,
    Purchases,
    Summary,
    expected_purchases,
    fit_purchases,
    fit_worth,
    purchase_days,
    summarise,
)

# A forecast counts as backtested when so many customers were observed, the sum came this near, and the tenth that
# was ranked first bought at least twice its share.
CUSTOMERS = 200
WITHIN = 0.25
TOP_SHARE = 0.2


def value_of(path: Path, until: date | None, weeks: int | None) -> dict[str, Any]:
    """Parameters, forecast and label as the command prints them.

    Args:
        path: a history file.
        until: purchase days before it are fitted; None takes the day after the last purchase.
        weeks: how many weeks after it test the forecast; None tests nothing.

    Raises:
        ValueError: the file cannot be read, or nobody bought before that day.
    """
    history = read_csv(path)
    if until is None:
        end = (history.end // DAY + 1) * DAY
    else:
        end = int(datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp())
    summary, who = summarise(history, end)
    if not len(who):
        raise ValueError(f"{path}: no known customer bought before that day")
    model = fit_purchases(summary)
    worth = fit_worth(summary)
    forecast = None if not weeks else _backtest(history, summary, who, model, end, weeks)
    return {
        "customers": len(who),
        **asdict(model),
        "gamma_gamma": None if worth is None else asdict(worth),
        "forecast": forecast,
        "label": "backtested" if forecast is not None and _holds(len(who), forecast) else "indicative",
    }


def _backtest(
    history: History, summary: Summary, who: np.ndarray[Any, Any], model: Purchases, end: int, weeks: int
) -> dict[str, float]:
    """Purchase days of the customers known at `end`: in sum, per customer, and of the tenth expected to buy most."""
    customer, day, _ = purchase_days(history)
    after = (day >= end // DAY) & (day < end // DAY + 7 * weeks)
    bought = np.bincount(customer[after], minlength=len(history.customers))[who].astype(np.float64)
    expected = expected_purchases(model, summary, float(weeks))
    top = np.argsort(-expected, kind="stable")[: max(1, len(who) // 10)]
    return {
        "predicted": round(float(expected.sum()), 2),
        "actual": float(bought.sum()),
        "mae": round(float(np.abs(expected - bought).mean()), 4),
        "top_decile_share": round(float(bought[top].sum() / max(1.0, bought.sum())), 4),
    }


def _holds(customers: int, forecast: dict[str, float]) -> bool:
    near = abs(forecast["predicted"] - forecast["actual"]) <= WITHIN * forecast["actual"]
    return customers >= CUSTOMERS and near and forecast["top_decile_share"] >= TOP_SHARE
