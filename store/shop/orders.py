"""Orders: snapshots of what was agreed, and the forward-only states they go through."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Index, bindparam, case, func, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, money
from store.errors import ShopError, invalid, not_found, refused
from store.events import NOBODY, Visitor
from store.shop import stock
from store.shop.order_discounts import OrderDiscount as OrderDiscount

UNPAID_FOR = timedelta(minutes=30)  # then an unpaid order is released

STATES: dict[str, str] = {
    "placed": "Placed",
    "paid": "Paid",
    "in-production": "In the workshop",
    "ready": "Finished",
    "shipped": "On its way",
    "delivered": "Delivered",
    "released": "Released, not paid in time",
    "cancelled": "Cancelled",
}
DEPOSIT = "Deposit received"  # "paid" in the sense that work may begin; the rest comes by the plan
STAGES = ("placed", "paid", "in-production", "ready", "shipped", "delivered")  # the good way, forward only
HANDED_OVER = ("shipped", "delivered")  # not before everything is paid
PAID = STAGES[1:]  # states of an order that stands: paid, or its deposit is


class Order(SQLModel, table=True):
    """What was agreed with one customer; the seal makes later changes to it visible."""

    __tablename__ = "shop_order"
    __table_args__ = (
        Index("ix_shop_order_customer_id_placed_at", "customer_id", "placed_at"),
        Index("ix_shop_order_state_placed_at", "state", "placed_at"),
    )

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    cart_id: str = Field(foreign_key="cart.id", unique=True)  # a bag is ordered once
    customer_id: str = Field(foreign_key="customer.id")
    session_id: str | None = Field(default=None, index=True)
    email: str
    name: str
    address: dict[str, str] = Field(default_factory=dict, sa_type=db.Document)
    country: str
    currency: str
    subtotal: int = Field(sa_type=db.Minor)
    discount: int = Field(sa_type=db.Minor)
    shipping: int = Field(sa_type=db.Minor)
    tax: int = Field(sa_type=db.Minor)
    total: int = Field(sa_type=db.Minor)
    tax_basis_points: int  # of the delivery; each line has its own
    shipping_tax: int = Field(sa_type=db.Minor)
    tax_treatment: str = "domestic"  # one of vat.TREATMENTS: domestic, destination, reverse-charge, export
    tax_note: str = ""  # what the law wants said beside a treatment without VAT
    company: str = ""  # who buys, when it is not for the person
    vat_id: str = ""  # its number, format and checksum checked
    home_units: int = Field(default=1, sa_type=db.Minor)  # so many minor units of the house's currency …
    order_units: int = Field(default=1, sa_type=db.Minor)  # … were so many of the order's: for the books
    state: str = "placed"  # one of STATES
    placed_at: datetime
    paid_at: datetime | None = None
    closed_at: datetime | None = None  # released or cancelled
    plan: str = "full"  # how it is paid: at once, or the id of a payment plan of the house
    received: int = Field(default=0, sa_type=db.Minor)  # what came in and was kept; refunds stand beside it
    settled_at: datetime | None = None  # everything that was agreed has come in
    hold_until: datetime | None = None  # how long it waits for its first payment, if not the usual time
    promised_from: date
    promised_by: date
    terms_at: datetime  # when the terms and the final-sale note were accepted
    idempotency_key: str = Field(unique=True)
    request_hash: str
    seen_total: int = Field(sa_type=db.Minor)
    synthetic: bool = False
    seal: str = ""  # of what was bought and agreed
    contact_seal: str | None = None  # of whom it goes to; None after erasure

    def at_home(self, amount: int) -> int:
        """An amount of this order in the house's currency, by the rate that it keeps."""
        return money.scale(amount, (self.home_units, self.order_units))

    @property
    def is_paid(self) -> bool:
        """Whether what was due with the order is here, so that it stands: all of it, or a deposit."""
        return self.state in PAID

    @property
    def is_settled(self) -> bool:
        """Whether everything is here."""
        return self.settled_at is not None

    @property
    def outstanding(self) -> int:
        """What has still to come in."""
        return max(0, self.total - self.received)

    @property
    def kept_until(self) -> datetime:
        """How long the order waits for its first payment."""
        return self.hold_until or self.placed_at + UNPAID_FOR

    @property
    def state_label(self) -> str:
        """The state in words."""
        return DEPOSIT if self.state == "paid" and not self.is_settled else STATES[self.state]


class OrderLine(SQLModel, table=True):
    """One design as it was sold; reads nothing from the live catalogue."""

    __tablename__ = "order_line"

    id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    position: int
    slug: str = Field(index=True)
    name: str
    sentence: str
    choices: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)
    texts: dict[str, str] = Field(default_factory=dict, sa_type=db.Document)
    described: list[dict[str, Any]] = Field(default_factory=list, sa_type=db.Document)
    price_lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=db.Document)
    pictures: list[str] = Field(default_factory=list, sa_type=db.Document)
    model_version: str
    design_id: str = Field(foreign_key="design.id")
    design_code: str
    quantity: int
    unit_price: int = Field(sa_type=db.Minor)
    unit_cost: int = Field(sa_type=db.Minor)
    amount: int = Field(sa_type=db.Minor)
    discount: int = Field(sa_type=db.Minor)
    tax: int = Field(sa_type=db.Minor)
    tax_basis_points: int
    tax_category: str = "standard"  # which of the rates of the country that the tax goes to
    tax_treatment: str = "domestic"  # as the order's, but for what is taxed at home wherever it goes
    pricing: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)  # how list prices became these
    lead_min_days: int
    lead_max_days: int
    final_sale: bool = False  # made personal: no right of withdrawal
    counts: dict[str, int] = Field(default_factory=dict, sa_type=db.Document)  # stock promised: key → pieces
    numbered: bool = False
    suggestion_id: str | None = Field(default=None, index=True)
    offer_id: str | None = None

    @property
    def net(self) -> int:
        """What the line brings without tax, after its discount."""
        return self.amount - self.discount - self.tax


# -- finding ---------------------------------------------------------------------------------------------------------

# What every page of an order and every mail about it asks for, made once.
_LINES = (
    select(OrderLine)
    .where(col(OrderLine.order_id).in_(bindparam("orders", expanding=True)))
    .order_by(col(OrderLine.order_id), col(OrderLine.position))
)
_DISCOUNTS = select(OrderDiscount).where(OrderDiscount.order_id == bindparam("order")).order_by(col(OrderDiscount.id))


def by_number(session: Session, number: str) -> Order:
    """The order with that number; whether the asker may see it is for `may_see` to say.

    Raises:
        ShopError: 404.
    """
    order = db.find(session, Order, number=number.strip().upper())
    if order is None:
        raise not_found("order")
    return order


def of_cart(session: Session, cart_id: str) -> Order | None:
    """The one order of a bag."""
    return db.find(session, Order, cart_id=cart_id)


def of_key(session: Session, idempotency_key: str) -> Order | None:
    """The order that was placed under that key."""
    return db.find(session, Order, idempotency_key=idempotency_key)


def of_customer(session: Session, customer_id: str) -> list[Order]:
    """A customer's orders, the newest first."""
    statement = select(Order).where(Order.customer_id == customer_id)
    return list(session.exec(statement.order_by(col(Order.placed_at).desc(), col(Order.id).desc())).all())


def lines_of(session: Session, orders: Iterable[Order]) -> dict[str, list[OrderLine]]:
    """The lines of orders, by order id, in their order."""
    ids = [order.id for order in orders]
    found: dict[str, list[OrderLine]] = {order_id: [] for order_id in ids}
    if ids:
        for line in session.scalars(_LINES, {"orders": ids}):
            found[line.order_id].append(line)
    return found


def discounts_of(session: Session, order: Order) -> list[OrderDiscount]:
    """What offers took off an order."""
    return list(session.scalars(_DISCOUNTS, {"order": order.id}))


def owned_items(session: Session, customer_id: str) -> list[OrderLine]:
    """The pieces a customer has paid for, the newest first."""
    statement = (
        select(OrderLine)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(Order.customer_id == customer_id, col(Order.state).in_(PAID))
        .order_by(col(Order.placed_at).desc(), col(OrderLine.position))
    )
    return list(session.exec(statement).all())


def may_see(order: Order, visitor: Visitor) -> bool:
    """Whether the order opens for this visitor without a signed link: its session, its customer, or staff."""
    if visitor.is_staff:
        return True
    if visitor.customer_id is not None:
        return order.customer_id == visitor.customer_id or order.session_id == visitor.session_id
    return order.session_id is not None and order.session_id == visitor.session_id


def move(session: Session, from_customers: Iterable[str], customer_id: str) -> None:
    """Give the orders of joined guests to the customer they turned out to be."""
    session.execute(
        update(Order).where(col(Order.customer_id).in_(list(from_customers))).values(customer_id=customer_id)
    )


# -- going through its states ----------------------------------------------------------------------------------------


def mark_paid(session: Session, order: Order, payment_id: str | None, paid_at: datetime | None = None) -> bool:
    """The whole amount is here: once, from "placed" only; whether this call made the change."""
    return _first_receipt(session, order, order.total, payment_id, paid_at or db.now())


def receive(
    session: Session, order: Order, amount: int, payment_id: str, at: datetime | None = None, *, first: int = 0
) -> bool:
    """Keep money that came in: the first part makes the order paid, the last settles it.

    Args:
        first: what the order needs to stand; with less it goes on waiting, and is not released any more.

    Returns:
        Whether the order takes money; a released or cancelled one does not.
    """
    moment = at or db.now()
    if order.received + amount >= first and _first_receipt(session, order, amount, payment_id, moment):
        return True
    if not _change(session, order, ("placed", *PAID), **_credit(amount, moment)):
        return False
    facts = {"payment": payment_id, "amount": amount, "currency": order.currency, "outstanding": order.outstanding}
    _record(session, NOBODY, "payment-received", order, facts)
    return True


def _first_receipt(session: Session, order: Order, amount: int, payment_id: str | None, moment: datetime) -> bool:
    if not _move(session, order, ("placed",), "paid", paid_at=moment, **_credit(amount, moment)):
        return False
    stock.take(session, _counts(session, order))
    facts = {"payment": payment_id, "total": order.total, "received": amount, "currency": order.currency}
    _record(session, NOBODY, "order-paid", order, facts)
    return True


def _credit(amount: int, moment: datetime) -> dict[str, Any]:
    """The columns that money changes, reckoned by the database from what stands there."""
    received = col(Order.received) + amount
    settled = case((received >= col(Order.total), func.coalesce(col(Order.settled_at), moment)))
    return {"received": received, "settled_at": settled}


def release(session: Session, order: Order) -> bool:
    """Give everything back that an unpaid order holds; whether this call did it."""
    return _give_up(session, order, "released", NOBODY, "order-released", {"reason": "not paid in time"})


def cancel(session: Session, visitor: Visitor, order: Order, reason: str) -> None:
    """Cancel an order that is not paid.

    Raises:
        ShopError: 409, it is paid or over.
    """
    if not _give_up(session, order, "cancelled", visitor, "order-cancelled", {"reason": reason[:200]}):
        raise refused(f"This order can no longer be cancelled: {order.state_label.lower()}.")


def call_off(session: Session, visitor: Visitor, order: Order, reason: str) -> None:
    """Staff cancel an order before work on it has begun; its pieces are free again.

    What was paid goes back by refunds, which the caller asks for in the same transaction.

    Raises:
        ShopError: 409, it is in the workshop already, or over.
    """
    counts = _counts(session, order)
    if _move(session, order, ("paid",), "cancelled", closed_at=db.now()):
        stock.put_back(session, counts)
    elif _move(session, order, ("placed",), "cancelled", closed_at=db.now()):
        stock.release(session, counts)
    else:
        raise refused(f"This order can no longer be called off: {order.state_label.lower()}.")
    _free_pieces(session, order)
    _record(session, visitor, "order-cancelled", order, {"reason": reason[:200]})


def _free_pieces(session: Session, order: Order) -> None:
    lines = lines_of(session, [order])[order.id]
    stock.free_pieces(session, [line.id for line in lines if line.numbered])


def _give_up(session: Session, order: Order, state: str, visitor: Visitor, kind: str, facts: Mapping[str, Any]) -> bool:
    # What has come in, if not enough yet, is for a person to decide about.
    if not _change(session, order, ("placed",), col(Order.received) == 0, state=state, closed_at=db.now()):
        return False
    stock.release(session, _counts(session, order))
    _free_pieces(session, order)
    _record(session, visitor, kind, order, facts)
    return True


def reserve(session: Session, lines: Sequence[OrderLine]) -> None:
    """Promise the stock of an order's lines, always in the same sequence so that no two orders wait for each other.

    Raises:
        ShopError: 409, something is sold out.
    """
    names = {key: line.name for line in lines for key in line.counts}
    for key, quantity in sorted(_sum(lines).items()):
        stock.reserve(session, key, quantity, names[key])
    for line in lines:
        if line.numbered:
            stock.number_pieces(session, line.slug, line.id, line.quantity)


def revive(session: Session, order: Order) -> bool:
    """Take a released order up again, if everything it needs is still free."""
    try:
        with db.savepoint(session):
            reserve(session, lines_of(session, [order])[order.id])
            return _move(session, order, ("released",), "placed", closed_at=None)
    except ShopError:
        session.refresh(order)
        return False


def advance(session: Session, visitor: Visitor, order: Order, stage: str, note: str = "") -> None:
    """Staff record that a paid order reached a stage.

    Raises:
        ShopError: 422 no such stage, 409 the order is not paid or is further already.
    """
    if stage not in STAGES[2:]:
        raise invalid(f"The stage must be one of {', '.join(STAGES[2:])}.", field="stage")
    if stage in HANDED_OVER and order.outstanding:
        raise refused("This order leaves the house when its balance is here; it has not come in yet.")
    before = STAGES[1 : STAGES.index(stage)]
    if not _move(session, order, before, stage):
        raise refused(f"This order is {order.state_label.lower()}; it cannot become {STATES[stage].lower()}.")
    _record(session, visitor, "order-stage", order, {"stage": stage, "note": note[:300]})


def _move(session: Session, order: Order, before: Sequence[str], after: str, **values: Any) -> bool:
    """One conditional update, so that of two who move an order one wins."""
    return _change(session, order, before, state=after, **values)


def _change(session: Session, order: Order, before: Sequence[str], *conditions: Any, **values: Any) -> bool:
    session.flush()
    moved = session.execute(
        update(Order)
        .where(col(Order.id) == order.id, col(Order.state).in_(before), *conditions)
        .values(**values)
        .returning(col(Order.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(order)
    return moved is not None


def _sum(lines: Sequence[OrderLine]) -> dict[str, int]:
    return dict(sum((Counter(line.counts) for line in lines), Counter[str]()))


def _counts(session: Session, order: Order) -> dict[str, int]:
    return _sum(lines_of(session, [order])[order.id])


def _record(session: Session, visitor: Visitor, kind: str, order: Order, facts: Mapping[str, Any]) -> None:
    events.record(
        session, visitor, kind, subject=order.id, customer_id=order.customer_id, facts={"number": order.number, **facts}
    )
