"""What an owner is told before publishing."""

import jsonschema_rs
import pytest
import yaml

from configurator import PRODUCTS, Finding, compile_model, lint, parse, product_schema

BASE = """product: thing
name: Thing
category: things
currency: EUR
base: {price: 100}
groups:
  - id: size
    label: Size
    options: [{id: small, label: Small, default: true}, {id: large, label: Large}]
  - id: wood
    label: Wood
    options: [{id: oak, label: Oak, default: true}, {id: elm, label: Elm}]
"""


def findings(text: str) -> tuple[Finding, ...]:
    return lint(compile_model(parse(text, "thing.yaml")[0]))


def rules(*forms: str) -> str:
    lines = "".join(f"  - {{id: r{n}, reason: R, {form}}}\n" for n, form in enumerate(forms))
    return f"{BASE}rules:\n{lines}"


def test_a_sound_model_has_no_findings() -> None:
    assert findings(rules("never: {size: large, wood: elm}")) == ()


def test_a_void_model_names_a_minimal_contradiction() -> None:
    text = rules("never: {wood: oak}", "never: {size: large, wood: oak}", "never: {wood: elm}")
    assert findings(text) == (
        Finding("error", "r0", "no design is valid: these rules contradict each other: r0 (R), r2 (R)"),
    )


def test_dead_options_and_groups_with_one_value_left_are_told() -> None:
    assert findings(rules("never: {wood: elm}")) == (
        Finding("warning", "wood.elm", "option 'elm' of wood can never be chosen"),
        Finding("warning", "wood", "wood has one value left: 'oak'"),
    )


EXTRAS = """  - id: extras
    label: Extras
    several: {}
    options: [{id: lamp, label: Lamp}, {id: clock, label: Clock}]
  - id: shelves
    label: Shelves
    integer: {min: 0, max: 9, default: 2}
"""


def with_extras(*forms: str) -> str:
    return rules(*forms).replace("rules:\n", f"{EXTRAS}rules:\n", 1)


def test_an_option_that_is_part_of_every_design_is_told() -> None:
    assert findings(with_extras("if: {shelves: {at_least: 0}}, then: {extras: lamp}")) == (
        Finding("warning", "extras.lamp", "option 'lamp' of extras is part of every design"),
    )


def test_numbers_that_cannot_be_reached_are_told_and_many_of_them_together() -> None:
    few, many = with_extras("never: {shelves: {at_least: 8}}"), with_extras("never: {shelves: {at_least: 3}}")
    assert findings(few) == (
        Finding("warning", "shelves.8", "number '8' of shelves can never be chosen"),
        Finding("warning", "shelves.9", "number '9' of shelves can never be chosen"),
    )
    assert findings(many) == (Finding("warning", "shelves", "7 values of shelves can never be chosen"),)


def test_a_rule_that_others_already_say_is_redundant() -> None:
    found = findings(rules("requires: [{size: large}, {wood: oak}]", "never: {size: large, wood: elm}"))
    assert found == (
        Finding("warning", "r0", "rule 'r0' says nothing that the other rules do not"),
        Finding("warning", "r1", "rule 'r1' says nothing that the other rules do not"),
    )


def test_looking_for_redundancy_keeps_its_time() -> None:
    c = compile_model(parse(rules("never: {size: large, wood: elm}"), "thing.yaml")[0])
    assert lint(c, seconds=-1) == (Finding("warning", None, "checked 0 of 1 rules for redundancy in the time given"),)


def test_missing_prices_are_errors() -> None:
    assert findings(BASE.replace("base: {price: 100}\n", "")) == (
        Finding("error", None, "base has no price; it cannot be published"),
    )
    found = findings(BASE.replace("{id: elm, label: Elm}", "{id: elm, label: Elm, unpriced: true}"))
    assert found == (Finding("error", "wood.elm", "wood.elm has no price; it cannot be published"),)


@pytest.mark.parametrize(
    "prices",
    [
        "  - {id: a, percent: 100, of: b}\n  - {id: b, percent: 100, of: a}\n",
        "  - {id: a, percent: 100, of: a}\n",
        "  - {id: a, percent: 100, of: b}\n  - {id: b, percent: 100, of: subtotal}\n",
    ],
)
def test_prices_that_wait_for_each_other_are_errors(prices: str) -> None:
    found = findings(f"{BASE}prices:\n{prices}")
    assert [(finding.severity, finding.rule) for finding in found] == [("error", "a")]


def test_a_preset_that_is_no_design_is_told() -> None:
    text = rules("never: {size: large, wood: elm}") + (
        "presets:\n  - {id: big, label: Big, choices: {size: large, wood: elm}}\n"
    )
    assert findings(text) == (Finding("warning", "big", "preset 'big' is not a valid design"),)


def test_the_schema_takes_every_product_and_refuses_unknown_keys() -> None:
    validator = jsonschema_rs.validator_for(product_schema())
    for file in sorted(PRODUCTS.glob("*.yaml")):
        for document in yaml.load_all(file.read_text(), Loader=yaml.BaseLoader):
            unknown = [e for e in validator.iter_errors(document) if "Additional properties" in e.message]
            assert unknown == []
    for text in (BASE, rules("never: {wood: elm}")):
        assert validator.is_valid(yaml.safe_load(text))
    assert not validator.is_valid(yaml.safe_load(BASE + "colour: red\n"))
