"""On small random models every answer of the engine equals what looking at each design says."""

import random
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from configurator import (
    Analysis,
    Bounds,
    Conflict,
    analyse,
    bounds,
    complete,
    differences,
    explain,
    from_price,
    lead_time,
    price,
    repairs,
)
from tests.configurator.oracle import Oracle
from tests.configurator.random_models import RandomModel, compiled

SEEDS = st.integers(min_value=0, max_value=10**9)


def plain(design: dict[str, Any]) -> dict[str, Any]:
    return {group: sorted(value) if isinstance(value, frozenset) else value for group, value in design.items()}


def key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def draw(seed: int) -> tuple[Oracle, Any, dict[str, Any], random.Random]:
    """A model, and choices that a customer may have made (some of a valid design, sometimes one of them changed)."""
    document = RandomModel(seed).document()
    oracle, c = Oracle(document), compiled(document)
    r = random.Random(seed + 1)
    choices: dict[str, Any] = {}
    if oracle.designs:
        design = plain(r.choice(oracle.designs))
        choices = {group: value for group, value in design.items() if r.random() < 0.5}
        if r.random() < 0.3:
            group = r.choice(oracle.groups)
            value = r.choice(oracle.values(group))
            choices[group["id"]] = sorted(value) if isinstance(value, frozenset) else value
    return oracle, c, {g["id"]: choices[g["id"]] for g in oracle.groups if g["id"] in choices}, r


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_every_value_has_the_state_that_enumeration_gives_it(seed: int) -> None:
    oracle, c, choices, _ = draw(seed)
    agreeing = [design for design in oracle.designs if oracle.agrees(design, choices)]
    result = analyse(c, choices)
    if not agreeing:
        assert isinstance(result, Conflict)
        culprits = dict(result.culprits)
        assert not any(oracle.agrees(design, culprits) for design in oracle.designs)
        for group in culprits:
            fewer = {name: value for name, value in culprits.items() if name != group}
            assert any(oracle.agrees(design, fewer) for design in oracle.designs)
        return
    assert isinstance(result, Analysis)
    completion = oracle.completion(agreeing)
    assert result.completion == plain(completion)
    assert result.complete == (len(agreeing) == 1)
    for state in result.groups:
        group = oracle.by_id[state.id]
        assert state.needed == (state.id in completion)
        shown = completion.get(state.id, frozenset())
        for value in state.values:
            possible = bool(oracle.with_value(state.id, value.id, choices))
            holds = value.id in shown if isinstance(shown, frozenset) else value.id == shown
            expected = {"chosen", "forced"} if holds else {"open"} if possible else {"impossible"}
            assert value.state in expected, (state.id, value)
            if value.state == "forced":
                assert state.id not in choices
                if "several" in group:
                    assert all(value.id in d.get(state.id, ()) for d in agreeing)
                else:
                    assert {d[state.id] for d in agreeing if state.id in d} == {value.id}


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_prices_days_and_differences_equal_the_naive_evaluation(seed: int) -> None:
    oracle, c, choices, _ = draw(seed)
    agreeing = [design for design in oracle.designs if oracle.agrees(design, choices)]
    assume(agreeing)
    completion = oracle.completion(agreeing)
    amount = oracle.price(completion)
    trace = price(c, choices)
    assert trace.amount == amount == sum(line.amount for line in trace.lines)
    assert lead_time(c, choices).min_days == oracle.days(completion)
    found = differences(c, choices)
    for group in oracle.groups:
        several = "several" in group
        values = [o["id"] for o in group["options"]] if several else oracle.values(group)
        for value in values:
            difference = found[group["id"], key(value)]
            held = completion.get(group["id"], frozenset() if several else None)
            if (isinstance(held, frozenset) and value in held) or value == held:
                assert difference == type(difference)(0, 0)
                continue
            others = oracle.with_value(group["id"], value, choices)
            if not others:
                assert difference == type(difference)(None, None)
            else:
                other = oracle.completion(others)
                assert difference.price_delta == oracle.price(other) - amount
                assert difference.lead_time_delta_days == oracle.days(other) - oracle.days(completion)


@settings(max_examples=250, deadline=None)
@given(SEEDS)
def test_cheapest_and_fastest_are_exact_and_taste_is_best(seed: int) -> None:
    oracle, c, choices, r = draw(seed)
    agreeing = [design for design in oracle.designs if oracle.agrees(design, choices)]
    assume(agreeing)
    cheapest = complete(c, choices, "cheapest")
    assert cheapest in [plain(design) for design in agreeing]
    assert price(c, cheapest).amount == min(map(oracle.price, agreeing))
    assert from_price(c) == min(map(oracle.price, oracle.designs))
    fastest = complete(c, choices, "fastest")
    assert fastest in [plain(design) for design in agreeing]
    assert lead_time(c, fastest).min_days == min(map(oracle.days, agreeing))
    assert bounds(c, choices) == Bounds(
        min(map(oracle.price, agreeing)),
        max(map(oracle.price, agreeing)),
        min(map(oracle.days, agreeing)),
        max(map(oracle.days, agreeing)),
    )
    weights = {
        (g["id"], key(value)): r.choice([-1.0, 0.25, 0.5, 2.0])
        for g in oracle.groups
        for value in ([o["id"] for o in g["options"]] if "options" in g else oracle.values(g))
    }

    def liking(design: dict[str, Any]) -> float:
        return sum(
            weights[group, key(item)]
            for group, value in design.items()
            for item in (value if isinstance(value, list) else [value])
        )

    liked = complete(c, choices, "taste", weights)
    assert liking(liked) == pytest.approx(max(liking(plain(design)) for design in agreeing))


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_repairs_are_valid_minimal_ranked_and_priced(seed: int) -> None:
    oracle, c, choices, r = draw(seed)
    assume(any(oracle.agrees(design, choices) for design in oracle.designs))
    group = r.choice([g for g in oracle.groups if "several" not in g] or oracle.groups)
    assume("several" not in group)
    value = r.choice(oracle.values(group))
    want = {group["id"]: value}
    found = repairs(c, choices, want)
    reachable = [design for design in oracle.designs if oracle.agrees(design, want)]
    assert bool(found) == bool(reachable)
    before = price(c, choices).amount
    rest = {name: v for name, v in choices.items() if name not in want}
    fits = any(oracle.agrees(design, rest | want) for design in oracle.designs)
    reason = explain(c, choices, want)
    if fits:
        assert not reason.culprits
        assert not reason.rules
    elif reachable:
        culprits = dict(reason.culprits) | want
        assert not any(oracle.agrees(design, culprits) for design in oracle.designs)
    sizes = []
    for repair in found:
        after = {name: v for name, v in choices.items() if name not in repair.drop} | repair.set
        designs = [design for design in oracle.designs if oracle.agrees(design, after)]
        assert designs
        assert after[group["id"]] == value
        assert repair.price_delta == oracle.price(oracle.completion(designs)) - before
        touched = (set(repair.set) | set(repair.drop)) - set(want)
        sizes.append((len(touched), repair.price_delta))
        for name in touched:
            fewer = {n: v for n, v in rest.items() if n not in touched - {name}} | want
            assert not any(oracle.agrees(design, fewer) for design in oracle.designs)
    assert sizes == sorted(sizes)


@example(0)
@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_answers_do_not_depend_on_what_was_asked_before(seed: int) -> None:
    document = RandomModel(seed).document()
    oracle, used = Oracle(document), compiled(document)
    r = random.Random(seed)
    for _ in range(6):
        design = plain(r.choice(oracle.designs)) if oracle.designs else {}
        choices = {g["id"]: design[g["id"]] for g in oracle.groups if g["id"] in design and r.random() < 0.6}
        fresh = compiled(document)
        assert analyse(used, choices) == analyse(fresh, choices)
        assert differences(used, choices) == differences(fresh, choices)
        if oracle.designs:
            assert complete(used, choices, "cheapest") == complete(fresh, choices, "cheapest")
