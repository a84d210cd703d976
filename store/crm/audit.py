"""What members of staff did: the events that carry their id, newest first; every action appends one."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store import events
from store.crm.timeline import TITLES
from store.events import Event, Visitor
from store.people import names_of_staff
from store.shop.orders import Order

PAGE = 100
LONGEST = 300  # characters of a reason
LOOKING = ("staff-viewed", "signed-in", "signed-out")  # looked at, nothing done


@dataclass(frozen=True)
class Deed:
    """One action of a member of staff."""

    at: datetime
    who: str
    what: str
    why: str
    number: str  # of the order it was about, if it was


@dataclass(frozen=True)
class Deeds:
    """A page of them."""

    deeds: list[Deed]
    page: int
    more: bool


def note(session: Session, staff: Visitor, order: Order, action: str, reason: str, **facts: str) -> None:
    """Append what a member of staff did about an order, and why."""
    told = {"action": action, "reason": reason.strip()[:LONGEST], **facts}
    events.record(session, staff, "staff-action", subject=order.id, customer_id=order.customer_id, facts=told)


def listing(session: Session, page: int = 1) -> Deeds:
    """What staff did, the newest first."""
    page = max(page, 1)
    statement = (
        select(Event)
        .where(col(Event.staff_id).is_not(None), col(Event.kind).not_in(LOOKING))
        .order_by(col(Event.at).desc(), col(Event.id).desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    found = list(session.exec(statement).all())
    rows = found[:PAGE]
    names = names_of_staff(session, (row.staff_id for row in rows))
    subjects = [row.subject for row in rows if row.subject]
    numbers = dict(session.exec(select(Order.id, Order.number).where(col(Order.id).in_(subjects))).all())
    deeds = [
        Deed(
            at=row.at,
            who=names.get(row.staff_id or "", row.staff_id or ""),
            what=str(row.facts.get("action") or TITLES.get(row.kind, row.kind.replace("-", " ").capitalize())),
            why=str(row.facts.get("reason") or row.facts.get("note") or ""),
            number=numbers.get(row.subject or "", ""),
        )
        for row in rows
    ]
    return Deeds(deeds, page, len(found) > PAGE)
