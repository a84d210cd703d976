"""Suggestions at checkout: at most three, fitting, matched, with reasons that go when their fact goes; measured."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

import configurator
import recommender
from recommender import Interaction
from store import checkout, db, experiments, people
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import carts, catalog, choosing, designs, orders, reasons, suggestions, taste
from store.shop.carts import Cart
from store.shop.curation import Policy
from store.shop.stock import Stock
from store.shop.suggestions import Offered, Suggestion
from tests.store import selling

GOLD = {"case": "rose-gold", "strap": "alligator", "leather": "cognac"}
ALLOWS = frozenset({"personalisation"})


@pytest.fixture
def house(session: Session, clock: Any) -> Iterator[Session]:
    """The house's own products with the shop's reactions, and no trained recommender."""
    selling.use_reactions()
    taste.use_models(Path("/nowhere"))
    yield session
    taste.use_models(Path("/nowhere"))


@pytest.fixture
def iris(house: Session) -> Visitor:
    """A customer who allows personalisation, outside the control group."""
    return _customer(house, "shown")


def _customer(session: Session, arm: str) -> Visitor:
    while True:
        customer = people.new_customer(session, "iris@example.com", "Iris")
        if experiments.draw(experiments.CHECKOUT_SUGGESTIONS, customer.id) == arm:
            return Visitor(session_id="ses_iris", customer_id=customer.id, consents=ALLOWS, consent_asked=True)


def bag(session: Session, visitor: Visitor, slug: str = "meridien", choices: dict[str, Any] | None = None) -> Cart:
    """A new bag with one design in it; of an unknown visitor, one outside the control group."""
    while True:
        cart = carts.create(session, visitor)
        if visitor.customer_id or experiments.draw(experiments.CHECKOUT_SUGGESTIONS, cart.id) == "shown":
            carts.add(session, visitor, cart, designs.save(session, visitor, slug, choices or {}, {}))
            return cart


def offered(session: Session, visitor: Visitor, cart: Cart) -> list[Offered]:
    return suggestions.for_cart(session, visitor, carts.view(session, cart, visitor))


def buy(session: Session, visitor: Visitor, slug: str, choices: dict[str, Any] | None = None) -> None:
    order = selling.order(session, visitor, slug, choices)
    orders.mark_paid(session, order, None)


def teach(folder: Path, baskets: list[tuple[str, ...]], owner: str | None = None) -> None:
    """Publish a recommender that has seen these baskets."""
    start = db.now() - timedelta(days=400)
    seen = [
        Interaction(owner or f"c{n}", f"b{n}", start + timedelta(days=n), slug, 1, 1_000)
        for n, slugs in enumerate(baskets)
        for slug in slugs
    ]
    recommender.publish(recommender.fit(recommender.History.of(seen), None, 1), folder)
    taste.use_models(folder)


def test_three_fitting_matched_pieces_of_several_categories_are_offered(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    found = offered(house, iris, cart)
    assert len(found) == 3
    assert len({catalog.published(house, one.slug).model.category for one in found}) == 3
    watch = catalog.published(house, "meridien").compiled
    for one in found:
        item = catalog.published(house, one.slug)
        assert configurator.fits(item.compiled, one.choices, watch, GOLD)
        assert one.price == configurator.price(item.compiled, one.choices).amount
    strap = next(one for one in found if one.slug.startswith("strap-"))
    assert strap.reason == "Cognac, like your Méridien"
    assert (strap.choices["width"], strap.choices["buckle"]) == ("mm20", "rose-gold")


def test_the_reason_goes_with_the_choice_it_cites(house: Session, iris: Visitor) -> None:
    with_it = {one.slug: one.reason for one in offered(house, iris, bag(house, iris, choices=GOLD))}
    without = {one.slug: one.reason for one in offered(house, iris, bag(house, iris))}
    assert "Cognac, like your Méridien" in with_it.values()
    assert not any("like your" in reason for reason in without.values())


def test_what_the_house_composed_is_nobodys_choice(house: Session, iris: Visitor) -> None:
    cart = carts.create(house, iris)
    carts.add(house, iris, cart, designs.save(house, iris, "meridien", GOLD, {}, source="suggestion"))
    assert not any("like your" in one.reason for one in offered(house, iris, cart))


def test_history_is_cited_only_as_long_as_it_holds(house: Session, iris: Visitor, tmp_path: Path) -> None:
    cart = bag(house, iris)
    others = [("voyageur",)] * 6
    teach(tmp_path / "often", [*[("meridien", "winder-walnut")] * 3, *others])
    often = {one.slug: one.reason for one in offered(house, iris, cart)}
    assert often["winder-walnut"] == "Often ordered with the Méridien"
    teach(tmp_path / "once", [("meridien", "winder-walnut"), *others])
    once = {one.slug: one.reason for one in offered(house, iris, cart)}
    assert once.get("winder-walnut") != "Often ordered with the Méridien"


def test_without_consent_only_the_bag_speaks(house: Session, iris: Visitor) -> None:
    buy(house, iris, "voyageur", {"trim": "cognac"})
    cart = bag(house, iris)
    assert any("you own" in one.reason for one in offered(house, iris, cart))
    silent = replace(iris, consents=frozenset())
    for one in offered(house, silent, bag(house, silent)):
        assert "own" not in one.reason
    opted_out = replace(iris, opted_out=True)
    assert not any("own" in one.reason for one in offered(house, opted_out, bag(house, opted_out)))


def test_owned_bagged_declined_and_sold_out_pieces_are_not_offered(house: Session, iris: Visitor) -> None:
    first, second, third = offered(house, iris, bag(house, iris, choices=GOLD))
    buy(house, iris, first.slug, first.choices)
    cart = bag(house, iris, choices=GOLD)
    assert first.slug not in {one.slug for one in offered(house, iris, cart)}
    again = next(one for one in offered(house, iris, cart) if one.slug == second.slug)
    suggestions.decline(house, iris, cart, again.id)
    assert second.slug not in {one.slug for one in offered(house, iris, cart)}
    assert second.slug not in {one.slug for one in offered(house, iris, bag(house, iris, choices=GOLD))}
    stock = house.get(Stock, third.slug)
    if stock is not None:
        stock.on_hand = stock.reserved
        house.add(stock)
        house.flush()
        assert third.slug not in {one.slug for one in offered(house, iris, cart)}
    shown = offered(house, iris, cart)[0]
    suggestions.accept(house, iris, cart, shown.id)
    assert shown.slug not in {one.slug for one in offered(house, iris, cart)}


def test_editions_and_main_pieces_are_never_offered(house: Session, iris: Visitor) -> None:
    view = carts.view(house, bag(house, iris, "gift-box-ivory"), iris)
    sold = choosing.choose(house, iris, view, frozenset({"strap-calf-navy"}), Policy())
    assert {choice.item.slug for choice in sold} & {"meridien", "voyageur", "edition-01"} == set()


def test_one_click_adds_exactly_that_design_and_totals_follow(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    before = checkout.quote(house, iris, cart).totals.total
    one = next(one for one in offered(house, iris, cart) if one.slug.startswith("strap-"))
    line = suggestions.accept(house, iris, cart, one.id)
    (view,) = [view for view in carts.view(house, cart, iris).lines if view.line.id == line.id]
    assert (view.design.choices, view.design.source) == (one.choices, "suggestion")
    assert line.suggestion_id == one.id
    assert checkout.quote(house, iris, cart).totals.total == before + one.price
    assert house.get_one(Suggestion, one.id, populate_existing=True).added_at is not None


def test_suggestions_cost_what_they_cost_in_the_currency_of_the_bag(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    at_home = {one.slug: one for one in offered(house, iris, cart)}
    carts.change_currency(house, iris, cart, "CHF")
    for one in offered(house, iris, cart):
        assert (one.currency, one.choices) == ("CHF", at_home[one.slug].choices)
        assert one.price == sum(line["amount"] for line in one.price_lines)
        row = house.get_one(Suggestion, one.id, populate_existing=True)
        assert (row.price, row.currency) == (one.price, "CHF")
        before = checkout.quote(house, iris, cart).totals.total
        suggestions.accept(house, iris, cart, one.id)
        assert checkout.quote(house, iris, cart).totals.total == before + one.price


def test_a_paid_order_notes_what_was_bought_of_the_suggestions(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    taken, left, _ = offered(house, iris, cart)
    suggestions.accept(house, iris, cart, taken.id)
    order = checkout.place(house, iris, cart, selling.form(), "key").order
    orders.mark_paid(house, order, None)
    house.expire_all()
    bought = {row.id: row.bought_at is not None for row in suggestions.of_cart(house, cart)}
    assert (bought[taken.id], bought[left.id]) == (True, False)
    assert offered(house, iris, cart) == []  # ordered: nothing is suggested any more


def test_a_control_customer_sees_none_while_what_they_would_have_seen_is_kept(house: Session) -> None:
    held_out = _customer(house, "control")
    cart = bag(house, held_out, choices=GOLD)
    assert offered(house, held_out, cart) == []
    kept = suggestions.of_cart(house, cart)
    assert [(row.arm, row.position) for row in kept] == [("control", 0), ("control", 1), ("control", 2)]
    withheld = house.exec(select(Event).where(Event.kind == "suggestion-withheld")).all()
    assert {event.subject for event in withheld} == {row.id for row in kept}
    with pytest.raises(ShopError):
        suggestions.accept(house, held_out, cart, kept[0].id)


def test_looking_again_writes_nothing_new(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris, choices=GOLD)
    first = offered(house, iris, cart)
    assert offered(house, iris, cart) == first
    assert len(suggestions.of_cart(house, cart)) == 3
    assert len(house.exec(select(Event).where(Event.kind == "suggestion-shown")).all()) == 3


def test_switched_off_means_off_for_customers_and_browsers(house: Session, iris: Visitor) -> None:
    for visitor in (iris, Visitor(session_id="ses_nobody")):
        cart = bag(house, visitor, choices=GOLD)
        suggestions.switch(house, visitor, off=True)
        assert offered(house, visitor, cart) == []
        assert suggestions.of_cart(house, cart) == []
        suggestions.switch(house, visitor, off=False)
        assert len(offered(house, visitor, cart)) == 3


def test_somebody_elses_suggestion_cannot_be_taken_or_declined(house: Session, iris: Visitor) -> None:
    one = offered(house, iris, bag(house, iris, choices=GOLD))[0]
    stranger = Visitor(session_id="ses_stranger")
    cart = bag(house, stranger)
    for act in (suggestions.accept, suggestions.decline):
        with pytest.raises(ShopError) as refusal:
            act(house, stranger, cart, one.id)
        assert refusal.value.status == 404
    assert len(carts.view(house, cart, stranger).lines) == 1


def test_an_empty_bag_asks_for_nothing(house: Session, iris: Visitor) -> None:
    cart = carts.create(house, iris)
    assert offered(house, iris, cart) == []
    assert suggestions.of_cart(house, cart) == []


def test_every_reason_has_words_and_grounds() -> None:
    facts = {"name": "Méridien", "owned": True, "by": ["40 mm"], "label": "Cognac", "count": 4}
    assert {kind: reasons.in_words(kind, facts) for kind in reasons.KINDS} == {
        "match": "Cognac, like the Méridien you own",
        "bought_together": "Often ordered with the Méridien",
        "like_customers": "Chosen by others who own the Méridien",
        "fits": "Made to fit the Méridien you own (40 mm)",
        "made_for": "Made for the Méridien you own",
        "popular": "Often chosen in our house",
        "listed": "From our house, in the same hand",
    }
    assert reasons.grounds("popular", facts).endswith("(4 orders)")
