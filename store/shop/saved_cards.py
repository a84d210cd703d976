"""Later parts of an order, charged on the card that was kept for them while its holder is away."""

import logging
from datetime import timedelta

from sqlmodel import Session

from store import db, tasks
from store.settings import house
from store.shop import payment_pages, payments, settling
from store.shop.orders import Order
from store.shop.payment_provider import LARGEST_CHARGE, PaymentRefused, PaymentUnavailable, SavedCharge
from store.shop.payments import Payment, Till
from store.shop.schedule import PaymentPart

log = logging.getLogger(__name__)

CHARGE = "charge-kept-card"  # the kind of the task
KEY_LIFE = timedelta(hours=23)  # the provider remembers an idempotency key for a day


def chargeable(session: Session, order: Order, amount: int) -> bool:
    """Whether a card was kept that can carry this amount."""
    return amount <= LARGEST_CHARGE and payments.kept_card(session, order) is not None


def ask(session: Session, part: str) -> None:
    """Have a part that was asked for charged on the kept card."""
    tasks.enqueue(session, CHARGE, {"part": part}, dedupe_key=f"{CHARGE}:{part}")


def charge(till: Till, part_id: str) -> None:
    """Charge a part of an order that was asked for on the kept card, once, however often the task runs.

    Raises:
        PaymentUnavailable: the provider does not answer, or the outcome is not known yet; the task tries again.
    """
    with db.transaction() as session:
        part = session.get_one(PaymentPart, part_id)
        order = session.get_one(Order, part.order_id, with_for_update=True)
        payment = _begin(session, till, order, part)
        request = _request(order, payment) if payment else None
    if payment is None or request is None:
        return
    state = None
    if payment.opened_at + KEY_LIFE < db.now():
        # The key may be forgotten: asking again could charge twice, so look for the charge itself.
        state = till.provider.find_payment(request.customer_reference, payment.id)
    if state is None:
        try:
            state = till.provider.charge_saved(request)
        except PaymentRefused:
            log.exception("the charge %s was refused; its part is asked for by a link", payment.id)
            with db.transaction() as session:
                row = session.get_one(Payment, payment.id)
                if payments.move(session, row, ("charging",), "failed", open_key=None, failure="refused"):
                    settling.note_decline(session, row, "refused")
            return
    with db.transaction() as session:
        decided = settling.apply_charge(session, till, session.get_one(Payment, payment.id), state)
    if not decided:
        raise PaymentUnavailable("The charge is not decided yet.")


def _begin(session: Session, till: Till, order: Order, part: PaymentPart) -> Payment | None:
    """The charge under way for this part; none when it is paid, or a page is open for it meanwhile."""
    due = payment_pages.payable(session, order)
    card = payments.kept_card(session, order)
    if due is None or due.part.id != part.id or card is None or due.missing > LARGEST_CHARGE:
        return None
    payment = payments.begin(
        session,
        order,
        part.id,
        due.missing,
        till.provider.name,
        method=payments.SAVED,
        state="charging",
        customer_reference=card.customer_reference,
        method_reference=card.method_reference,
    )
    return payment if payment.method == payments.SAVED else None


def _request(order: Order, payment: Payment) -> SavedCharge:
    return SavedCharge(
        order_number=order.number,
        order_id=order.id,
        amount=payment.amount,
        currency=payment.currency,
        customer_reference=payment.customer_reference or "",
        method_reference=payment.method_reference or "",
        description=f"{house().name}, order {order.number}",
        idempotency_key=payment.id,
        metadata={"payment_id": payment.id},
    )
