"""Offers: what the house promises one named person, from draft to sent, answered, used once, ended or withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func
from sqlmodel import Field, Session, SQLModel, col, select, update

from store import db, events
from store.crm import benefits
from store.crm.benefits import Applied, LineValue, Terms
from store.crm.paging import within
from store.currencies import PriceList
from store.errors import not_found, refused
from store.events import NOBODY, Visitor
from store.money import write
from store.people import Customer
from store.shop.orders import Order
from store.shop.totals import Discount

OPEN = ("sent", "accepted")
PAGE = 40
STATES: dict[str, str] = {
    "draft": "Draft",
    "sent": "Sent",
    "accepted": "Accepted",
    "declined": "Declined",
    "redeemed": "Redeemed",
    "expired": "Expired",
    "withdrawn": "Withdrawn",
}


class Offer(SQLModel, table=True):
    """A promise to one person: a piece with its ready design, the reason, a benefit, until a day."""

    __tablename__ = "offer"

    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    state: str = Field(default="draft", index=True)
    kind: str  # privilege, gift, amount, percent
    amount: int = Field(default=0, sa_type=db.Minor)
    basis_points: int = 0
    privilege: str = ""  # the words of a privilege
    benefit_cost: int = Field(default=0, sa_type=db.Minor)  # what a privilege costs the house when used
    currency: str
    slug: str | None = None  # the piece; None: the whole bag
    piece_name: str = ""
    design_id: str | None = Field(default=None, foreign_key="design.id")
    gift_slug: str | None = None
    gift_name: str = ""
    gift_design_id: str | None = Field(default=None, foreign_key="design.id")
    message: str
    reason: str
    margin_floor_basis_points: int
    cost_estimate: int = Field(default=0, sa_type=db.Minor)  # what the benefit costs without tax, if it is used
    expires_at: datetime
    arm: str = "chosen"  # a named offer is always delivered and counts in no lift
    channel: str = "site"  # "mail": by mail and on the site
    created_by: str | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime
    sent_at: datetime | None = None
    seen_at: datetime | None = None
    answered_at: datetime | None = None
    redeemed_at: datetime | None = None
    redeemed_order_id: str | None = Field(default=None, foreign_key="shop_order.id", index=True)

    @property
    def benefit_words(self) -> str:
        """The benefit as a person reads it: "15 % off", "€120 off", "the Travel roll as a gift"."""
        if self.kind == "percent":
            whole, rest = divmod(self.basis_points, 100)
            return f"{whole}{f'.{rest:02}'.rstrip('0') if rest else ''} % off"
        if self.kind == "amount":
            return f"{write(self.amount, self.currency)} off"
        if self.kind == "gift":
            return f"{self.gift_name} as a gift"
        return self.privilege

    @property
    def label(self) -> str:
        """How the benefit is called in a bag, on an order and on the site."""
        return f"For you: {self.benefit_words}" + (f", {self.piece_name}" if self.slug else "")

    @property
    def terms(self) -> Terms:
        """What the arithmetic needs to know."""
        return Terms(
            offer_id=self.id,
            label=self.label,
            kind=self.kind,
            amount=self.amount,
            basis_points=self.basis_points,
            gift_slug=self.gift_slug,
            slug=self.slug,
            design_id=self.design_id,
            benefit_cost=self.benefit_cost,
            floor_basis_points=self.margin_floor_basis_points,
            currency=self.currency,
        )

    def is_open(self) -> bool:
        """Whether it can be used now."""
        return self.state in OPEN and self.expires_at > db.now()


# -- finding ---------------------------------------------------------------------------------------------------------


def by_id(session: Session, offer_id: str) -> Offer:
    """The offer, for staff.

    Raises:
        ShopError: 404.
    """
    offer = session.get(Offer, offer_id)
    if offer is None:
        raise not_found("offer")
    return offer


def find(session: Session, offer_id: str) -> Offer | None:
    """The offer, if it is there."""
    return session.get(Offer, offer_id)


def order_of(session: Session, offer: Offer) -> Order | None:
    """The order that it was used for."""
    return session.get(Order, offer.redeemed_order_id) if offer.redeemed_order_id else None


def hers(session: Session, visitor: Visitor, offer_id: str) -> Offer:
    """The offer if it was sent to this very customer.

    Raises:
        ShopError: 404 for anybody else, and for what was never sent or was withdrawn.
    """
    offer = session.get(Offer, offer_id)
    if offer is None or visitor.customer_id is None or offer.customer_id != visitor.customer_id:
        raise not_found("offer")
    if offer.state in ("draft", "withdrawn"):
        raise not_found("offer")
    return offer


def for_customer(session: Session, customer_id: str) -> list[Offer]:
    """Her offers that can be used now, the one that ends first in front."""
    statement = (
        select(Offer)
        .where(Offer.customer_id == customer_id, col(Offer.state).in_(OPEN), Offer.expires_at > db.now())
        .order_by(col(Offer.expires_at), col(Offer.id))
    )
    return list(session.exec(statement))


def sent_to(session: Session, customer_id: str) -> list[Offer]:
    """Everything she was ever sent, newest first, as her account shows it."""
    statement = (
        select(Offer)
        .where(Offer.customer_id == customer_id, col(Offer.state).not_in(("draft", "withdrawn")))
        .order_by(col(Offer.sent_at).desc(), col(Offer.id).desc())
    )
    return list(session.exec(statement))


def all_of(session: Session, customer_id: str) -> list[Offer]:
    """Every offer made to this customer, drafts too, newest first; for staff."""
    statement = select(Offer).where(Offer.customer_id == customer_id)
    return list(session.exec(statement.order_by(col(Offer.created_at).desc(), col(Offer.id).desc())))


@dataclass(frozen=True)
class OfferList:
    """A page of all offers, with whom they are for."""

    rows: list[tuple[Offer, Customer]]
    state: str
    found: int
    page: int
    pages: int


def listing(session: Session, state: str = "", page: int = 1) -> OfferList:
    """Offers of all customers, the newest first; of one state, if it is one."""
    state = state if state in STATES else ""
    conditions = [col(Offer.state) == state] if state else []
    found = session.exec(select(func.count()).select_from(Offer).where(*conditions)).one()
    page, pages = within(page, found, PAGE)
    statement = (
        select(Offer, Customer)
        .join(Customer, col(Customer.id) == col(Offer.customer_id))
        .where(*conditions)
        .order_by(col(Offer.created_at).desc(), col(Offer.id).desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    return OfferList(list(session.exec(statement).all()), state, found, page, pages)


def counts(session: Session) -> dict[str, int]:
    """How many offers are in each state."""
    return dict(session.exec(select(Offer.state, func.count()).group_by(Offer.state)).all())


def notice(session: Session, customer_id: str) -> str | None:
    """The one sentence that the site shows her while an offer waits."""
    waiting = for_customer(session, customer_id)
    return notice_of(waiting[0]) if waiting else None


def notice_of(offer: Offer) -> str:
    """The sentence on the site for one offer."""
    piece = f"{offer.piece_name}, chosen for you" if offer.slug else "Something for you"
    return f"{piece}: {offer.benefit_words}."


# -- her answer ------------------------------------------------------------------------------------------------------


def mark_seen(session: Session, visitor: Visitor, offer_id: str) -> Offer:
    """Note the first time she looked at it."""
    offer = hers(session, visitor, offer_id)
    if move(session, offer_id, (col(Offer.seen_at).is_(None),), seen_at=db.now()):
        session.refresh(offer)
        record(session, visitor, "offer-seen", offer)
    return offer


def accept(session: Session, visitor: Visitor, offer_id: str) -> Offer:
    """She takes it; it stays usable until it ends. Accepting again changes nothing.

    Raises:
        ShopError: 404 not hers; 409 used, ended or declined.
    """
    offer = hers(session, visitor, offer_id)
    if move(session, offer_id, (col(Offer.state) == "sent", not_over()), state="accepted", answered_at=db.now()):
        session.refresh(offer)
        record(session, visitor, "offer-accepted", offer)
        return offer
    session.refresh(offer)
    if not offer.is_open():
        raise refused("This offer has ended or was already used.")
    return offer


def decline(session: Session, visitor: Visitor, offer_id: str) -> Offer:
    """She does not want it. Declining again changes nothing.

    Raises:
        ShopError: 404 not hers; 409 used or ended.
    """
    offer = hers(session, visitor, offer_id)
    if move(session, offer_id, (col(Offer.state).in_(OPEN), not_over()), state="declined", answered_at=db.now()):
        session.refresh(offer)
        record(session, visitor, "offer-declined", offer)
        return offer
    session.refresh(offer)
    if offer.state != "declined":
        raise refused("This offer has ended or was already used.")
    return offer


# -- at checkout -----------------------------------------------------------------------------------------------------


def applied(session: Session, customer_id: str, lines: Sequence[LineValue], prices: PriceList | None = None) -> Applied:
    """What her open offers do to these lines, and why one of them does nothing.

    Args:
        lines: prices and costs in the currency of the list.
        prices: the bag's price list; the house's own when none is given.
    """
    found = [offer.terms for offer in for_customer(session, customer_id)]
    if prices is None or prices.is_home:
        return benefits.apply(found, lines)
    # An amount off is one of its own currency; what a privilege costs the house is reckoned over for the margin.
    elsewhere = [term for term in found if term.kind == "amount" and term.currency != prices.currency]
    usable = (term for term in found if term not in elsewhere)
    done = benefits.apply([replace(term, benefit_cost=prices.converted(term.benefit_cost)) for term in usable], lines)
    notes = [f"{term.label}: for a bag in {term.currency}." for term in elsewhere]
    return Applied(done.discounts, [*done.notes, *notes])


def discounts_for(session: Session, customer_id: str, lines: Sequence[LineValue]) -> list[Discount]:
    """The discounts that her open offers give on these lines."""
    return applied(session, customer_id, lines).discounts


def redeem(session: Session, offer_id: str, order_id: str) -> Offer:
    """Use the offer for this order: one conditional update, so that of many tries one wins.

    The order must be written before, and belong to the customer whom the offer was made to.

    Raises:
        ShopError: 409 when it was used, has ended, or is not this customer's.
    """
    whose = select(Order.customer_id).where(Order.id == order_id).scalar_subquery()
    condition = (col(Offer.state).in_(OPEN), not_over(), col(Offer.customer_id) == whose)
    won = move(session, offer_id, condition, state="redeemed", redeemed_at=db.now(), redeemed_order_id=order_id)
    if not won:
        raise refused("Your offer was already used or has ended; please look at the new total.", "Offer not available")
    offer = session.get_one(Offer, offer_id)
    session.refresh(offer)
    record(session, NOBODY, "offer-redeemed", offer, order=order_id)
    return offer


def restore(session: Session, order_id: str) -> int:
    """Give back the offers of an order that was released unpaid; those whose day has passed have ended."""
    returned = session.execute(
        update(Offer)
        .where(col(Offer.redeemed_order_id) == order_id, col(Offer.state) == "redeemed")
        .values(
            state=case((not_over(), "accepted"), else_="expired"),
            redeemed_at=None,
            redeemed_order_id=None,
        )
        .returning(col(Offer.id))
        .execution_options(synchronize_session=False)
    ).all()
    for (offer_id,) in returned:
        offer = session.get_one(Offer, offer_id)
        session.refresh(offer)
        record(session, NOBODY, "offer-restored", offer, order=order_id)
    return len(returned)


# -- the joints ------------------------------------------------------------------------------------------------------


def not_over() -> Any:
    """The condition that an offer's day has not come."""
    return col(Offer.expires_at) > db.now()


def move(session: Session, offer_id: str, conditions: Sequence[Any], **values: Any) -> bool:
    """One conditional update of an offer; whether it changed the row."""
    session.flush()
    statement = (
        update(Offer)
        .where(col(Offer.id) == offer_id, *conditions)
        .values(**values)
        .returning(col(Offer.id))
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).first() is not None


def record(session: Session, visitor: Visitor, kind: str, offer: Offer, **facts: Any) -> None:
    """Append what happened to an offer to its customer's history."""
    events.record(
        session,
        visitor,
        kind,
        subject=offer.id,
        product=offer.slug,
        customer_id=offer.customer_id,
        facts={"kind": offer.kind, "arm": offer.arm, **facts},
    )
