"""The JSON Schema takes what the reader takes, and refuses what it refuses, as far as a schema can know."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from configurator import PRODUCTS, ModelError, parse, product_schema
from configurator.commands import app
from configurator.language import PRICE_FORMS, RULE_FORMS
from configurator.yaml_tree import documents
from tests.configurator.journey import VOYAGE
from tests.configurator.test_languages import WATCH

EXAMPLE = Path(__file__).parents[3] / "shared" / "requirements" / "product-model-example.yaml"
VALIDATOR = jsonschema_rs.validator_for(product_schema())
HEAD = "product: p\nname: P\ncategory: c\ncurrency: EUR\nbase: {price: 1}\n"
GROUPS = (
    "groups:\n"
    "  - {id: g, label: G, options: [{id: a, label: A, attributes: {w: 1}}, {id: b, label: B}]}\n"
    "  - {id: n, label: N, integer: {min: 0, max: 3}}\n"
    "  - {id: d, label: D, date: {from: 2027-05-01, to: 2027-05-31}}\n"
)


def plain(text: str) -> list[Any]:
    return [node.plain() for node, _ in documents(text, "p.yaml")]


@pytest.mark.parametrize("file", sorted(PRODUCTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_product_of_the_house_is_valid(file: Path) -> None:
    for document in plain(file.read_text(encoding="utf-8")):
        assert [f"{error.instance_path}: {error.message}"[:300] for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the example of the language does not lie beside this checkout")
def test_the_example_of_the_language_is_valid() -> None:
    (document,) = plain(EXAMPLE.read_text(encoding="utf-8"))
    assert VALIDATOR.is_valid(document)
    assert parse(EXAMPLE.read_text(encoding="utf-8"), "example.yaml")[0].slug == "meridien"


@pytest.mark.parametrize("text", [VOYAGE, WATCH], ids=["voyage", "watch"])
def test_parts_and_languages_are_valid(text: str) -> None:
    assert [error.message[:200] for error in VALIDATOR.iter_errors(plain(text)[0])] == []


@pytest.mark.parametrize(
    "text",
    [
        "colour: red\n",
        "groups:\n  - {id: g, label: G}\n",
        "groups:\n  - {id: g, label: G, flag: {}, integer: {min: 0, max: 1}}\n",
        "groups:\n  - {id: g, label: G, flag: {}, groups: []}\n",
        "groups:\n  - {id: g, label: {french: G}, flag: {}}\n",
        "groups:\n  - {id: g, label: G, repeated: {min: 1, max: 2}}\n",
        GROUPS + "rules:\n  - {id: r, reason: R}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, if: {g: a}}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, never: {g: a}, requires: [{g: a}, {n: 1}]}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, never: {g: a}, rows: []}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, never: {n: {at_last: 1}}}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, never: {any: {g: a}}}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, compare: [n, 3]}\n",
        GROUPS + "rules:\n  - {id: r, reason: R, never: {d: {weekdays: [sunday]}}}\n",
        GROUPS + "prices:\n  - {id: p}\n",
        GROUPS + "prices:\n  - {id: p, percent: 5}\n",
        GROUPS + "prices:\n  - {id: p, add: 1.5}\n",
        GROUPS + "prices:\n  - {id: p, each_of: n, once: true}\n",
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(text: str) -> None:
    with pytest.raises(ModelError):
        parse(HEAD + text, "p.yaml")
    assert not VALIDATOR.is_valid(plain(HEAD + text)[0])


def test_editors_are_offered_every_form_of_rule_and_price() -> None:
    shapes = product_schema()["$defs"]
    assert [form["title"] for form in shapes["rule"]["oneOf"]] == list(RULE_FORMS)
    assert [form["title"] for form in shapes["price"]["oneOf"]] == list(PRICE_FORMS)
    kinds = ["one of", "several", "flag", "integer", "date", "text", "upload", "repeated"]
    assert [form["title"] for form in shapes["group"]["oneOf"]] == kinds
    assert all(
        "description" in key for shape in ("group", "rule", "price") for key in shapes[shape]["properties"].values()
    )


def test_the_command_prints_the_schema() -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == product_schema()
