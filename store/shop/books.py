"""The books: what came in, what went back and what a bank holds, for each order and as lists that add up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store.shop import disputes, orders, payments, refunds, taxes
from store.shop.disputes import Dispute
from store.shop.orders import Order, OrderLine
from store.shop.payments import TAKEN, Payment
from store.shop.refunds import Refund
from store.shop.taxes import TaxRow

BATCH = 500  # orders read at once


@dataclass(frozen=True)
class Account:
    """An order's money: what was taken, whether kept or not, and what of it is not ours (any more)."""

    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    taxes: tuple[TaxRow, ...] = ()  # net and tax by rate; only where whole lists are read

    @property
    def taken(self) -> int:
        """Everything that came in."""
        return sum(payment.amount for payment in self.payments if payment.state in TAKEN)

    @property
    def sent_back(self) -> int:
        """Everything that went back."""
        return sum(refund.amount for refund in self.refunds if refund.state == "made")

    @property
    def on_its_way_back(self) -> int:
        """What was asked to go back and has not gone yet."""
        return sum(refund.amount for refund in self.refunds if refund.state == "asked")

    @property
    def held(self) -> int:
        """What a payer's bank holds back or has taken."""
        return sum(dispute.amount for dispute in self.disputes if dispute.state != "won")

    @property
    def in_hand(self) -> int:
        """What is ours of it."""
        return self.taken - self.sent_back - self.held


@dataclass(frozen=True)
class Entry:
    """One movement of money; `amount` is negative when it leaves the house."""

    at: datetime
    number: str
    kind: str  # payment, refund, dispute
    method: str
    reference: str
    amount: int
    currency: str
    note: str


def account(session: Session, order: Order) -> Account:
    """The money of one order."""
    return Account(
        tuple(payments.of_order(session, order)),
        tuple(refunds.of_order(session, order)),
        tuple(disputes.of_order(session, order)),
    )


def accounts(session: Session) -> Iterator[tuple[Order, Account]]:
    """Every order with its money, in the order in which they were placed."""
    last: tuple[datetime, str] | None = None
    while True:
        statement = select(Order).order_by(col(Order.placed_at), col(Order.id)).limit(BATCH)
        if last is not None:
            at, order_id = last
            later = (col(Order.placed_at) > at) | ((col(Order.placed_at) == at) & (col(Order.id) > order_id))
            statement = statement.where(later)
        found = list(session.exec(statement).all())
        if not found:
            return
        ids = [order.id for order in found]
        taken, back, disputed = _by_order(session, ids)
        lines = orders.lines_of(session, found)
        for order in found:
            by_rate = taxes.breakdown(order, lines[order.id])
            yield order, Account(tuple(taken[order.id]), tuple(back[order.id]), tuple(disputed[order.id]), by_rate)
        last = (found[-1].placed_at, found[-1].id)
        session.expunge_all()  # ten years of orders need not stay in memory


def rates(session: Session) -> list[int]:
    """Every rate of tax that some order bears, the highest first, in basis points."""
    of_lines = select(OrderLine.tax_basis_points).distinct()
    of_deliveries = select(Order.tax_basis_points).distinct()
    return sorted({*session.exec(of_lines).all(), *session.exec(of_deliveries).all()}, reverse=True)


def _by_order(
    session: Session, ids: list[str]
) -> tuple[dict[str, list[Payment]], dict[str, list[Refund]], dict[str, list[Dispute]]]:
    taken: dict[str, list[Payment]] = {order_id: [] for order_id in ids}
    back: dict[str, list[Refund]] = {order_id: [] for order_id in ids}
    disputed: dict[str, list[Dispute]] = {order_id: [] for order_id in ids}
    for payment in session.exec(select(Payment).where(col(Payment.order_id).in_(ids)).order_by(col(Payment.id))):
        taken[payment.order_id].append(payment)
    for refund in session.exec(select(Refund).where(col(Refund.order_id).in_(ids)).order_by(col(Refund.id))):
        back[refund.order_id].append(refund)
    for dispute in session.exec(select(Dispute).where(col(Dispute.order_id).in_(ids)).order_by(col(Dispute.id))):
        disputed[dispute.order_id].append(dispute)
    return taken, back, disputed


def entries(order: Order, money: Account) -> list[Entry]:
    """The movements of an order's money, in time; they add up to what is in hand."""
    methods = {payment.id: payment.method for payment in money.payments}
    found = [
        Entry(
            payment.paid_at or payment.opened_at,
            order.number,
            "payment",
            payment.method,
            payment.payment_reference or "",
            payment.amount,
            payment.currency,
            "" if payment.kept else "not kept",
        )
        for payment in money.payments
        if payment.state in TAKEN
    ]
    found += [
        Entry(
            refund.made_at or refund.asked_at,
            order.number,
            "refund",
            methods[refund.payment_id],
            refund.provider_reference or "",
            -refund.amount,
            refund.currency,
            refund.reason,
        )
        for refund in money.refunds
        if refund.state == "made"
    ]
    for dispute in money.disputes:
        said = (order.number, "dispute", methods[dispute.payment_id], dispute.id)
        found.append(Entry(dispute.opened_at, *said, -dispute.amount, dispute.currency, dispute.reason))
        if dispute.state == "won":
            closed = dispute.closed_at or dispute.opened_at
            found.append(Entry(closed, *said, dispute.amount, dispute.currency, "won"))
    return sorted(found, key=lambda entry: entry.at)
