"""Payments: one row for each amount asked for or received, moved by conditional updates, never going backwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db
from store.errors import ShopError
from store.shop.orders import Order
from store.shop.payment_provider import PaymentProvider

UNFINISHED = ("opening", "opened", "charging")
TAKEN = ("paid", "refunded")  # states of a payment whose money came in
PAGE, SAVED, TRANSFER = "page", "saved", "transfer"  # how it is paid


class Payment(SQLModel, table=True):
    """One amount asked for, once: its row is there before the provider hears of it."""

    __tablename__ = "payment"

    id: str = Field(primary_key=True)  # also the idempotency key at the provider
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    part_id: str | None = None  # the part of the plan that it was asked for
    method: str = PAGE  # page, saved (the card kept from an earlier one), transfer
    provider: str
    provider_reference: str | None = Field(default=None, unique=True)  # of the payment page
    payment_reference: str | None = Field(default=None, index=True)  # of the charge, or of the transfer
    customer_reference: str | None = None  # of the payer at the provider, when the card is kept
    method_reference: str | None = None  # of the kept card at the provider
    url: str | None = None
    amount: int = Field(sa_type=db.Minor)
    currency: str
    state: str = "opening"  # opening, opened, charging, paid, failed, expired, refunded (all of it)
    open_key: str | None = Field(default=None, unique=True)  # the order's id while unfinished: one at a time
    kept: bool = False  # counted to the order; money that is sent back at once is not
    refunded: int = Field(default=0, sa_type=db.Minor)  # asked back or sent back
    disputed: int = Field(default=0, sa_type=db.Minor)  # held or taken by the payer's bank
    failure: str = ""  # the provider's code of the last decline
    opened_at: datetime
    page_until: datetime | None = None  # when the payment page closes
    paid_at: datetime | None = None

    @property
    def refundable(self) -> int:
        """What of it can still go back."""
        return self.amount - self.refunded - self.disputed if self.state in TAKEN else 0


@dataclass(frozen=True)
class Till:
    """Where the shop takes money: the provider, and how a released order is taken up again."""

    provider: PaymentProvider
    revive: Callable[[Session, Order], bool]


def till_in(state: Any) -> Till:
    """Where this shop takes money: the till in the state of the application.

    Raises:
        ShopError: 503, it has no payment provider (a shop without the sandbox's process).
    """
    till: Till | None = state.till
    if till is None:
        raise ShopError(503, "Payment not reachable", "Payments are not set up in this shop just now.")
    return till


def of_order(session: Session, order: Order) -> list[Payment]:
    """Everything that was asked for or received for an order, in time."""
    statement = select(Payment).where(Payment.order_id == order.id)
    return list(session.exec(statement.order_by(col(Payment.opened_at), col(Payment.id))).all())


def unfinished(session: Session, order_id: str) -> Payment | None:
    """The order's payment that is under way."""
    return db.find(session, Payment, open_key=order_id)


def of_charge(session: Session, payment_reference: str) -> Payment | None:
    """The payment behind a charge of the provider's."""
    return session.exec(select(Payment).where(Payment.payment_reference == payment_reference)).first()


def kept_card(session: Session, order: Order) -> Payment | None:
    """The payment whose card may be charged for the order's later parts: the latest that kept one."""
    statement = select(Payment).where(
        Payment.order_id == order.id,
        col(Payment.state).in_(TAKEN),
        col(Payment.method_reference).is_not(None),
        col(Payment.customer_reference).is_not(None),
    )
    return session.exec(statement.order_by(col(Payment.paid_at).desc()).limit(1)).first()


def begin(session: Session, order: Order, part_id: str, amount: int, provider: str, **values: Any) -> Payment:
    """The order's payment under way: the one that is there, or a new one; two at once find the same."""
    begun = Payment(
        id=db.new_id("pay"),
        order_id=order.id,
        part_id=part_id,
        provider=provider,
        amount=amount,
        currency=order.currency,
        open_key=order.id,
        opened_at=db.now(),
        **values,
    )
    if db.insert_once(session, Payment, begun.model_dump(), unique=("open_key",)) is not None:
        return db.attach(session, begun)
    return session.exec(select(Payment).where(Payment.open_key == order.id)).one()


def move(session: Session, payment: Payment, before: tuple[str, ...], after: str, **values: Any) -> bool:
    """Move a payment on if it is still in one of these states; whether this call did it."""
    return change(session, payment, col(Payment.state).in_(before), state=after, **values)


def change(session: Session, payment: Payment, *conditions: Any, **values: Any) -> bool:
    """One conditional update of a payment; whether its conditions held."""
    moved = session.execute(
        update(Payment)
        .where(col(Payment.id) == payment.id, *conditions)
        .values(**values)
        .returning(col(Payment.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(payment)
    return moved is not None
