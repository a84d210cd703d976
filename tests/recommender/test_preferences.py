"""Preferences: what goes together in sold configurations, answered with a valid value or none."""

import json
from pathlib import Path

import pytest

from recommender.preferences import Preferences, answer_file, read_sold

SOLD = [
    *[{"case": "steel", "strap": "navy", "dial": "white"}] * 6,
    *[{"case": "gold", "strap": "cognac", "dial": "white"}] * 3,
    *[{"case": "gold", "strap": "cognac", "dial": "black"}] * 1,
]


def test_without_choices_the_most_sold_is_likeliest() -> None:
    found = Preferences.learn(SOLD).probabilities({}, "strap")
    assert found == pytest.approx({"cognac": 0.4, "navy": 0.6})


def test_known_choices_draw_what_was_sold_with_them() -> None:
    found = Preferences.learn(SOLD).probabilities({"case": "gold"}, "strap")
    assert found["cognac"] > 0.8


def test_only_a_valid_value_is_answered() -> None:
    learned = Preferences.learn(SOLD)
    assert learned.best({"case": "gold"}, "strap", ["navy"]) == ("navy", 1.0)
    assert learned.best({}, "strap", ["never sold", "unsold too"]) == ("never sold", 0.5)
    assert learned.best({}, "strap", []) is None


def test_unknown_groups_and_values_are_no_error() -> None:
    learned = Preferences.learn(SOLD)
    assert learned.probabilities({}, "engraving") == {}
    assert learned.probabilities({"engraving": "yes", "case": "wood"}, "strap")["navy"] == pytest.approx(0.6)
    assert Preferences.learn([]).probabilities({}, "strap") == {}


def test_answers_a_file_of_questions(tmp_path: Path) -> None:
    sales, queries, out = tmp_path / "s.csv", tmp_path / "q.jsonl", tmp_path / "o.jsonl"
    sales.write_text("a,b\n1,x\n1,x\n2,y\n", encoding="utf-8")
    queries.write_text('{"id":"1","choices":{"a":2},"ask":"b"}\n{"id":"2","choices":{},"ask":"b"}\n', encoding="utf-8")
    assert answer_file(sales, queries, out, lambda choices, ask: ["x", "y"] if choices else []) == 2
    first, second = (json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())
    assert (first["id"], first["value"]) == ("1", "y")
    assert second == {"id": "2", "value": None, "probability": 0.0}


def test_a_short_row_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a,b\n1,x\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"s\.csv:3: 1 cells under 2 columns"):
        read_sold(tmp_path / "s.csv")
