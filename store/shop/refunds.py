"""Refunds: money on its way back, never more than came in, asked for once and carried out once."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, money, tasks
from store.errors import invalid, not_found, refused
from store.events import NOBODY, Visitor
from store.shop import payments
from store.shop.orders import Order
from store.shop.payment_provider import PaymentRefused, PaymentUnavailable, RefundState
from store.shop.payments import TRANSFER, Payment, Till

log = logging.getLogger(__name__)

REFUND = "refund-payment"  # the kind of the task


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
    asked_by: str | None = None  # the member of staff; None when the shop itself did
    provider_reference: str | None = Field(default=None, index=True)  # or of the transfer back
    dedupe_key: str = Field(unique=True)
    asked_at: datetime
    made_at: datetime | None = None


def of_order(session: Session, order: Order) -> list[Refund]:
    """What went back, is on its way, or did not go through."""
    statement = select(Refund).where(Refund.order_id == order.id)
    return list(session.exec(statement.order_by(col(Refund.asked_at), col(Refund.id))).all())


def refundable(taken: Iterable[Payment]) -> int:
    """What can still go back of an order's payments."""
    return sum(payment.refundable for payment in taken if payment.kept)


# -- asking ----------------------------------------------------------------------------------------------------------


def ask_automatic(session: Session, payment: Payment, reason: str, order: Order) -> None:
    """Send a whole payment back that the order cannot keep, once; a task speaks to the provider."""
    if not payments.change(
        session, payment, col(Payment.refunded) == 0, col(Payment.disputed) == 0, refunded=payment.amount
    ):
        return
    row = _row(order, payment, payment.amount, reason, f"automatic:{payment.id}")
    if db.insert_once(session, Refund, row, unique=("dedupe_key",)) is not None:
        tasks.enqueue(session, REFUND, {"refund": row["id"]}, dedupe_key=f"{REFUND}:{row['id']}")


def ask(session: Session, staff: Visitor, order: Order, amount: int, reason: str, key: str) -> list[Refund]:
    """Staff send part or all of an order's money back, over as many of its payments as it takes, the newest first.

    Args:
        key: of the form that was sent; the same form again finds what it asked for.

    Raises:
        ShopError: 422 no amount or no reason; 409 more than is left of what came in.
    """
    if amount <= 0:
        raise invalid("Please enter the amount to send back.", field="amount")
    if not reason.strip():
        raise invalid("Please say why the money goes back.", field="reason")
    # Whoever refunds this order waits here for the one before, and sees what it left.
    session.refresh(order, with_for_update=True)
    prefix = f"{order.id}:{key[:80]}:"
    statement = select(Refund).where(col(Refund.dedupe_key).startswith(prefix, autoescape=True))
    if key and (before := list(session.exec(statement).all())):
        return before
    taken = [payment for payment in reversed(payments.of_order(session, order)) if payment.kept]
    left = refundable(taken)
    if amount > left:
        rest = money.write(left, order.currency)
        raise refused(f"No more than {rest} of this order can be sent back." if left else "Nothing is left to refund.")
    asked = []
    for payment in taken:
        share = min(amount, payment.refundable)
        if share > 0:
            asked.append(_ask(session, staff, order, payment, share, reason.strip()[:200], prefix))
            amount -= share
    return asked


def _ask(
    session: Session, staff: Visitor, order: Order, payment: Payment, amount: int, reason: str, prefix: str
) -> Refund:
    left = col(Payment.amount) - col(Payment.refunded) - col(Payment.disputed)
    if not payments.change(session, payment, left >= amount, refunded=Payment.refunded + amount):
        raise refused("Something of this payment went back in the meantime. Please look again.")
    row = _row(order, payment, amount, reason, f"{prefix}{payment.id}") | {"asked_by": staff.staff_id}
    if db.insert_once(session, Refund, row, unique=("dedupe_key",)) is None:
        raise refused("This refund was asked for already.")
    if payment.method != TRANSFER:  # a transfer is sent back by a person, who records it
        tasks.enqueue(session, REFUND, {"refund": row["id"]}, dedupe_key=f"{REFUND}:{row['id']}")
    _tell(session, staff, "refund-asked", order, row)
    return session.get_one(Refund, row["id"])


def _row(order: Order, payment: Payment, amount: int, reason: str, dedupe_key: str) -> dict[str, Any]:
    return {
        "id": db.new_id("ref"),
        "payment_id": payment.id,
        "order_id": order.id,
        "amount": amount,
        "currency": payment.currency,
        "reason": reason,
        "state": "asked",
        "dedupe_key": dedupe_key,
        "asked_at": db.now(),
    }


# -- carrying out ----------------------------------------------------------------------------------------------------


def carry_out(till: Till, refund_id: str) -> None:
    """Carry out a refund that was asked for; asking the provider twice pays back once.

    Raises:
        PaymentUnavailable: the provider does not answer; the task tries again.
    """
    with db.transaction(read_only=True) as session:
        row = session.get_one(Refund, refund_id)
        payment = session.get_one(Payment, row.payment_id)
    if row.state != "asked" or payment.payment_reference is None or payment.method == TRANSFER:
        return
    try:
        made = till.provider.refund(payment.payment_reference, row.amount, row.currency, row.reason, row.id)
        failed, reference = made.status == "failed", made.reference
    except PaymentRefused:
        log.exception("refund %s was refused; a person has to look", row.id)
        failed, reference = True, None
    with db.transaction() as session:
        row = session.get_one(Refund, refund_id)
        if failed:
            _fail(session, row, ("asked",), reference)
        else:
            _made(session, NOBODY, row, reference)


def record_sent(session: Session, staff: Visitor, order: Order, refund_id: str, reference: str) -> bool:
    """Staff record that money which came by transfer was sent back by transfer.

    Returns:
        Whether this call recorded it.

    Raises:
        ShopError: 404 no such refund of this order; 422 it goes back by card, or the reference is missing.
    """
    row = session.get(Refund, refund_id)
    if row is None or row.order_id != order.id:
        raise not_found("refund")
    if session.get_one(Payment, row.payment_id).method != TRANSFER:
        raise invalid("This refund goes back to the card by itself.", field="refund")
    if not reference.strip():
        raise invalid("Please enter the reference of the transfer.", field="reference")
    return _made(session, staff, row, reference.strip()[:100])


def _made(session: Session, visitor: Visitor, row: Refund, reference: str | None) -> bool:
    _lock_order(session, row)
    if not _move(session, row, ("asked",), state="made", provider_reference=reference, made_at=db.now()):
        return False
    _close_if_all_went_back(session, row.payment_id)
    _tell(session, visitor, "refund-made", session.get_one(Order, row.order_id), row.model_dump())
    return True


def _lock_order(session: Session, row: Refund) -> None:
    """The order first, as everybody does who moves money; what is credited of it is reckoned one by one."""
    session.get_one(Order, row.order_id, with_for_update=True, populate_existing=True)


def _close_if_all_went_back(session: Session, payment_id: str) -> None:
    payment = session.get_one(Payment, payment_id)
    made = select(Refund.amount).where(Refund.payment_id == payment_id, Refund.state == "made")
    if sum(session.exec(made).all()) >= payment.amount:
        payments.move(session, payment, ("paid",), "refunded")


def _fail(session: Session, row: Refund, before: tuple[str, ...], reference: str | None) -> None:
    """It did not go through: what it had set aside can be sent back another way, and the office hears of it."""
    _lock_order(session, row)
    if not _move(session, row, before, state="failed", provider_reference=reference or row.provider_reference):
        return
    payment = session.get_one(Payment, row.payment_id)
    payments.change(session, payment, refunded=Payment.refunded - row.amount)
    payments.move(session, payment, ("refunded",), "paid")
    _tell(session, NOBODY, "refund-failed", session.get_one(Order, row.order_id), row.model_dump())


def _move(session: Session, row: Refund, before: tuple[str, ...], **values: Any) -> bool:
    moved = session.execute(
        update(Refund)
        .where(col(Refund.id) == row.id, col(Refund.state).in_(before))
        .values(**values)
        .returning(col(Refund.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(row)
    return moved is not None


def _tell(session: Session, visitor: Visitor, kind: str, order: Order, row: dict[str, Any]) -> None:
    facts = {name: row[name] for name in ("amount", "currency", "reason")}
    events.record(
        session,
        visitor,
        kind,
        subject=order.id,
        customer_id=order.customer_id,
        facts={"number": order.number, "refund": row["id"], **facts},
    )


# -- what the provider knows -----------------------------------------------------------------------------------------


def take_over(session: Session, payment: Payment, known: Iterable[RefundState]) -> None:
    """Take over how a payment's refunds stand at the provider, those made there by hand included.

    Raises:
        PaymentUnavailable: a refund of ours is still on its way and has to end first.
    """
    for state in known:
        row = _row_of(session, payment, state)
        if row is None:
            _adopt(session, payment, state)
        elif state.status == "failed":
            _fail(session, row, ("asked", "made"), state.reference)
        else:
            _made(session, NOBODY, row, state.reference)


def _row_of(session: Session, payment: Payment, state: RefundState) -> Refund | None:
    by_reference = select(Refund).where(Refund.provider_reference == state.reference, Refund.payment_id == payment.id)
    found = session.exec(by_reference).first()
    if found is None and state.refund_id:
        found = session.get(Refund, state.refund_id)
    return found


def _adopt(session: Session, payment: Payment, state: RefundState) -> None:
    """A refund that somebody made at the provider: it belongs into the books as well."""
    if state.status == "failed":
        return
    left = col(Payment.amount) - col(Payment.refunded)
    if not payments.change(session, payment, left >= state.amount, refunded=Payment.refunded + state.amount):
        raise PaymentUnavailable("A refund of this payment is on its way; the other one is taken over after it.")
    order = session.get_one(Order, payment.order_id)
    reason = "made at the payment provider"
    row = _row(order, payment, state.amount, reason, f"provider:{state.reference}")
    if db.insert_once(session, Refund, row, unique=("dedupe_key",)) is not None:
        _made(session, NOBODY, session.get_one(Refund, row["id"]), state.reference)
