"""Payments: opened between two short transactions, believed only after reading them again, never going backwards."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, tasks
from store.errors import ShopError
from store.events import NOBODY
from store.settings import house
from store.shop import order_links, orders
from store.shop.orders import Order
from store.shop.payment_provider import (
    CheckoutRequest,
    CheckoutState,
    PaymentProvider,
    PaymentRefused,
    PaymentUnavailable,
)

log = logging.getLogger(__name__)

RELEASE, SETTLE, REFUND = "release-order", "settle-checkout", "refund-payment"  # kinds of tasks
UNFINISHED = ("opening", "opened")
TASK_AFTER = timedelta(seconds=15)  # a notice is acted on when it comes; the task is for when that failed


class Payment(SQLModel, table=True):
    """One amount asked for, once: its row is there before the provider hears of it."""

    __tablename__ = "payment"

    id: str = Field(primary_key=True)  # also the idempotency key at the provider
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    provider: str
    provider_reference: str | None = Field(default=None, unique=True)  # of the payment page
    payment_reference: str | None = Field(default=None, index=True)  # of the charge
    url: str | None = None
    amount: int = Field(sa_type=db.Minor)
    currency: str
    state: str = "opening"  # opening, opened, paid, failed, expired, refunded
    open_key: str | None = Field(default=None, unique=True)  # the order's id while unfinished: one page at a time
    opened_at: datetime
    paid_at: datetime | None = None


class Refund(SQLModel, table=True):
    """Money on its way back."""

    __tablename__ = "refund"

    id: str = Field(primary_key=True)  # also the idempotency key at the provider
    payment_id: str = Field(foreign_key="payment.id", index=True)
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    amount: int = Field(sa_type=db.Minor)
    currency: str
    reason: str
    state: str = "asked"  # asked, made, failed
    provider_reference: str | None = None
    dedupe_key: str = Field(unique=True)
    asked_at: datetime
    made_at: datetime | None = None


class WebhookEvent(SQLModel, table=True):
    """A notice of the provider's, stored before anything is done about it."""

    __tablename__ = "webhook_event"

    id: str = Field(primary_key=True)  # the provider's: the same notice again is known
    kind: str
    reference: str
    received_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True)
class Till:
    """Where the shop takes money: the provider, and how a released order is taken up again."""

    provider: PaymentProvider
    revive: Callable[[Session, Order], bool]


# -- opening ---------------------------------------------------------------------------------------------------------


def open_checkout(till: Till, order_id: str) -> str:
    """The address of the page where this order is paid: the open one again, or a new one.

    Raises:
        ShopError: 503, the provider does not answer; nothing is lost by trying again.
    """
    with db.transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        if order.state != "placed":
            return order_links.page(order.number)
        payment = _opening(session, till, order)
        if payment.url is not None:
            return payment.url
        request = _request(session, order, payment)
    try:
        hosted = till.provider.open_checkout(request)
    except PaymentUnavailable as error:
        detail = "The payment page does not answer just now. Your order is kept; please try again in a minute."
        raise ShopError(503, "Payment not reachable", detail) from error
    except PaymentRefused as error:
        log.error("payment %s was refused before it was opened", payment.id)
        raise ShopError(502, "Payment not possible", "This payment could not be opened. Please write to us.") from error
    with db.transaction() as session:
        opened = session.execute(
            update(Payment)
            .where(col(Payment.id) == payment.id, col(Payment.state) == "opening")
            .values(state="opened", provider_reference=hosted.reference, url=hosted.url)
            .returning(col(Payment.id))
        ).first()
        if opened is not None:
            facts = {"payment": payment.id, "amount": payment.amount, "currency": payment.currency}
            events.record(
                session, NOBODY, "payment-opened", subject=order_id, customer_id=order.customer_id, facts=facts
            )
    return hosted.url


def _opening(session: Session, till: Till, order: Order) -> Payment:
    """The order's unfinished payment; two tabs at once find the same one."""
    row = {
        "id": db.new_id("pay"),
        "order_id": order.id,
        "provider": till.provider.name,
        "amount": order.total,
        "currency": order.currency,
        "state": "opening",
        "open_key": order.id,
        "opened_at": db.now(),
    }
    session.execute(db.insert(session, Payment).values(**row).on_conflict_do_nothing(index_elements=["open_key"]))
    return session.exec(select(Payment).where(Payment.open_key == order.id)).one()


def _request(session: Session, order: Order, payment: Payment) -> CheckoutRequest:
    lines = [
        (f"{line.name} × {line.quantity}" if line.quantity > 1 else line.name, line.amount - line.discount)
        for line in orders.lines_of(session, [order])[order.id]
    ]
    if order.shipping:
        lines.append(("Insured delivery", order.shipping))
    return CheckoutRequest(
        order_number=order.number,
        order_id=order.id,
        amount=payment.amount,
        currency=payment.currency,
        email=order.email,
        description=f"{house().name}, order {order.number}",
        lines=tuple(lines),
        success_url=order_links.returning(order.number),
        cancel_url=order_links.returning(order.number),
        idempotency_key=payment.id,
        metadata={"payment_id": payment.id},
    )


# -- settling --------------------------------------------------------------------------------------------------------


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
        payment = session.exec(select(Payment).where(Payment.open_key == order_id)).first()
    if payment is None or payment.provider_reference is None:
        return
    try:
        settle(till, payment.provider_reference)
    except (PaymentUnavailable, PaymentRefused):
        log.warning("payment %s could not be read again; the webhook will tell", payment.id)


def apply(session: Session, till: Till, state: CheckoutState) -> None:
    """Take over how a checkout stands: forward only, in any order, any number of times."""
    payment = session.exec(select(Payment).where(Payment.provider_reference == state.reference)).first()
    if payment is None:
        log.warning("the provider told of a checkout that this shop did not open")
        return
    if state.status == "expired":
        _finish(session, payment, UNFINISHED, "expired")
    elif state.status == "paid":
        _paid(session, till, payment, state)


def _paid(session: Session, till: Till, payment: Payment, state: CheckoutState) -> None:
    moved = _finish(
        session,
        payment,
        (*UNFINISHED, "expired", "failed"),
        "paid",
        payment_reference=state.payment_reference,
        paid_at=state.paid_at or db.now(),
    )
    if not moved:
        return
    order = session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    if (state.amount, state.currency) != (payment.amount, payment.currency):
        log.error("payment %s: %d was asked for and %d was paid", payment.id, payment.amount, state.amount)
        ask_refund(session, payment, state.amount, "The amount paid was not the amount asked for.", order)
    elif orders.mark_paid(session, order, payment.id, payment.paid_at):
        return
    elif order.state == "released" and till.revive(session, order):
        orders.mark_paid(session, order, payment.id, payment.paid_at)
    else:
        reason = {"released": "sold out", "cancelled": "cancelled"}.get(order.state, "paid twice")
        ask_refund(session, payment, payment.amount, reason, order)


def _finish(session: Session, payment: Payment, before: tuple[str, ...], after: str, **values: Any) -> bool:
    moved = session.execute(
        update(Payment)
        .where(col(Payment.id) == payment.id, col(Payment.state).in_(before))
        .values(state=after, open_key=None, **values)
        .returning(col(Payment.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(payment)
    return moved is not None


# -- refunds ---------------------------------------------------------------------------------------------------------


def ask_refund(session: Session, payment: Payment, amount: int, reason: str, order: Order) -> None:
    """Send the whole payment back, once; a task speaks to the provider."""
    row = {
        "id": db.new_id("ref"),
        "payment_id": payment.id,
        "order_id": order.id,
        "amount": amount,
        "currency": payment.currency,
        "reason": reason,
        "state": "asked",
        "dedupe_key": f"automatic:{payment.id}",
        "asked_at": db.now(),
    }
    statement = db.insert(session, Refund).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"])
    made = session.execute(statement.returning(col(Refund.id))).first()
    if made is not None:
        tasks.enqueue(session, REFUND, {"refund": row["id"]}, dedupe_key=f"{REFUND}:{row['id']}")


def refunds_of(session: Session, order: Order) -> list[Refund]:
    """What went back, or is on its way."""
    return list(session.exec(select(Refund).where(Refund.order_id == order.id).order_by(col(Refund.asked_at))).all())


def refund(till: Till, refund_id: str) -> None:
    """Carry out a refund that was asked for; asking the provider twice pays back once.

    Raises:
        PaymentUnavailable: the provider does not answer; the task tries again.
    """
    with db.transaction(read_only=True) as session:
        row = session.get_one(Refund, refund_id)
        payment = session.get_one(Payment, row.payment_id)
    if row.state != "asked" or payment.payment_reference is None:
        return
    try:
        made = till.provider.refund(payment.payment_reference, row.amount, row.currency, row.reason, row.id)
        after, reference = ("failed" if made.status == "failed" else "made"), made.reference
    except PaymentRefused:
        log.exception("refund %s was refused; a person has to look", row.id)
        after, reference = "failed", None
    with db.transaction() as session:
        moved = session.execute(
            update(Refund)
            .where(col(Refund.id) == refund_id, col(Refund.state) == "asked")
            .values(state=after, provider_reference=reference, made_at=db.now())
            .returning(col(Refund.id))
        ).first()
        if moved is None or after != "made":
            return
        session.execute(update(Payment).where(col(Payment.id) == payment.id).values(state="refunded"))
        order = session.get_one(Order, row.order_id)
        facts = {"refund": row.id, "amount": row.amount, "currency": row.currency, "reason": row.reason}
        events.record(
            session,
            NOBODY,
            "refund-made",
            subject=order.id,
            customer_id=order.customer_id,
            facts={"number": order.number, **facts},
        )


# -- notices of the provider -----------------------------------------------------------------------------------------


def receive(till: Till, body: bytes, signature: str) -> str | None:
    """Take a webhook: verify the raw body and store the notice, with the task that will act on it.

    Returns:
        The notice's id when it asks for something and is new, so that the caller may act at once.

    Raises:
        BadSignature: the provider did not send this.
    """
    notice = till.provider.parse_event(body, signature)
    with db.transaction() as session:
        moment = db.now()
        asks = notice.kind in ("checkout_completed", "checkout_expired")  # the others only tell
        row = {"id": notice.id, "kind": notice.kind, "reference": notice.reference, "received_at": moment}
        row["done_at"] = None if asks else moment
        statement = db.insert(session, WebhookEvent).values(**row).on_conflict_do_nothing(index_elements=["id"])
        if session.execute(statement.returning(col(WebhookEvent.id))).first() is None:
            return None  # known: done, or the task that was asked for then will do it
        if asks:
            tasks.enqueue(
                session,
                SETTLE,
                {"event": notice.id},
                dedupe_key=f"{SETTLE}:{notice.id}",
                run_at=db.now() + TASK_AFTER,
            )
            return notice.id
        if notice.kind == "payment_failed":
            _note_failure(session, notice.reference)
    return None


def settle_notice(till: Till, event_id: str) -> None:
    """Do what a stored notice asks for; twice does it once."""
    with db.transaction(read_only=True) as session:
        notice = session.get_one(WebhookEvent, event_id)
    if notice.done_at is not None:
        return
    settle(till, notice.reference)
    with db.transaction() as session:
        session.execute(update(WebhookEvent).where(col(WebhookEvent.id) == event_id).values(done_at=db.now()))


def _note_failure(session: Session, payment_reference: str) -> None:
    """A card was declined: for the timeline only, the page stays open for another try."""
    payment = session.exec(select(Payment).where(Payment.payment_reference == payment_reference)).first()
    if payment is not None:
        order = session.get_one(Order, payment.order_id)
        events.record(session, NOBODY, "payment-failed", subject=order.id, customer_id=order.customer_id)


# -- tasks -----------------------------------------------------------------------------------------------------------


def release_unpaid(till: Till, order_id: str) -> None:
    """Release an order that was not paid in time: close its payment page, look once more, give everything back."""
    with db.transaction(read_only=True) as session:
        order = session.get_one(Order, order_id)
        payment = session.exec(select(Payment).where(Payment.open_key == order_id)).first()
    if order.state != "placed":
        return
    state: CheckoutState | None = None
    if payment is not None and payment.provider_reference is not None:
        try:
            state = till.provider.expire_checkout(payment.provider_reference)
        except (PaymentUnavailable, PaymentRefused):
            log.warning("payment %s could not be closed; if it is paid later, it is kept or paid back", payment.id)
    with db.transaction() as session:
        if state is not None:
            apply(session, till, state)
        order = session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
        orders.release(session, order)


def tasks_of(till: Till) -> dict[str, tasks.TaskFunction]:
    """The tasks of this module over a till."""
    return {
        RELEASE: lambda payload: release_unpaid(till, payload["order"]),
        SETTLE: lambda payload: settle_notice(till, payload["event"]),
        REFUND: lambda payload: refund(till, payload["refund"]),
    }
