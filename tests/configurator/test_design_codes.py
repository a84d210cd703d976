"""A design code holds the choices of its version, and nothing that is not in it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator import PRODUCTS, ChoiceError, Choices, Compiled, compile_model, load
from configurator.design_codes import address, decode_choices, encode

HOUSE = {model.slug: compile_model(model) for model in load(PRODUCTS) if model.slug in ("meridien", "voyageur")}


def some_choices(c: Compiled, r: random.Random) -> Choices:
    choices: Choices = {}
    for group, code in zip(c.model.groups, c.space.groups, strict=True):
        if group.kind in ("text", "upload") or r.random() < 0.4:
            continue
        if group.kind == "several":
            choices[group.id] = sorted(str(v) for v in code.values if r.random() < 0.4)
        else:
            choices[group.id] = r.choice(code.values)
    return choices


@given(st.sampled_from(sorted(HOUSE)), st.integers(0, 10**6))
def test_what_was_encoded_is_decoded(slug: str, seed: int) -> None:
    c = HOUSE[slug]
    choices = some_choices(c, random.Random(seed))
    code = encode(c, choices)
    assert decode_choices(c, code) == choices
    assert address(code) == (slug, c.model.version)
    assert len(code) < 80


@given(st.integers(0, 10**6), st.integers(0, 200), st.characters(codec="ascii"))
def test_every_slip_is_refused(seed: int, place: int, character: str) -> None:
    c = HOUSE["meridien"]
    code = encode(c, some_choices(c, random.Random(seed)))
    at = place % len(code)
    slipped = code[:at] + character + code[at + 1 :]
    if slipped != code:
        with pytest.raises(ChoiceError):
            decode_choices(c, slipped)


@given(st.text(max_size=60))
def test_any_text_is_no_code(text: str) -> None:
    assert address(text) is None


def test_a_code_of_another_product_is_refused() -> None:
    code = encode(HOUSE["voyageur"], {"size": "L"})
    with pytest.raises(ChoiceError):
        decode_choices(HOUSE["meridien"], code)
