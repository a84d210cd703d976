"""`uplift`: finds who is moved where somebody is, and says so where nobody can be told apart."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from recommender.commands import app
from recommender.uplift import qini

HALF = Path(__file__).parents[3] / "shared" / "data" / "campaigns" / "hillstrom" / "half_a.csv"


def campaign(path: Path, personal: bool, seed: int = 4, rows: int = 6_000) -> None:
    """Half are reached; the young buy more when reached, or everybody does alike."""
    random = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["age", "town", "arm", "bought", "spend"])
        for _ in range(rows):
            young, reached = random.random() < 0.5, random.random() < 0.5
            moved = (0.3 * young if personal else 0.15) * reached
            bought = int(random.random() < 0.1 + moved)
            writer.writerow(
                [25 if young else 60, "ab"[random.integers(2)], "mail" if reached else "none", bought, bought * 50]
            )


def run(train: Path, apply: Path, out: Path, arm: str = "mail", outcome: str = "bought") -> tuple[int, str]:
    files = ["--train", str(train), "--apply", str(apply), "--out", str(out)]
    columns = ["--treatment", "arm", "--arm", arm, "--control", "none", "--outcome", outcome, "--json"]
    result = CliRunner().invoke(app, ["uplift", *files, *columns])
    return result.exit_code, result.output


def test_the_moved_get_a_higher_uplift_than_the_unmoved(tmp_path: Path) -> None:
    train, out = tmp_path / "train.csv", tmp_path / "out.csv"
    campaign(train, personal=True)
    (tmp_path / "apply.csv").write_text("age,town\n25,a\n60,a\n,z\n", encoding="utf-8")
    code, output = run(train, tmp_path / "apply.csv", out)
    found = json.loads(output)
    assert code == 0
    assert found["personal_difference"] is True
    assert found["lift"] == pytest.approx(0.15, abs=0.04)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["row"] for row in rows] == ["0", "1", "2"]
    assert float(rows[0]["uplift"]) == pytest.approx(0.3, abs=0.06)
    assert float(rows[1]["uplift"]) == pytest.approx(0.0, abs=0.06)


def test_without_a_personal_difference_everyone_gets_the_average(tmp_path: Path) -> None:
    train, out = tmp_path / "train.csv", tmp_path / "out.csv"
    campaign(train, personal=False)
    _, output = run(train, train, out)
    found = json.loads(output)
    assert found["personal_difference"] is False
    assert {row["uplift"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())} == {
        f"{found['lift']:.8f}"
    }


def test_what_the_outcome_brought_about_is_no_trait(tmp_path: Path) -> None:
    campaign(tmp_path / "train.csv", personal=True)
    _, output = run(tmp_path / "train.csv", tmp_path / "train.csv", tmp_path / "out.csv")
    assert json.loads(output)["traits"] == ["age", "town"]


@pytest.mark.parametrize(("arm", "outcome"), [("letter", "bought"), ("mail", "visits"), ("mail", "town")])
def test_a_wrong_arm_or_column_is_refused_and_nothing_written(tmp_path: Path, arm: str, outcome: str) -> None:
    campaign(tmp_path / "train.csv", personal=False, rows=50)
    code, _ = run(tmp_path / "train.csv", tmp_path / "train.csv", tmp_path / "out.csv", arm, outcome)
    assert code == 2
    assert not (tmp_path / "out.csv").exists()


def test_qini_of_the_perfect_order_is_one_and_of_no_order_nought() -> None:
    outcome = np.array([1.0, 0.0, 1.0, 0.0])
    treated = np.array([True, True, False, False])
    assert qini(outcome, np.array([1.0, 0.0, -1.0, 0.0]), treated) == 1.0
    assert qini(outcome, np.zeros(4), treated) == 0.0


@pytest.mark.skipif(not HALF.exists(), reason="the Hillstrom experiment is not beside the project")
@pytest.mark.parametrize(("arm", "personal"), [("Womens E-Mail", True), ("Mens E-Mail", False)])
def test_hillstrom_women_differ_and_men_do_not(tmp_path: Path, arm: str, personal: bool) -> None:
    files = ["--train", str(HALF), "--apply", str(HALF), "--out", str(tmp_path / "out.csv")]
    columns = ["--treatment", "segment", "--arm", arm, "--control", "No E-Mail", "--outcome", "visit", "--json"]
    found = json.loads(CliRunner().invoke(app, ["uplift", *files, *columns]).output)
    assert found["personal_difference"] is personal
    assert (found["qini"] >= 0.066) is personal
