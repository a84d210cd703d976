"""What offers and suggestions brought: counts, exact money, and for suggestions the comparison with the control group.

A named offer is always delivered, so it has results but no lift. Suggestions are compared by assignment: everyone drawn
into an arm counts in it, whatever they did.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from sqlalchemy import BigInteger, case, cast, func
from sqlmodel import Session, col, select

from store.crm.benefits import KINDS
from store.crm.offers import Offer
from store.crm.profit import at_home
from store.experiments import CHECKOUT_SUGGESTIONS, Assignment
from store.mail import Message
from store.shop.orders import PAID, Order, OrderDiscount, OrderLine
from store.shop.suggestions import Suggestion

SEEN_DIFFERENCE = 0.03  # three points: what the experiment should be able to see
ASSUMED_RATE = 0.05  # buyers of a suggested piece in the control group, until enough are seen
ENOUGH_TO_SEE_A_RATE = 30


@dataclass(frozen=True)
class OfferResult:
    """One kind of benefit: how many offers came how far, and what the orders that used them brought.

    Attributes:
        given: taken off, with tax.
        net: of the orders that used one, without tax.
        margin: net less the cost of the pieces and of privileges.
    """

    kind: str
    label: str
    sent: int = 0
    seen: int = 0
    accepted: int = 0
    redeemed: int = 0
    declined: int = 0
    expired: int = 0
    given: int = 0
    net: int = 0
    margin: int = 0


@dataclass(frozen=True)
class Arm:
    """One arm of the suggestions: who was assigned, and who of them bought what was (or would have been) shown."""

    name: str
    assigned: int
    shown: int
    added: int
    buyers: int
    margin: int

    @property
    def rate(self) -> float:
        """Buyers among the assigned."""
        return self.buyers / self.assigned if self.assigned else 0.0


@dataclass(frozen=True)
class Attach:
    """The arms of the suggestions side by side, and what may be said about them."""

    shown: Arm
    control: Arm
    need_control: int
    difference: float
    low: float
    high: float

    @property
    def enough(self) -> bool:
        """Whether the control group is large enough to tell."""
        return self.control.assigned >= self.need_control

    @property
    def sentence(self) -> str:
        """The finding, or how much is missing."""
        if not self.enough:
            return f"Cannot tell yet: have {self.control.assigned} in the control group, need {self.need_control}."
        return (
            f"{100 * self.difference:+.1f} points more buyers of suggested pieces than in the control group "
            f"(95 % between {100 * self.low:+.1f} and {100 * self.high:+.1f})."
        )


# -- offers ----------------------------------------------------------------------------------------------------------


def of_offers(session: Session) -> list[OfferResult]:
    """The results of named offers by kind of benefit."""
    reached = {
        "sent": col(Offer.sent_at).is_not(None),
        "seen": col(Offer.seen_at).is_not(None),
        "accepted": (col(Offer.state) == "accepted")
        | ((col(Offer.state) == "redeemed") & col(Offer.answered_at).is_not(None)),
        "redeemed": col(Offer.state) == "redeemed",
        "declined": col(Offer.state) == "declined",
        "expired": (col(Offer.state) == "expired") & col(Offer.sent_at).is_not(None),
    }
    counts = select(Offer.kind, *(_count_if(condition) for condition in reached.values())).group_by(Offer.kind)
    counted = {row[0]: dict(zip(reached, row[1:], strict=True)) for row in session.exec(counts).all()}
    money = _money_of_offers(session)
    return [OfferResult(kind, label, **counted.get(kind, {}), **money.get(kind, {})) for kind, label in KINDS.items()]


def mail_cost(session: Session) -> int:
    """What the mails of all offers cost."""
    written = select(_sum(col(Message.cost))).where(Message.kind == "offer", Message.state != "withheld")
    return sum(session.exec(written).all())


def _money_of_offers(session: Session) -> dict[str, dict[str, int]]:
    """By kind: what was given, and what the paid orders that used one brought; an order counts once a kind."""
    using = (
        select(Offer.kind, col(Order.id).label("order_id"), _sum(col(Offer.benefit_cost)).label("privileges"))
        .join(Order, col(Order.id) == col(Offer.redeemed_order_id))
        .where(col(Order.state).in_(PAID))
        .group_by(Offer.kind, col(Order.id))
        .subquery()
    )
    net = at_home(col(OrderLine.amount) - col(OrderLine.discount) - col(OrderLine.tax))
    cost = col(OrderLine.quantity) * col(OrderLine.unit_cost)
    lines = (
        select(using.c.kind, _sum(net), _sum(net - cost))
        .join(OrderLine, col(OrderLine.order_id) == using.c.order_id)
        .join(Order, col(Order.id) == using.c.order_id)
        .group_by(using.c.kind)
    )
    privileges = dict(session.execute(select(using.c.kind, _sum(using.c.privileges)).group_by(using.c.kind)).all())
    given = dict(
        session.execute(
            select(Offer.kind, _sum(at_home(col(OrderDiscount.amount))))
            .join(OrderDiscount, col(OrderDiscount.offer_id) == col(Offer.id))
            .join(Order, col(Order.id) == col(OrderDiscount.order_id))
            .where(col(Order.state).in_(PAID))
            .group_by(Offer.kind)
        ).all()
    )
    return {
        kind: {"given": given.get(kind, 0), "net": net_sum, "margin": margin - privileges.get(kind, 0)}
        for kind, net_sum, margin in session.execute(lines)
    }


# -- suggestions -----------------------------------------------------------------------------------------------------


def of_suggestions(session: Session) -> Attach:
    """The arms of the checkout's suggestions, by assignment."""
    shares = dict(CHECKOUT_SUGGESTIONS.arms)
    arms = {name: _arm(session, name) for name in shares}
    shown, control = arms["shown"], arms["control"]
    held_out = shares["control"] / sum(shares.values())
    usual = control.rate if control.assigned >= ENOUGH_TO_SEE_A_RATE else ASSUMED_RATE
    everyone = customers_needed(usual, min(usual + SEEN_DIFFERENCE, 1.0), held_out)
    difference, low, high = difference_of_rates(shown.buyers, shown.assigned, control.buyers, control.assigned)
    return Attach(shown, control, math.ceil(everyone * held_out), difference, low, high)


def _arm(session: Session, name: str) -> Arm:
    assigned = session.exec(
        select(func.count()).where(Assignment.experiment == CHECKOUT_SUGGESTIONS.name, Assignment.arm == name)
    ).one()
    unit = func.coalesce(col(Suggestion.customer_id), col(Suggestion.cart_id))
    shown, added, buyers = session.execute(
        select(
            func.count(),
            _count_if(col(Suggestion.added_at).is_not(None)),
            func.count(case((col(Suggestion.bought_at).is_not(None), unit)).distinct()),
        ).where(Suggestion.arm == name)
    ).one()
    return Arm(name, assigned, shown, added, buyers, _margin_since(session, name))


def _margin_since(session: Session, name: str) -> int:
    """The margin of everyone in the arm since they were drawn into it: customers, and bags of unknown visitors."""
    margin = at_home(col(OrderLine.amount) - col(OrderLine.discount) - col(OrderLine.tax))
    margin -= col(OrderLine.quantity) * col(OrderLine.unit_cost)
    total = 0
    for unit in (col(Order.customer_id), col(Order.cart_id)):
        total += session.exec(
            select(_sum(margin))
            .select_from(Assignment)
            .join(Order, unit == col(Assignment.unit))
            .join(OrderLine, col(OrderLine.order_id) == col(Order.id))
            .where(
                Assignment.experiment == CHECKOUT_SUGGESTIONS.name,
                Assignment.arm == name,
                col(Order.state).in_(PAID),
                Order.placed_at >= Assignment.drawn_at,
            )
        ).one()
    return total


# -- what may be said ------------------------------------------------------------------------------------------------


def customers_needed(rate: float, other: float, held_out: float) -> int:
    """Customers in both arms together to see one rate from the other, with power 80 % at 5 % two-sided.

    Args:
        held_out: the control group's share of all.
    """
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    spread = rate * (1 - rate) / held_out + other * (1 - other) / (1 - held_out)
    return math.ceil(quantiles**2 * spread / (other - rate) ** 2)


def difference_of_rates(successes: int, of: int, other_successes: int, other_of: int) -> tuple[float, float, float]:
    """The difference of two rates with its 95 % interval.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17 (1998), method 10.
    """
    if not of or not other_of:
        return 0.0, -1.0, 1.0
    (rate, low, high), (other, other_low, other_high) = _wilson(successes, of), _wilson(other_successes, other_of)
    difference = rate - other
    return (
        difference,
        difference - math.hypot(rate - low, other_high - other),
        difference + math.hypot(high - rate, other - other_low),
    )


def _wilson(successes: int, of: int) -> tuple[float, float, float]:
    z = NormalDist().inv_cdf(0.975)
    rate = successes / of
    middle = (rate + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    return rate, middle - half, middle + half


def _sum(column: Any) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)  # PostgreSQL sums BIGINT into NUMERIC


def _count_if(condition: Any) -> Any:
    return func.count(case((condition, 1)))
