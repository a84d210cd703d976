"""Repeated parts behave as if every part had been written out: states, prices, repairs, codes and newer versions."""

import random
from typing import Any

import pytest

from configurator import (
    Analysis,
    Bounds,
    ChoiceError,
    Compiled,
    Conflict,
    ModelError,
    analyse,
    bill_of_materials,
    bounds,
    check_choices,
    compile_model,
    complete,
    describe,
    difference,
    explain,
    from_price,
    lead_time,
    lint,
    nest,
    parse,
    price,
    repairs,
)
from configurator.codes import Change, carry
from configurator.design_codes import decode_choices, encode
from tests.configurator import journey

DESIGNS = journey.designs()


def compiled(text: str = journey.VOYAGE) -> Compiled:
    return compile_model(parse(text, "voyage.yaml")[0])


VOYAGE = compiled()


def agreeing(choices: dict[str, Any]) -> list[dict[str, Any]]:
    return [design for design in DESIGNS if all(design.get(name) == value for name, value in choices.items())]


@pytest.mark.parametrize("seed", range(60))
def test_every_value_of_every_part_has_the_state_that_counting_out_gives_it(seed: int) -> None:
    r = random.Random(seed)
    design = r.choice(DESIGNS)
    choices = {name: value for name, value in design.items() if r.random() < 0.4}
    if r.random() < 0.4:
        name, value = r.choice(list(r.choice(DESIGNS).items()))
        choices[name] = value
    result = analyse(VOYAGE, choices)
    if not agreeing(choices):
        assert isinstance(result, Conflict)
        assert not agreeing(dict(result.culprits))
        return
    assert isinstance(result, Analysis)
    assert result.completion in agreeing(choices)
    for state in result.groups:
        assert state.needed == (state.id in result.completion) or state.id.endswith("note")
        rest = {name: value for name, value in choices.items() if name != state.id}
        for value in state.values:
            possible = bool(agreeing(rest | {state.id: value.id}))
            assert (value.state != "impossible") == possible, (state.id, value)


def test_every_price_and_day_equals_what_counting_out_gives() -> None:
    for design in DESIGNS[::7]:
        trace = price(VOYAGE, design)
        assert trace.amount == journey.price(design) == sum(line.amount for line in trace.lines)
        assert lead_time(VOYAGE, design).min_days == journey.days(design)
        nights = sum(value for name, value in design.items() if name.endswith("nights"))
        assert bill_of_materials(VOYAGE, design) == (("room", nights),)


def test_cheapest_fastest_and_bounds_are_exact_over_all_numbers_of_parts() -> None:
    for choices in ({}, {"stops": 3}, {"stops.1.place": "naxos"}, {"travellers": 4, "stops": 2}):
        possible = agreeing(choices)
        prices, waits = [journey.price(d) for d in possible], [journey.days(d) for d in possible]
        found = bounds(VOYAGE, choices)
        assert found == Bounds(min(prices), max(prices), min(waits), max(waits))
        assert journey.price(complete(VOYAGE, choices, "cheapest")) == min(prices)
    assert from_price(VOYAGE) == min(map(journey.price, DESIGNS))


@pytest.mark.parametrize("seed", range(30))
def test_repairs_are_valid_and_priced_exactly(seed: int) -> None:
    r = random.Random(seed)
    choices, other = dict(r.choice(DESIGNS)), r.choice(DESIGNS)
    name = r.choice(list(other))
    found = repairs(VOYAGE, choices, {name: other[name]})
    assert found
    for repair in found:
        after = {n: v for n, v in choices.items() if n not in repair.drop} | repair.set
        assert after[name] == other[name]
        assert agreeing(after)
        assert repair.price_delta == price(VOYAGE, after).amount - price(VOYAGE, choices).amount


def test_fewer_parts_than_were_answered_is_a_conflict_and_the_repair_says_what_goes() -> None:
    three = check_choices(VOYAGE, {"stops": [{}, {}, {"place": "naxos", "nights": 2}]})
    assert isinstance(analyse(VOYAGE, three | {"stops": 2}), Conflict)
    assert dict(explain(VOYAGE, three, {"stops": 2}).culprits).keys() <= {"stops.3.place", "stops.3.nights"}
    (only,) = repairs(VOYAGE, three, {"stops": 2})
    assert only.set == {"stops": 2}
    assert set(only.drop) == {"stops.3.place", "stops.3.nights"}


def test_lists_of_objects_and_flat_names_are_the_same_choices() -> None:
    listed = check_choices(VOYAGE, {"stops": [{"place": "naxos"}, {}, {"nights": 1}], "travellers": 3})
    flat = {"stops.3.nights": 1, "travellers": 3, "stops": 3, "stops.1.place": "naxos"}
    assert listed == check_choices(VOYAGE, flat)
    assert list(listed) == ["travellers", "stops", "stops.1.place", "stops.3.nights"]
    assert nest(VOYAGE.model, listed) == {"travellers": 3, "stops": [{"place": "naxos"}, {}, {"nights": 1}]}
    assert check_choices(VOYAGE, nest(VOYAGE.model, listed)) == listed


def test_naming_a_part_says_how_many_there_are_unless_it_is_a_wish() -> None:
    assert check_choices(VOYAGE, {"stops.1.place": "nara"})["stops"] == 2
    assert check_choices(VOYAGE, {"stops.3.place": "nara"})["stops"] == 3
    assert check_choices(VOYAGE, {"stops.3.place": "nara"}, wish=True) == {"stops.3.place": "nara"}
    assert check_choices(VOYAGE, {"travellers": 3}) == {"travellers": 3}
    alone = compiled(
        journey.VOYAGE.replace(
            "rules:\n  - {id: two", "rules:\n  - {id: one, never: {stops: 2, travellers: 3}, reason: R}\n  - {id: two"
        )
    )
    assert check_choices(alone, {"travellers": 3, "stops.1.place": "nara"})["stops"] in (1, 3)


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"stops": []}, "takes 1 to 3 parts, not 0"),
        ({"stops": [{}] * 4}, "takes 1 to 3 parts, not 4"),
        ({"stops": 4}, "takes 1 to 3"),
        ({"stops": [{"plaice": "kyoto"}]}, "no part of 'stops' has 'plaice'"),
        ({"stops": ["kyoto"]}, "takes a list of objects"),
        ({"stops": [{"place": "oslo"}]}, "'stops.1.place' has no option 'oslo'"),
        ({"stops": [{"place": "nara"}], "stops.1.place": "kyoto"}, "'stops.1.place' is answered twice"),
        ({"stops.4.place": "kyoto"}, "there is no group 'stops.4.place'"),
        ({"travellers": [{}]}, "'travellers' takes 3 to 4"),
    ],
)
def test_parts_that_the_product_does_not_have_are_refused(choices: dict[str, Any], says: str) -> None:
    with pytest.raises(ChoiceError, match=says):
        check_choices(VOYAGE, choices)


def test_words_and_labels_name_the_part() -> None:
    rows = describe(VOYAGE, {"stops": 1, "stops.1.place": "nara"}, {"stops.1.note": "By train", "stops.2.note": "No"})
    labels = [(row.group_label, row.value_label) for row in rows]
    assert ("Stop 1 · Place", "Nara") in labels
    assert ("Stop 1 · Note", "“By train”") in labels
    assert not any("Stop 2" in label for label, _ in labels)
    lines = price(VOYAGE, {"stops": 1}, {"stops.1.note": "By train"}).lines
    assert ("Stop 1 · Note", 7) in [(line.label, line.amount) for line in lines]


def test_presets_hold_lists_of_parts() -> None:
    (grand,) = VOYAGE.model.presets
    assert grand.choices == {"stops": 3, "stops.1.place": "nara", "stops.2.place": "naxos", "stops.2.nights": 2}
    assert agreeing(grand.choices)


def test_codes_hold_parts() -> None:
    for design in DESIGNS[::50]:
        assert decode_choices(VOYAGE, encode(VOYAGE, design)) == design


def test_parts_are_carried_to_a_version_with_other_names_and_fewer_parts() -> None:
    text = journey.VOYAGE.replace("id: place\n", "id: town\n        renamed_from: [place]\n").replace("place", "town")
    text = text.replace("renamed_from: [town]", "renamed_from: [place]").replace(
        "max: 3, default: 2, label", "max: 2, label"
    )
    text = text.replace(", {}]}}", "]}}").replace("  - {id: for-four", "  - {id: four", 1)
    newer = compiled(text)
    saved: dict[str, Any] = {"stops": 2, "stops.1.place": "nara", "stops.2.place": "kyoto"}
    carried = carry(VOYAGE, newer, saved)
    assert carried.choices == {"stops": 2, "stops.1.town": "nara", "stops.2.town": "kyoto"}
    assert [change.kind for change in carried.changes] == ["renamed", "renamed"]
    longer = carry(VOYAGE, newer, {"stops": 3, "stops.3.place": "naxos"})
    assert longer.choices == {}
    assert longer.changes[:2] == (
        Change("removed", "stops", 3, None),
        Change("removed", "stops.3.place", "naxos", None),
    )


def test_the_difference_of_two_designs_names_answers_and_amounts() -> None:
    one: dict[str, Any] = {"stops": 1, "stops.1.place": "kyoto"}
    two: dict[str, Any] = {"stops": 2, "stops.1.place": "nara"}
    found = difference(VOYAGE, one, two)
    assert [(row.label, row.before_words, row.after_words) for row in found.answers] == [
        ("Stops", "1", "2"),
        ("Stop 1 · Place", "Kyoto", "Nara"),
        ("Stop 2 · Place", None, "Kyoto"),
        ("Stop 2 · Nights", None, "2"),
        ("Stop 2 · Ryokan", None, "No"),
    ]
    moved = sum(line.after - line.before for line in found.amounts)
    assert (
        moved
        == found.price_after.amount - found.price_before.amount
        == price(VOYAGE, two).amount - price(VOYAGE, one).amount
    )
    same = difference(VOYAGE, one, one)
    assert (same.answers, same.amounts) == ((), ())


def test_the_lint_finds_nothing_in_a_sound_journey() -> None:
    assert lint(VOYAGE) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("max: 3, default", "max: 90, default", 13, "there may be 1 to 50 parts"),
        ("min: 1, max: 3, default: 2", "min: 1, max: 3, default: 7", 13, "default 7 lies outside 1 to 3"),
        ("      - {id: nights, label", "      - {id: travellers, label", 21, "is the id of a group outside too"),
        ("distinct: place,", "distinct: plaice,", 28, "did you mean 'place'?"),
        ("next.place: nara", "next.plaice: nara", 29, "no part of 'stops' has 'plaice'; did you mean 'place'?"),
        ("sum: [stops.nights]", "sum: [stops.nigths]", 41, "no part of 'stops' has 'nigths'; did you mean 'nights'?"),
        ("{some: {place.region", "{sone: {place.region", 42, "did you mean 'some'?"),
        ("{stops: [{place: nara}", "{stops: [{}, {place: nara}", 51, "takes 1 to 3 parts, not 4"),
        ("{stops: [{place: nara}", "{stops: [{place: oslo}", 51, "has no option 'oslo'"),
        ("    repeated: {", "    options: [{id: a, label: A}]\n    repeated: {", 13, "belongs to one of its `groups`"),
    ],
)
def test_mistakes_in_parts_name_the_line_and_what_was_meant(old: str, new: str, line: int, says: str) -> None:
    assert old in journey.VOYAGE
    with pytest.raises(ModelError) as caught:
        parse(journey.VOYAGE.replace(old, new), "voyage.yaml")
    assert f"voyage.yaml:{line}: " in str(caught.value)
    assert says in str(caught.value)
