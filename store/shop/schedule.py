"""What is paid when: the parts of an order's payment, from the house's plans, asked for as the making goes on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import UniqueConstraint, bindparam, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, money
from store.currencies import PriceList
from store.errors import invalid, not_found, refused
from store.events import Visitor
from store.settings import PaymentPlan, house
from store.shop.orders import Order

FULL = "full"  # the plan of an order that is paid at once
NOW, READY = "now", "ready"


class PaymentPart(SQLModel, table=True):
    """One part of what an order costs; the parts add up to its total."""

    __tablename__ = "payment_part"
    __table_args__ = (UniqueConstraint("order_id", "position"),)

    id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="shop_order.id")
    position: int
    label: str
    amount: int = Field(sa_type=db.Minor)
    due: str  # now, ready, or the milestone that staff record
    due_words: str = ""  # the same as the customer reads it
    due_on: date | None = None  # at the latest
    requested_at: datetime | None = None  # from then on it is to be paid
    requested_by: str | None = None  # the member of staff; None when the order or the calendar asked
    evidence: str = ""  # what staff noted to the milestone
    evidence_file: str = ""  # where its photograph or protocol lies


@dataclass(frozen=True)
class Planned:
    """A part of an order that is not placed yet."""

    label: str
    amount: int
    due: str
    due_words: str = ""
    days: int | None = None


@dataclass(frozen=True)
class PartState:
    """How a part stands: what of it is here, and whether it is asked for."""

    part: PaymentPart
    paid: int
    state: Literal["paid", "due", "later"]

    @property
    def missing(self) -> int:
        """What of it is not here."""
        return self.part.amount - self.paid

    @property
    def when(self) -> str:
        """When it is to be paid, in words."""
        if self.part.due == NOW:
            return "with the order"
        return self.part.due_words or (f"by {self.part.due_on}" if self.part.due_on else "")


@dataclass(frozen=True)
class Standing:
    """How an order's payment stands as a whole."""

    parts: tuple[PartState, ...]
    received: int
    total: int

    @property
    def payable(self) -> PartState | None:
        """The part to be paid now: the first that is asked for and not here."""
        return next((part for part in self.parts if part.state == "due"), None)

    @property
    def due(self) -> int:
        """Everything that is asked for and not here."""
        return sum(part.missing for part in self.parts if part.state == "due")

    @property
    def upcoming(self) -> PartState | None:
        """The next part that is not asked for yet."""
        return next((part for part in self.parts if part.state == "later"), None)

    @property
    def overpaid(self) -> int:
        """What came in beyond the total."""
        return max(0, self.received - self.total)


# -- planning --------------------------------------------------------------------------------------------------------


def plan_for(categories: Iterable[str], total: int, prices: PriceList) -> PaymentPlan | None:
    """The plan that the house offers for a bag, if any; `total` in the currency of the price list."""
    held = set(categories)
    fitting = (plan for plan in house().plans if held & plan.categories)
    return next((plan for plan in fitting if total >= prices.price(plan.from_total)), None)


def chosen_plan(offered: PaymentPlan | None, wanted: str | None) -> PaymentPlan | None:
    """The plan that an order follows: none means at once.

    Raises:
        ShopError: 422, that plan is not offered for this bag.
    """
    if wanted not in (None, "", FULL) and (offered is None or wanted != offered.id):
        raise invalid("This payment plan is not offered for your bag.", field="plan")
    if offered is None or (not offered.always and wanted != offered.id):
        return None
    return offered


def planned(plan: PaymentPlan | None, total: int) -> list[Planned]:
    """The parts of a total; they add up to it exactly, and none is empty."""
    if plan is None or total < len(plan.parts):
        return [Planned("Full payment", total, NOW)]
    amounts = money.split(total, [part.share for part in plan.parts])
    return [
        Planned(part.label, amount, part.due, part.when, part.days)
        for part, amount in zip(plan.parts, amounts, strict=True)
    ]


def parts_of(order: Order, parts: Sequence[Planned]) -> list[PaymentPart]:
    """The rows of an order's parts; what is due now is asked for with the order."""
    return [
        PaymentPart(
            id=db.new_id("prt"),
            order_id=order.id,
            position=position,
            label=part.label,
            amount=part.amount,
            due=part.due,
            due_words=part.due_words,
            due_on=None if part.days is None else (order.placed_at + timedelta(days=part.days)).date(),
            requested_at=order.placed_at if part.due == NOW else None,
        )
        for position, part in enumerate(parts)
    ]


# -- standing --------------------------------------------------------------------------------------------------------


_PARTS = (
    select(PaymentPart)
    .where(col(PaymentPart.order_id).in_(bindparam("orders", expanding=True)))
    .order_by(col(PaymentPart.order_id), col(PaymentPart.position))
)


def of_orders(session: Session, orders: Iterable[Order]) -> dict[str, list[PaymentPart]]:
    """The parts of orders, by order id, in their order."""
    found: dict[str, list[PaymentPart]] = {order.id: [] for order in orders}
    if found:
        for part in session.scalars(_PARTS, {"orders": list(found)}):
            found[part.order_id].append(part)
    return found


def standing(session: Session, order: Order) -> Standing:
    """How an order's payment stands now."""
    return stand(of_orders(session, [order])[order.id], order.received, order.total)


def stand(parts: Sequence[PaymentPart], received: int, total: int) -> Standing:
    """Money fills the parts in their order, whichever it was sent for."""
    left, states = received, []
    for part in parts:
        paid = min(part.amount, left)
        left -= paid
        full = paid == part.amount
        states.append(PartState(part, paid, "paid" if full else "due" if part.requested_at else "later"))
    return Standing(tuple(states), received, total)


# -- asking ----------------------------------------------------------------------------------------------------------


def part(session: Session, order: Order, part_id: str) -> PaymentPart:
    """A part of this order.

    Raises:
        ShopError: 404.
    """
    found = session.get(PaymentPart, part_id)
    if found is None or found.order_id != order.id:
        raise not_found("payment")
    return found


def record_milestone(
    session: Session, visitor: Visitor, order: Order, part_id: str, evidence: str, evidence_file: str = ""
) -> bool:
    """Staff record that a milestone was reached, with evidence; its part is asked for.

    Returns:
        Whether this call asked for it; a second click finds it asked for already.

    Raises:
        ShopError: 422 without evidence; 409, the order does not stand, or an earlier part was not asked for yet.
    """
    note, file = evidence.strip()[:500], evidence_file.strip()[:300]
    if not (note or file):
        raise invalid("Please add the evidence: what was seen, or where its protocol lies.", field="evidence")
    wanted = part(session, order, part_id)
    if not order.is_paid:
        raise refused(f"This order is {order.state_label.lower()}; its milestones begin when it stands.")
    earlier = [one for one in of_orders(session, [order])[order.id] if one.position < wanted.position]
    if any(one.requested_at is None for one in earlier):
        raise refused("An earlier milestone of this order has not been recorded yet.")
    return _ask(session, visitor, order, wanted, evidence=note, evidence_file=file)


def ask_when_ready(session: Session, visitor: Visitor, order: Order) -> None:
    """The order is finished: whatever was not asked for yet is asked for."""
    for waiting in of_orders(session, [order])[order.id]:
        _ask(session, visitor, order, waiting, evidence="The order is finished.")


def ask_by_date(session: Session, order: Order) -> None:
    """Ask for the parts of an order whose day has come."""
    for waiting in of_orders(session, [order])[order.id]:
        if order.is_paid and waiting.due_on is not None and waiting.due_on <= db.now().date():
            _ask(session, events.NOBODY, order, waiting, evidence="The agreed day has come.")


def _ask(session: Session, visitor: Visitor, order: Order, wanted: PaymentPart, **evidence: str) -> bool:
    """One conditional update, so that two members of staff ask once."""
    asked = session.execute(
        update(PaymentPart)
        .where(col(PaymentPart.id) == wanted.id, col(PaymentPart.requested_at).is_(None))
        .values(requested_at=db.now(), requested_by=visitor.staff_id, **evidence)
        .returning(col(PaymentPart.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(wanted)
    if asked is None:
        return False
    facts = {"number": order.number, "part": wanted.id, "label": wanted.label, "amount": wanted.amount}
    events.record(
        session,
        visitor,
        "payment-requested",
        subject=order.id,
        customer_id=order.customer_id,
        facts={**facts, "currency": order.currency},
    )
    return True
