"""Payment pages: opened at the provider between two short transactions, one at a time for each order."""

import logging
from datetime import datetime, timedelta

from sqlmodel import Session

from store import db, events, money
from store.errors import ShopError, refused
from store.events import NOBODY
from store.settings import house
from store.shop import order_links, orders, payments, schedule, settling
from store.shop.orders import Order
from store.shop.payment_provider import LARGEST_CHARGE, CheckoutRequest, PaymentRefused, PaymentUnavailable
from store.shop.payments import Payment, Till
from store.shop.schedule import PartState

log = logging.getLogger(__name__)

PAGE_FOR = timedelta(minutes=35)  # the provider keeps a page open for thirty at least
GIVE_UP_AFTER = timedelta(minutes=2)  # a page whose opening was not answered by then is opened anew


def open_checkout(till: Till, order_id: str) -> str:
    """The address of the page where what is due of this order is paid: the open one again, or a new one.

    Raises:
        ShopError: 503, the provider does not answer; nothing is lost by trying again. 409, no card can carry it.
    """
    _close_if_over(till, order_id)
    with db.transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        due = payable(session, order)
        if due is None:
            return order_links.page(order.number)
        if due.missing > LARGEST_CHARGE:
            most = money.write(LARGEST_CHARGE, order.currency)
            raise refused(f"A card carries {most} at most; please pay by transfer, as the order's page says.")
        page_until = db.now() + PAGE_FOR
        payment = payments.begin(session, order, due.part.id, due.missing, till.provider.name, page_until=page_until)
        if payment.method != payments.PAGE:
            return order_links.page(order.number)  # the kept card is being charged at this moment
        if payment.url is not None:
            return payment.url
        request = _request(session, order, payment, due)
    return _open(till, order, payment, request)


def payable(session: Session, order: Order) -> PartState | None:
    """The part of an order that is to be paid now; none of an order that is over."""
    if order.state != "placed" and not order.is_paid:
        return None
    return schedule.standing(session, order).payable


def _open(till: Till, order: Order, payment: Payment, request: CheckoutRequest) -> str:
    try:
        hosted = till.provider.open_checkout(request)
    except PaymentUnavailable as error:
        detail = "The payment page does not answer just now. Your order is kept; please try again in a minute."
        raise ShopError(503, "Payment not reachable", detail) from error
    except PaymentRefused as error:
        log.error("payment %s was refused before it was opened", payment.id)
        with db.transaction() as session:
            row = session.get_one(Payment, payment.id)
            payments.move(session, row, ("opening",), "failed", open_key=None, failure="refused")
        raise ShopError(502, "Payment not possible", "This payment could not be opened. Please write to us.") from error
    with db.transaction() as session:
        row = session.get_one(Payment, payment.id)
        known = {"provider_reference": hosted.reference, "url": hosted.url}
        if payments.move(session, row, ("opening",), "opened", **known):
            facts = {"payment": row.id, "amount": row.amount, "currency": row.currency}
            events.record(
                session, NOBODY, "payment-opened", subject=order.id, customer_id=order.customer_id, facts=facts
            )
        elif row.provider_reference != hosted.reference:
            # Given up while it was being opened: nobody has seen its page, and nobody shall.
            return order_links.payment(order.number)
    return hosted.url


def _close_if_over(till: Till, order_id: str) -> None:
    """Take leave of a page that has closed, or whose opening was never answered, so that a new one can be opened."""
    with db.transaction(read_only=True) as session:
        payment = payments.unfinished(session, order_id)
    if payment is None or payment.method != payments.PAGE:
        return
    if payment.provider_reference is None:
        if payment.opened_at + GIVE_UP_AFTER < db.now():
            _expire(payment.id, ("opening",))
    elif payment.page_until is not None and payment.page_until <= db.now():
        settling.settle_order(till, order_id)


def _expire(payment_id: str, before: tuple[str, ...]) -> None:
    with db.transaction() as session:
        payments.move(session, session.get_one(Payment, payment_id), before, "expired", open_key=None)


def close_page(till: Till, order_id: str) -> None:
    """Close the order's open page at the provider, and take over how it ended: closed, or paid in the last moment."""
    with db.transaction(read_only=True) as session:
        payment = payments.unfinished(session, order_id)
    if payment is None or payment.provider_reference is None:
        return
    try:
        state = till.provider.expire_checkout(payment.provider_reference)
    except (PaymentUnavailable, PaymentRefused):
        log.warning("payment %s could not be closed; if it is paid later, it is kept or paid back", payment.id)
        return
    with db.transaction() as session:
        settling.apply(session, till, state)


def _request(session: Session, order: Order, payment: Payment, due: PartState) -> CheckoutRequest:
    """What the page shows: the pieces when everything is paid at once, else the part of the plan."""
    lines = [
        (f"{line.name} × {line.quantity}" if line.quantity > 1 else line.name, line.amount - line.discount)
        for line in orders.lines_of(session, [order])[order.id]
    ]
    if order.shipping:
        lines.append(("Insured delivery", order.shipping))
    if payment.amount != order.total:
        lines = [(f"{due.part.label}, order {order.number}", payment.amount)]
    back = order_links.returning(order.number)
    return CheckoutRequest(
        order_number=order.number,
        order_id=order.id,
        amount=payment.amount,
        currency=payment.currency,
        email=order.email,
        description=f"{house().name}, order {order.number}",
        lines=tuple(lines),
        success_url=back,
        cancel_url=back,
        idempotency_key=payment.id,
        keep_card=order.outstanding > payment.amount,
        metadata={"payment_id": payment.id},
        expires_at=_whole_seconds(payment.page_until),
    )


def _whole_seconds(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None
