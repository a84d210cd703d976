"""What the suggestions bring: margin for each customer assigned, shown against withheld, and what may be said of it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, func
from sqlmodel import Session, col, select

import recommender
from store import db, money
from store.experiments import CHECKOUT_SUGGESTIONS, Assignment
from store.settings import house
from store.shop.bags import Cart
from store.shop.orders import PAID, Order, OrderLine

WORTH_SEEING = 10  # per cent of the mean margin: a smaller difference is not looked for
SEED = 6
RATE_DAYS = 90
MONTH = 30.4  # days


@dataclass(frozen=True)
class Lift:
    """Margin per assigned customer; amounts in minor units.

    Attributes:
        need: of the control, to see a difference of `worth`; 0 while no spread was seen.
        months: until there are so many at the present rate; None when nobody comes.
    """

    shown: int
    control: int
    margin_shown: int
    margin_control: int
    difference: int
    low: int | None
    high: int | None
    worth: int
    need: int
    months: int | None
    seen: bool

    @property
    def enough(self) -> bool:
        """Whether the control is large enough to speak of it."""
        return 0 < self.need <= self.control

    @property
    def sentence(self) -> str:
        """What may be said, in words."""
        if not self.enough:
            if not self.need:
                return f"Cannot tell yet: have {self.control} in the control group, and no margin to compare."
            wait = "nobody new comes" if self.months is None else f"at this rate {self.months:,} months"
            return f"Cannot tell yet: have {self.control:,} in the control group, need {self.need:,}, {wait}."
        told = money.write_difference(self.difference, house().currency)
        if not self.seen:
            return f"No difference can be seen: {told} of margin a customer, within what chance brings about."
        told = money.write(abs(self.difference), house().currency)
        return f"Suggestions {'bring' if self.difference > 0 else 'cost'} {told} of margin a customer."


def of_margin(session: Session) -> Lift:
    """The lift of the suggestions at checkout, by assignment: who was assigned counts, whatever they did."""
    arms = _margins(session)
    shown, control = arms["shown"], arms["control"]
    found = recommender.lift_by_draw(shown, control, SEED)
    shares = dict(CHECKOUT_SUGGESTIONS.arms)
    worth = round(found.mean * WORTH_SEEING / 100)
    need = recommender.control_needed(found.spread, worth, shares["control"] / sum(shares.values()))
    return Lift(
        shown=len(shown),
        control=len(control),
        margin_shown=money.divide(sum(shown), max(1, len(shown))),
        margin_control=money.divide(sum(control), max(1, len(control))),
        difference=round(found.difference),
        low=None if math.isinf(found.low) else round(found.low),
        high=None if math.isinf(found.high) else round(found.high),
        worth=worth,
        need=need,
        months=_months(session, need - len(control)),
        seen=found.seen,
    )


def _months(session: Session, missing: int) -> int | None:
    """How long until so many more are in the control, by how many came lately."""
    since = db.now() - timedelta(days=RATE_DAYS)
    came = session.exec(
        select(func.count())
        .select_from(Assignment)
        .where(
            Assignment.experiment == CHECKOUT_SUGGESTIONS.name,
            Assignment.arm == "control",
            Assignment.drawn_at >= since,
        )
    ).one()
    return math.ceil(max(0, missing) / came * RATE_DAYS / MONTH) if came else None


def _margins(session: Session) -> dict[str, list[int]]:
    """By arm: the margin of each unit since it was drawn; a bag whose customer was drawn too counts as theirs alone."""
    drawn = {
        unit: (arm, at)
        for unit, arm, at in session.exec(
            select(Assignment.unit, Assignment.arm, Assignment.drawn_at).where(
                Assignment.experiment == CHECKOUT_SUGGESTIONS.name
            )
        )
    }
    bags = session.exec(select(Cart.id, Cart.customer_id).where(col(Cart.customer_id).is_not(None)))
    for bag, customer in bags:
        if bag in drawn and customer in drawn:
            del drawn[bag]
    sums = dict.fromkeys(drawn, 0)
    for customer, bag, placed_at, margin in _orders(session):
        for unit in (customer, bag):
            if unit in drawn and placed_at >= drawn[unit][1]:
                sums[unit] += margin
                break
    arms: dict[str, list[int]] = {name: [] for name, _ in CHECKOUT_SUGGESTIONS.arms}
    for unit, (arm, _) in sorted(drawn.items()):
        arms[arm].append(sums[unit])
    return arms


def _orders(session: Session) -> list[tuple[str | None, str, datetime, int]]:
    """Of each paid order: customer, bag, when it was placed, and what it left."""
    net = col(OrderLine.amount) - col(OrderLine.discount) - col(OrderLine.tax)
    margin: Any = cast(func.sum(net - col(OrderLine.quantity) * col(OrderLine.unit_cost)), BigInteger)
    statement = (
        select(Order.customer_id, Order.cart_id, Order.placed_at, margin)
        .join(OrderLine, col(OrderLine.order_id) == col(Order.id))
        .where(col(Order.state).in_(PAID))
        .group_by(col(Order.id))
    )
    return [(customer, bag, at, int(margin)) for customer, bag, at, margin in session.execute(statement).all()]
