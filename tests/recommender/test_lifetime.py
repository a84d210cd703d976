"""BG/NBD × Gamma-Gamma: the published figures of the CDNOW sample, and fits that stay sane with few customers."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from recommender.commands import app
from recommender.history import History, Interaction
from recommender.lifetime import fit_purchases, fit_worth, summarise

CDNOW = Path(__file__).parents[3] / "shared" / "data" / "history" / "cdnow.csv.gz"
UNTIL = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())


def buys(customer: str, day: int, price: int, quantity: int = 1) -> Interaction:
    return Interaction(customer, f"{customer}{day}", datetime(2026, 2, day, 15, tzinfo=UTC), "x", quantity, price)


@pytest.mark.skipif(not CDNOW.exists(), reason="the CDNOW sample is not beside the project")
def test_the_published_figures_of_cdnow_are_reproduced() -> None:
    asked = ["value", "--history", str(CDNOW), "--until", "1997-10-01", "--weeks", "39", "--json"]
    result = CliRunner().invoke(app, asked)
    found = json.loads(result.output)
    assert found["customers"] == 2357
    assert [found[name] for name in ("r", "alpha", "a", "b")] == pytest.approx(
        [0.2426, 4.4135, 0.7929, 2.4258], rel=1e-3
    )
    assert found["log_likelihood"] == pytest.approx(-9582.43, abs=0.01)
    assert found["gamma_gamma"] == pytest.approx({"p": 6.249, "q": 3.745, "v": 15.448}, rel=2e-3)
    assert found["forecast"]["actual"] == 1882
    assert found["label"] == "backtested"


def test_days_count_once_and_returns_of_the_first_day_are_no_repeat() -> None:
    history = History.of([buys("a", 1, 1000), buys("a", 1, 500), buys("a", 15, 2000, 2), buys("b", 27, 900)])
    summary, who = summarise(history, UNTIL)
    assert [history.customers[n] for n in who] == ["a", "b"]
    assert summary.repeats.tolist() == [1, 0]
    assert summary.last.tolist() == [2, 0]
    assert summary.observed.tolist() == [27 / 7, 1 / 7]
    assert summary.worth.tolist() == [40, 0]


def test_a_penalty_keeps_few_customers_from_a_degenerate_fit() -> None:
    history = History.of([buys(f"c{n}", day, 1000) for n in range(12) for day in range(1, 28, 3 + n % 5)])
    summary, _ = summarise(history, UNTIL)
    free, penalised = fit_purchases(summary), fit_purchases(summary, penalty=0.5)
    assert max(free.r, free.alpha, free.b) > 1e3
    assert min(penalised.r, penalised.alpha, penalised.a, penalised.b) > 0.01
    assert max(penalised.r, penalised.alpha, penalised.a, penalised.b) < 100


def test_without_repeats_there_is_no_worth() -> None:
    summary, _ = summarise(History.of([buys("a", 1, 1000)]), UNTIL)
    assert fit_worth(summary) is None
    assert np.isfinite(fit_purchases(summary, penalty=1.0).r)


@pytest.mark.parametrize("text", ["customer\n", "customer,basket,at,item,quantity,price\n"])
def test_a_file_without_purchases_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "h.csv").write_text(text, encoding="utf-8")
    assert CliRunner().invoke(app, ["value", "--history", str(tmp_path / "h.csv")]).exit_code == 2
