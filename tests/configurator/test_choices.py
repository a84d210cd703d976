"""Choices and texts are normalised or refused."""

from typing import Any

import pytest

from configurator import (
    PRODUCTS,
    Analysis,
    ChoiceError,
    Compiled,
    TextError,
    analyse,
    check_choices,
    check_texts,
    compile_model,
    describe,
    design_hash,
    from_form,
    load,
    price,
    sentence,
)
from configurator.choices import graphemes


@pytest.fixture(scope="module")
def watch() -> Compiled:
    return compile_model(next(model for model in load(PRODUCTS) if model.slug == "meridien"))


@pytest.fixture(scope="module")
def trunk() -> Compiled:
    return compile_model(next(model for model in load(PRODUCTS) if model.slug == "voyageur"))


def test_choices_come_back_in_group_order_with_sorted_lists(trunk: Compiled) -> None:
    checked = check_choices(trunk, {"fittings": ["jewel-case", "bar"], "size": "L", "wheels": True, "trays": 2})
    assert list(checked) == ["size", "wheels", "trays", "fittings"]
    assert checked["fittings"] == ["bar", "jewel-case"]


@pytest.mark.parametrize(
    "choices",
    [
        {"colour": "red"},
        {"size": "XL"},
        {"size": ["L"]},
        {"size": None},
        {"size": 3},
        {"wheels": "true"},
        {"wheels": 1},
        {"trays": "2"},
        {"trays": True},
        {"trays": 9},
        {"fittings": "bar"},
        {"fittings": ["bar", "bar"]},
        {"fittings": [["bar"]]},
        {"initials": "AB"},
        {"fittings": ["violin"]},
        {3: "L"},
        ["size"],
        "size",
    ],
)
def test_what_the_model_does_not_know_is_refused(trunk: Compiled, choices: Any) -> None:
    with pytest.raises(ChoiceError):
        check_choices(trunk, choices)


def test_a_private_option_exists_for_its_audience_only(watch: Compiled) -> None:
    invited = frozenset({"invited"})
    assert check_choices(watch, {"rotor": "crest"}, invited) == {"rotor": "crest"}
    everyone, guest = analyse(watch, {}), analyse(watch, {}, invited)
    assert isinstance(everyone, Analysis)
    assert isinstance(guest, Analysis)
    seen = {v.id for g in everyone.groups if g.id == "rotor" for v in g.values}
    assert seen == {"brushed", "waves", "gold"}
    assert {v.id for g in guest.groups if g.id == "rotor" for v in g.values} == seen | {"crest"}
    assert price(watch, {"rotor": "crest"}).amount == price(watch, {}).amount + 380_000


def test_form_strings_become_values(trunk: Compiled) -> None:
    assert from_form(trunk, "wheels", ["true"]) is True
    assert from_form(trunk, "trays", ["2"]) == 2
    assert from_form(trunk, "fittings", ["bar", "", "bar"]) == ["bar"]
    assert from_form(trunk, "size", ["L"]) == "L"
    for group, fields in (("wheels", ["yes"]), ("trays", ["two"]), ("trays", []), ("nothing", ["x"])):
        with pytest.raises(ChoiceError):
            from_form(trunk, group, fields)


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("👨‍👩‍👧", 1), ("🇫🇷🇩🇪", 2), ("👍🏽", 1), ("a b", 3), ("नि", 1)],
)
def test_characters_are_counted_as_a_reader_sees_them(text: str, length: int) -> None:
    assert graphemes(text) == length


def test_texts_are_normalised_and_apply_only_where_needed(trunk: Compiled) -> None:
    assert check_texts(trunk, {"monogram": "plate"}, {"initials": " A\u0301B "}) == {"initials": "ÁB"}
    assert check_texts(trunk, {}, {"initials": "AB"}) == {}
    assert check_texts(trunk, {"monogram": "plate"}, {"initials": "   "}) == {}


@pytest.mark.parametrize("texts", [{"initials": "ABCDEF"}, {"initials": "A\u0000"}, {"initials": "A♥"}, {"size": "L"}])
def test_words_that_cannot_be_engraved_are_refused(trunk: Compiled, texts: Any) -> None:
    with pytest.raises(TextError):
        check_texts(trunk, {"monogram": "plate"}, texts)


@pytest.mark.parametrize("texts", [{"initials": 3}, {"x": "A"}, ["A"], None])
def test_texts_of_the_wrong_type_are_refused(trunk: Compiled, texts: Any) -> None:
    with pytest.raises(TextError):
        check_texts(trunk, {"monogram": "plate"}, texts)


def test_the_same_piece_has_one_hash_however_it_was_chosen(watch: Compiled) -> None:
    bare = design_hash(watch, {}, {})
    assert design_hash(watch, {"case": "steel", "dial": "midnight"}, {"engraving": ""}) == bare
    assert design_hash(watch, {"case": "rose-gold"}, {}) != bare
    assert design_hash(watch, {}, {"engraving": "C."}) != bare
    assert design_hash(watch, {}, {"engraving": " C\u0301. "}) == design_hash(watch, {}, {"engraving": "Ć."})


def test_a_design_is_said_in_one_sentence(watch: Compiled) -> None:
    choices = check_choices(watch, {"case": "rose-gold", "strap": "alligator", "leather": "cognac"})
    expected = "Rose gold, midnight dial, alligator strap in cognac, engraved “C.”"
    assert sentence(watch, choices, {"engraving": "C."}) == expected
    rows = {row.group: row for row in describe(watch, choices, {"engraving": "C."})}
    assert (rows["case"].value_label, rows["case"].default) == ("Rose gold", False)
    assert (rows["dial"].value_label, rows["dial"].default) == ("Midnight", True)
    assert rows["papers"].value_label == "None"
