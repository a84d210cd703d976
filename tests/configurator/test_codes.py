"""Share codes can be typed, checked and not guessed; saved designs are carried to the newest version."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator import Choices, Compiled, codes, compile_model, parse
from configurator.codes import ALPHABET, Change, carry, carry_values
from configurator.course import preferred
from configurator.dimacs import read_dimacs
from configurator.live import Live

VERSIONS = Path(__file__).parents[3] / "shared" / "data" / "models" / "versions"

OLD = """product: thing
name: Thing
category: things
currency: EUR
base: {price: 1000}
groups:
  - id: size
    label: Size
    options: [{id: small, label: Small, default: true}, {id: large, label: Large, price: 50}]
  - id: wood
    label: Wood
    options: [{id: oak, label: Oak, default: true}, {id: elm, label: Elm, price: 10}, {id: ash, label: Ash}]
  - id: extras
    label: Extras
    several: {at_most: 2}
    options: [{id: lamp, label: Lamp, price: 5}, {id: rack, label: Rack}]
  - id: lid
    label: Lid
    flag: {price: 7}
"""


def thing(text: str) -> Compiled:
    return compile_model(parse(text, "thing.yaml")[0])


def test_codes_have_eight_readable_characters_and_are_not_sequential() -> None:
    source = random.Random(7)
    made = [codes.new_code(source) for _ in range(2000)]
    assert len(set(made)) == 2000
    assert all(len(code) == 8 and not set(code) & set("0O1IL") for code in made)
    assert all(codes.normalise(code) == code for code in made)
    assert codes.normalise(f" {made[0][:4].lower()}-{made[0][4:]} ") == made[0]


@given(st.integers(0, 10**6), st.integers(0, 7), st.sampled_from(ALPHABET))
def test_every_single_slip_is_noticed(seed: int, place: int, character: str) -> None:
    code = codes.new_code(random.Random(seed))
    slipped = code[:place] + character + code[place + 1 :]
    assert (codes.normalise(slipped) is None) == (slipped != code)


@given(st.integers(0, 10**6), st.integers(0, 6))
def test_every_swap_of_neighbours_is_noticed(seed: int, place: int) -> None:
    code = codes.new_code(random.Random(seed))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (codes.normalise(swapped) is None) == (swapped != code)


@pytest.mark.parametrize("text", ["", "ABC", "0000000O", "ABCDEFGHJ", "💎" * 8, "A" * 5000])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert codes.normalise(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = codes.normalise(text)
    assert code is None or codes.normalise(code) == code


def test_nothing_changes_on_the_same_version() -> None:
    choices: Choices = {"size": "large", "wood": "elm", "extras": ["lamp"], "lid": True}
    carried = carry(thing(OLD).model, thing(OLD), choices)
    assert carried == codes.Carried(choices, ())


def test_renamed_retired_and_removed_are_told_and_so_is_the_price() -> None:
    new = (
        OLD.replace("id: large", "id: grand, renamed_from: [large]")
        .replace("{id: elm, label: Elm, price: 10}", "{id: elm, label: Elm, price: 10, retired: true}")
        .replace("  - id: lid\n    label: Lid\n    flag: {price: 7}\n", "")
        .replace("price: 5}", "price: 6}")
    )
    carried = carry(thing(OLD).model, thing(new), {"size": "large", "wood": "elm", "extras": ["lamp"], "lid": True})
    assert carried.choices == {"size": "grand", "extras": ["lamp"]}
    assert carried.changes == (
        Change("renamed", "size", "large", "grand"),
        Change("retired", "wood", "elm", None),
        Change("removed", "lid", True, None),
        Change("price", None, 1072, 1056),
    )


def test_a_new_rule_is_met_by_the_smallest_repair() -> None:
    new = OLD + "rules:\n  - {id: r, reason: Elm warps., never: {wood: elm, size: large}}\n"
    carried = carry(thing(OLD).model, thing(new), {"size": "large", "wood": "elm", "lid": True})
    assert len([change for change in carried.changes if change.kind == "repaired"]) == 1
    assert carried.choices["lid"] is True
    assert not (carried.choices["wood"] == "elm" and carried.choices["size"] == "large")


@pytest.mark.skipif(not VERSIONS.exists(), reason="the dated versions in ../shared/data/models are not there")
def test_a_hundred_saved_designs_are_carried_through_ten_dated_versions() -> None:
    files = sorted(VERSIONS.glob("*.dimacs"))
    spaces = [read_dimacs(file.read_text(), file.name) for file in files]
    assert len(spaces) == 10
    r = random.Random(5)
    saved: list[dict[str, Any]] = []
    with Live(spaces[0]).engine() as engine:
        for _ in range(100):
            wishes = [r.choice(group.literals) for group in r.sample(spaces[0].groups, 25)]
            design = preferred(engine, (), wishes)
            assert design is not None
            names = [group.id for group in r.sample(spaces[0].groups, 40)]
            home = {group.id: group.literals[0] for group in spaces[0].groups}
            saved.append({name: bool(design >> home[name] & 1) for name in names})
    for space in spaces[1:]:
        live = Live(space)
        known = {group.id: group.literals[0] for group in space.groups}
        for number, design_values in enumerate(saved):
            carried = carry_values(live, design_values)
            assert set(carried.removed) == design_values.keys() - known.keys()
            kept = [known[name] if value else -known[name] for name, value in carried.kept.items()]
            with live.engine() as engine:
                assert engine.holds(kept)
                for name in carried.given_up:  # none was given up without need
                    literal = known[name] if design_values[name] else -known[name]
                    assert not engine.holds([*kept, literal])
            saved[number] = dict(carried.kept)
