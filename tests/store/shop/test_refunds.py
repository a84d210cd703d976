"""Refunds, transfers and disputes: never more than came in, once, over several payments, forward only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from store import checkout, db, mail
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import (
    books,
    notices,
    orders,
    payment_pages,
    payment_tasks,
    payments,
    refunds,
    settling,
    stock,
    transfers,
)
from store.shop.orders import Order
from store.shop.payment_provider import DisputeState, PaymentRefused, RefundState
from store.shop.payments import Payment, Till
from store.shop.refunds import Refund
from store.tasks import Worker
from tests.conftest import Clock
from tests.store import selling
from tests.store.selling import HandProvider, placed

pytestmark = pytest.mark.usefixtures("open_house", "clock")
OWNER = Visitor(staff_id="stf_owner", role="owner")
WORKSHOP = Visitor(staff_id="stf_1", role="workshop")


def paid(till: Till, provider: HandProvider, plan: str = "full", slug: str = "watch") -> str:
    order_id = placed(plan, slug)
    reference = payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]
    provider.pay(reference)
    settling.settle(till, reference)
    return order_id


def twice_paid(till: Till, provider: HandProvider, worker: Worker, clock: Clock) -> str:
    """An order whose deposit was paid on the page and whose balance was charged on the kept card."""
    order_id = paid(till, provider, "deposit")
    clock.forward(days=60)
    with db.transaction() as session:
        orders.advance(session, WORKSHOP, session.get_one(Order, order_id), "ready")
    worker.run_due()
    return order_id


def with_order(order_id: str, act: Callable[..., Any], *given: Any) -> Any:
    with db.transaction() as session:
        return act(session, OWNER, session.get_one(Order, order_id), *given)


def refund(order_id: str, amount: int, key: str = "", reason: str = "goodwill") -> list[Refund]:
    asked: list[Refund] = with_order(order_id, refunds.ask, amount, reason, key or db.new_id("key"))
    return asked


def transfer(till: Till, order_id: str, amount: int, reference: str = "BANK-1") -> Payment:
    with db.transaction() as session:
        today = db.now().date()
        return transfers.record(session, till, session.get_one(Order, order_id), amount, today, reference)


def rows(table: Any, *conditions: Any) -> list[Any]:
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(table).where(*conditions)).all())


def account(order_id: str) -> books.Account:
    with db.transaction(read_only=True) as session:
        return books.account(session, session.get_one(Order, order_id))


def order_of(order_id: str) -> Order:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order_id)


# -- by staff --------------------------------------------------------------------------------------------------------


def test_a_part_goes_back_with_its_reason_and_by_whom(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    (asked,) = refund(order_id, 10000, reason="A scratch at delivery")
    worker.run_due()
    (made,) = rows(Refund)
    assert (made.id, made.state, made.asked_by, made.reason) == (
        asked.id,
        "made",
        "stf_owner",
        "A scratch at delivery",
    )
    assert [(one.amount, one.refund_id) for one in provider.refunds.values()] == [(10000, asked.id)]
    assert (account(order_id).in_hand, order_of(order_id).received) == (970000, 980000)
    assert [payment.state for payment in rows(Payment)] == ["paid"]
    (told,) = rows(mail.Message, mail.Message.kind == "refund")
    assert "€100" in told.text
    assert "apolog" not in told.text + told.subject
    assert [event.staff_id for event in rows(Event, Event.kind == "refund-asked")] == ["stf_owner"]


def test_more_than_was_paid_never_goes_back(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    for amount, status in ((980001, 409), (0, 422), (-5, 422)):
        with pytest.raises(ShopError) as refusal:
            refund(order_id, amount)
        assert refusal.value.status == status
    refund(order_id, 980000)
    with pytest.raises(ShopError) as nothing_left:
        refund(order_id, 1)
    assert (nothing_left.value.status, len(rows(Refund))) == (409, 1)
    worker.run_due()
    assert (account(order_id).in_hand, [payment.state for payment in rows(Payment)]) == (0, ["refunded"])


def test_a_refund_needs_its_reason(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    with pytest.raises(ShopError) as refusal:
        refund(order_id, 100, reason="  ")
    assert (refusal.value.status, rows(Refund)) == (422, [])


def test_a_double_click_asks_once_and_another_form_again(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    first, again = refund(order_id, 500, key="form-1"), refund(order_id, 500, key="form-1")
    assert [row.id for row in first] == [row.id for row in again]
    refund(order_id, 500, key="form-2")
    assert sorted(row.amount for row in rows(Refund)) == [500, 500]


def test_a_refund_goes_over_as_many_payments_as_it_takes(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = twice_paid(till, provider, worker, clock)
    asked = refund(order_id, 700000)
    worker.run_due()
    by_payment = {payment.id: payment.method for payment in rows(Payment)}
    assert [(by_payment[row.payment_id], row.amount) for row in asked] == [("saved", 686000), ("page", 14000)]
    assert account(order_id).in_hand == 280000
    assert sum(one.amount for one in provider.refunds.values()) == 700000


def test_a_refused_refund_frees_what_it_had_set_aside(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    refund(order_id, 980000)

    def refuse(*_: Any) -> RefundState:
        raise PaymentRefused("no")

    provider.refund = refuse  # type: ignore[method-assign, assignment]
    worker.run_due()
    (payment,) = rows(Payment)
    assert ([row.state for row in rows(Refund)], payment.refunded, payment.state) == (["failed"], 0, "paid")
    assert len(rows(Event, Event.kind == "refund-failed")) == 1
    assert account(order_id).in_hand == 980000


def test_a_refund_that_fails_later_is_ours_again(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    (asked,) = refund(order_id, 980000)
    worker.run_due()
    made = provider.refunds[asked.id]
    provider.refunds[asked.id] = RefundState(
        made.reference, made.payment_reference, made.amount, made.currency, "failed", asked.id
    )
    for number in range(3):
        notices.receive(till, f"evt_{number} refunded {made.payment_reference}".encode(), "right")
        notices.settle_notice(till, f"evt_{number}")
    (payment,) = rows(Payment)
    assert (account(order_id).in_hand, payment.refunded, payment.state) == (980000, 0, "paid")
    refund(order_id, 980000)


def test_a_refund_made_at_the_provider_comes_into_the_books_once(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    (payment,) = rows(Payment)
    reference = str(payment.payment_reference)
    provider.refunds["by hand"] = RefundState("re_dashboard", reference, 5000, "EUR", "succeeded")
    for number in range(3):
        notices.receive(till, f"evt_{number} refunded {reference}".encode(), "right")
        notices.settle_notice(till, f"evt_{number}")
    assert [(row.amount, row.state, row.provider_reference) for row in rows(Refund)] == [(5000, "made", "re_dashboard")]
    assert account(order_id).in_hand == 975000


def test_an_order_is_called_off_with_everything_paid_back(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider, slug="print-one")
    with db.transaction() as session:
        assert stock.available(session, ["print-one"]) == {"print-one": 4}
        order = session.get_one(Order, order_id)
        orders.call_off(session, OWNER, order, "He changed his mind")
        left = refunds.refundable(payments.of_order(session, order))
        refunds.ask(session, OWNER, order, left, "called off", "off")
    worker.run_due()
    with db.transaction(read_only=True) as session:
        assert stock.available(session, ["print-one"]) == {"print-one": 5}
        assert session.exec(select(stock.Piece).where(col(stock.Piece.order_line_id).is_not(None))).all() == []
    assert (order_of(order_id).state, account(order_id).in_hand) == ("cancelled", 0)
    with pytest.raises(ShopError):
        with_order(order_id, orders.call_off, "again")


def test_an_order_in_the_workshop_is_not_called_off(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    with_order(order_id, orders.advance, "in-production")
    with pytest.raises(ShopError) as refusal:
        with_order(order_id, orders.call_off, "too late")
    assert (refusal.value.status, order_of(order_id).state) == (409, "in-production")


# -- transfers -------------------------------------------------------------------------------------------------------


def test_part_payments_by_transfer_add_up(till: Till, clock: Clock) -> None:
    order_id = placed()
    transfer(till, order_id, 300000, "A")
    order = order_of(order_id)
    assert (order.state, order.received, order.is_paid) == ("placed", 300000, False)
    clock.forward(days=2)
    payment_tasks.release_unpaid(till, order_id)  # money is here: a person decides, no clock
    assert order_of(order_id).state == "placed"
    transfer(till, order_id, 680000, "B")
    order = order_of(order_id)
    assert (order.state, order.received, order.is_settled) == ("paid", 980000, True)
    assert [payment.kept for payment in rows(Payment)] == [True, True]


def test_an_order_with_money_is_not_cancelled_by_a_click(till: Till) -> None:
    order_id = placed()
    transfer(till, order_id, 300000)
    with pytest.raises(ShopError) as refusal:
        with_order(order_id, orders.cancel, "changed my mind")
    assert (refusal.value.status, order_of(order_id).state) == (409, "placed")


def test_the_same_transfer_is_recorded_once(till: Till) -> None:
    order_id = placed()
    transfer(till, order_id, 300000, "A")
    with pytest.raises(ShopError) as refusal:
        transfer(till, order_id, 300000, " A ")
    assert (refusal.value.status, order_of(order_id).received, len(rows(Payment))) == (409, 300000, 1)


@pytest.mark.parametrize(("amount", "ahead", "reference"), [(0, 0, "A"), (100, 0, " "), (100, 1, "A")])
def test_a_wrong_transfer_is_refused(till: Till, amount: int, ahead: int, reference: str) -> None:
    order_id = placed()
    day = db.now().date() + timedelta(days=ahead)
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        with pytest.raises(ShopError) as refusal:
            transfers.record(session, till, order, amount, day, reference)
    assert (refusal.value.status, rows(Payment)) == (422, [])


def test_an_overpayment_is_said_and_sent_back_by_hand(till: Till) -> None:
    order_id = placed()
    transfer(till, order_id, 1000000)
    assert (order_of(order_id).is_settled, order_of(order_id).received) == (True, 1000000)
    (asked,) = refund(order_id, 20000, reason="overpaid")
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        with pytest.raises(ShopError):
            refunds.record_sent(session, OWNER, order, asked.id, " ")
        assert refunds.record_sent(session, OWNER, order, asked.id, "SEPA-7")
        assert not refunds.record_sent(session, OWNER, order, asked.id, "SEPA-8")
    assert [(row.state, row.provider_reference) for row in rows(Refund)] == [("made", "SEPA-7")]
    assert account(order_id).in_hand == 980000


def test_a_transfer_for_a_released_order_takes_it_up_again_or_goes_back(till: Till, worker: Worker) -> None:
    first, second = placed(slug="print-one"), placed()
    for order_id in (first, second):
        payment_tasks.release_unpaid(till, order_id)
    assert transfer(till, first, 150000, "A").kept
    assert order_of(first).state == "paid"
    with db.transaction() as session:
        session.get_one(Order, second).state = "cancelled"
    assert not transfer(till, second, 980000, "B").kept
    worker.run_due()
    assert [(row.amount, row.state) for row in rows(Refund)] == [(980000, "asked")]


def test_what_a_card_cannot_carry_waits_for_a_transfer(till: Till, tmp_path: Any, clock: Clock) -> None:
    yacht = (
        selling.STRAP.replace("strap", "yacht").replace("price: 29000", "price: 100000000").replace("yachts", "boat")
    )
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "boats", selling.PRODUCTS + "---\n" + yacht)
        cart = selling.fill(session, selling.guest(), "yacht")
        order = checkout.place(session, selling.guest(), cart, selling.form(seen_total=10**12), "key-1").order
        assert order.kept_until == clock.moment + timedelta(days=7)
    with pytest.raises(ShopError) as refusal:
        payment_pages.open_checkout(till, order.id)
    assert refusal.value.status == 409
    assert "€999,999.99" in refusal.value.detail
    (told,) = rows(mail.Message, mail.Message.kind == "order-placed")
    assert "IBAN: FR76" in told.text
    assert f"Reference: {order.number}" in told.text
    assert "Continue to payment" not in told.text
    transfer(till, order.id, 100000000)
    assert order_of(order.id).is_settled


# -- disputes --------------------------------------------------------------------------------------------------------


def dispute(payment: Payment, status: Any = "open", amount: int = 980000) -> DisputeState:
    return DisputeState("dp_1", str(payment.payment_reference), amount, "EUR", "fraudulent", status, db.now())


def tell_of_dispute(till: Till, payment: Payment, number: int) -> None:
    notices.receive(till, f"evt_d{number} disputed {payment.payment_reference}".encode(), "right")
    notices.settle_notice(till, f"evt_d{number}")


@pytest.mark.parametrize(("outcome", "in_hand", "refundable"), [("won", 980000, 980000), ("lost", 0, 0)])
def test_a_dispute_is_recorded_and_decided_forward_only(
    till: Till, provider: HandProvider, outcome: str, in_hand: int, refundable: int
) -> None:
    order_id = paid(till, provider)
    (payment,) = rows(Payment)
    provider.disputes = [dispute(payment)]
    tell_of_dispute(till, payment, 1)
    assert account(order_id).in_hand == 0
    with pytest.raises(ShopError):
        refund(order_id, 100)
    provider.disputes = [dispute(payment, outcome)]
    tell_of_dispute(till, payment, 2)
    provider.disputes = [dispute(payment)]  # an old answer, late
    tell_of_dispute(till, payment, 3)
    assert [row.state for row in account(order_id).disputes] == [outcome]
    assert account(order_id).in_hand == in_hand
    assert refunds.refundable(rows(Payment)) == refundable
    kinds = [event.kind for event in rows(Event, col(Event.kind).startswith("dispute-"))]
    assert sorted(kinds) == ["dispute-closed", "dispute-opened"]


def test_a_dispute_told_of_before_its_payment_is_taken_over_after_it(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]
    provider.pay(reference)
    (payment,) = rows(Payment)
    early = Payment(**payment.model_dump() | {"payment_reference": f"pi_{reference}"})
    provider.disputes = [dispute(early)]
    tell_of_dispute(till, early, 1)
    assert account(order_id).disputes == ()
    notices.receive(till, f"evt_1 checkout_completed {reference}".encode(), "right")
    notices.settle_notice(till, "evt_1")
    assert [row.state for row in account(order_id).disputes] == ["open"]
