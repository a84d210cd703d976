"""The owner's hand on the suggestions: pins, bans, the floor of margin, trials and the switch; at work at once."""

from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import money, people
from store.crm import audit, proposals
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import carts, catalog, choosing, curation, suggestions, taste
from store.shop.appraisal import appraise
from store.shop.carts import Cart
from store.shop.choosing import Choice
from store.shop.curation import BAN, EXPLORED, FLOOR, OFF, PIN, Policy
from tests.store.shop.test_suggestions import GOLD, bag, buy, offered
from tests.store.shop.test_suggestions import house as _house
from tests.store.shop.test_suggestions import iris as _iris

house, iris = _house, _iris
PINNED = "care-kit-leather"


@pytest.fixture
def owner(house: Session) -> Visitor:
    """The owner, at the desk."""
    return Visitor(staff_id=people.new_staff(house, "Aurèle", "aurele@example.com", "owner").id, role="owner")


def slugs(session: Session, visitor: Visitor, cart: Cart) -> list[str]:
    return [one.slug for one in offered(session, visitor, cart)]


def margin_share(session: Session, slug: str, choices: dict[str, object]) -> float:
    worth = appraise(catalog.published(session, slug), choices)
    net = worth.price.amount - money.contained_tax(worth.price.amount, 2_000)
    return (net - worth.unit_cost) / net


def test_a_pinned_piece_comes_first_wherever_it_fits(house: Session, iris: Visitor, owner: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    assert slugs(house, iris, cart)[0] != PINNED
    curation.rule_piece(house, owner, PINNED, PIN)
    first, *others = offered(house, iris, cart)
    assert first.slug == PINNED
    categories = {catalog.published(house, one.slug).model.category for one in (first, *others)}
    assert len(categories) == 3  # a pin takes the place of its category
    curation.rule_piece(house, owner, PINNED, None)
    assert slugs(house, iris, cart)[0] != PINNED


def test_a_pin_never_overrides_what_does_not_fit_or_is_owned(house: Session, iris: Visitor, owner: Visitor) -> None:
    curation.rule_piece(house, owner, "strap-calf-navy", PIN)
    assert "strap-calf-navy" not in slugs(house, iris, bag(house, iris, "voyageur"))  # no watch is there
    cart = bag(house, iris)
    assert slugs(house, iris, cart)[0] == "strap-calf-navy"
    buy(house, iris, "strap-calf-navy")
    assert "strap-calf-navy" not in slugs(house, iris, cart)


def test_a_banned_piece_is_neither_suggested_nor_proposed(house: Session, iris: Visitor, owner: Visitor) -> None:
    buy(house, iris, "meridien", GOLD)
    cart = bag(house, iris, choices=GOLD)
    gone = slugs(house, iris, cart)[0]
    assert iris.customer_id
    proposed = {item.slug for item in proposals.proposals(house, iris.customer_id, 60)}
    assert gone in proposed
    curation.rule_piece(house, owner, gone, BAN)
    assert gone not in slugs(house, iris, cart)
    assert {item.slug for item in proposals.proposals(house, iris.customer_id, 60)} == proposed - {gone}


def test_the_floor_keeps_out_what_leaves_too_little(house: Session, iris: Visitor, owner: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    free = {one.slug: margin_share(house, one.slug, dict(one.choices)) for one in offered(house, iris, cart)}
    between = sorted(free.values())
    floor = int((between[0] + between[-1]) / 2 * 10_000)
    curation.rule_house(house, owner, FLOOR, floor)
    kept = offered(house, iris, cart)
    assert kept
    assert all(margin_share(house, one.slug, dict(one.choices)) >= floor / 10_000 for one in kept)
    assert {slug for slug, share in free.items() if share < floor / 10_000}.isdisjoint(one.slug for one in kept)
    curation.rule_house(house, owner, FLOOR, 9_999)
    assert offered(house, iris, cart) == []
    curation.rule_house(house, owner, FLOOR, None)
    assert {one.slug for one in offered(house, iris, cart)} == set(free)


def test_off_means_off_for_everybody_and_writes_nothing(house: Session, iris: Visitor, owner: Visitor) -> None:
    curation.rule_house(house, owner, OFF, 0)
    for visitor in (iris, Visitor(session_id="ses_nobody")):
        cart = bag(house, visitor, choices=GOLD)
        assert offered(house, visitor, cart) == []
        assert suggestions.of_cart(house, cart) == []
    curation.rule_house(house, owner, OFF, None)
    assert len(offered(house, iris, bag(house, iris, choices=GOLD))) == 3


def test_every_decision_is_in_the_audit(house: Session, owner: Visitor) -> None:
    curation.rule_piece(house, owner, PINNED, PIN)
    curation.rule_piece(house, owner, PINNED, BAN)
    curation.rule_house(house, owner, FLOOR, 3_000)
    assert [(row.kind, row.slug) for row in curation.rules_of_pieces(house)] == [(BAN, PINNED)]
    done = house.exec(select(Event).where(Event.kind == "staff-action", Event.staff_id == owner.staff_id)).all()
    assert sorted(event.facts["action"] for event in done) == [
        "floor of suggestions",
        "suggestion banned",
        "suggestion pinned",
    ]
    assert "suggestion banned" in {deed.what for deed in audit.listing(house).deeds}


def test_what_cannot_be_a_rule_is_refused(house: Session, owner: Visitor) -> None:
    for slug, kind, status in (("nothing", PIN, 404), ("edition-01", PIN, 422), (PINNED, "love", 422)):
        with pytest.raises(ShopError) as refusal:
            curation.rule_piece(house, owner, slug, kind)
        assert refusal.value.status == status
    with pytest.raises(ShopError):
        curation.rule_house(house, owner, FLOOR, 10_000)
    assert curation.policy(house) == Policy()


def test_in_some_bags_the_last_place_goes_to_a_piece_drawn_by_lot(house: Session, iris: Visitor) -> None:
    def chosen(cart: Cart, explored: int) -> list[Choice]:
        view = carts.view(house, cart, iris)
        return choosing.choose(house, iris, view, frozenset(), Policy(explored=explored))

    cart = bag(house, iris, "voyageur")
    usual = chosen(cart, 0)
    assert [one.propensity for one in usual] == [10_000] * 3
    drawn = {}
    for _ in range(20):
        cart = bag(house, iris, "voyageur")
        found = chosen(cart, 5_000)
        assert found == chosen(cart, 5_000)  # looking again shows the same
        assert found[:2] == usual[:2]
        assert len({one.item.model.category for one in found}) == 3
        drawn[found[2].item.slug] = found[2].propensity
    assert len(drawn) > 1
    assert drawn.pop(usual[2].item.slug) == 5_000
    assert set(drawn.values()) == {5_000 // len(drawn)}


def test_propensity_and_place_are_kept_with_what_was_shown(house: Session, iris: Visitor, owner: Visitor) -> None:
    curation.rule_house(house, owner, EXPLORED, 0)
    cart = bag(house, iris, choices=GOLD)
    offered(house, iris, cart)
    assert [(row.position, row.propensity) for row in suggestions.of_cart(house, cart)] == [
        (0, 10_000),
        (1, 10_000),
        (2, 10_000),
    ]
    shown = house.exec(select(Event).where(Event.kind == "suggestion-shown")).all()
    assert sorted((event.facts["position"], event.facts["propensity"]) for event in shown) == [
        (0, 10_000),
        (1, 10_000),
        (2, 10_000),
    ]
    taste.use_models(Path("/nowhere"))
