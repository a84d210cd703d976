"""What is proposed for one person: it fits what they own or began, arrives ready, and says a true reason."""

from typing import Any

import configurator
from store.crm import drafts, offers, proposals, sending
from store.shop import catalog, designs, stock
from store.shop.appraisal import appraise
from tests.store.crm.cast import STRAP, House, wish

GOLD = {"case": "rose-gold"}


def found(house: House) -> dict[str, proposals.Proposal]:
    assert house.iris.customer_id
    return {item.slug: item for item in proposals.proposals(house.session, house.iris.customer_id, most=60)}


def test_nothing_is_proposed_to_somebody_without_a_history(house: House) -> None:
    assert found(house) == {}


def test_a_kept_design_is_proposed_as_it_is_with_the_day_it_was_made(house: House) -> None:
    design = house.saves(house.iris, "meridien", **GOLD)
    item = found(house)["meridien"]
    assert (item.design_code, item.choices, item.price) == (design.code, GOLD, design.price)
    assert item.reason == "You designed this Méridien on 2 March 2026 and kept it."


def test_companions_fit_the_owned_watch_and_match_its_metal(house: House) -> None:
    house.orders(house.iris, ("meridien", GOLD))
    items = found(house)
    strap = items[STRAP]
    watch, accessory = catalog.published(house.session, "meridien"), catalog.published(house.session, STRAP)
    assert configurator.fits(accessory.compiled, strap.choices, watch.compiled, GOLD)
    assert strap.choices["buckle"] == "rose-gold"
    assert strap.reason == "Rose gold, like the Méridien you own."
    assert "meridien" not in items


def test_the_reason_is_counterfactual_take_the_fact_away_and_it_changes(house: House) -> None:
    house.orders(house.iris, ("meridien", {}))
    strap = found(house)[STRAP]
    assert strap.choices.get("buckle", "steel") == "steel"
    assert strap.reason != "Rose gold, like the Méridien you own."


def test_only_what_fits_something_they_have_is_proposed(house: House) -> None:
    house.orders(house.iris, ("voyageur", {}))
    items = found(house)
    assert STRAP not in items
    trunk = catalog.published(house.session, "voyageur")
    for slug in items:
        assert configurator.concerns(catalog.published(house.session, slug).compiled, trunk.slug)


def test_owned_offered_declined_and_sold_out_pieces_are_not_proposed(house: House) -> None:
    house.orders(house.iris, ("meridien", GOLD), ("strap-calf-navy", {}))
    assert house.iris.customer_id
    before = set(found(house))
    assert "strap-calf-navy" not in before
    offered = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    assert set(found(house)) == before - {STRAP}
    sending.send(house.session, house.owner, offered.id, "site")
    offers.decline(house.session, house.iris, offered.id)
    assert set(found(house)) == before - {STRAP}
    gone = next(slug for slug in sorted(before - {STRAP}) if catalog.published(house.session, slug).counted)
    stock.set_on_hand(house.session, gone, 0)
    assert set(found(house)) == before - {STRAP, gone}


def test_proposals_are_ranked_by_expected_margin_in_money(house: House) -> None:
    house.orders(house.iris, ("meridien", GOLD))
    assert house.iris.customer_id
    ranked = proposals.proposals(house.session, house.iris.customer_id)
    assert [item.expected_margin for item in ranked] == sorted((i.expected_margin for i in ranked), reverse=True)
    for item in ranked:
        worth = appraise(catalog.published(house.session, item.slug), item.choices)
        assert item.margin == worth.price.amount - round(worth.price.amount / 6) - worth.unit_cost
        assert item.expected_margin > 0


def test_a_piece_that_others_bought_ranks_before_its_equal(house: House) -> None:
    house.orders(house.iris, ("meridien", {}))
    before = found(house)
    house.orders(house.blanche, (STRAP, {}))
    after = found(house)
    assert after[STRAP].chance > before[STRAP].chance
    assert after["strap-alligator-black"].chance < before["strap-alligator-black"].chance


def test_learned_chances_take_the_place_of_counted_ones(house: House) -> None:
    house.orders(house.iris, ("meridien", GOLD))
    assert house.iris.customer_id

    def learned(_session: Any, _customer: str, slugs: Any) -> dict[str, int]:
        return {"watch-roll-cognac": 9_000}

    best, *_ = proposals.proposals(house.session, house.iris.customer_id, chances=learned)
    roll = proposals.proposals(house.session, house.iris.customer_id, 60, learned)
    assert all(item.chance == 9_000 for item in roll if item.slug == "watch-roll-cognac")
    assert best.expected_margin >= max(item.expected_margin for item in roll)


def test_any_piece_is_made_ready_for_a_person(house: House) -> None:
    house.orders(house.iris, ("meridien", GOLD))
    assert house.iris.customer_id
    choices, reason = proposals.ready(house.session, house.iris.customer_id, STRAP)
    assert (choices["buckle"], reason) == ("rose-gold", "Rose gold, like the Méridien you own.")
    assert designs.of_customer(house.session, house.iris.customer_id)[0].slug == "meridien"
