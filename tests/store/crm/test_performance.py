"""What offers and suggestions brought, and what may be said about it."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from store import db, experiments, money
from store.crm import agenda, contacts, drafts, lift, performance, sending
from store.crm.lift import Lift
from store.crm.performance import OfferResult
from store.experiments import Assignment
from store.shop import orders
from store.shop.orders import Order
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


# -- lift: margin for each customer assigned ---------------------------------------------------------------------------


def assigned(house: House, unit: str, arm: str, *, earlier: bool = True) -> None:
    drawn = db.now() - timedelta(days=1) if earlier else db.now() + timedelta(days=1)
    house.session.add(
        Assignment(
            id=db.new_id("arm"), experiment=experiments.CHECKOUT_SUGGESTIONS.name, unit=unit, arm=arm, drawn_at=drawn
        )
    )
    house.session.flush()


def margin_of(house: House, order: Order) -> int:
    lines = orders.lines_of(house.session, [order])[order.id]
    return sum(line.net - line.quantity * line.unit_cost for line in lines)


def test_lift_is_margin_for_each_assigned_customer_whatever_they_did(house: House) -> None:
    assert house.iris.customer_id
    assert house.blanche.customer_id
    assigned(house, house.iris.customer_id, "shown")
    assigned(house, "cus_silent", "shown")
    assigned(house, house.blanche.customer_id, "control")
    order = house.orders(house.iris, (STRAP, {}))
    house.orders(house.blanche, (STRAP, {}), paid=False)
    found = lift.of_margin(house.session)
    assert (found.shown, found.control) == (2, 1)
    assert (found.margin_shown, found.margin_control) == (money.divide(margin_of(house, order), 2), 0)
    assert (found.low, found.high) == (None, None)  # one customer alone is no spread


def test_what_was_bought_before_the_arm_was_drawn_does_not_count(house: House) -> None:
    assert house.iris.customer_id
    house.orders(house.iris, (STRAP, {}))
    assigned(house, house.iris.customer_id, "shown", earlier=False)
    assert lift.of_margin(house.session).margin_shown == 0


def test_a_bag_whose_customer_was_drawn_too_counts_once(house: House) -> None:
    assert house.iris.customer_id
    order = house.orders(house.iris, (STRAP, {}))
    assigned(house, order.cart_id, "control")
    assigned(house, house.iris.customer_id, "shown")
    found = lift.of_margin(house.session)
    assert (found.shown, found.control, found.margin_shown) == (1, 0, margin_of(house, order))


def test_an_unknown_visitors_order_counts_for_the_bag(house: House) -> None:
    order = house.orders(house.iris, (STRAP, {}))
    assigned(house, order.cart_id, "control")
    found = lift.of_margin(house.session)
    assert (found.shown, found.control, found.margin_control) == (0, 1, margin_of(house, order))


def test_below_the_number_needed_the_office_says_how_long_it_takes(house: House) -> None:
    assert lift.of_margin(house.session).sentence == (
        "Cannot tell yet: have 0 in the control group, and no margin to compare."
    )
    assert house.iris.customer_id
    assigned(house, house.iris.customer_id, "shown")
    for number in range(9):
        assigned(house, f"cus_{number}", "control")
    order = house.orders(house.iris, (STRAP, {}))
    found = lift.of_margin(house.session)
    # Ten customers, one of whom left m: mean m/10, spread m/√10; a tenth of the mean is m/100, so the spread is 31.6
    # of it, and the control needs (1.96 + 0.84)² × 1,000 × (10 + 10/9) × a tenth.
    assert found.worth == round(margin_of(house, order) / 100)
    assert found.need == pytest.approx(7.8489 * 1_000 * (10 + 10 / 9) / 10, rel=0.002)
    assert not found.enough
    months = math.ceil((found.need - 9) / 9 * 90 / 30.4)
    assert found.sentence == (
        f"Cannot tell yet: have 9 in the control group, need {found.need:,}, at this rate {months:,} months."
    )


def test_with_enough_the_finding_is_said_with_its_sign(house: House) -> None:
    told = Lift(9_000, 1_000, 5_200, 4_000, 1_200, 300, 2_100, 400, 900, 0, seen=True)
    assert told.sentence == "Suggestions bring €12 of margin a customer."
    assert replace(told, difference=-1_200).sentence == "Suggestions cost €12 of margin a customer."
    assert replace(told, seen=False).sentence.startswith("No difference can be seen: +€12 of margin a customer")
