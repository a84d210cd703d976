"""The next piece for one customer: ready configured, with a true reason, on the front page, by mail, at the desk."""

from dataclasses import replace

import pytest
from sqlmodel import Session, select

import configurator
from store import db, experiments
from store.crm import insight, next_piece, proposals
from store.crm.proposals import Proposal
from store.errors import ShopError
from store.events import Event, Visitor
from store.mail import Message
from store.people import Customer
from store.settings import Settings
from store.shop import carts, catalog, curation, designs, forgetting, price_lists
from tests.store.crm.cast import STRAP, House, customer

pytestmark = pytest.mark.usefixtures("own_models")
GOLD = {"case": "rose-gold"}
ALLOWS = frozenset({"personalisation"})


@pytest.fixture
def iris(house: House) -> Visitor:
    """A customer who allows personalisation, owns a watch in rose gold, and is in no control group."""
    found = _of_arm(house, "shown")
    house.orders(found, ("meridien", GOLD))
    return found


def _of_arm(house: House, arm: str) -> Visitor:
    while True:
        made = customer(house.session, "Ida", f"{db.new_id('ida')}@example.com")
        if experiments.draw(experiments.CHECKOUT_SUGGESTIONS, made.customer_id or "") == arm:
            house.consents(made, "personalisation", "messages")
            return replace(made, consents=ALLOWS)


def proposed(session: Session, visitor: Visitor) -> list[Proposal]:
    return next_piece.for_visitor(session, visitor)


def test_three_pieces_that_fit_are_proposed_ready_configured(house: House, iris: Visitor) -> None:
    found = proposed(house.session, iris)
    assert len(found) == 3
    assert [item.chance for item in found] == sorted((item.chance for item in found), reverse=True)
    watch = catalog.published(house.session, "meridien").compiled
    for item in found:
        compiled = catalog.published(house.session, item.slug).compiled
        assert configurator.fits(compiled, item.choices, watch, GOLD)
        assert item.price == configurator.price(compiled, item.choices).amount
        assert item.reason


def test_the_next_piece_is_told_at_the_prices_that_are_looked_at(house: House, iris: Visitor) -> None:
    in_francs = next_piece.for_visitor(house.session, replace(iris, currency="CHF"))
    at_home = next_piece.for_visitor(house.session, iris)
    assert [one.slug for one in in_francs] == [one.slug for one in at_home]
    for one, home in zip(in_francs, at_home, strict=True):
        item = price_lists.priced(catalog.published(house.session, one.slug), price_lists.of("CHF"))
        assert (one.price, one.currency) == (configurator.price(item.compiled, one.choices).amount, "CHF")
        assert home.currency == "EUR"


def test_two_customers_with_different_histories_get_different_proposals(house: House, iris: Visitor) -> None:
    other = _of_arm(house, "shown")
    house.orders(other, ("voyageur", {"trim": "cognac"}))
    hers, his = ({item.slug for item in proposed(house.session, one)} for one in (iris, other))
    assert len(hers & his) <= 1
    assert "bracelet-rose-gold" in hers - his
    assert "blanket-forest" in his - hers


def test_what_somebody_leans_to_comes_first(house: House, settings: Settings, iris: Visitor) -> None:
    other = _of_arm(house, "shown")
    house.orders(other, ("meridien", GOLD))
    for leather, visitor in (("cognac", iris), ("navy", other)):
        for size in ("mm38", "mm40", "mm42"):
            house.saves(visitor, "meridien", leather=leather, strap="alligator", size=size)
    house.session.commit()
    pieces = ["strap-calf-cognac", "strap-calf-navy"]
    assert iris.customer_id
    assert other.customer_id
    even = insight.chances(house.session, iris.customer_id, pieces)
    assert even["strap-calf-cognac"] == even["strap-calf-navy"]
    house.session.commit()
    insight.train(settings)
    hers, his = (insight.chances(house.session, one, pieces) for one in (iris.customer_id, other.customer_id))
    assert hers["strap-calf-cognac"] > even["strap-calf-cognac"] > hers["strap-calf-navy"]
    assert his["strap-calf-navy"] > even["strap-calf-navy"] > his["strap-calf-cognac"]


@pytest.mark.parametrize("why", ["no consent", "browser's signal", "her switch", "the owner's switch", "nobody"])
def test_off_means_off(house: House, iris: Visitor, why: str) -> None:
    visitor = iris
    if why == "no consent":
        visitor = replace(iris, consents=frozenset())
    elif why == "browser's signal":
        visitor = replace(iris, opted_out=True)
    elif why == "her switch":
        her = house.session.get_one(Customer, iris.customer_id)
        her.suggestions_off = True
        house.session.add(her)
    elif why == "the owner's switch":
        curation.rule_house(house.session, house.owner, curation.OFF, 0)
    else:
        visitor = Visitor(session_id="ses_nobody")
    assert proposed(house.session, visitor) == []


def test_the_control_group_is_proposed_nothing_and_no_arm_is_written_by_looking(house: House) -> None:
    held_out = _of_arm(house, "control")
    house.orders(held_out, ("meridien", GOLD))
    assert proposed(house.session, held_out) == []
    assert house.session.exec(select(experiments.Assignment)).all() == []


def test_taking_one_puts_exactly_that_design_into_the_bag(house: House, iris: Visitor) -> None:
    best = proposed(house.session, iris)[0]
    next_piece.take(house.session, iris, best.slug)
    cart = carts.current(house.session, iris)
    assert cart is not None
    (line,) = carts.view(house.session, cart, iris).lines
    assert (line.design.slug, line.design.choices, line.design.source) == (best.slug, best.choices, "suggestion")
    with pytest.raises(ShopError) as refusal:
        next_piece.take(house.session, iris, "edition-01")
    assert refusal.value.status == 404


def test_forget_this_changes_the_next_page(house: House, iris: Visitor) -> None:
    strap = next(
        item for item in proposed(house.session, iris) if item.reason == "Rose gold, like the Méridien you own."
    )
    assert strap.cites == ("meridien", "case", "rose-gold")
    next_piece.forget(house.session, iris, strap.slug)
    again = {item.slug: item.reason for item in proposed(house.session, iris)}
    assert "Rose gold, like the Méridien you own." not in again.values()
    forgetting.forget(house.session, iris, "meridien")
    assert proposed(house.session, iris) == []
    with pytest.raises(ShopError) as refusal:
        next_piece.forget(house.session, iris, strap.slug)
    assert refusal.value.status == 404


def test_what_others_bought_speaks_where_nothing_is_shared(house: House, settings: Settings, iris: Visitor) -> None:
    def gift() -> str | None:
        found = proposals.proposals(house.session, iris.customer_id or "", 60, insight.chances)
        return next((item.reason for item in found if item.slug == "gift-box-ivory"), None)

    assert gift() is None
    for _ in range(3):
        house.orders(house.blanche, ("meridien", {}), ("gift-box-ivory", {}))
    for _ in range(6):
        house.orders(house.blanche, ("voyageur", {}))
    house.session.commit()
    insight.train(settings)
    assert gift() == "Chosen by others who own the Méridien."
    forgetting.forget(house.session, iris, "meridien")
    assert gift() is None


# -- by mail -----------------------------------------------------------------------------------------------------------


def letters(house: House) -> list[Message]:
    return list(house.session.exec(select(Message).where(Message.kind == "next-piece")).all())


def test_a_letter_carries_the_piece_ready_configured_with_its_reason(house: House, iris: Visitor) -> None:
    assert iris.customer_id
    best = proposals.proposals(house.session, iris.customer_id, chances=insight.chances)[0]
    next_piece.write(house.session, house.owner, iris.customer_id, best.slug)
    (letter,) = letters(house)
    assert (letter.purpose, letter.customer_id) == ("messages", iris.customer_id)
    assert best.reason in letter.text
    assert "/unsubscribe" in letter.html
    made = next(one for one in designs.of_customer(house.session, iris.customer_id) if one.source == "suggestion")
    assert (made.slug, made.choices) == (best.slug, best.choices)
    assert f"/designs/{made.code}" in letter.text
    deeds = house.session.exec(select(Event).where(Event.staff_id == house.owner.staff_id)).all()
    assert "wrote about a piece" in {event.facts.get("action") for event in deeds}


def test_letters_and_offers_share_one_pause_and_need_consent(house: House, iris: Visitor) -> None:
    assert iris.customer_id
    first, second, *_ = proposals.proposals(house.session, iris.customer_id, chances=insight.chances)
    next_piece.write(house.session, house.owner, iris.customer_id, first.slug)
    with pytest.raises(ShopError) as refusal:
        next_piece.write(house.session, house.owner, iris.customer_id, second.slug)
    assert refusal.value.status == 409
    house.orders(house.blanche, ("meridien", GOLD))
    assert house.blanche.customer_id
    with pytest.raises(ShopError) as refusal:
        next_piece.write(house.session, house.owner, house.blanche.customer_id, STRAP)
    assert refusal.value.detail.startswith("This customer has not agreed to messages")
    assert len(letters(house)) == 1
