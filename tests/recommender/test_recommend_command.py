"""`recommend`: a line for each question, refusals with file and line, and no numeric stack before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recommender.commands import app
from recommender.models import ALGORITHMS

HISTORY = "customer,basket,at,item,quantity,price\n" + "".join(
    f"{c},{c}{n},2026-01-{n + 1:02d}T10:00:00Z,{item},1,100\n"
    for c in "abcd"
    for n in range(4)
    for item in ("tea", "milk" if c in "ab" else "lemon")
)


def run(folder: Path, questions: list[str], *more: str) -> tuple[int, str]:
    (folder / "h.csv").write_text(HISTORY, encoding="utf-8")
    (folder / "q.jsonl").write_text("\n".join(questions) + "\n", encoding="utf-8")
    files = ["--history", str(folder / "h.csv"), "--queries", str(folder / "q.jsonl"), "--out", str(folder / "o.jsonl")]
    result = CliRunner().invoke(app, ["recommend", *files, *more])
    return result.exit_code, result.output


def test_answers_every_question_in_order(tmp_path: Path) -> None:
    questions = [
        '{"id":"1","customer":"a","basket":[],"new_only":false,"k":2}',
        '{"id":"2","customer":"a","basket":[],"new_only":true,"k":10}',
        '{"id":"3","customer":null,"basket":["tea"],"new_only":false,"k":1}',
        '{"id":"4","customer":"unheard","basket":["unheard"],"new_only":false,"k":10}',
    ]
    code, _ = run(tmp_path, questions)
    assert code == 0
    answers = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == ["1", "2", "3", "4"]
    assert {i["item"] for i in answers[0]["items"]} == {"tea", "milk"}
    assert [i["item"] for i in answers[1]["items"]] == ["lemon"]
    assert answers[2]["items"][0]["reason"] == {"kind": "bought_together", "item": "tea", "count": 8}
    assert {i["item"] for i in answers[3]["items"]} == {"tea", "milk", "lemon"}


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    question = '{"id":"1","customer":"a","basket":["tea"],"new_only":false,"k":10}'
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, [question], "--seed", "5")
        files.append((tmp_path / name / "o.jsonl").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("line", ["not json", '{"customer":"a"}', "[1]"])
def test_an_unreadable_question_is_refused_before_anything_is_written(tmp_path: Path, line: str) -> None:
    code, output = run(tmp_path, ['{"id":"1"}', line])
    assert code == 2
    assert "q.jsonl:2: " in output
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_algorithm_alone_answers_too(tmp_path: Path, algorithm: str) -> None:
    questions = [
        '{"id":"1","customer":"a","basket":["tea"],"k":10}',
        '{"id":"2","customer":"a","new_only":true,"k":10}',
    ]
    code, _ = run(tmp_path, questions, "--algorithm", algorithm)
    assert code == 0
    answers = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [{i["item"] for i in answer["items"]} for answer in answers] == [{"milk", "lemon"}, {"lemon"}]


def test_an_unknown_algorithm_is_refused(tmp_path: Path) -> None:
    code, output = run(tmp_path, ['{"id":"1"}'], "--algorithm", "oracle")
    assert code == 2
    assert "no algorithm oracle" in output


def test_importing_the_package_and_its_light_parts_loads_no_numeric_stack() -> None:
    code = (
        "import sys, recommender, recommender.commands; from recommender import TasteSample, learn, rank, row_profit; "
        "print([m for m in ('numpy', 'scipy', 'implicit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
