"""Payment plans: parts that add up, filled in their order, asked for by milestones with evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from store import checkout
from store.errors import ShopError
from store.events import Event, Visitor
from store.settings import PaymentPlan, house
from store.shop import orders, price_lists, schedule, snapshots
from store.shop.orders import Order
from store.shop.schedule import PaymentPart
from tests.store import selling

WORKSHOP = Visitor(staff_id="stf_1", role="workshop")
PLANS = {plan.id: plan for plan in house().plans}
# A boat costs what no card carries; built for this test, so that no file of the house must hold it.
BOAT = """\
product: tender
name: Tender
sentence: A boat.
category: boats
currency: EUR
base: {price: 480000001, cost: 300000000, lead_days: 300}
"""


def build_order(house_: Session, plan: str | None = None, slug: str = "watch") -> Order:
    cart = selling.fill(house_, selling.guest(), slug)
    form = selling.form(seen_total=10**12, plan=plan or "")
    return checkout.place(house_, selling.guest(), cart, form, "key-1").order


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@given(total=st.integers(min_value=4, max_value=10**12))
def test_the_parts_add_up_to_the_total(plan: PaymentPlan, total: int) -> None:
    parts = schedule.planned(plan, total)
    assert sum(part.amount for part in parts) == total
    assert all(part.amount >= 0 for part in parts)
    for part, agreed in zip(parts, plan.parts, strict=True):
        assert abs(part.amount * 10_000 - total * agreed.share) < 10_000


@given(
    amounts=st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=6),
    received=st.integers(min_value=0, max_value=10**10),
)
def test_money_fills_the_parts_in_their_order(amounts: list[int], received: int) -> None:
    parts = [
        PaymentPart(id=str(at), order_id="o", position=at, label="x", amount=amount, due="now")
        for at, amount in enumerate(amounts)
    ]
    standing = schedule.stand(parts, received, sum(amounts))
    assert sum(part.paid for part in standing.parts) + standing.overpaid == received
    open_parts = [part for part in standing.parts if part.missing]
    assert all(part.paid == 0 for part in open_parts[1:])


def test_a_plan_is_offered_for_its_categories_from_its_total_on() -> None:
    assert schedule.plan_for(["timepieces", "straps"], 500_000, price_lists.of("EUR")) == PLANS["deposit"]
    assert schedule.plan_for(["timepieces"], 499_999, price_lists.of("EUR")) is None
    assert schedule.plan_for(["straps"], 10**9, price_lists.of("EUR")) is None
    francs = price_lists.of("CHF")  # 5,000.00 are 4,900.00 on the list of francs
    assert schedule.plan_for(["timepieces"], 490_000, francs) == PLANS["deposit"]
    assert schedule.plan_for(["timepieces"], 489_999, francs) is None
    assert schedule.plan_for(["boats"], 10**9, price_lists.of("EUR")) == PLANS["build"]


def test_a_plan_that_is_not_offered_is_refused_and_nothing_is_ordered(house: Session) -> None:
    with pytest.raises(ShopError) as refusal:
        build_order(house, "build")
    assert refusal.value.status == 422
    assert house.exec(select(Order)).all() == []


def test_an_order_without_a_plan_has_one_part(house: Session) -> None:
    order = build_order(house)
    (part,) = schedule.standing(house, order).parts
    assert (order.plan, part.part.label, part.part.amount, part.state) == ("full", "Full payment", 980000, "due")


def test_a_deposit_is_due_now_and_the_balance_when_it_is_ready(house: Session) -> None:
    order = build_order(house, "deposit")
    standing = schedule.standing(house, order)
    assert [(part.part.amount, part.part.due, part.state) for part in standing.parts] == [
        (294000, "now", "due"),
        (686000, "ready", "later"),
    ]
    assert (standing.due, standing.payable) == (294000, standing.parts[0])
    assert snapshots.replay(house, order) == []


def test_an_altered_part_breaks_the_seal(house: Session) -> None:
    order = build_order(house, "deposit")
    first, second = schedule.of_orders(house, [order])[order.id]
    first.amount, second.amount = first.amount - 1, second.amount + 1
    assert snapshots.replay(house, order) == [
        "order: the seal is broken, something that was agreed has been altered",
    ]
    first.amount += 2
    assert snapshots.replay(house, order)[0] == "order: the parts of its payment do not add up"
    first.amount, second.amount = 294000, 686000


def test_a_deposit_lets_the_work_begin_but_not_the_piece_leave(house: Session) -> None:
    order = build_order(house, "deposit")
    assert orders.receive(house, order, 294000, "pay_1", first=294000)
    assert (order.state, order.state_label, order.is_paid, order.is_settled) == (
        "paid",
        "Deposit received",
        True,
        False,
    )
    orders.advance(house, WORKSHOP, order, "in-production")
    orders.advance(house, WORKSHOP, order, "ready")
    with pytest.raises(ShopError) as refusal:
        orders.advance(house, WORKSHOP, order, "shipped")
    assert refusal.value.status == 409
    assert orders.receive(house, order, 686000, "pay_2", first=294000)
    assert (order.received, order.outstanding, order.is_settled) == (980000, 0, True)
    orders.advance(house, WORKSHOP, order, "shipped")
    assert order.state == "shipped"


def test_a_finished_order_asks_for_its_balance_once(house: Session) -> None:
    order = build_order(house, "deposit")
    orders.receive(house, order, 294000, "pay_1", first=294000)
    orders.advance(house, WORKSHOP, order, "ready")
    schedule.ask_when_ready(house, WORKSHOP, order)
    assert schedule.standing(house, order).due == 686000
    asked = house.exec(select(Event).where(Event.kind == "payment-requested")).all()
    assert [(event.staff_id, event.facts["amount"]) for event in asked] == [("stf_1", 686000)]


def test_a_build_is_paid_by_milestones_with_evidence(house: Session, tmp_path: object) -> None:
    selling.open_house(house, tmp_path / "boats", selling.PRODUCTS + "---\n" + BOAT)  # type: ignore[operator]
    order = build_order(house, slug="tender")
    parts = schedule.of_orders(house, [order])[order.id]
    assert [part.amount for part in parts] == [48_000_000, 144_000_000, 192_000_001, 96_000_000]
    hull, engines = parts[1], parts[2]

    with pytest.raises(ShopError) as too_early:
        schedule.record_milestone(house, WORKSHOP, order, hull.id, "Laid on 3 May")
    assert too_early.value.status == 409
    orders.receive(house, order, 48_000_000, "pay_1", first=48_000_000)
    for wrong, status in ((("", ""), 422), (("  ", " "), 422)):
        with pytest.raises(ShopError) as refusal:
            schedule.record_milestone(house, WORKSHOP, order, hull.id, *wrong)
        assert refusal.value.status == status
    with pytest.raises(ShopError) as out_of_turn:
        schedule.record_milestone(house, WORKSHOP, order, engines.id, "In on 3 May")
    assert out_of_turn.value.status == 409
    assert schedule.standing(house, order).due == 0

    assert schedule.record_milestone(house, WORKSHOP, order, hull.id, "Laid on 3 May", "protocols/hull-7.pdf")
    assert not schedule.record_milestone(house, WORKSHOP, order, hull.id, "Laid again")
    house.refresh(hull)
    assert (hull.requested_by, hull.evidence, hull.evidence_file) == ("stf_1", "Laid on 3 May", "protocols/hull-7.pdf")
    assert schedule.standing(house, order).due == 144_000_000
