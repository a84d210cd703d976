"""Reconciliation: what stayed pending is looked at again; what differs from the provider is reported until it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, func, select

from store import db, tasks
from store.money import write
from store.shop import notices, refunds, settling
from store.shop.notices import WebhookEvent
from store.shop.orders import PAID, Order
from store.shop.payment_provider import ChargeState, PaymentError
from store.shop.payments import PAGE, TAKEN, TRANSFER, Payment, Till
from store.shop.refunds import Refund

RECONCILE = "reconcile-payments"  # the kind of the task
PATIENCE = timedelta(minutes=10)  # what is pending for longer is looked at again
LOOK_BACK = timedelta(days=3)  # how far the provider's payments are compared
SENT_BACK_WITHIN = timedelta(days=7)  # a transfer back takes a person


class Finding(SQLModel, table=True):
    """Something that stayed pending or differs; it is gone when a later run no longer finds it."""

    __tablename__ = "reconciliation_finding"

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)  # what it is about: found again, it is the same finding
    text: str
    order_id: str | None = Field(default=None, foreign_key="shop_order.id")
    found_at: datetime
    seen_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What one run finds."""

    key: str
    text: str
    order_id: str | None = None


def open_findings(session: Session) -> list[tuple[Finding, str]]:
    """What is to be looked at by a person, the newest first, with the number of its order."""
    statement = (
        select(Finding, func.coalesce(Order.number, ""))
        .join(Order, col(Order.id) == col(Finding.order_id), isouter=True)
        .where(col(Finding.gone_at).is_(None))
        .order_by(col(Finding.found_at).desc(), col(Finding.id))
    )
    return [(finding, number) for finding, number in session.exec(statement).all()]


def plan(session: Session, *, at: datetime | None = None) -> None:
    """Ask for the hour's reconciliation, once an hour; the shop calls this at start, the task for the next hour."""
    moment = at or db.now()
    key = f"{RECONCILE}:{moment:%Y-%m-%dT%H}"
    tasks.enqueue(session, RECONCILE, {}, dedupe_key=key, run_at=moment)


def ask_now(session: Session) -> None:
    """Ask for a reconciliation at once; asking again within the minute asks once."""
    tasks.enqueue(session, RECONCILE, {}, dedupe_key=f"{RECONCILE}:{db.now():%Y-%m-%dT%H:%M}")


def run_hourly(till: Till) -> None:
    """The task: reconcile, and ask for the next hour."""
    with db.transaction() as session:
        plan(session, at=db.now() + timedelta(hours=1))
    reconcile(till)


def reconcile(till: Till, since: datetime | None = None) -> list[Seen]:
    """Look again at what is pending, compare with the provider, and write down what stays different.

    Args:
        since: how far back the provider's payments are compared; three days when not given.

    Raises:
        PaymentUnavailable: the provider does not answer; nothing is written down then.
    """
    started = db.now()
    found = [*_look_again(till, started)]
    found += _compare(till, since or started - LOOK_BACK)
    with db.transaction(read_only=True) as session:
        found += _in_our_books(session, started)
    with db.transaction() as session:
        _write_down(session, found, started)
    return found


def _write_down(session: Session, found: list[Seen], moment: datetime) -> None:
    for seen in found:
        row = {
            "id": db.new_id("fnd"),
            "key": seen.key,
            "text": seen.text,
            "order_id": seen.order_id,
            "found_at": moment,
            "seen_at": moment,
            "gone_at": None,
        }
        db.insert_or_update(session, Finding, row, unique=("key",), update=("text", "seen_at", "gone_at"))
    gone = update(Finding).where(col(Finding.gone_at).is_(None), col(Finding.seen_at) < moment).values(gone_at=moment)
    session.execute(gone.execution_options(synchronize_session=False))


# -- what is pending -------------------------------------------------------------------------------------------------


def _look_again(till: Till, moment: datetime) -> Iterator[Seen]:
    """Act once more on what should have ended by itself; what still does not is found."""
    late = moment - PATIENCE
    with db.transaction(read_only=True) as session:
        undone = session.exec(
            select(WebhookEvent).where(col(WebhookEvent.done_at).is_(None), WebhookEvent.received_at < late)
        ).all()
        pending = session.exec(
            select(Payment).where(col(Payment.open_key).is_not(None), Payment.opened_at < late)
        ).all()
        asked = session.exec(select(Refund).where(Refund.state == "asked", Refund.asked_at < late)).all()
    for notice in undone:
        try:
            notices.settle_notice(till, notice.id)
        except PaymentError as error:
            yield Seen(f"notice:{notice.id}", f"Notice {notice.id} ({notice.kind}) cannot be acted on: {error}")
    for payment in pending:
        yield from _pending(till, payment, moment)
    for refund in asked:
        yield from _asked(till, refund, moment)


def _pending(till: Till, payment: Payment, moment: datetime) -> Iterator[Seen]:
    if payment.provider_reference is not None:
        settling.settle(till, payment.provider_reference)
    elif payment.customer_reference is not None:
        state = till.provider.find_payment(payment.customer_reference, payment.id)
        if state is not None:
            with db.transaction() as session:
                settling.apply_charge(session, till, session.get_one(Payment, payment.id), state)
    with db.transaction(read_only=True) as session:
        now = session.get_one(Payment, payment.id)
    over = now.page_until is None or now.page_until < moment
    if now.open_key is not None and now.state != "opening" and over:
        waits = f"{write(now.amount, now.currency)} is pending since {now.opened_at:%Y-%m-%d %H:%M} UTC"
        yield Seen(f"pending:{now.id}", f"A payment of {waits}.", now.order_id)


def _asked(till: Till, refund: Refund, moment: datetime) -> Iterator[Seen]:
    with db.transaction(read_only=True) as session:
        payment = session.get_one(Payment, refund.payment_id)
    by_hand = payment.method == TRANSFER
    if not by_hand:
        refunds.carry_out(till, refund.id)
        with db.transaction(read_only=True) as session:
            refund = session.get_one(Refund, refund.id)
    if refund.state == "asked" and (not by_hand or refund.asked_at + SENT_BACK_WITHIN < moment):
        text = f"A refund of {write(refund.amount, refund.currency)} was asked for and has not been sent."
        yield Seen(f"refund:{refund.id}", text, refund.order_id)


# -- what differs ----------------------------------------------------------------------------------------------------


def _compare(till: Till, since: datetime) -> list[Seen]:
    """The provider's payments beside ours; what we had missed is taken over first."""
    theirs = {state.payment_reference: state for state in till.provider.taken_since(since)}
    for state in theirs.values():
        _take_over(till, state)
    with db.transaction(read_only=True) as session:
        found = [seen for state in theirs.values() for seen in _differences(session, state)]
        ours = session.exec(
            select(Payment).where(
                col(Payment.state).in_(TAKEN),
                Payment.method != TRANSFER,
                Payment.provider == till.provider.name,
                col(Payment.opened_at) >= since,
            )
        ).all()
        found += [
            Seen(f"unknown:{payment.id}", f"The provider does not know our payment {payment.id}.", payment.order_id)
            for payment in ours
            if payment.payment_reference not in theirs
        ]
    return found


def _take_over(till: Till, state: ChargeState) -> None:
    with db.transaction(read_only=True) as session:
        payment = session.get(Payment, state.payment_id or "")
        made = _made(session, payment) if payment else 0
    if payment is None or state.payment_reference is None:
        return
    if payment.state not in TAKEN:
        if payment.method == PAGE and payment.provider_reference is not None:
            settling.settle(till, payment.provider_reference)
        else:
            with db.transaction() as session:
                settling.apply_charge(session, till, session.get_one(Payment, payment.id), state)
    if made != state.refunded:
        settling.settle_money_back(till, state.payment_reference)


def _differences(session: Session, state: ChargeState) -> Iterator[Seen]:
    payment = session.get(Payment, state.payment_id or "")
    key = f"charge:{state.payment_reference}"
    if payment is None:
        yield Seen(key, f"The provider took {write(state.amount, state.currency)} that this shop does not know of.")
    elif payment.state not in TAKEN:
        yield Seen(key, f"The provider took a payment that is {payment.state} here.", payment.order_id)
    elif (payment.amount, payment.currency) != (state.amount, state.currency):
        theirs, ours = write(state.amount, state.currency), write(payment.amount, payment.currency)
        yield Seen(key, f"The provider took {theirs}, our books say {ours}.", payment.order_id)
    elif (made := _made(session, payment)) != state.refunded:
        theirs, ours = write(state.refunded, state.currency), write(made, payment.currency)
        yield Seen(f"back:{payment.id}", f"{theirs} went back at the provider, {ours} in our books.", payment.order_id)


def _made(session: Session, payment: Payment) -> int:
    made = select(Refund.amount).where(Refund.payment_id == payment.id, Refund.state == "made")
    return sum(session.exec(made).all())


def _in_our_books(session: Session, moment: datetime) -> Iterator[Seen]:
    """What our own rows say against each other, and what waits for a person."""
    kept = func.coalesce(func.sum(Payment.amount), 0)
    by_payment = select(Payment.order_id, kept.label("kept")).where(col(Payment.kept)).group_by(col(Payment.order_id))
    sums = by_payment.subquery()
    differing = (
        select(Order, sums.c.kept)
        .join(sums, sums.c.order_id == Order.id)
        .where(sums.c.kept != Order.received)
        .order_by(col(Order.placed_at))
    )
    for order, amount in session.exec(differing).all():
        ours = f"{write(order.received, order.currency)} as received, its payments {write(int(amount), order.currency)}"
        yield Seen(f"books:{order.id}", f"The order counts {ours}.", order.id)
    for order in session.exec(select(Order).where(col(Order.state).in_(PAID), col(Order.received) > Order.total)):
        more = write(order.received - order.total, order.currency)
        if _still_overpaid(session, order):
            yield Seen(f"overpaid:{order.id}", f"{more} came in beyond the total.", order.id)
    waiting = select(Order).where(Order.state == "placed", Order.placed_at < moment - PATIENCE)
    for order in session.exec(waiting):
        if order.kept_until + PATIENCE < moment:
            here = write(order.received, order.currency)
            yield Seen(f"waiting:{order.id}", f"The order waits beyond its time; {here} of it is here.", order.id)


def _still_overpaid(session: Session, order: Order) -> bool:
    back = sum(refund.amount for refund in refunds.of_order(session, order) if refund.state != "failed")
    return order.received - back > order.total
