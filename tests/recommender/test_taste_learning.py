"""Taste: what choices say of a customer, smoothed toward everyone's, carried across products by attributes."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.taste import Leaning, Taste, TasteSample, learn

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def sample(customer: str | None, product: str, attributes: dict[str, str] | None = None, **choices: str) -> TasteSample:
    return TasteSample(customer, product, {g: (v,) for g, v in choices.items()}, attributes or {}, 1.0, NOW)


EVERYONE = [
    *[sample(f"s{n}", "watch", {"metal": "steel"}, case="steel-40", strap="navy") for n in range(6)],
    *[sample(f"g{n}", "watch", {"metal": "gold"}, case="gold-40", strap="cognac") for n in range(3)],
    *[sample(f"h{n}", "trunk", {"metal": "gold"}, clasp="brass-gilt") for n in range(3)],
    *[sample(f"t{n}", "trunk", {"metal": "steel"}, clasp="nickel") for n in range(3)],
]


def best(weights: dict[tuple[str, str], float], group: str) -> str:
    return max((pair for pair in weights if pair[0] == group), key=lambda pair: weights[pair])[1]


def test_a_stranger_gets_everyones_taste() -> None:
    taste = learn(EVERYONE)
    assert best(taste.weights(None, "watch"), "case") == "steel-40"
    assert taste.weights("stranger", "watch") == pytest.approx(taste.weights(None, "watch"))


def test_own_choices_of_the_same_product_lead() -> None:
    taste = learn([*EVERYONE, *[sample("me", "watch", case="gold-40", strap="navy")] * 2])
    assert best(taste.weights("me", "watch"), "case") == "gold-40"
    assert best(taste.weights(None, "watch"), "case") == "steel-40"


def test_an_attribute_chosen_on_one_product_leads_on_another() -> None:
    taste = learn(
        [
            *EVERYONE,
            sample("t9", "trunk", {"metal": "steel"}, clasp="nickel"),
            *[sample("me", "watch", {"metal": "gold"}, case="gold-40")] * 3,
        ]
    )
    assert best(taste.weights(None, "trunk"), "clasp") == "nickel"
    assert best(taste.weights("me", "trunk"), "clasp") == "brass-gilt"


def test_given_choices_draw_what_goes_with_them() -> None:
    taste = learn(EVERYONE)
    assert best(taste.weights(None, "watch"), "strap") == "navy"
    assert best(taste.weights(None, "watch", {"case": ("gold-40",)}), "strap") == "cognac"


def test_unchosen_values_count_against() -> None:
    against = TasteSample(None, "watch", {"strap": ("navy",)}, {}, -4.0, NOW)
    taste = learn([*EVERYONE, against])
    assert best(taste.weights(None, "watch"), "strap") == "cognac"


def test_an_old_choice_counts_half_after_two_years() -> None:
    old = TasteSample("me", "watch", {"case": ("steel-40",)}, {}, 1.0, NOW - timedelta(days=730))
    taste = learn([old, sample("me", "watch", case="gold-40")])
    assert taste.own[("me", "watch", "case", "steel-40")] == 0.5


def test_leanings_name_share_and_evidence_strongest_first() -> None:
    mine = [
        sample("me", "watch", {"metal": "gold", "leather": "cognac"}, case="gold-40"),
        sample("me", "trunk", {"metal": "gold"}, clasp="brass-gilt"),
        sample("me", "watch", {"metal": "steel"}, case="steel-40"),
    ]
    others = [sample(f"x{n}", "watch", {"leather": "cognac" if n else "black"}) for n in range(8)]
    found = learn([*EVERYONE, *others, *mine]).leaning("me")
    assert found[0] == Leaning("metal", "gold", 2 / 3, 2)
    assert "steel" not in {leaning.value for leaning in found}
    assert learn(EVERYONE).leaning("stranger") == []


def test_text_and_back_is_the_same_taste() -> None:
    taste = learn(EVERYONE)
    assert Taste.from_json(taste.to_json()) == taste
    assert Taste().weights("x", "y") == {}


def test_the_order_of_the_samples_never_matters() -> None:
    assert learn(EVERYONE).to_json() == learn(reversed(EVERYONE)).to_json()


def test_a_removed_customer_leaves_no_trace() -> None:
    mine = sample("me", "watch", {"metal": "gold"}, case="gold-40")
    assert learn([s for s in [*EVERYONE, mine] if s.customer != "me"]) == learn(EVERYONE)
