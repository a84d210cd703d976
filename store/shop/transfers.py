"""Bank transfers: where to, with which reference, and what staff record when one has come in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from store import db
from store.errors import invalid, refused
from store.settings import BankAccount, house
from store.shop import refunds, schedule, settling
from store.shop.orders import Order
from store.shop.payment_provider import LARGEST_CHARGE
from store.shop.payments import TRANSFER, Payment, Till
from store.shop.schedule import Planned, Standing

BANK = "bank"  # the provider of transfers, as stored with each
LONGEST_REFERENCE = 100


@dataclass(frozen=True)
class Instructions:
    """How an amount is paid by transfer; `only` when no card could carry it."""

    account: BankAccount
    reference: str
    amount: int
    currency: str
    only: bool


def instructions(order: Order, standing: Standing) -> Instructions | None:
    """How what is due of an order is transferred; none where the card is simpler."""
    due = standing.payable
    if due is None or not (order.is_paid or order.state == "placed"):
        return None
    only = due.missing > LARGEST_CHARGE
    if not only and order.at_home(due.missing) < house().account.offered_from:
        return None
    return Instructions(house().account, order.number, due.missing, order.currency, only)


def hold_until(parts: list[Planned], placed_at: datetime) -> datetime | None:
    """How long an order waits whose first part no card can carry; none for the usual time."""
    if parts[0].amount <= LARGEST_CHARGE:
        return None
    return placed_at + timedelta(days=house().account.hold_days)


def record(session: Session, till: Till, order: Order, amount: int, received_on: date, reference: str) -> Payment:
    """Staff record a transfer that came in: a part of what is due, all of it, or more.

    The same reference of the same day and amount is recorded once. What is more than the total stays visible as
    overpaid until it is sent back; what comes in for an order that is over is put down to be sent back.

    Raises:
        ShopError: 422 no amount, no reference or a day to come; 409 recorded already.
    """
    said = " ".join(reference.split())
    if amount <= 0:
        raise invalid("Please enter the amount that came in.", field="amount")
    if not said or len(said) > LONGEST_REFERENCE:
        raise invalid("Please enter the bank's reference of the transfer.", field="reference")
    if received_on > db.now().date():
        raise invalid("The day of the transfer cannot lie ahead.", field="received_on")
    session.refresh(order, with_for_update=True)
    due = schedule.standing(session, order).payable
    row = {
        "id": db.new_id("pay"),
        "order_id": order.id,
        "part_id": due.part.id if due else None,
        "method": TRANSFER,
        "provider": BANK,
        "provider_reference": f"{order.number}:{received_on.isoformat()}:{amount}:{said}",
        "payment_reference": said,
        "amount": amount,
        "currency": order.currency,
        "state": "paid",
        "kept": False,
        "refunded": 0,
        "disputed": 0,
        "failure": "",
        "opened_at": db.now(),
        "paid_at": datetime.combine(received_on, time(), UTC),
    }
    if db.insert_once(session, Payment, row, unique=("provider_reference",)) is None:
        raise refused("This transfer was recorded already: same day, amount and reference.")
    payment = session.get_one(Payment, row["id"])
    if not settling.receive(session, till, order, payment):
        refunds.ask_automatic(session, payment, "cancelled" if order.state == "cancelled" else "sold out", order)
    return payment
