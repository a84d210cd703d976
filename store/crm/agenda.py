"""What the house should look at next: what waits, what ends, and who began something and heard nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, func, select

from store import db
from store.crm.offers import OPEN, Offer
from store.people import Consent, Customer
from store.shop import vat_checks
from store.shop.catalog import PublishedModel
from store.shop.designs import Design
from store.shop.orders import Order, OrderLine
from store.tasks import Task

SOON = timedelta(days=3)
LATELY = timedelta(days=45)
MOST_OPEN_DESIGNS = 8


@dataclass(frozen=True)
class Todo:
    """One thing to do; `needs` is the right that a member of staff must have to do it."""

    count: int
    text: str
    href: str
    needs: str


@dataclass(frozen=True)
class OpenDesign:
    """A design that somebody kept and did not order."""

    customer: Customer
    design: Design
    may_write: bool


def todo(session: Session) -> list[Todo]:
    """What waits for somebody of the house; nothing is listed that does not."""
    found = [
        Todo(
            _count(session, Order, Order.state == "paid"),
            "paid and waiting for the bench",
            "/office/orders?state=paid",
            "see orders",
        ),
        Todo(
            _count(
                session,
                Order,
                col(Order.state).in_(("paid", "in-production", "ready")),
                Order.promised_by < db.now().date(),
            ),
            "later than promised",
            "/office/orders?state=in-production",
            "see orders",
        ),
        Todo(
            _count(session, Offer, Offer.state == "draft"),
            "offers drafted and not sent",
            "/office/offers?state=draft",
            "make offers",
        ),
        Todo(
            _count(
                session,
                Offer,
                col(Offer.state).in_(OPEN),
                Offer.expires_at > db.now(),
                Offer.expires_at < db.now() + SOON,
            ),
            "offers ending within three days",
            "/office/offers?state=sent",
            "see offers",
        ),
        Todo(
            len(_findings(session)),
            "products with findings about their rules",
            "/office/products",
            "see products",
        ),
        Todo(
            len(vat_checks.open_ones(session)),
            "VAT IDs of orders without VAT that are not valid",
            "/office/books",
            "see books",
        ),
        Todo(
            _count(session, Task, Task.state == "failed"),
            "tasks that failed and wait for a person",
            "",
            "see the office",
        ),
    ]
    return [item for item in found if item.count]


def open_designs(session: Session) -> list[OpenDesign]:
    """Designs of known customers kept lately and never ordered, by price; nobody with an open offer is listed."""
    ordered = select(OrderLine.design_id).where(OrderLine.design_id == Design.id).correlate(Design).exists()
    offered = (
        select(Offer.id)
        .where(Offer.customer_id == Design.customer_id, col(Offer.state).in_(("draft", *OPEN)))
        .correlate(Design)
        .exists()
    )
    statement = (
        select(Design, Customer)
        .join(Customer, col(Customer.id) == col(Design.customer_id))
        .where(Design.source == "customer", Design.created_at > db.now() - LATELY, ~ordered, ~offered)
        .order_by(col(Design.price).desc(), col(Design.id))
        .limit(MOST_OPEN_DESIGNS * 3)
    )
    rows = session.exec(statement).all()
    first: dict[str, tuple[Design, Customer]] = {}
    for design, customer in rows:
        first.setdefault(customer.id, (design, customer))
    shown = list(first.values())[:MOST_OPEN_DESIGNS]
    willing = _willing(session, [customer.id for _, customer in shown])
    return [OpenDesign(customer, design, customer.id in willing) for design, customer in shown]


def is_empty(session: Session) -> bool:
    """Whether nobody has come yet."""
    return session.exec(select(Customer.id).limit(1)).first() is None


def _willing(session: Session, customer_ids: Sequence[str]) -> set[str]:
    """Who agreed to messages, by their newest answer."""
    answers = session.exec(
        select(Consent.customer_id, Consent.granted)
        .where(col(Consent.customer_id).in_(customer_ids), Consent.purpose == "messages")
        .order_by(col(Consent.at), col(Consent.id))
    ).all()
    newest = dict(answers)
    return {customer_id for customer_id, granted in newest.items() if granted and customer_id}


def _findings(session: Session) -> list[str]:
    rows = session.exec(select(PublishedModel.slug, PublishedModel.findings).where(col(PublishedModel.current))).all()
    return [slug for slug, findings in rows if findings]


def _count(session: Session, table: type[Order | Offer | Task], *conditions: object) -> int:
    return session.exec(select(func.count()).select_from(table).where(*conditions)).one()  # type: ignore[arg-type]
