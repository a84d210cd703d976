"""Notices of the payment provider: stored before anything is done about them, each acted on once."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, tasks
from store.shop import payments, settling
from store.shop.payment_provider import ProviderEvent
from store.shop.payments import Payment, Till

SETTLE = "settle-checkout"  # the kind of the task
TASK_AFTER = timedelta(seconds=15)  # a notice is acted on when it comes; the task is for when that failed
MONEY_BACK = ("refunded", "disputed")
ASKS = ("checkout_completed", "checkout_expired", "payment_succeeded", *MONEY_BACK)  # the others only tell


class WebhookEvent(SQLModel, table=True):
    """A notice of the provider's, stored before anything is done about it."""

    __tablename__ = "webhook_event"

    id: str = Field(primary_key=True)  # the provider's: the same notice again is known
    kind: str
    reference: str = Field(index=True)
    payment_id: str | None = None  # ours, as we gave it along
    received_at: datetime
    done_at: datetime | None = None


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
        row = {
            "id": notice.id,
            "kind": notice.kind,
            "reference": notice.reference,
            "payment_id": notice.payment_id,
            "received_at": moment,
            "done_at": None if notice.kind in ASKS else moment,
        }
        if db.insert_once(session, WebhookEvent, row, unique=("id",)) is None:
            return None  # known: done, or the task that was asked for then will do it
        if notice.kind in ASKS:
            key = f"{SETTLE}:{notice.id}"
            tasks.enqueue(session, SETTLE, {"event": notice.id}, dedupe_key=key, run_at=moment + TASK_AFTER)
            return notice.id
        if notice.kind == "payment_failed":
            _note_decline(session, notice)
    return None


def settle_notice(till: Till, event_id: str) -> None:
    """Do what a stored notice asks for; twice does it once.

    Raises:
        PaymentUnavailable: the provider does not answer; the task tries again.
    """
    with db.transaction(read_only=True) as session:
        notice = session.get_one(WebhookEvent, event_id)
    if notice.done_at is not None:
        return
    if notice.kind == "payment_succeeded":
        settling.settle_charge(till, notice.reference, notice.payment_id)
    elif notice.kind in MONEY_BACK:
        settling.settle_money_back(till, notice.reference)
    else:
        settling.settle(till, notice.reference)
    if notice.kind in ("checkout_completed", "payment_succeeded"):
        _look_at_earlier_notices(till, notice)
    with db.transaction() as session:
        session.execute(update(WebhookEvent).where(col(WebhookEvent.id) == event_id).values(done_at=db.now()))


def _look_at_earlier_notices(till: Till, notice: WebhookEvent) -> None:
    """A refund or dispute that was told of before its payment could not be taken over then."""
    with db.transaction(read_only=True) as session:
        column = Payment.payment_reference if notice.kind == "payment_succeeded" else Payment.provider_reference
        payment = session.exec(select(Payment).where(column == notice.reference)).first()
        if payment is None or payment.payment_reference is None:
            return
        told = select(WebhookEvent.id).where(
            WebhookEvent.reference == payment.payment_reference, col(WebhookEvent.kind).in_(MONEY_BACK)
        )
        earlier = session.exec(told.limit(1)).first()
    if earlier is not None:
        settling.settle_money_back(till, payment.payment_reference)


def _note_decline(session: Session, notice: ProviderEvent) -> None:
    """A card was declined on a payment page; that of a kept card is told by the charge itself."""
    payment = session.get(Payment, notice.payment_id) if notice.payment_id else None
    if payment is not None and payment.method == payments.PAGE:
        settling.note_decline(session, payment, notice.code)
