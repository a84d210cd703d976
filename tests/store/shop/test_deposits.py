"""Deposits: the card is kept with the first payment and charged for the balance while its holder is away."""

from typing import Any

import pytest
from sqlmodel import col, select

from store import db, mail
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import notices, orders, payment_pages, payment_tasks, saved_cards, schedule, settling
from store.shop.orders import Order
from store.shop.payment_provider import PaymentUnavailable
from store.shop.payments import Payment, Till
from store.shop.refunds import Refund
from store.shop.schedule import PaymentPart
from store.tasks import Worker
from tests.conftest import Clock
from tests.store import selling
from tests.store.selling import HandProvider

pytestmark = pytest.mark.usefixtures("open_house", "clock")
WORKSHOP = Visitor(staff_id="stf_1", role="workshop")


def placed(plan: str = "deposit") -> str:
    return selling.placed(plan)


def order_of(order_id: str) -> Order:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order_id)


def page(till: Till, order_id: str) -> str:
    return payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]


def finish(order_id: str) -> None:
    with db.transaction() as session:
        orders.advance(session, WORKSHOP, session.get_one(Order, order_id), "ready")


def deposited(till: Till, provider: HandProvider) -> str:
    order_id = placed()
    reference = page(till, order_id)
    provider.pay(reference)
    settling.settle(till, reference)
    return order_id


def mails() -> list[str]:
    with db.transaction(read_only=True) as session:
        return sorted(session.exec(select(mail.Message.kind)).all())


def payments_of(order_id: str) -> list[Payment]:
    with db.transaction(read_only=True) as session:
        statement = (
            select(Payment).where(Payment.order_id == order_id).order_by(col(Payment.method), col(Payment.state))
        )
        return list(session.exec(statement).all())


def test_only_the_deposit_is_charged_and_the_card_is_kept(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = page(till, order_id)
    (request,) = provider.opened.values()
    assert (request.amount, request.keep_card) == (294000, True)
    assert request.lines == ((f"Deposit, order {request.order_number}", 294000),)
    provider.pay(reference)
    settling.settle(till, reference)
    order = order_of(order_id)
    assert (order.state, order.received, order.is_settled) == ("paid", 294000, False)
    assert [payment.method_reference for payment in payments_of(order_id)] == [f"pm_{reference}"]


def test_an_order_paid_at_once_keeps_no_card(till: Till, provider: HandProvider) -> None:
    page(till, placed("full"))
    assert [(request.amount, request.keep_card) for request in provider.opened.values()] == [(980000, False)]


def test_nothing_is_due_between_deposit_and_balance(till: Till, provider: HandProvider) -> None:
    order_id = deposited(till, provider)
    assert payment_pages.open_checkout(till, order_id).startswith("http://testserver/orders/")
    assert len(provider.opened) == 1


def test_the_balance_is_charged_on_the_kept_card_when_it_is_ready(
    till: Till, provider: HandProvider, worker: Worker
) -> None:
    order_id = deposited(till, provider)
    finish(order_id)
    worker.run_due()
    (charge,) = provider.charged
    assert (charge.amount, charge.customer_reference) == (686000, "cus_1")
    order = order_of(order_id)
    assert (order.received, order.is_settled, order.state) == (980000, True, "ready")
    assert [(payment.method, payment.state, payment.kept) for payment in payments_of(order_id)] == [
        ("page", "paid", True),
        ("saved", "paid", True),
    ]
    assert mails() == ["order-paid", "order-placed", "payment-received"]


def test_the_balance_is_charged_once_however_often_the_task_runs(
    till: Till, provider: HandProvider, worker: Worker
) -> None:
    order_id = deposited(till, provider)
    finish(order_id)
    worker.run_due()
    with db.transaction(read_only=True) as session:
        part = session.exec(select(PaymentPart).where(PaymentPart.due == "ready")).one().id
    for _ in range(3):
        saved_cards.charge(till, part)
    assert (len(provider.charged), order_of(order_id).received) == (1, 980000)


@pytest.mark.parametrize(
    ("fate", "words"),
    [("needs_customer", "confirm the payment of €6,860 yourself"), ("declined", "its bank did not let it through")],
)
def test_a_balance_that_cannot_be_charged_is_asked_for_by_a_link(
    till: Till, provider: HandProvider, worker: Worker, fate: str, words: str
) -> None:
    order_id = deposited(till, provider)
    provider.kept_cards = fate
    finish(order_id)
    worker.run_due()
    assert [payment.state for payment in payments_of(order_id)] == ["paid", "failed"]
    with db.transaction(read_only=True) as session:
        (told,) = session.exec(select(mail.Message).where(mail.Message.kind == "payment-declined")).all()
        (noted,) = session.exec(select(Event).where(Event.kind == "payment-failed")).all()
    assert words in told.text
    assert "/payment?key=" in told.text
    assert (noted.subject, noted.facts["method"]) == (order_id, "saved")
    reference = page(till, order_id)
    assert provider.opened[reference].amount == 686000
    provider.pay(reference)
    settling.settle(till, reference)
    assert (order_of(order_id).is_settled, mails().count("payment-received")) == (True, 1)


def test_a_silent_provider_is_asked_again_under_the_same_key(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = deposited(till, provider)
    finish(order_id)
    provider.down = True
    worker.run_due()
    assert order_of(order_id).received == 294000
    with pytest.raises(ShopError):
        payment_pages.open_checkout(selling.till_of(HandProvider(down=True)), placed("full"))
    provider.down = False
    clock.forward(seconds=10)
    worker.run_due()
    assert (len(provider.charged), order_of(order_id).received) == (1, 980000)


def test_while_the_card_is_charged_no_page_is_opened(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = deposited(till, provider)
    provider.kept_cards = "pending"
    finish(order_id)
    worker.run_due()
    assert payment_pages.open_checkout(till, order_id).startswith("http://testserver/orders/")
    assert len(provider.opened) == 1


def test_a_charge_whose_answer_was_lost_is_found_before_it_could_be_made_twice(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = deposited(till, provider)
    finish(order_id)
    lost = provider.charge_saved

    def cut(charge: Any) -> Any:
        lost(charge)
        raise PaymentUnavailable("the line went dead")

    provider.charge_saved = cut  # type: ignore[method-assign]
    worker.run_due()
    assert order_of(order_id).received == 294000
    clock.forward(hours=25)  # the provider has forgotten the key by now
    (_, payment) = payments_of(order_id)
    saved_cards.charge(till, payment.part_id or "")
    assert (len(provider.charged), order_of(order_id).received) == (1, 980000)


def test_the_notice_of_a_charge_settles_it_too(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = deposited(till, provider)
    provider.kept_cards = "pending"
    finish(order_id)
    worker.run_due()
    (_, payment) = payments_of(order_id)
    provider.kept_cards = "pays"
    with db.transaction(read_only=True) as session:
        order = session.get_one(Order, order_id)
    assert order.received == 294000
    saved = provider.charges[payment.id]
    provider.charges[payment.id] = type(saved)(
        "paid", saved.payment_reference, saved.amount, saved.currency, db.now(), payment_id=payment.id
    )
    body = f"evt_1 payment_succeeded {saved.payment_reference} {payment.id}".encode()
    assert notices.receive(till, body, "right") == "evt_1"
    for _ in range(2):
        notices.settle_notice(till, "evt_1")
    assert (order_of(order_id).received, order_of(order_id).is_settled) == (980000, True)


def test_a_part_paid_twice_goes_back(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = page(till, order_id)
    with db.transaction() as session:
        orders.receive(session, session.get_one(Order, order_id), 294000, "pay_other", first=294000)
    provider.pay(reference)
    settling.settle(till, reference)
    with db.transaction(read_only=True) as session:
        (refund,) = session.exec(select(Refund)).all()
    assert (refund.amount, refund.reason, order_of(order_id).received) == (294000, "paid twice", 294000)


def test_a_decline_on_the_payment_page_is_noted_on_the_timeline(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    page(till, order_id)
    (payment,) = payments_of(order_id)
    body = f"evt_1 payment_failed pi_new {payment.id} insufficient_funds".encode()
    for _ in range(2):
        assert notices.receive(till, body, "right") is None
    with db.transaction(read_only=True) as session:
        (noted,) = session.exec(select(Event).where(Event.kind == "payment-failed")).all()
    assert (noted.subject, noted.facts["code"], noted.facts["method"]) == (order_id, "insufficient_funds", "page")
    assert mails() == ["order-placed"]


def test_a_closed_page_makes_room_for_a_new_one(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = deposited(till, provider)
    provider.kept_cards = "declined"
    finish(order_id)
    with db.transaction() as session:
        schedule.ask_when_ready(session, WORKSHOP, session.get_one(Order, order_id))
    first = page(till, order_id)
    assert provider.opened[first].expires_at == clock.moment + payment_pages.PAGE_FOR
    provider.expire_checkout(first)
    clock.forward(minutes=36)
    second = page(till, order_id)
    assert second != first
    assert provider.opened[second].amount == 686000


def test_a_page_whose_opening_was_never_answered_is_given_up(till: Till, provider: HandProvider, clock: Clock) -> None:
    order_id = placed()
    provider.down = True
    with pytest.raises(ShopError):
        payment_pages.open_checkout(till, order_id)
    provider.down = False
    clock.forward(minutes=3)
    page(till, order_id)
    assert [payment.state for payment in payments_of(order_id)] == ["expired", "opened"]


def test_the_agreed_day_asks_for_a_part_by_itself(till: Till, worker: Worker, clock: Clock) -> None:
    order_id = placed()
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        part = session.exec(select(PaymentPart).where(PaymentPart.due == "ready")).one()
        part.due_on = clock.moment.date().replace(month=6)
        session.add(part)
        orders.receive(session, order, 294000, "pay_1", first=294000)
        payment_tasks.plan_agreed_days(session, order)
    clock.forward(days=60)
    worker.run_due()
    assert mails().count("payment-requested") == 0
    clock.forward(days=40)
    worker.run_due()
    assert mails().count("payment-requested") == 1
