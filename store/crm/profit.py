"""What each customer brings the house: row profit to the cent, net of tax; the rows add up to the shop's total.

Margin = Σ quantity × (net price − unit cost) − discounts − what was sent back, over orders that stand. Money that no
order kept (paid twice, sold out meanwhile) touches no margin, nor does its way back. Profit = margin less privileges
granted and less what reaching the customer cost. Delivery is passed on at cost and left out on both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlmodel import Session, col

from store.crm.contacts import Contact
from store.crm.offers import Offer
from store.mail import Message
from store.money import FULL, divide
from store.people import Customer
from store.shop.orders import PAID, Order, OrderLine
from store.shop.payments import Payment
from store.shop.refunds import Refund


@dataclass(frozen=True)
class RowProfit:
    """Money in minor units of the house's currency, without tax.

    Attributes:
        list_net: what was sold, before discounts.
        discounts: what offers took off.
        cost: what the pieces cost the house, as kept on each order line.
        privileges: what granted privileges cost.
        contact_cost: mails, calls, letters, visits, gifts.
        sent_back: refunds of what orders had kept.
    """

    orders: int = 0
    pieces: int = 0
    list_net: int = 0
    discounts: int = 0
    cost: int = 0
    privileges: int = 0
    contact_cost: int = 0
    sent_back: int = 0

    @property
    def revenue_net(self) -> int:
        """What was sold, after discounts."""
        return self.list_net - self.discounts

    @property
    def margin(self) -> int:
        """Revenue less the cost of the pieces and what was sent back."""
        return self.revenue_net - self.cost - self.sent_back

    @property
    def profit(self) -> int:
        """Margin less privileges and the cost of reaching the customer."""
        return self.margin - self.privileges - self.contact_cost

    def __add__(self, other: "RowProfit") -> "RowProfit":
        return RowProfit(
            *(mine + others for mine, others in zip(vars(self).values(), vars(other).values(), strict=True))
        )


def row_profit(session: Session, customer_id: str) -> RowProfit:
    """What this customer brought over all time."""
    return rows(session, [customer_id]).get(customer_id, RowProfit())


def rows(session: Session, customer_ids: Iterable[str] | None = None) -> dict[str, RowProfit]:
    """The rows of these customers (of all who have one, when none are named); joined guests count with theirs."""
    wanted = None if customer_ids is None else list(customer_ids)
    parts: list[dict[str, RowProfit]] = [
        {
            key: RowProfit(orders=orders, pieces=pieces, list_net=net + off, discounts=off, cost=cost)
            for key, orders, pieces, net, off, cost in session.execute(_by_customer(_sold(), Order, wanted))
        },
        {key: RowProfit(sent_back=net) for key, net in _sent_back(session, wanted).items()},
        {key: RowProfit(privileges=cost) for key, cost in session.execute(_by_customer(_privileges(), Offer, wanted))},
        {key: RowProfit(contact_cost=cost) for key, cost in session.execute(_by_customer(_mails(), Message, wanted))},
        {key: RowProfit(contact_cost=cost) for key, cost in session.execute(_by_customer(_logged(), Contact, wanted))},
    ]
    found: dict[str, RowProfit] = {}
    for part in parts:
        for key, row in part.items():
            found[key] = found.get(key, RowProfit()) + row
    return found


def shop_total(session: Session) -> RowProfit:
    """The whole shop in one sum, not by customer: the rows must add up to it."""
    orders, pieces, net, off, cost = session.execute(_sold()).one()
    back = sum(_sent_back(session).values())
    (privileges,) = session.execute(_privileges()).one()
    (mails,) = session.execute(_mails()).one()
    (logged,) = session.execute(_logged()).one()
    return RowProfit(orders, pieces, net + off, off, cost, privileges, mails + logged, back)


_OWNER = func.coalesce(col(Customer.merged_into_id), col(Customer.id))


def _by_customer(statement: Select[Any], table: Any, wanted: list[str] | None) -> Select[Any]:
    grouped = (
        statement.join(Customer, col(Customer.id) == table.customer_id)
        .add_columns(_OWNER.label("owner"))
        .group_by(_OWNER)
    )
    if wanted is not None:
        grouped = grouped.where(_OWNER.in_(wanted))
    *figures, owner = grouped.selected_columns
    return grouped.with_only_columns(owner, *figures)


def _sold() -> Select[Any]:
    off = col(OrderLine.discount)
    tax_of_off = _contained_tax(off, col(OrderLine.tax_basis_points))
    return (
        select(
            func.count(col(Order.id).distinct()),
            _sum(col(OrderLine.quantity)),
            _sum(at_home(col(OrderLine.amount) - off - col(OrderLine.tax))),
            _sum(at_home(off - tax_of_off)),
            _sum(col(OrderLine.quantity) * col(OrderLine.unit_cost)),
        )
        .select_from(Order)
        .join(OrderLine, col(OrderLine.order_id) == col(Order.id))
        .where(col(Order.state).in_(PAID))
    )


def _sent_back(session: Session, wanted: list[str] | None = None) -> dict[str, int]:
    """By customer: what went back without its tax, which is the share that its order bears."""
    statement = (
        select(_OWNER, col(Refund.amount), Order)
        .select_from(Refund)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .join(Order, col(Order.id) == col(Refund.order_id))
        .join(Customer, col(Customer.id) == col(Order.customer_id))
        .where(col(Refund.state) == "made", col(Payment.kept), col(Order.state).in_(PAID))
    )
    if wanted is not None:
        statement = statement.where(_OWNER.in_(wanted))
    found: dict[str, int] = {}
    for owner, amount, order in session.execute(statement):
        net = amount - divide(amount * order.tax, order.total)
        found[owner] = found.get(owner, 0) + order.at_home(net)
    return found


def at_home(amount: Any) -> Any:
    """An amount of an order in the house's currency, by the rate that the order keeps: `Order.at_home`, in SQL."""
    here = col(Order.order_units)
    return (2 * amount * col(Order.home_units) + here) // (2 * here)


def _contained_tax(amount: Any, rate: Any) -> Any:
    """`money.contained_tax`, in SQL."""
    return (2 * amount * rate + FULL + rate) // (2 * (FULL + rate))


def _privileges() -> Select[Any]:
    return (
        select(_sum(col(Offer.benefit_cost)))
        .select_from(Offer)
        .join(Order, col(Order.id) == col(Offer.redeemed_order_id))
        .where(col(Offer.state) == "redeemed", col(Order.state).in_(PAID))
    )


def _mails() -> Select[Any]:
    return (
        select(_sum(col(Message.cost)))
        .select_from(Message)
        .where(col(Message.state) != "withheld", col(Message.customer_id).is_not(None))
    )


def _logged() -> Select[Any]:
    return select(_sum(col(Contact.cost))).select_from(Contact)


def _sum(column: Any) -> Any:
    # PostgreSQL sums BIGINT into NUMERIC, which would come back as Decimal.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
