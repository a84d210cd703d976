"""The reader refuses what the language does not know, naming file, line, id and what was meant."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator import PRODUCTS, ModelError, ProductModel, load, parse

HEAD = """product: thing
name: Thing
category: things
currency: EUR
base: {price: 100}
"""
GROUPS = """groups:
  - id: size
    label: Size
    options:
      - {id: small, label: Small, default: true, attributes: {width: 1}}
      - {id: large, label: Large, attributes: {width: 2}}
  - id: count
    label: Count
    integer: {min: 0, max: 4}
  - id: words
    label: Words
    text: {max_length: 5}
"""


WORDS = """groups:
  - id: g
    label: G
    options: [{id: no, label: on}, {id: 18, label: y}]
"""
DATES = """groups:
  - id: start
    label: Start
    date:
      from: 2026-05-01
      to: 2026-05-31
      weekdays: [mon, sat]
      except: [2026-05-04, {from: 2026-05-16, to: 2026-05-23}]
"""


def refusal(text: str) -> str:
    with pytest.raises(ModelError) as caught:
        parse(text, "thing.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("product: thing\nname: Thing\n", 1, "needs 'category'"),
        (HEAD + "colour: red\n", 6, "no key 'colour'"),
        (HEAD + "grups: []\n", 6, "did you mean 'groups'?"),
        (HEAD + GROUPS.replace("label: Small", "lable: Small"), 10, "did you mean 'label'?"),
        (HEAD + GROUPS.replace("id: large", "id: small"), 11, "option 'small' stands twice"),
        (HEAD + GROUPS.replace("id: count", "id: size"), 12, "group 'size' stands twice"),
        (HEAD + GROUPS.replace("label: Large", "label: Large, default: true"), 7, "two defaults"),
        (HEAD + GROUPS.replace("max: 4", "max: -1"), 14, "max -1 lies below min 0"),
        (HEAD + GROUPS.replace("max: 4", "max: 100000"), 14, "take a larger step"),
        (HEAD + GROUPS.replace("max: 4", "max: many"), 14, "'max' must be a whole number"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, never: {size: smal}}\n", 19, "did you mean 'small'?"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, never: {sise: small}}\n", 19, "did you mean 'size'?"),
        (HEAD + GROUPS + "rules:\n  - {id: r, never: {size: small}}\n", 19, "needs 'reason'"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R}\n", 19, "must say one of if, never"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, if: {size: small}}\n", 19, "needs `then`"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, never: {words: x}}\n", 19, "is a text group"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, never: {count: 9}}\n", 19, "0 to 4"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, never: {size.depth: 1}}\n", 19, "has 'depth'"),
        (HEAD + GROUPS + "rules:\n  - {id: r, reason: R, allow: [size, count], rows: [[small]]}\n", 19, "2 values"),
        (HEAD + GROUPS + "prices:\n  - {id: p, percent: 5, of: sze}\n", 19, "'sze', which is no group"),
        (HEAD + GROUPS + "prices:\n  - {id: p, each_of: size, add: 1}\n", 19, "'size' cannot be counted"),
        (HEAD + GROUPS + "parts:\n  - {part: {size: small}, id: x}\n", 19, "part 'x' has no key 'id'"),
        (HEAD + GROUPS + "parts:\n  - {part: {size: small}}\n", 19, "part no. 1: 'part' must be an id"),
        (HEAD + GROUPS + "prices:\n  - {id: p, add: 1.5}\n", 19, "whole number of minor units"),
        (HEAD + GROUPS + "presets:\n  - {id: a, label: A, choices: {size: huge}}\n", 19, "no option 'huge'"),
        (HEAD + "currency: EUR\n", 6, "'currency' stands twice"),
        (HEAD + "name2: &a x\n", 6, "anchors and aliases"),
        (HEAD + "sentence: !!python/object x\n", 6, "tags are not part"),
        (HEAD + "sentence: [a\n", 7, "this is not YAML"),
        (HEAD.replace("EUR", "euro"), 4, "three capitals"),
        ("", 1, "no product stands in this file"),
        (HEAD + "---\n" + HEAD, 7, "stands twice in this file"),
    ],
)
def test_a_wrong_file_is_refused_naming_line_and_reason(text: str, line: int, says: str) -> None:
    message = refusal(text)
    assert message.startswith(f"thing.yaml:{line}: "), message
    assert says in message


def test_a_group_that_waits_for_itself_is_refused() -> None:
    text = HEAD + GROUPS.replace("label: Size", "label: Size\n    needed_when: {count: 1}").replace(
        "label: Count", "label: Count\n    needed_when: {size: small}"
    )
    assert "needed only when it is itself answered" in refusal(text)


def test_depth_and_size_are_limited() -> None:
    assert "nest" in refusal("product: " + "[" * 5000)
    assert "nested deeper" in refusal("product: " + "[" * 50)
    assert "larger than" in refusal("#" * 4_000_001)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    with suppress(ModelError):
        parse(text, "noise.yaml")


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=10_000), st.sampled_from(list("{}[]:,-&*!|>'\"#\n\t 0aé")))
def test_a_product_file_with_one_character_changed_is_read_or_refused(position: int, character: str) -> None:
    text = (PRODUCTS / "watch.yaml").read_text()
    place = position % len(text)
    with suppress(ModelError):
        parse(text[:place] + character + text[place + 1 :], "watch.yaml")


@pytest.mark.parametrize("model", load(PRODUCTS), ids=lambda model: model.slug)
def test_a_version_loads_back_identically(model: ProductModel) -> None:
    assert ProductModel.from_json(model.to_json()) == model


def test_the_version_is_the_content_not_the_formatting() -> None:
    (one,) = parse(HEAD + GROUPS, "a.yaml")
    (same,) = parse("# a remark\n" + GROUPS + "\n" + HEAD.replace("{price: 100}", "\n  price: 100"), "b.yaml")
    (other,) = parse((HEAD + GROUPS).replace("price: 100", "price: 101"), "a.yaml")
    assert one.version == same.version
    assert one.version != other.version
    assert len(one.version) == 16
    assert one.source_text == HEAD + GROUPS


def test_yes_no_and_numbers_with_letters_stay_words() -> None:
    (model,) = parse(HEAD + WORDS, "a")
    assert [(option.id, option.label) for option in model.groups[0].options] == [("no", "on"), ("18", "y")]


def test_dates_leave_out_closed_days() -> None:
    (model,) = parse(HEAD + DATES, "a")
    assert model.groups[0].dates == ("2026-05-02", "2026-05-09", "2026-05-11", "2026-05-25", "2026-05-30")
    assert all(dt.date.fromisoformat(day).weekday() in (0, 5) for day in model.groups[0].dates)
