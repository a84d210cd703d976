"""Offers: exact expected margins, and a lift that says when it cannot tell."""

import math

import numpy as np
import pytest

from recommender.offers import Lift, Proposal, expected_margin, lift, rank
from recommender.value import row_profit


def test_expected_margin_is_exact_and_rounds_down() -> None:
    assert expected_margin(Proposal("strap", 10_000, 0.25, 2_000, 50)) == 1_950
    assert expected_margin(Proposal("strap", 10_000, 0.25, 2_000, 50, baseline=0.1)) == 950
    assert expected_margin(Proposal("strap", 333, 0.1, 0, 0)) == 33
    assert expected_margin(Proposal("strap", -333, 0.1, 0, 0)) == -34


def test_ranks_by_expected_margin_and_leaves_out_what_loses_money() -> None:
    offers = [
        Proposal("b", 1_000, 0.5, 0, 0),
        Proposal("loses", 1_000, 0.5, 1_000, 1),
        Proposal("a", 1_000, 0.5, 0, 0),
        Proposal("boat", 900_000_000_000, 0.01, 0, 0),
    ]
    assert [(r.proposal.item, r.expected) for r in rank(offers)] == [("boat", 9_000_000_000), ("a", 500), ("b", 500)]


def test_row_profit_is_margins_less_contacts() -> None:
    assert row_profit([120_00, -15_00], [250, 250]) == 100_00
    assert row_profit([], []) == 0


def test_lift_of_known_arms() -> None:
    found = lift([0, 100] * 50, [0] * 100)
    assert found.difference == 50
    assert (found.low, found.high) == pytest.approx((40.151, 59.849), abs=1e-3)
    assert found.enough
    assert found.needed == 8


def test_one_point_at_two_per_cent_needs_about_3800_customers() -> None:
    treated, control = [1] * 3 + [0] * 97, [1] * 2 + [0] * 98
    found = lift(treated, control)
    assert not found.enough
    assert 3_800 <= found.needed <= 3_900


@pytest.mark.parametrize(("treated", "control"), [([], [1]), ([1], []), ([5], [3, 4])])
def test_too_few_customers_tell_nothing(treated: list[int], control: list[int]) -> None:
    found = lift(treated, control)
    assert (found.low, found.high, found.enough, found.needed) == (-math.inf, math.inf, False, 0)


def test_equal_arms_say_no_needed_number() -> None:
    assert lift([1, 1], [1, 1]) == Lift(0.0, 0.0, 0.0, enough=False, needed=0)


def test_false_alarms_of_two_equal_arms_stay_near_five_per_cent() -> None:
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(1_000):
        margins = (random.random(400) < 0.1) * random.integers(5_000, 50_000, 400)
        found = lift(margins[:200].tolist(), margins[200:].tolist())
        alarms += not found.low <= 0 <= found.high
    assert 35 <= alarms <= 65
