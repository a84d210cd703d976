"""What is private to an audience is unknown to everyone else, in every answer; a design that holds it stays whole."""

import json
from typing import Any

import pytest

from configurator import (
    Analysis,
    ChoiceError,
    ModelError,
    TextError,
    analyse,
    bounds,
    check_choices,
    check_texts,
    compile_model,
    complete,
    describe,
    differences,
    explain,
    from_price,
    parse,
    price,
    repairs,
    sentence,
)
from configurator.codes import carry
from configurator.design_codes import decode_choices, encode

WATCH = """product: watch
name: Watch
category: timepieces
currency: EUR
base: {price: 1000}
groups:
  - id: dial
    label: Dial
    options:
      - {id: blue, label: Blue, price: 50, default: true}
      - {id: red, label: Red, price: 40}
      - {id: crest, label: Secret crest, price: 1, lead_days: 0, audience: family}
  - {id: size, label: Size, options: [{id: s, label: S, lead_days: 3, default: true}, {id: l, label: L, lead_days: 5}]}
  - {id: vault, label: Secret vault, audience: family, flag: {price: -30}}
  - id: finish
    label: Secret finish
    audience: family
    options: [{id: plain, label: Plain, default: true}, {id: rare, label: Rare, price: -8}]
  - {id: spares, label: Secret spares, audience: family, integer: {min: 0, max: 2}}
  - {id: extras, label: Secret extras, audience: family, several: {}, options: [{id: box, label: Box, price: -4}]}
  - {id: words, label: Secret words, audience: family, text: {max_length: 9}}
rules:
  - {id: crest-large, if: {dial: crest}, then: {size: l}, reason: The crest needs room.}
prices:
  - {id: spares, each_of: spares, add: -9, label: Spares}
presets:
  - {id: open, label: Open, choices: {dial: red}}
  - {id: closed, label: Secret beginning, audience: family, choices: {dial: red}}
"""
C = compile_model(parse(WATCH, "watch.yaml")[0])
FAMILY = frozenset({"family"})
PRIVATE = ("vault", "finish", "spares", "extras", "words")
HERS: dict[str, Any] = {"dial": "crest", "size": "l", "vault": True, "spares": 2}


def test_a_stranger_sees_neither_options_nor_groups_nor_presets() -> None:
    found = analyse(C, {})
    assert isinstance(found, Analysis)
    assert [group.id for group in found.groups] == ["dial", "size"]
    assert [value.id for value in found.groups[0].values] == ["blue", "red"]
    told = json.dumps([found.completion, [str(key) for key in differences(C, {})], sentence(C, {})])
    told += str(describe(C, {})) + str(price(C, {})) + str(complete(C, {}, "cheapest")) + str(complete(C, {}))
    assert "ecret" not in told
    assert not any(name in told for name in (*PRIVATE, "crest"))
    assert [preset.id for preset in C.model.presets_for(frozenset())] == ["open"]
    guest = analyse(C, {}, FAMILY)
    assert isinstance(guest, Analysis)
    assert [group.id for group in guest.groups] == ["dial", "size", *PRIVATE]
    assert [preset.id for preset in C.model.presets_for(FAMILY)] == ["open", "closed"]


@pytest.mark.parametrize("name", ["vault", "finish", "spares", "extras", "nothing"])
def test_a_private_group_is_refused_like_one_that_does_not_exist(name: str) -> None:
    with pytest.raises(ChoiceError, match=f"there is no group '{name}'"):
        check_choices(C, {name: True})


def test_private_words_are_refused_like_those_that_do_not_exist() -> None:
    with pytest.raises(TextError, match="there is no text 'words'"):
        check_texts(C, {}, {"words": "Ours"}, frozenset())
    assert check_texts(C, {}, {"words": "Ours"}, FAMILY) == {"words": "Ours"}


def test_prices_and_bounds_of_a_stranger_leave_private_things_out() -> None:
    assert from_price(C) == 1040
    assert (bounds(C, {}).price_min, bounds(C, {}).price_max) == (1040, 1050)
    assert bounds(C, {}, FAMILY).price_min == 1000 + 1 - 30 - 8 - 18 - 4
    assert "crest" not in complete(C, {}, "cheapest").values()
    liked = {("dial", "crest"): 9.0, ("vault", "true"): 9.0, ("size", "l"): 1.0}
    assert complete(C, {}, "taste", liked) == {"dial": "blue", "size": "l"}
    assert complete(C, {}, "taste", liked, FAMILY)["dial"] == "crest"


def test_explanations_and_repairs_never_name_a_private_way_out() -> None:
    assert explain(C, {"size": "s"}, {"dial": "red"}).culprits == ()
    for want in ({"dial": "red"}, {"size": "l"}):
        for repair in repairs(C, {"dial": "blue", "size": "s"}, want):
            assert "crest" not in repair.set.values()
            assert not set(repair.set) & set(PRIVATE)
    assert repairs(C, {"size": "s"}, {"dial": "crest"}) == ()
    (hers,) = repairs(C, {"size": "s"}, {"dial": "crest"}, audiences=FAMILY)
    assert hers.set == {"dial": "crest", "size": "l"}


def test_a_design_that_holds_private_things_stays_whole_but_cannot_be_chosen_anew() -> None:
    assert decode_choices(C, encode(C, HERS)) == HERS
    rows = [(row.group_label, row.value_label) for row in describe(C, HERS)]
    assert rows == [("Dial", "Secret crest"), ("Size", "L"), ("Secret vault", "Yes"), ("Secret spares", "2")]
    assert price(C, HERS).amount == 1000 + 1 - 30 - 18
    assert carry(C, C, HERS).choices == HERS
    seen = analyse(C, HERS)
    assert isinstance(seen, Analysis)
    assert [group.id for group in seen.groups] == ["dial", "size"]
    assert "crest" not in [value.id for group in seen.groups for value in group.values]
    with pytest.raises(ChoiceError):
        check_choices(C, HERS)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("flag: {price: -30}", "flag: {default: true}", "its default must be no"),
        ("several: {}", "several: {at_least: 1}", "at_least must be 0"),
        ("label: Plain, default: true", "label: Plain", "needs a default that everyone else gets"),
        ("label: Plain, default: true", "label: Plain, default: true, price: 5", "without price and days"),
    ],
)
def test_a_private_group_needs_an_answer_for_everyone_else(old: str, new: str, says: str) -> None:
    assert old in WATCH
    with pytest.raises(ModelError, match=says):
        parse(WATCH.replace(old, new), "watch.yaml")
