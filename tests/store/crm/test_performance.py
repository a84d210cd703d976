"""What offers and suggestions brought, and what may be said about it."""

import pytest

from store import experiments
from store.crm import agenda, contacts, drafts, performance, sending
from store.crm.performance import OfferResult
from store.shop import orders
from store.shop.suggestions import Suggestion
from tests.store.crm.cast import STRAP, House, wish


def result(house: House, kind: str) -> OfferResult:
    return next(row for row in performance.of_offers(house.session) if row.kind == kind)


def test_offers_are_counted_by_benefit_and_their_money_is_exact(house: House) -> None:
    assert house.iris.customer_id
    house.consents(house.iris, "messages")
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    sending.send(house.session, house.owner, offer.id, "mail")
    drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    order = house.orders(house.iris, (STRAP, {}))
    (line,) = orders.lines_of(house.session, [order])[order.id]
    assert result(house, "percent") == OfferResult(
        "percent",
        "A percentage off",
        sent=1,
        redeemed=1,
        given=14_100,
        net=66_583,
        margin=66_583 - line.unit_cost,
    )
    assert result(house, "gift") == OfferResult("gift", "A gift")
    assert performance.mail_cost(house.session) == 2


def test_a_privilege_counts_against_the_margin_of_its_order(house: House) -> None:
    assert house.iris.customer_id
    terms = wish(kind="privilege", privilege="A visit", benefit_cost=4_000)
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, terms)
    sending.send(house.session, house.owner, offer.id, "site")
    order = house.orders(house.iris, (STRAP, {}))
    (line,) = orders.lines_of(house.session, [order])[order.id]
    found = result(house, "privilege")
    assert (found.given, found.net, found.margin) == (0, line.net, line.net - line.unit_cost - 4_000)


def test_named_offers_belong_to_no_experiment(house: House) -> None:
    assert house.iris.customer_id
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    sending.send(house.session, house.owner, offer.id, "site")
    house.orders(house.iris, (STRAP, {}))
    found = performance.of_suggestions(house.session)
    assert (offer.arm, found.shown.assigned, found.control.assigned) == ("chosen", 0, 0)


def test_with_too_few_in_the_control_group_nothing_is_claimed(house: House) -> None:
    found = performance.of_suggestions(house.session)
    assert not found.enough
    assert found.sentence == f"Cannot tell yet: have 0 in the control group, need {found.need_control}."


def test_attach_counts_buyers_of_what_was_or_would_have_been_shown_by_assignment(house: House) -> None:
    assert house.iris.customer_id
    arm = experiments.arm(house.session, experiments.CHECKOUT_SUGGESTIONS, house.iris.customer_id)
    order = house.orders(house.iris, ("meridien", {}), (STRAP, {}))
    house.session.add(
        Suggestion(
            id="sug_1",
            cart_id=order.cart_id,
            customer_id=house.iris.customer_id,
            slug=STRAP,
            price=94_000,
            currency="EUR",
            reason_kind="fits",
            position=0,
            arm=arm,
            shown_at=order.placed_at,
            bought_at=order.placed_at,
        )
    )
    house.session.flush()
    found = performance.of_suggestions(house.session)
    mine = found.shown if arm == "shown" else found.control
    lines = orders.lines_of(house.session, [order])[order.id]
    assert (mine.assigned, mine.shown, mine.added, mine.buyers, mine.rate) == (1, 1, 0, 1, 1.0)
    assert mine.margin == sum(line.net - line.quantity * line.unit_cost for line in lines)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    difference, low, high = performance.difference_of_rates(56, 70, 48, 80)
    assert [round(value, 4) for value in (difference, low, high)] == [0.2, 0.0524, 0.3339]
    assert performance.difference_of_rates(1, 0, 1, 5) == (0.0, -1.0, 1.0)


def test_the_customers_needed_are_those_of_the_textbook() -> None:
    # Per arm, at an even split: 1 % to 2 % needs 2,316, 5 % to 8 % needs 1,057.
    assert performance.customers_needed(0.01, 0.02, 0.5) // 2 == pytest.approx(2_316, abs=1)
    assert performance.customers_needed(0.05, 0.08, 0.5) // 2 == pytest.approx(1_057, abs=1)


def test_the_agenda_lists_only_what_waits(house: House) -> None:
    assert agenda.todo(house.session) == []
    house.orders(house.iris, (STRAP, {}))
    assert house.iris.customer_id
    drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    contacts.log(house.session, house.owner, house.iris.customer_id, "phone")
    told = [(item.count, item.text) for item in agenda.todo(house.session)]
    assert told == [(1, "paid and waiting for the bench"), (1, "offers drafted and not sent")]


def test_open_designs_are_listed_by_price_until_ordered_or_offered(house: House) -> None:
    assert house.iris.customer_id
    house.saves(house.iris, "meridien", case="rose-gold")
    house.saves(house.blanche, STRAP)
    house.consents(house.blanche, "messages")
    listed = agenda.open_designs(house.session)
    assert [(item.customer.name, item.may_write) for item in listed] == [("Iris Vallier", False), ("Blanche Roy", True)]
    drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    house.orders(house.blanche, (STRAP, {}))
    assert agenda.open_designs(house.session) == []
