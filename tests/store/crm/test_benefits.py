"""What a benefit takes off and leaves, in integers."""

import random

import pytest

from store.crm import benefits
from store.crm.benefits import LineValue, Terms

STRAP = LineValue("lin_a", "strap", "dsg_1", 1, 48_000, 14_000, 2_000)
ROLL = LineValue("lin_b", "roll", "dsg_2", 2, 24_000, 8_000, 2_000)


def terms(kind: str, **changes: object) -> Terms:
    values: dict[str, object] = {
        "offer_id": "off_1",
        "label": "For you",
        "kind": kind,
        "amount": 0,
        "basis_points": 0,
        "gift_slug": None,
        "slug": "strap",
        "design_id": None,
        "benefit_cost": 0,
        "floor_basis_points": 3_000,
        "currency": "EUR",
    }
    return Terms(**{**values, **changes})  # type: ignore[arg-type]


def taken(*offers: Terms, lines: tuple[LineValue, ...] = (STRAP, ROLL)) -> list[tuple[str, int, str | None]]:
    return [(found.offer_id, found.amount, found.line_id) for found in benefits.apply(offers, lines).discounts]


def test_a_percentage_is_taken_off_one_piece_of_the_product_offered() -> None:
    assert taken(terms("percent", basis_points=1_500)) == [("off_1", 7_200, "lin_a")]
    assert taken(terms("percent", basis_points=1_500, slug="roll")) == [("off_1", 3_600, "lin_b")]


def test_a_percentage_rounds_half_away_from_zero() -> None:
    odd = LineValue("lin_a", "strap", None, 1, 10_010, 0, 0)
    assert taken(terms("percent", basis_points=500), lines=(odd,)) == [("off_1", 501, "lin_a")]


def test_an_amount_never_takes_more_than_the_piece_costs() -> None:
    free = terms("amount", amount=99_999, floor_basis_points=0)
    cheap = LineValue("lin_a", "strap", None, 1, 500, 0, 0)
    assert benefits.tried(free, (cheap,)).discount.amount == 500  # type: ignore[union-attr]


def test_an_offer_for_a_piece_that_is_not_in_the_bag_does_nothing_and_says_nothing() -> None:
    found = benefits.apply([terms("percent", basis_points=1_500, slug="trunk")], [STRAP])
    assert (found.discounts, found.notes) == ([], [])


def test_the_ready_design_is_taken_before_another_design_of_the_piece() -> None:
    other = LineValue("lin_0", "strap", "dsg_9", 1, 20_000, 2_000, 2_000)
    assert taken(terms("percent", basis_points=1_000, design_id="dsg_1"), lines=(other, STRAP)) == [
        ("off_1", 4_800, "lin_a")
    ]


def test_a_gift_costs_nothing_beside_its_piece_and_asks_to_be_added_when_it_is_missing() -> None:
    gift = terms("gift", gift_slug="roll")
    assert taken(gift) == [("off_1", 24_000, "lin_b")]
    without = benefits.apply([gift], [STRAP])
    assert without.discounts == []
    assert without.notes == ["For you: add the gift to your bag, it will cost you nothing."]
    assert benefits.apply([gift], [ROLL]).discounts == []


def test_a_privilege_takes_nothing_off_and_is_used_with_the_piece() -> None:
    assert taken(terms("privilege")) == [("off_1", 0, "lin_a")]


def test_what_is_left_is_net_of_tax_and_counts_cost_and_benefit() -> None:
    # 48,000 − 7,200 = 40,800 with 20 % tax: 34,000 net; less 14,000 leaves 20,000.
    use = benefits.tried(terms("percent", basis_points=1_500), [STRAP])
    assert use is not None
    assert (use.left.net, use.left.margin, use.left.basis_points) == (34_000, 20_000, 5_882)
    privilege = benefits.tried(terms("privilege", benefit_cost=5_000), [STRAP])
    assert privilege is not None
    assert (privilege.left.net, privilege.left.margin) == (40_000, 21_000)
    gift = benefits.tried(terms("gift", gift_slug="roll"), [STRAP, ROLL])
    assert gift is not None
    assert (gift.left.net, gift.left.margin) == (40_000, 18_000)


def test_an_offer_below_its_floor_is_refused_with_a_sentence() -> None:
    found = benefits.apply([terms("percent", basis_points=7_000, label="For you: 70 % off")], [STRAP])
    assert found.discounts == []
    assert found.notes == [
        "For you: 70 % off: not possible with this bag, because the house would not keep its margin."
    ]


def test_the_most_that_can_be_given_keeps_the_floor_and_one_cent_more_does_not() -> None:
    # Net price n keeps 30 % when (n − 14,000) / n ≥ 0.3, so n ≥ 20,000, which is 24,000 with tax.
    most = benefits.most(terms("amount"), [STRAP])
    assert most == 24_000
    assert taken(terms("amount", amount=24_000)) == [("off_1", 24_000, "lin_a")]
    assert taken(terms("amount", amount=24_003)) == []


def test_two_offers_never_meet_on_one_piece_the_larger_one_is_used() -> None:
    small, large = terms("percent", basis_points=500), terms("amount", amount=6_000, offer_id="off_2")
    assert taken(small, large) == [("off_2", 6_000, "lin_a")]


def test_offers_for_two_pieces_go_together_and_one_for_the_whole_bag_stands_alone() -> None:
    strap = terms("percent", basis_points=1_000)
    roll = terms("percent", basis_points=1_000, slug="roll", offer_id="off_2")
    bag = terms("percent", basis_points=1_000, slug=None, offer_id="off_3", label="Whole bag")
    privilege = terms("privilege", slug=None, offer_id="off_4")
    assert taken(strap, roll) == [("off_1", 4_800, "lin_a"), ("off_2", 2_400, "lin_b")]
    # The bag is worth 96,000: 9,600 is more than 7,200, so the two wait for another order.
    assert taken(strap, roll, bag, privilege) == [("off_3", 9_600, None), ("off_4", 0, None)]
    small = terms("percent", basis_points=100, slug=None, offer_id="off_3", label="Whole bag")
    found = benefits.apply([strap, small], [STRAP, ROLL])
    assert [item.offer_id for item in found.discounts] == ["off_1"]
    assert found.notes == ["Whole bag: kept for another order, because offers do not add up."]


@pytest.mark.parametrize("seed", range(5))
def test_no_bag_ever_goes_below_a_floor_or_gets_more_off_than_it_is_worth(seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(300):
        lines = tuple(
            LineValue(
                f"lin_{number}",
                random_.choice("abc"),
                None,
                random_.randint(1, 3),
                random_.randint(1, 90_000),
                random_.randint(0, 50_000),
                2_000,
            )
            for number in range(random_.randint(1, 4))
        )
        offers = [
            terms(
                random_.choice(("percent", "amount", "gift", "privilege")),
                offer_id=f"off_{number}",
                slug=random_.choice(("a", "b", None)),
                gift_slug="c",
                amount=random_.randint(1, 60_000),
                basis_points=random_.randint(1, 9_999),
                benefit_cost=random_.randint(0, 5_000),
            )
            for number in range(random_.randint(1, 4))
        ]
        found = benefits.apply(offers, lines)
        assert sum(item.amount for item in found.discounts) <= sum(line.unit_price * line.quantity for line in lines)
        assert len({item.offer_id for item in found.discounts}) == len(found.discounts)
        for term in offers:
            alone = benefits.apply([term], lines).discounts
            use = benefits.tried(term, lines)
            assert bool(alone) == (use is not None and use.left.margin * 10_000 >= 3_000 * use.left.net > 0)
