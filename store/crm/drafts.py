"""Writing an offer: from what the composer was filled with to a draft that keeps the margin floor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from store import db, events, money
from store.crm import benefits, offers
from store.crm.benefits import Left, LineValue
from store.crm.offers import Offer
from store.errors import ShopError, invalid, not_found, refused
from store.events import Visitor
from store.money import write
from store.people import Customer
from store.settings import house
from store.shop import catalog, designs, taxes
from store.shop.appraisal import appraise
from store.shop.designs import Design

LONGEST_LIFE = timedelta(days=180)
SHORTEST_LIFE = timedelta(hours=1)
TOO_LOW = "Below the margin floor"


@dataclass(frozen=True)
class Draft:
    """What the composer asks for; amounts in minor units of the house's currency."""

    kind: str
    message: str
    reason: str
    expires_at: datetime
    slug: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    amount: int = 0
    basis_points: int = 0
    gift_slug: str | None = None
    privilege: str = ""
    benefit_cost: int = 0
    margin_floor_basis_points: int | None = None  # None: the house's


@dataclass(frozen=True)
class Reckoning:
    """What the offer comes to, in minor units: with tax what she sees, without tax what is left."""

    price: int
    off: int
    pays: int
    cost: int
    left: Left
    floor_basis_points: int


def draft(session: Session, staff: Visitor, customer_id: str, wish: Draft) -> Offer:
    """Write a draft for one customer.

    Raises:
        ShopError: 404 unknown customer or piece, 422 what does not make an offer, 409 below the margin floor.
    """
    customer = session.get(Customer, customer_id)
    if customer is None or customer.merged_into_id is not None or customer.erased_at is not None:
        raise not_found("customer")
    offer = Offer(
        id=db.new_id("off"),
        customer_id=customer_id,
        kind=wish.kind,
        currency=house().currency,
        message="",
        reason="",
        margin_floor_basis_points=0,
        expires_at=wish.expires_at,
        created_by=staff.staff_id,
        created_at=db.now(),
    )
    _fill(session, staff, offer, wish)
    session.add(offer)
    session.flush()
    facts = {"kind": offer.kind, "arm": offer.arm}
    events.record(
        session, staff, "offer-drafted", subject=offer.id, product=offer.slug, customer_id=customer_id, facts=facts
    )
    return offer


def revise(session: Session, staff: Visitor, offer_id: str, wish: Draft) -> Offer:
    """Change a draft.

    Raises:
        ShopError: as `draft`, and 409 when it is no draft any more.
    """
    offer = offers.by_id(session, offer_id)
    session.refresh(offer, with_for_update=True)
    if offer.state != "draft":
        raise refused("An offer that was sent cannot be changed. Withdraw it and write another.")
    _fill(session, staff, offer, wish)
    session.add(offer)
    session.flush()
    return offer


def reckon(session: Session, offer: Offer) -> Reckoning | None:
    """What the offer comes to at today's prices; None for an offer on the whole bag, which is reckoned at checkout."""
    if offer.slug is None:
        return None
    lines = _lines(session, offer)
    use = benefits.tried(offer.terms, lines)
    if use is None:
        raise not_found("piece of this offer")
    price = sum(line.unit_price for line in lines)
    cost = sum(line.unit_cost for line in lines) + (offer.benefit_cost if offer.kind == "privilege" else 0)
    off = use.discount.amount
    return Reckoning(price, off, price - off, cost, use.left, offer.margin_floor_basis_points)


def keep_floor(session: Session, offer: Offer) -> None:
    """Refuse an offer that would leave less than its floor, with the most that can be given.

    Raises:
        ShopError: 409.
    """
    reckoning = reckon(session, offer)
    if reckoning is None or reckoning.left.reaches(offer.margin_floor_basis_points):
        return
    left, floor = _percent(reckoning.left.basis_points), _percent(offer.margin_floor_basis_points)
    sentence = f"With {offer.benefit_words} the house would keep {left} % of the net price; the floor is {floor} %."
    most = benefits.most(offer.terms, [line for line in _lines(session, offer) if line.line_id == "piece"])
    if offer.kind in ("amount", "percent"):
        given = write(most, offer.currency)
        bound = f"{_percent(most * money.FULL // reckoning.price)} %" if reckoning.price else "0 %"
        sentence += f" At most {given} ({bound}) can be given." if most else " Nothing can be taken off this piece."
    raise ShopError(409, TOO_LOW, sentence, {"field": "benefit", "most": most})


def ready_designs(session: Session, offer: Offer) -> list[Design]:
    """The designs that come with the offer, ready for the bag: the piece, then the gift."""
    wanted = [key for key in (offer.design_id, offer.gift_design_id) if key]
    known = designs.by_ids(session, wanted)
    return [known[key] for key in wanted if key in known]


# -- filling in ------------------------------------------------------------------------------------------------------


def _fill(session: Session, staff: Visitor, offer: Offer, wish: Draft) -> None:
    floor = wish.margin_floor_basis_points
    _check_words(wish)
    _check_benefit(wish)
    offer.kind, offer.message, offer.reason = wish.kind, wish.message.strip(), wish.reason.strip()
    offer.expires_at = wish.expires_at
    offer.amount = wish.amount if wish.kind == "amount" else 0
    offer.basis_points = wish.basis_points if wish.kind == "percent" else 0
    offer.privilege = wish.privilege.strip() if wish.kind == "privilege" else ""
    offer.benefit_cost = wish.benefit_cost if wish.kind == "privilege" else 0
    offer.margin_floor_basis_points = house().offers.margin_floor_basis_points if floor is None else floor
    offer.slug, offer.design_id, offer.piece_name = None, None, ""
    if wish.slug:
        design = designs.save(
            session, staff, wish.slug, wish.choices, wish.texts, source="offer", customer_id=offer.customer_id
        )
        offer.slug, offer.design_id = wish.slug, design.id
        offer.piece_name = catalog.published(session, wish.slug).name
    offer.gift_slug, offer.gift_design_id, offer.gift_name = None, None, ""
    if wish.kind == "gift" and wish.gift_slug:
        gift = designs.save(session, staff, wish.gift_slug, {}, {}, source="offer", customer_id=offer.customer_id)
        offer.gift_slug, offer.gift_design_id = wish.gift_slug, gift.id
        offer.gift_name = catalog.published(session, wish.gift_slug).name
    session.flush()
    keep_floor(session, offer)
    offer.cost_estimate = _cost_of_benefit(session, offer)


def _check_words(wish: Draft) -> None:
    if not 1 <= len(wish.message.strip()) <= 2000:
        raise invalid("Please write a message of at most 2,000 characters.", field="message")
    if not 1 <= len(wish.reason.strip()) <= 300:
        raise invalid("Please say why this is for this person, in at most 300 characters.", field="reason")
    if not db.now() + SHORTEST_LIFE <= wish.expires_at <= db.now() + LONGEST_LIFE:
        raise invalid("The offer must end between an hour and 180 days from now.", field="expires")


def _check_benefit(wish: Draft) -> None:
    """Refuse a benefit that is not one."""
    if wish.kind not in benefits.KINDS:
        raise invalid("Please choose the benefit: a privilege, a gift, an amount or a percentage.", field="kind")
    if wish.kind == "amount" and wish.amount <= 0:
        raise invalid("Please give the amount to take off.", field="amount")
    if wish.kind == "percent" and not 1 <= wish.basis_points < money.FULL:
        raise invalid("The percentage must lie between 0.01 and 99.99.", field="percent")
    if wish.kind == "privilege" and not 1 <= len(wish.privilege.strip()) <= 120:
        raise invalid("Please name the privilege, in at most 120 characters.", field="privilege")
    if wish.kind == "privilege" and not 0 <= wish.benefit_cost <= 10_000_000:
        raise invalid("The cost of the privilege cannot be negative or beyond 100,000.", field="benefit_cost")
    if wish.kind == "gift" and not wish.gift_slug:
        raise invalid("Please choose the gift.", field="gift")
    if wish.kind == "gift" and wish.gift_slug == wish.slug:
        raise invalid("The gift must be another piece than the one it comes with.", field="gift")
    floor = wish.margin_floor_basis_points
    if floor is not None and not 0 <= floor <= money.FULL:
        raise invalid("The margin floor must lie between 0 and 100 %.", field="floor")


def _lines(session: Session, offer: Offer) -> list[LineValue]:
    """The offered piece, and its gift, as a bag would hold them at today's prices."""
    known = {design.id: design for design in ready_designs(session, offer)}
    lines = []
    for line_id, design_id in (("piece", offer.design_id), ("the gift", offer.gift_design_id)):
        design = known.get(design_id or "")
        if design is None:
            continue
        item = catalog.published(session, design.slug)
        worth = appraise(item, design.choices, design.texts)
        tax = taxes.terms(None).of(item).rate
        lines.append(LineValue(line_id, design.slug, design.id, 1, worth.price.amount, worth.unit_cost, tax))
    return lines


def _cost_of_benefit(session: Session, offer: Offer) -> int:
    """What the benefit costs without tax, if it is used; 0 while only the bag will tell."""
    if offer.kind == "privilege":
        return offer.benefit_cost
    reckoning = reckon(session, offer)
    if offer.kind == "gift":
        gifts = [line for line in _lines(session, offer) if line.line_id == "the gift"]
        return sum(line.unit_cost for line in gifts)
    off = reckoning.off if reckoning else offer.amount
    return off - money.contained_tax(off, house().vat_basis_points)


def _percent(basis_points: int) -> str:
    """Basis points as a percentage with one decimal, rounded down."""
    sign = "−" if basis_points < 0 else ""
    whole, rest = divmod(abs(basis_points), 100)
    return f"{sign}{whole}.{rest // 10}"
