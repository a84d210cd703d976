"""Disputes: money that the payer's bank holds back or has taken, recorded as the provider tells, won or lost."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events
from store.events import NOBODY
from store.shop import payments
from store.shop.orders import Order
from store.shop.payment_provider import DisputeState
from store.shop.payments import Payment

STATES: dict[str, str] = {"open": "Open", "won": "Won", "lost": "Lost"}


class Dispute(SQLModel, table=True):
    """A payer who went to the bank; while it is open, and when it is lost, its amount is not ours."""

    __tablename__ = "dispute"

    id: str = Field(primary_key=True)  # the provider's
    payment_id: str = Field(foreign_key="payment.id", index=True)
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    amount: int = Field(sa_type=db.Minor)
    currency: str
    reason: str
    state: str = "open"  # open, won, lost
    opened_at: datetime
    closed_at: datetime | None = None


def of_order(session: Session, order: Order) -> list[Dispute]:
    """The disputes about an order's payments."""
    return list(
        session.exec(select(Dispute).where(Dispute.order_id == order.id).order_by(col(Dispute.opened_at))).all()
    )


def take_over(session: Session, payment: Payment, known: Iterable[DisputeState]) -> None:
    """Take over the disputes of a payment as they stand at the provider; a decided one is never open again."""
    for state in known:
        row = {
            "id": state.reference,
            "payment_id": payment.id,
            "order_id": payment.order_id,
            "amount": state.amount,
            "currency": state.currency,
            "reason": state.reason[:100],
            "state": "open",
            "opened_at": state.opened_at,
        }
        if db.insert_once(session, Dispute, row, unique=("id",)) is not None:
            payments.change(session, payment, disputed=Payment.disputed + state.amount)
            _tell(session, payment, "dispute-opened", row)
        if state.status != "open" and _decide(session, state.reference, state.status):
            if state.status == "won":
                payments.change(session, payment, disputed=Payment.disputed - state.amount)
            _tell(session, payment, "dispute-closed", row | {"state": state.status})


def _decide(session: Session, reference: str, state: str) -> bool:
    decided = session.execute(
        update(Dispute)
        .where(col(Dispute.id) == reference, col(Dispute.state) == "open")
        .values(state=state, closed_at=db.now())
        .returning(col(Dispute.id))
        .execution_options(synchronize_session=False)
    ).first()
    return decided is not None


def _tell(session: Session, payment: Payment, kind: str, row: dict[str, Any]) -> None:
    order = session.get_one(Order, payment.order_id)
    facts = {name: row[name] for name in ("amount", "currency", "reason", "state")}
    events.record(
        session,
        NOBODY,
        kind,
        subject=order.id,
        customer_id=order.customer_id,
        facts={"number": order.number, "dispute": row["id"], **facts},
    )
