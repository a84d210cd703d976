"""Settling: what happened at the provider is read again and taken over, in any order and any number of times."""

import logging

from sqlmodel import Session, select

from store import db, events
from store.events import NOBODY
from store.shop import disputes, orders, payments, refunds, schedule
from store.shop.orders import Order
from store.shop.payment_provider import ChargeState, CheckoutState, PaymentRefused, PaymentUnavailable
from store.shop.payments import UNFINISHED, Payment, Till

log = logging.getLogger(__name__)


def settle(till: Till, reference: str) -> None:
    """Read a payment page again at the provider and take over what happened there.

    Raises:
        PaymentUnavailable: the provider does not answer.
    """
    state = till.provider.read_checkout(reference)
    with db.transaction() as session:
        apply(session, till, state)


def settle_order(till: Till, order_id: str) -> None:
    """Settle the open payment of an order, if it has one; the customer coming back sees "Paid" at once."""
    with db.transaction(read_only=True) as session:
        payment = payments.unfinished(session, order_id)
    if payment is None or payment.provider_reference is None:
        return
    try:
        settle(till, payment.provider_reference)
    except (PaymentUnavailable, PaymentRefused):
        log.warning("payment %s could not be read again; the webhook will tell", payment.id)


def settle_charge(till: Till, payment_reference: str, payment_id: str | None) -> None:
    """Read a charge again that this shop made on a kept card; one of a payment page is that page's to tell.

    Raises:
        PaymentUnavailable: the provider does not answer.
    """
    with db.transaction(read_only=True) as session:
        payment = session.get(Payment, payment_id) if payment_id else payments.of_charge(session, payment_reference)
    if payment is None or payment.method != payments.SAVED or payment.state != "charging":
        return
    state = till.provider.read_payment(payment_reference)
    with db.transaction() as session:
        apply_charge(session, till, session.get_one(Payment, payment.id), state)


def settle_money_back(till: Till, payment_reference: str) -> None:
    """Read a payment's refunds and disputes again at the provider.

    Raises:
        PaymentUnavailable: the provider does not answer, or a refund of ours is still on its way.
    """
    with db.transaction(read_only=True) as session:
        payment = payments.of_charge(session, payment_reference)
    if payment is None:
        return  # of a payment that is not settled yet: its own notice comes, and reconciliation looks again
    back = till.provider.refunds_of(payment_reference)
    disputed = till.provider.disputes_of(payment_reference)
    with db.transaction() as session:
        session.get_one(Order, payment.order_id, with_for_update=True)  # the order first, as everybody does
        row = session.get_one(Payment, payment.id)
        disputes.take_over(session, row, disputed)
        refunds.take_over(session, row, back)


def apply(session: Session, till: Till, state: CheckoutState) -> None:
    """Take over how a checkout stands: forward only, in any order, any number of times."""
    payment = session.exec(select(Payment).where(Payment.provider_reference == state.reference)).first()
    if payment is None:
        log.warning("the provider told of a checkout that this shop did not open")
        return
    if state.status == "expired":
        payments.move(session, payment, UNFINISHED, "expired", open_key=None)
    elif state.status == "paid":
        kept = {"customer_reference": state.customer_reference, "method_reference": state.method_reference}
        _paid(session, till, payment, state, kept)


def apply_charge(session: Session, till: Till, payment: Payment, state: ChargeState) -> bool:
    """Take over how the charge of a kept card stands; whether it is decided.

    A charge that was declined stays so at the provider: the payment has failed, and its part is asked for by a link.
    """
    if state.status == "paid":
        _paid(session, till, payment, state, {})
    elif state.status == "pending":
        return False
    elif payments.move(
        session,
        payment,
        UNFINISHED,
        "failed",
        open_key=None,
        failure=state.code,
        payment_reference=state.payment_reference,
    ):
        note_decline(session, payment, state.code, asks_customer=state.status == "needs_customer")
    return True


def note_decline(session: Session, payment: Payment, code: str, *, asks_customer: bool = False) -> None:
    """A card was declined: noted on the order's timeline; on a payment page the customer may try again at once."""
    order = session.get_one(Order, payment.order_id)
    facts = {"number": order.number, "payment": payment.id, "method": payment.method, "code": code}
    events.record(
        session,
        NOBODY,
        "payment-failed",
        subject=order.id,
        customer_id=order.customer_id,
        facts={**facts, "amount": payment.amount, "currency": payment.currency, "asks_customer": asks_customer},
    )


def _paid(
    session: Session,
    till: Till,
    payment: Payment,
    state: CheckoutState | ChargeState,
    kept: dict[str, str | None],
) -> None:
    # The order first, as everybody does who moves money: nobody waits for whoever waits for him.
    order = session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    paid_at = state.paid_at or db.now()
    asked = payment.amount
    before = (*UNFINISHED, "expired", "failed")
    reference = state.payment_reference
    if not payments.move(
        session,
        payment,
        before,
        "paid",
        open_key=None,
        amount=state.amount,
        payment_reference=reference,
        paid_at=paid_at,
        failure="",
        **kept,
    ):
        return
    if (state.amount, state.currency) != (asked, payment.currency):
        log.error("payment %s: %d was asked for and %d was paid", payment.id, asked, state.amount)
        refunds.ask_automatic(session, payment, "The amount paid was not the amount asked for.", order)
    elif _part_is_here(session, order, payment) or not receive(session, till, order, payment):
        reason = {"released": "sold out", "cancelled": "cancelled"}.get(order.state, "paid twice")
        refunds.ask_automatic(session, payment, reason, order)


def receive(session: Session, till: Till, order: Order, payment: Payment) -> bool:
    """Count money that came in to its order, which is taken up again if it was released and everything is still free.

    Returns:
        Whether the order could take it; one that is over cannot.
    """
    if order.state == "released":
        till.revive(session, order)
    parts = schedule.standing(session, order).parts
    first = parts[0].part.amount if parts else 0
    if not orders.receive(session, order, payment.amount, payment.id, payment.paid_at, first=first):
        return False
    payments.change(session, payment, kept=True)
    return True


def _part_is_here(session: Session, order: Order, payment: Payment) -> bool:
    """Whether what a payment was asked for came in some other way meanwhile."""
    standing = schedule.standing(session, order)
    states = [part for part in standing.parts if part.part.id == payment.part_id]
    return order.is_paid and all(payment.amount > part.missing for part in states)
