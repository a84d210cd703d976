"""Reconciliation: what was missed is taken over, what differs is reported until it ends."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from store import db
from store.events import Visitor
from store.shop import notices, payment_pages, payment_tasks, reconciliation, refunds, settling, transfers
from store.shop.orders import Order
from store.shop.payment_provider import PaymentUnavailable, RefundState
from store.shop.payments import Payment, Till
from store.shop.reconciliation import Finding
from store.shop.refunds import Refund
from store.tasks import Task, Worker
from tests.conftest import Clock
from tests.store.selling import HandProvider, placed

pytestmark = pytest.mark.usefixtures("open_house", "clock")
OWNER = Visitor(staff_id="stf_owner", role="owner")


def opened(till: Till, order_id: str) -> str:
    return payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]


def paid(till: Till, provider: HandProvider) -> str:
    order_id = placed()
    reference = opened(till, order_id)
    provider.pay(reference)
    settling.settle(till, reference)
    return order_id


def state_of(order_id: str) -> str:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order_id).state


def texts() -> list[str]:
    with db.transaction(read_only=True) as session:
        return [finding.text for finding, _ in reconciliation.open_findings(session)]


def one(table: Any) -> Any:
    with db.transaction(read_only=True) as session:
        return session.exec(select(table)).one()


def change(table: Any, **values: Any) -> None:
    with db.transaction() as session:
        session.execute(update(table).values(**values))


def test_equal_books_find_nothing(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = paid(till, provider)
    with db.transaction() as session:
        refunds.ask(session, OWNER, session.get_one(Order, order_id), 100, "goodwill", "1")
    refunds.carry_out(till, one(Refund).id)
    clock.forward(hours=1)
    assert reconciliation.reconcile(till) == []
    assert texts() == []


def test_a_payment_whose_notices_were_all_lost_is_taken_over(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = placed()
    provider.pay(opened(till, order_id))
    clock.forward(minutes=20)
    assert reconciliation.reconcile(till) == []
    assert state_of(order_id) == "paid"


def test_a_refund_made_at_the_provider_is_taken_over(till: Till, provider: HandProvider) -> None:
    paid(till, provider)
    reference = str(one(Payment).payment_reference)
    provider.refunds["by hand"] = RefundState("re_dashboard", reference, 5000, "EUR", "succeeded")
    assert reconciliation.reconcile(till) == []
    assert one(Refund).amount == 5000


def test_a_stored_notice_that_was_never_done_is_done(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = placed()
    reference = opened(till, order_id)
    provider.pay(reference)
    notices.receive(till, f"evt_1 checkout_completed {reference}".encode(), "right")
    clock.forward(minutes=20)
    reconciliation.reconcile(till)
    assert (state_of(order_id), one(notices.WebhookEvent).done_at) == ("paid", clock.moment)


def test_a_different_amount_is_reported_until_it_ends(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = paid(till, provider)
    change(Payment, amount=970000)
    change(Order, received=970000)
    found = reconciliation.reconcile(till)
    assert [seen.text for seen in found] == ["The provider took €9,800, our books say €9,700."]
    first = one(Finding)
    clock.forward(hours=1)
    reconciliation.reconcile(till)
    again = one(Finding)
    assert (again.id, again.found_at, again.seen_at, again.order_id) == (
        first.id,
        first.found_at,
        clock.moment,
        order_id,
    )
    change(Payment, amount=980000)
    change(Order, received=980000)
    clock.forward(hours=1)
    assert reconciliation.reconcile(till) == []
    assert (texts(), one(Finding).gone_at) == ([], clock.moment)


def test_money_that_only_one_side_knows_of_is_reported(till: Till, provider: HandProvider) -> None:
    paid(till, provider)
    change(Payment, payment_reference="pi_elsewhere")
    found = [seen.text for seen in reconciliation.reconcile(till)]
    assert found == [f"The provider does not know our payment {one(Payment).id}."]


def test_books_that_do_not_add_up_are_reported(till: Till, provider: HandProvider) -> None:
    paid(till, provider)
    change(Order, received=979999)
    found = [seen.text for seen in reconciliation.reconcile(till)]
    assert found == ["The order counts €9,799.99 as received, its payments €9,800."]


def test_what_waits_for_a_person_is_reported(till: Till, clock: Clock) -> None:
    first, second = placed(), placed()
    with db.transaction() as session:
        today = db.now().date()
        transfers.record(session, till, session.get_one(Order, first), 300000, today, "A")
        transfers.record(session, till, session.get_one(Order, second), 1000000, today, "B")
    clock.forward(hours=1)
    found = sorted(seen.text for seen in reconciliation.reconcile(till))
    assert found == ["The order waits beyond its time; €3,000 of it is here.", "€200 came in beyond the total."]


def test_a_silent_provider_changes_no_finding(till: Till, provider: HandProvider) -> None:
    paid(till, provider)
    change(Order, received=979999)
    reconciliation.reconcile(till)
    provider.down = True
    with pytest.raises(PaymentUnavailable):
        reconciliation.reconcile(till)
    assert len(texts()) == 1


def test_it_runs_every_hour_by_itself(till: Till, provider: HandProvider, clock: Clock) -> None:
    paid(till, provider)
    with db.transaction() as session:
        reconciliation.plan(session)
    worker = Worker({reconciliation.RECONCILE: payment_tasks.tasks_of(till)[reconciliation.RECONCILE]})
    assert worker.run_due() == 1
    clock.forward(minutes=59)
    assert worker.run_due() == 0
    clock.forward(minutes=1)
    assert worker.run_due() == 1
    with db.transaction(read_only=True) as session:
        waiting = session.exec(
            select(Task).where(Task.kind == reconciliation.RECONCILE, col(Task.state) == "queued")
        ).all()
    assert len(waiting) == 1
