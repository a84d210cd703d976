"""How the house reached a person beside its outbox: calls, letters, visits, gifts; each with minutes and cost."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events
from store.errors import invalid, not_found
from store.events import Visitor
from store.people import Customer

CHANNELS: dict[str, str] = {
    "phone": "Telephone",
    "letter": "Letter",
    "visit": "Visit",
    "chat": "Chat",
    "gift": "Gift",
    "e-mail": "E-mail by hand",
}
DIRECTIONS: dict[str, str] = {"out": "from us", "in": "from the customer"}
MOST_MINUTES = 24 * 60
HIGHEST_COST = 100_000_00  # a typing mistake, not a contact


class Contact(SQLModel, table=True):
    """One contact that somebody of the house logged; mails of the shop stand in `message` with their own cost."""

    __tablename__ = "contact"

    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    channel: str
    direction: str
    minutes: int = 0
    cost: int = Field(default=0, sa_type=db.Minor)
    note: str = ""
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    at: datetime


def log(
    session: Session,
    staff: Visitor,
    customer_id: str,
    channel: str,
    *,
    direction: str = "out",
    minutes: int = 0,
    cost: int = 0,
    note: str = "",
) -> Contact:
    """Note a contact.

    Raises:
        ShopError: 404 unknown customer; 422 an unknown channel or direction, or figures out of range.
    """
    if session.get(Customer, customer_id) is None:
        raise not_found("customer")
    if channel not in CHANNELS:
        raise invalid("Please choose how the contact was made.", field="channel")
    if direction not in DIRECTIONS:
        raise invalid("Please say who reached whom.", field="direction")
    if not 0 <= minutes <= MOST_MINUTES:
        raise invalid("The minutes must lie between 0 and a day.", field="minutes")
    if not 0 <= cost <= HIGHEST_COST:
        raise invalid("The cost cannot be negative or beyond 100,000.", field="cost")
    contact = Contact(
        id=db.new_id("con"),
        customer_id=customer_id,
        channel=channel,
        direction=direction,
        minutes=minutes,
        cost=cost,
        note=note.strip()[:2000],
        staff_id=staff.staff_id,
        at=db.now(),
    )
    session.add(contact)
    facts = {"channel": channel, "direction": direction, "minutes": minutes, "cost": cost}
    events.record(session, staff, "contact", subject=contact.id, customer_id=customer_id, facts=facts)
    return contact


def of_customer(session: Session, customer_id: str) -> list[Contact]:
    """All logged contacts of a customer, oldest first."""
    statement = select(Contact).where(Contact.customer_id == customer_id).order_by(col(Contact.at), col(Contact.id))
    return list(session.exec(statement))
