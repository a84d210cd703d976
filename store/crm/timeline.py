"""One person's history in words: every event that concerns them, with what it is about and what it cost the house."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlmodel import Session, SQLModel, col, or_, select

from store.crm.contacts import CHANNELS, DIRECTIONS, Contact
from store.crm.offers import Offer
from store.events import Event
from store.mail import Message
from store.money import write
from store.people import PURPOSES, names_of_staff
from store.shop import catalog
from store.shop.designs import Design
from store.shop.orders import STATES, Order

# What the page can be narrowed down to: a name, and the beginnings of the kinds that belong to it.
FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("Everything", ("",)),
    "orders": ("Orders and payments", ("order-", "payment-", "refund-", "dispute-")),
    "offers": ("Offers", ("offer-",)),
    "messages": ("Messages and contacts", ("mail-", "contact")),
    "shop": ("In the shop", ("view", "choice", "unchoice", "suggestion-", "design-", "cart-")),
    "account": ("Account and consent", ("customer", "signed-", "consent-", "staff-")),
}
PAGE = 60  # events a page
BROWSING = ("view", "choice", "unchoice")  # many a day: told as one entry
TITLES: dict[str, str] = {
    "suggestion-shown": "Saw a suggestion",
    "suggestion-withheld": "Belongs to the control group: a suggestion was withheld",
    "suggestion-added": "Added a suggestion to the bag",
    "suggestion-declined": "Did not want a suggestion",
    "design-saved": "Saved a design",
    "design-forked": "Began a design from another",
    "cart-line-added": "Put into the bag",
    "cart-line-changed": "Changed the bag",
    "cart-line-removed": "Took out of the bag",
    "order-placed": "Placed an order",
    "order-paid": "Paid",
    "order-released": "Order released, because it was not paid in time",
    "order-cancelled": "Order cancelled",
    "order-stage": "Order moved on",
    "payment-opened": "Opened the payment page",
    "payment-requested": "A payment was asked for",
    "payment-received": "A payment arrived",
    "payment-failed": "A payment failed",
    "refund-asked": "A refund was asked for",
    "refund-made": "Refunded",
    "refund-failed": "A refund did not go through",
    "dispute-opened": "The payment was disputed at the bank",
    "dispute-closed": "The dispute was decided",
    "customer-registered": "Opened an account",
    "customer-verified": "Proved the e-mail address",
    "customers-joined": "An earlier guest was recognised as this customer",
    "signed-in": "Signed in",
    "signed-out": "Signed out",
    "consent-given": "Agreed",
    "consent-withdrawn": "Did not agree",
    "contact": "Contact",
    "mail-queued": "Mail",
    "offer-drafted": "Offer drafted",
    "offer-sent": "Offer sent",
    "offer-seen": "Looked at the offer",
    "offer-accepted": "Accepted the offer",
    "offer-declined": "Declined the offer",
    "offer-redeemed": "Redeemed the offer",
    "offer-restored": "Offer given back",
    "offer-expired": "Offer ended unused",
    "offer-withdrawn": "Offer withdrawn",
    "taste-forgotten": "Had something forgotten that was known of their taste",
    "staff-viewed": "Staff opened this page",
    "staff-action": "Staff action",
}


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; `cost` in minor units, 0 for what costs nothing."""

    at: datetime
    kind: str
    title: str
    text: str = ""
    cost: int = 0
    href: str = ""


@dataclass(frozen=True)
class _Known:
    """The rows that the entries speak of, read at once."""

    orders: dict[str, Order]
    offers: dict[str, Offer]
    designs: dict[str, Design]
    messages: dict[str, Message]
    contacts: dict[str, Contact]
    staff: dict[str, str]
    pieces: dict[str, str]


@dataclass(frozen=True)
class Page:
    """A page of the timeline, and whether earlier entries follow."""

    entries: list[Entry]
    number: int
    more: bool


def of_customer(session: Session, customer_id: str, narrow: str = "all", page: int = 1) -> Page:
    """The customer's entries, newest first; browsing of one day is one entry.

    Args:
        narrow: a key of `FILTERS`; an unknown one shows everything.
        page: from 1; each holds the entries of `PAGE` events.
    """
    page = max(page, 1)
    kinds = FILTERS.get(narrow, FILTERS["all"])[1]
    statement = (
        select(Event)
        .where(Event.customer_id == customer_id, or_(*(col(Event.kind).startswith(kind) for kind in kinds)))
        .order_by(col(Event.at).desc(), col(Event.id).desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    found = list(session.exec(statement))
    rows = found[:PAGE]
    known = _known(session, rows)
    entries: list[Entry] = []
    for (browsing, _), group in groupby(rows, key=lambda row: (row.kind in BROWSING, row.at.date())):
        part = list(group)
        entries += [_browsing(part, known)] if browsing else [_entry(row, known) for row in part]
    return Page(entries, page, len(found) > PAGE)


def of_order(session: Session, order: Order) -> list[Entry]:
    """What happened to one order, oldest first; a stage is told once, with its reason."""
    rows = session.exec(
        select(Event)
        .where(Event.subject == order.id, Event.kind != "staff-action")
        .order_by(col(Event.at), col(Event.id))
    ).all()
    names = names_of_staff(session, (row.staff_id for row in rows))
    entries = []
    for row in rows:
        stage = STATES.get(str(row.facts.get("stage", "")))
        parts = [str(row.facts.get("note") or row.facts.get("reason") or ""), names.get(row.staff_id or "", "")]
        entries.append(
            Entry(row.at, row.kind, stage or TITLES.get(row.kind, row.kind), " — ".join(part for part in parts if part))
        )
    return entries


def _known(session: Session, rows: Sequence[Event]) -> _Known:
    subjects = {row.subject for row in rows if row.subject}
    messages = _by_id(session, Message, subjects, "msg_")
    return _Known(
        orders=_by_id(session, Order, subjects, "ord_"),
        offers=_by_id(session, Offer, subjects, "off_"),
        designs=_by_id(session, Design, subjects, "dsg_"),
        messages=messages,
        contacts=_by_id(session, Contact, subjects, "con_"),
        staff=names_of_staff(session, (row.staff_id for row in rows)),
        pieces={item.slug: item.name for item in catalog.listing(session)},
    )


def _by_id(session: Session, table: Any, subjects: Iterable[str], prefix: str) -> dict[str, Any]:
    wanted = [subject for subject in subjects if subject.startswith(prefix)]
    if not wanted:
        return {}
    rows: list[SQLModel] = list(session.exec(select(table).where(table.id.in_(wanted))))
    return {row.id: row for row in rows}  # type: ignore[attr-defined]


def _browsing(rows: Sequence[Event], known: _Known) -> Entry:
    """A day's looking and choosing, told in one line."""
    parts = []
    looked = [row for row in rows if row.kind == "view"]
    chose = [row for row in rows if row.kind != "view"]
    for verb, part in (("Looked at", looked), ("Chose in", chose)):
        pieces = sorted({known.pieces.get(row.product or "", "") for row in part} - {""})
        if part:
            times = f"{len(part)} page{'s' if len(part) > 1 else ''}" if part is looked else f"{len(part)} times"
            parts.append(f"{verb} {', '.join(pieces)} ({times})" if pieces else f"{verb} {times}")
    return Entry(at=rows[0].at, kind="browsing", title="In the shop", text=". ".join(parts))


def _entry(row: Event, known: _Known) -> Entry:
    title = TITLES.get(row.kind, row.kind.replace("-", " ").capitalize())
    subject, facts = row.subject or "", row.facts
    piece = known.pieces.get(row.product or "", "")
    cost = int(facts.get("cost", 0)) if row.kind in ("mail-queued", "contact") else 0
    text, href = piece, ""
    if order := known.orders.get(subject):
        stage = STATES.get(str(facts.get("stage")))
        title = f"{title}: {stage.lower()}" if stage and row.kind == "order-stage" else title
        text, href = f"{order.number} · {write(order.total, order.currency)}", f"/office/orders/{order.number}"
    elif offer := known.offers.get(subject):
        text, href = offer.label.removeprefix("For you: "), f"/office/offers/{offer.id}"
    elif design := known.designs.get(subject):
        text, href = f"{piece or design.slug} · {design.code}", f"/designs/{design.code}"
    elif message := known.messages.get(subject):
        text = message.subject
    elif contact := known.contacts.get(subject):
        title = f"{CHANNELS[contact.channel]}, {DIRECTIONS[contact.direction]}"
        minutes = f"{contact.minutes} min" if contact.minutes else ""
        text = " · ".join(part for part in (minutes, contact.note) if part)
    elif row.kind.startswith("consent-"):
        text = PURPOSES.get(str(facts.get("purpose")), str(facts.get("purpose", "")))
    elif row.kind == "staff-action":
        text = " · ".join(str(facts[key]) for key in ("action", "reason") if facts.get(key))
    by = known.staff.get(row.staff_id or "")
    if by and row.kind != "staff-viewed":
        text = f"{text} — {by}" if text else by
    elif by:
        title = f"{by} opened this page"
    return Entry(row.at, row.kind, title, text, cost, href)
