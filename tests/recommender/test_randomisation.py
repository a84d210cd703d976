"""The lift by drawing the arms again: exact differences, intervals that hold on the margins of a luxury house."""

import math

import numpy as np
import pytest

import recommender
from recommender.randomisation import MANY


def margins(number: int, seed: int) -> list[int]:
    """Most bring nothing, a few very much."""
    random = np.random.default_rng(seed)
    spent = random.lognormal(11, 1.2, number) * (random.random(number) < 0.4)
    return [int(value) for value in spent]


def test_the_difference_is_exact_and_the_same_seed_gives_the_same_interval() -> None:
    found = recommender.lift_by_draw([300, 0, 0, 300], [0, 100], 1)
    assert found.difference == 100.0
    assert found.mean == pytest.approx(700 / 6)
    assert found == recommender.lift_by_draw([300, 0, 0, 300], [0, 100], 1)
    # Fifteen ways to deal two of six to the control; the most extreme differences are 700/4 and 100/4 − 300.
    assert (found.low, found.high) == (100 - 175, 100 + 275)
    assert not found.seen


def test_with_fewer_than_two_in_an_arm_nothing_is_said() -> None:
    for treated, control in (([1, 2, 3], [1]), ([], []), ([5], [1, 2])):
        found = recommender.lift_by_draw(treated, control, 1)
        assert (found.low, found.high, found.seen) == (-math.inf, math.inf, False)


def test_a_large_effect_is_seen_and_none_is_not() -> None:
    control, shown = margins(200, 1), margins(1_800, 2)
    planted = [value + 150_000 for value in shown]
    assert recommender.lift_by_draw(planted, control, 3).seen
    assert recommender.lift_by_draw(planted, control, 3).low > 0
    assert recommender.lift_by_draw(control, planted, 3).high < 0
    assert not recommender.lift_by_draw([10] * 50, [10] * 50, 3).seen


def test_beyond_many_customers_the_normal_interval_is_used() -> None:
    treated, control = [1, 3] * MANY, [1, 3] * 1_000
    found = recommender.lift_by_draw(treated, control, 1)
    half = 1.959964 * found.spread * math.sqrt(1 / len(treated) + 1 / len(control))
    assert (found.low, found.high) == pytest.approx((-half, half), rel=1e-6)


def test_equals_are_told_apart_about_five_times_in_a_hundred() -> None:
    """The thousand seeds are in tests/trials; here a fixed two hundred, within four standard errors."""
    everyone = margins(200, 4)
    alarms = 0
    for seed in range(200):
        dealt = np.random.default_rng(seed).permutation(len(everyone))
        control, shown = ([everyone[n] for n in part] for part in (dealt[:20], dealt[20:]))
        alarms += recommender.lift_by_draw(shown, control, seed, draws=399).seen
    assert 2 <= alarms <= 22


def test_the_control_needed_is_the_textbooks() -> None:
    # Even split, spread 1, difference 0.5: 63 an arm (two-sided 5 %, power 80 %).
    assert recommender.control_needed(1.0, 0.5, 0.5) == 63
    # A tenth held out: the control needs fewer, the whole more.
    assert recommender.control_needed(1.0, 0.5, 0.1) == 35
    assert recommender.control_needed(0.0, 0.5, 0.1) == 0
    assert recommender.control_needed(1.0, 0.0, 0.1) == 0
