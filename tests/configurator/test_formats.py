"""Models of other formats are read, compared with published facts, and refused naming the line."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from configurator import PRODUCTS, ModelError, compile_model, load
from configurator.commands import app
from configurator.counting import count_designs
from configurator.dimacs import read_dimacs
from configurator.grouped import read_grouped
from configurator.space import Space
from configurator.uvl import read_uvl
from configurator.uvl_writer import write_uvl

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"
FACTS = json.loads((MODELS / "FACTS.json").read_text()) if MODELS.exists() else {}
needs_models = pytest.mark.skipif(not FACTS, reason="the real models in ../shared/data/models are not there")

UVL = """namespace Sandwich

features
    Sandwich {abstract true}
        mandatory
            Bread
                alternative
                    White
                    "Whole grain" {price 3}
        optional
            Cheese
            Ham // the local one
        [1..2]
            Salt
            Pepper
            Mustard

constraints
    Cheese => "Whole grain" | !Ham
    (Salt <=> Pepper) & !(Ham & Mustard)
"""


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def brute(space: Space) -> int:
    """Designs of a small space, by trying every assignment of its values."""
    seen = set()
    for bits in range(1 << space.variables):
        truth = {v if bits >> (v - 1) & 1 else -v for v in range(1, space.variables + 1)}
        if all(truth & set(clause) for clause in space.clauses):
            seen.add(bits & ((1 << space.tracked) - 1))
    return len(seen)


def test_uvl_means_what_it_says() -> None:
    space = read_uvl(UVL, "sandwich.uvl")
    names = [group.id for group in space.groups]
    assert names == ["Sandwich", "Bread", "White", "Whole grain", "Cheese", "Ham", "Salt", "Pepper", "Mustard"]
    # bread 2; spices by hand: salt+pepper (any ham) or mustard (no ham); cheese with white bread only without ham
    designs = 0
    for whole in (False, True):
        for cheese in (False, True):
            for ham in (False, True):
                for spices in ("salt pepper", "mustard"):
                    designs += not (cheese and ham and not whole) and not (ham and spices == "mustard")
    assert count_designs(space) == designs


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("constraints\n    A\n", 2, "no `features`"),
        (UVL.replace("Cheese =>", "Cheeze =>"), 19, "no feature 'Cheeze'"),
        (UVL.replace("!Ham\n", "!Ham |\n"), 19, "expected a feature"),
        (UVL.replace("(Salt", "((Salt"), 20, "not closed"),
        (UVL.replace("Cheese =>", "Cheese.price > 3 =>"), 19, "Boolean"),
        (UVL.replace("            Cheese\n", "            Integer Cheese\n"), 11, "type Integer"),
        (UVL.replace("            Cheese\n", "            Cheese cardinality [1..3]\n"), 11, "feature cardinalities"),
        (UVL.replace("            Cheese\n", "            White\n"), 11, "stands twice"),
        (UVL.replace("[1..2]", "[4..5]"), 13, "cannot be met"),
        ("imports\n    other\n" + UVL, 1, "imports are not read"),
        ("include\n    Arithmetic.*\n" + UVL, 2, "language level"),
        ("features\n    A\n    B\n", 2, "one root"),
    ],
)
def test_uvl_beyond_the_subset_is_refused_naming_the_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_uvl(text, "sandwich.uvl")
    assert caught.value.line == line, caught.value
    assert says in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(list('()!&|=<>[]{}"\n\t aZ0/.')))
def test_uvl_with_one_character_changed_is_read_or_refused(position: int, character: str) -> None:
    place = position % len(UVL)
    try:
        read_uvl(UVL[:place] + character + UVL[place + 1 :], "noise.uvl")
    except ModelError as error:
        assert str(error).startswith("noise.uvl:")  # noqa: PT017 - either outcome is right


def test_a_deeply_nested_constraint_is_refused() -> None:
    with pytest.raises(ModelError, match="nested deeper"):
        read_uvl(UVL + "    " + "(" * 100_000 + "Salt" + ")" * 100_000 + "\n", "deep.uvl")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no line `p cnf"),
        ("p cnf 2\n", "expected: p cnf"),
        ("p cnf 2 1\n1 3 0\n", "variable 3 was not announced"),
        ("p cnf 2 1\n1 x 0\n", "'x' is not a literal"),
        ("p cnf 2 2\n1 2 0\n", "2 clauses were announced"),
        ("p cnf 999999999 1\n1 0\n", "more than"),
    ],
)
def test_broken_dimacs_is_refused(text: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_dimacs(text, "x.dimacs")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"vars": [{"name": "a", "values": []}]}',
        '{"vars": [{"name": "a", "values": [1, 1]}]}',
        '{"vars": [{"name": "a", "values": [1, 2]}], "rules": [["xor", ["v", "a"], ["c", 1]]]}',
        '{"vars": [{"name": "a", "values": [1, 2]}], "rules": [["==", ["v", "b"], ["c", 1]]]}',
        '{"vars": [{"name": "a", "values": [1, 2]}], "tables": [{"vars": ["a"], "rows": [[1, 2]]}]}',
        '{"vars": [{"name": "a", "values": ["x", "y"]}], "rules": [["<", ["v", "a"], ["c", 1]]]}',
    ],
)
def test_broken_grouped_json_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        read_grouped(text, "x.json")


def test_grouped_rules_tables_and_sums_are_counted_like_by_hand() -> None:
    model = {
        "vars": [{"name": name, "values": [0, 1, 2]} for name in "abcd"],
        "rules": [{"id": "r", "expr": ["or", ["not", ["==", ["v", "a"], ["c", 0]]], ["<", ["v", "b"], ["v", "c"]]]}],
        "tables": [{"vars": ["b", "c", "d"], "rows": [[0, 1, 2], [0, 2, 1], [1, 1, 1], [2, 0, 0], [1, 2, 2]]}],
        "sums": [{"terms": [[1, "a"], [2, "d"]], "op": "<=", "right": 5}],
    }
    by_hand = sum(
        (a != 0 or b < c) and a + 2 * d <= 5
        for a in range(3)
        for b, c, d in [(0, 1, 2), (0, 2, 1), (1, 1, 1), (2, 0, 0), (1, 2, 2)]
    )
    assert count_designs(read_grouped(json.dumps(model), "x.json")) == by_hand


@needs_models
@pytest.mark.parametrize("name", ["camera", "bike2_clib", "pc_richmond", "cars_medium", "busybox_2010_05"])
def test_core_dead_and_count_equal_the_published_facts(name: str) -> None:
    path = next(p for p in (MODELS / f"{name}.json", MODELS / f"{name}.dimacs") if p.exists())
    code, out, _ = run("model", str(path), "--count", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["valid"] is True
    assert report["count"] == FACTS[name]["count"]
    assert report["core"] == FACTS[name].get("core", report["core"])
    assert report["dead"] == FACTS[name].get("dead", report["dead"])


@needs_models
@pytest.mark.parametrize("name", ["pc_richmond", "busybox_2010_05", "finserv_2018_05", "automotive01"])
def test_uvl_has_the_published_core_and_dead(name: str) -> None:
    _, out, _ = run("model", str(MODELS / f"{name}.uvl"), "--json")
    report = json.loads(out)
    assert (report["core"], report["dead"]) == (FACTS[name]["published_core"], FACTS[name]["published_dead"])


@needs_models
@pytest.mark.parametrize("file", ["camera.json", "bike2_clib.json", "cars_medium.json", "pc_richmond.uvl"])
def test_no_domain_differs_from_plain_sat(file: str) -> None:
    _, out, _ = run("clicks", str(MODELS / file), "--clicks", "60", "--verify", "--json")
    report = json.loads(out)
    assert report["disagreements"] == 0
    assert 0 < report["clicks"] <= 60


@pytest.mark.parametrize("file", ["watch.yaml", "trunk.yaml"])
def test_no_domain_of_the_house_differs_from_plain_sat(file: str) -> None:
    code, out, _ = run("clicks", str(PRODUCTS / file), "--clicks", "80", "--verify", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["clicks"] == 80
    assert report["disagreements"] == 0
    assert set(report) == {
        "clicks", "cold_p50_ms", "cold_p99_ms", "warm_p50_ms", "explain_p99_ms", "repair_p99_ms", "disagreements",
    }  # fmt: skip


def test_the_model_command_reports_and_exits(tmp_path: Path) -> None:
    code, out, _ = run("model", str(PRODUCTS / "watch.yaml"), "--count", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["format"], report["groups"], report["valid"], report["findings"]) == ("yaml", 19, True, [])
    assert int(report["count"]) > 10**6
    void = tmp_path / "void.dimacs"
    void.write_text("p cnf 1 2\n1 0\n-1 0\n")
    code, out, _ = run("model", str(void), "--json")
    assert code == 1
    report = json.loads(out)
    assert report["findings"][0]["severity"] == "error"
    assert (report["valid"], report["core"], report["dead"]) == (False, 0, 1)
    code, out, err = run("model", str(tmp_path / "missing.uvl"))
    assert (code, out) == (2, "")
    assert "missing.uvl:1:" in err


@pytest.mark.parametrize("text", [UVL, None])
def test_what_is_written_as_uvl_has_as_many_designs(text: str | None) -> None:
    if text is not None:
        space = read_uvl(text, "sandwich.uvl")
    else:
        (model,) = load(PRODUCTS / "trunk.yaml")
        space = compile_model(model).space
    again = read_uvl(write_uvl(space, "The model"), "again.uvl")
    names = {f"{g.id}: {v}" if g.kind != "flag" else g.id for g in space.groups for v in g.values}
    values = tuple(group for group in again.groups if group.id in names)
    projected = Space(values, again.variables, again.tracked, again.clauses, again.owners, again.rules)
    assert count_designs(projected) == count_designs(space) != 0
