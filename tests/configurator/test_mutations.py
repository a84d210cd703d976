"""The comparison with enumeration can fail: for every kind of rule, a product that says something else is noticed."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from configurator import Compiled, Conflict, analyse
from tests.configurator.oracle import Oracle
from tests.configurator.random_models import compiled

Document = dict[str, Any]
GROUPS: list[Document] = [
    {
        "id": "case",
        "label": "Case",
        "options": [
            {"id": "steel", "label": "Steel", "attributes": {"width": 18}},
            {"id": "gold", "label": "Gold", "attributes": {"width": 20}},
            {"id": "titanium", "label": "Titanium", "attributes": {"width": 22}},
        ],
    },
    {
        "id": "strap",
        "label": "Strap",
        "options": [
            {"id": "calf", "label": "Calf", "attributes": {"width": 18}},
            {"id": "rubber", "label": "Rubber", "attributes": {"width": 20}},
            {"id": "bracelet", "label": "Bracelet", "attributes": {"width": 20}},
        ],
    },
    {"id": "boxed", "label": "Boxed", "flag": {}},
    {"id": "spares", "label": "Spares", "integer": {"min": 0, "max": 3}},
    {
        "id": "papers",
        "label": "Papers",
        "several": {"at_most": 2},
        "options": [{"id": name, "label": name} for name in ("drawing", "film", "visit")],
    },
]
RULES: dict[str, tuple[Document, Callable[[Document], Any]]] = {
    "if": (
        {"if": {"strap": "rubber"}, "then": {"case": ["steel", "titanium"]}},
        lambda rule: rule.update(then={"case": ["steel"]}),
    ),
    "never": (
        {"never": {"strap": "bracelet", "case": "gold", "boxed": True}},
        lambda rule: rule["never"].pop("boxed"),
    ),
    "requires": (
        {"requires": [{"papers": "film"}, {"boxed": True}]},
        lambda rule: rule["requires"].reverse(),
    ),
    "excludes": (
        {"excludes": [{"boxed": True}, {"case": "gold"}, {"papers": "visit"}]},
        lambda rule: rule["excludes"].pop(),
    ),
    "allow": (
        {"allow": ["case", "strap"], "rows": [["steel", "any"], [["gold", "titanium"], ["calf", "rubber"]]]},
        lambda rule: rule["rows"][1].__setitem__(1, ["calf"]),
    ),
    "forbid": (
        {"forbid": ["case", "strap"], "rows": [["gold", "rubber"], ["titanium", "any"]]},
        lambda rule: rule["rows"].pop(0),
    ),
    "of at_most": (
        {"of": [{"papers": "film"}, {"papers": "visit"}, {"boxed": True}], "at_most": 2},
        lambda rule: rule.update(at_most=1),
    ),
    "of at_least": (
        {"of": [{"case": "gold"}, {"strap": "calf"}, {"boxed": True}], "at_least": 1},
        lambda rule: rule.update(at_least=2),
    ),
    "of exactly": (
        {"of": [{"case": "gold"}, {"strap": "calf"}, {"boxed": True}], "exactly": 1},
        lambda rule: rule.update(exactly=2),
    ),
    "sum": (
        {"sum": ["spares", "case.width", {"of": "strap.width", "times": -1}], "at_most": 4},
        lambda rule: rule.update(at_most=5),
    ),
    "compare": (
        {"compare": ["case.width", "<=", "strap.width"]},
        lambda rule: rule["compare"].__setitem__(1, "<"),
    ),
    "same": ({"same": ["case.width", "strap.width"]}, lambda rule: rule.update(different=rule.pop("same"))),
    "different": ({"different": ["case.width", "strap.width"]}, lambda rule: rule.update(same=rule.pop("different"))),
}


def product(rule: Document | None) -> Document:
    return {
        "product": "thing",
        "name": "Thing",
        "category": "things",
        "currency": "EUR",
        "base": {"price": 1000, "cost": 1, "lead_days": 1},
        "groups": deepcopy(GROUPS),
        "rules": [] if rule is None else [{"id": "rule", "reason": "Because.", **rule}],
    }


def questions(oracle: Oracle) -> Iterator[Document]:
    """Each value alone, and each case with each strap."""
    for group in oracle.groups:
        for value in oracle.values(group):
            yield {group["id"]: sorted(value) if isinstance(value, frozenset) else value}
    for case in ("steel", "gold", "titanium"):
        for strap in ("calf", "rubber", "bracelet"):
            yield {"case": case, "strap": strap}


def disagreements(c: Compiled, oracle: Oracle) -> int:
    """Answers about which the engine and enumeration say something else."""
    wrong = 0
    for choices in questions(oracle):
        found = analyse(c, choices)
        possible = any(oracle.agrees(design, choices) for design in oracle.designs)
        wrong += isinstance(found, Conflict) == possible
        if isinstance(found, Conflict):
            continue
        for state in found.groups:
            for shown in state.values:
                wrong += (shown.state != "impossible") != bool(oracle.with_value(state.id, shown.id, choices))
    return wrong


@pytest.mark.parametrize("kind", list(RULES))
def test_engine_and_enumeration_agree_on_the_rule(kind: str) -> None:
    rule, _ = RULES[kind]
    assert disagreements(compiled(product(rule)), Oracle(product(rule))) == 0


@pytest.mark.parametrize("kind", list(RULES))
def test_a_rule_that_is_missing_is_noticed(kind: str) -> None:
    rule, _ = RULES[kind]
    assert disagreements(compiled(product(None)), Oracle(product(rule))) > 0


@pytest.mark.parametrize("kind", list(RULES))
def test_a_rule_that_says_something_else_is_noticed(kind: str) -> None:
    rule, mutate = RULES[kind]
    changed = deepcopy(rule)
    mutate(changed)
    assert changed != rule
    assert disagreements(compiled(product(changed)), Oracle(product(rule))) > 0
