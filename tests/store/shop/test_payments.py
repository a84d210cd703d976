"""Payments: one page per order, forward only, in any order and any number of times."""

from typing import Any

import pytest
from sqlmodel import select

from store import db, mail
from store.errors import ShopError
from store.events import Event
from store.shop import notices, orders, payment_pages, payment_tasks, refunds, settling, stock
from store.shop.notices import WebhookEvent
from store.shop.orders import Order
from store.shop.payment_provider import BadSignature, PaymentUnavailable
from store.shop.payments import Payment, Till
from store.shop.refunds import Refund
from store.tasks import Task, Worker
from tests.conftest import Clock
from tests.store import selling
from tests.store.selling import HandProvider

pytestmark = pytest.mark.usefixtures("open_house", "clock")


def placed(slug: str = "print-one", session_id: str = "ses_guest", **more: Any) -> str:
    with db.transaction() as session:
        return selling.order(session, selling.guest(session_id), slug, **more).id


def order_of(order_id: str) -> Order:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order_id)


def open_and_reference(till: Till, order_id: str) -> str:
    return payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]


def free(slug: str = "print-one") -> int:
    with db.transaction(read_only=True) as session:
        return stock.available(session, [slug])[slug]


def mails() -> list[str]:
    with db.transaction(read_only=True) as session:
        return sorted(session.exec(select(mail.Message.kind)).all())


def test_opening_twice_finds_the_same_page(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    assert payment_pages.open_checkout(till, order_id) == payment_pages.open_checkout(till, order_id)
    (request,) = provider.opened.values()
    assert (request.amount, request.lines) == (150000, (("Edition one", 150000),))
    with db.transaction(read_only=True) as session:
        assert len(session.exec(select(Event).where(Event.kind == "payment-opened")).all()) == 1


def test_a_silent_provider_loses_nothing(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    provider.down = True
    with pytest.raises(ShopError) as refusal:
        payment_pages.open_checkout(till, order_id)
    assert refusal.value.status == 503
    provider.down = False
    reference = open_and_reference(till, order_id)
    with db.transaction(read_only=True) as session:
        (payment,) = session.exec(select(Payment)).all()
    assert (payment.provider_reference, payment.state) == (reference, "opened")


def test_paid_is_told_once_however_often_it_is_read(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    settling.settle(till, reference)
    assert order_of(order_id).state == "placed"
    provider.pay(reference)
    for _ in range(3):
        settling.settle(till, reference)
    assert order_of(order_id).state == "paid"
    assert mails() == ["order-paid", "order-placed"]
    with db.transaction(read_only=True) as session:
        assert [row.state for row in session.exec(select(Payment)).all()] == ["paid"]


def test_a_paid_order_opens_no_further_page(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    provider.pay(open_and_reference(till, order_id))
    settling.settle_order(till, order_id)
    assert payment_pages.open_checkout(till, order_id).startswith("http://testserver/orders/")
    assert len(provider.opened) == 1


def test_unpaid_after_thirty_minutes_is_released_by_the_task(till: Till, worker: Worker, clock: Clock) -> None:
    order_id = placed(quantity=2)
    reference = open_and_reference(till, order_id)
    clock.forward(minutes=29)
    worker.run_due()
    assert (order_of(order_id).state, free()) == ("placed", 3)
    clock.forward(minutes=1)
    worker.run_due()
    assert (order_of(order_id).state, free()) == ("released", 5)
    assert till.provider.read_checkout(reference).status == "expired"
    assert mails() == ["order-placed", "order-released"]


def test_an_order_paid_in_the_last_second_is_not_released(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    provider.pay(open_and_reference(till, order_id))
    payment_tasks.release_unpaid(till, order_id)
    assert order_of(order_id).state == "paid"
    payment_tasks.release_unpaid(till, order_id)
    assert (order_of(order_id).state, free()) == ("paid", 4)


def test_an_order_is_released_even_when_the_provider_is_silent(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    open_and_reference(till, order_id)
    provider.down = True
    payment_tasks.release_unpaid(till, order_id)
    assert (order_of(order_id).state, free()) == ("released", 5)


def test_paid_after_release_is_kept_while_the_piece_is_free(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    provider.down = True
    payment_tasks.release_unpaid(till, order_id)
    provider.down = False
    provider.pay(reference)
    settling.settle(till, reference)
    assert (order_of(order_id).state, free()) == ("paid", 4)
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Refund)).all() == []


def test_paid_after_release_and_sold_is_refunded_with_an_apology(
    till: Till, worker: Worker, provider: HandProvider
) -> None:
    order_id = placed(quantity=5)
    reference = open_and_reference(till, order_id)
    provider.down = True
    payment_tasks.release_unpaid(till, order_id)
    provider.down = False
    placed(session_id="ses_other", quantity=1)
    provider.pay(reference)
    for _ in range(2):
        settling.settle(till, reference)
    worker.run_due()
    assert (order_of(order_id).state, free()) == ("released", 4)
    assert [(made.amount, made.currency) for made in provider.refunds.values()] == [(750000, "EUR")]
    assert mails().count("refund") == 1
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Payment.state)).all() == ["refunded"]
        (told,) = session.exec(select(mail.Message).where(mail.Message.kind == "refund")).all()
    assert "€7,500" in told.text


def test_a_refund_waits_for_a_silent_provider_and_is_made_once(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    with db.transaction() as session:
        orders.cancel(session, selling.guest(), session.get_one(Order, order_id), "changed my mind")
    provider.pay(reference)
    settling.settle(till, reference)
    with db.transaction(read_only=True) as session:
        (refund,) = session.exec(select(Refund)).all()
    provider.down = True
    with pytest.raises(PaymentUnavailable):
        refunds.carry_out(till, refund.id)
    provider.down = False
    refunds.carry_out(till, refund.id)
    refunds.carry_out(till, refund.id)
    assert len(provider.refunds) == 1
    assert mails().count("refund") == 1


def test_a_notice_is_stored_once_and_read_again(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    body = f"evt_1 checkout_completed {reference}".encode()
    assert notices.receive(till, body, "right") == "evt_1"
    notices.settle_notice(till, "evt_1")
    assert order_of(order_id).state == "placed"  # the notice alone is not believed
    provider.pay(reference)
    assert notices.receive(till, body, "right") is None
    notices.receive(till, f"evt_2 checkout_completed {reference}".encode(), "right")
    notices.settle_notice(till, "evt_2")
    assert order_of(order_id).state == "paid"
    with db.transaction(read_only=True) as session:
        assert sorted(session.exec(select(WebhookEvent.id)).all()) == ["evt_1", "evt_2"]


def test_an_expiry_that_comes_after_the_payment_changes_nothing(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    provider.pay(reference)
    settling.settle(till, reference)
    notices.receive(till, f"evt_9 checkout_expired {reference}".encode(), "right")
    notices.settle_notice(till, "evt_9")
    assert order_of(order_id).state == "paid"


def test_an_unsigned_notice_leaves_nothing(till: Till) -> None:
    with pytest.raises(BadSignature):
        notices.receive(till, b"evt_1 checkout_completed cs_1", "forged")
    with db.transaction(read_only=True) as session:
        assert session.exec(select(WebhookEvent)).all() == []
        assert session.exec(select(Task).where(Task.kind == notices.SETTLE)).all() == []


def test_a_notice_that_could_not_be_acted_on_is_done_by_the_task(
    till: Till, worker: Worker, provider: HandProvider, clock: Clock
) -> None:
    order_id = placed()
    reference = open_and_reference(till, order_id)
    provider.pay(reference)
    notices.receive(till, f"evt_1 checkout_completed {reference}".encode(), "right")
    clock.forward(seconds=20)
    worker.run_due()
    assert order_of(order_id).state == "paid"
