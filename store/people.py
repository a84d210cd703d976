"""Who the customers and the staff are, how they are recognised, and what they consented to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from store import auth, db, events
from store.errors import ShopError, invalid
from store.events import NOBODY, Visitor

# Purposes a person may consent to; the text's version is stored with the answer.
PURPOSES: dict[str, str] = {
    "personalisation": "Remember what I look at and choose, to suggest what suits me.",
    "messages": "Write to me about pieces and offers meant for me.",
}
CONSENT_TEXT_VERSION = "2026-11"
ROLES = ("owner", "advisor", "workshop", "accountant")


class Customer(SQLModel, table=True):
    """A person the house knows; a guest is a customer whose address nobody has proved."""

    __tablename__ = "customer"

    id: str = Field(primary_key=True)
    name: str = ""
    email: str = Field(default="", index=True)  # lower case, as last given; proof stands in `identity`
    locale: str = "en"
    created_at: datetime
    verified_at: datetime | None = None
    merged_into_id: str | None = Field(default=None, foreign_key="customer.id")
    suggestions_off: bool = False
    synthetic: bool = False  # made by the demo history


class Identity(SQLModel, table=True):
    """A proved key by which a customer is recognised; it belongs to one customer only."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    kind: str  # email
    value: str
    verified_at: datetime


class Consent(SQLModel, table=True):
    """One answer to one purpose; append-only, the newest answer counts."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_customer_id_purpose_at", "customer_id", "purpose", "at"),)

    id: str = Field(primary_key=True)
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    session_id: str | None = Field(default=None, index=True)
    purpose: str
    granted: bool
    text_version: str
    source: str  # banner, account, registration, unsubscribe, browser signal
    at: datetime


class Staff(SQLModel, table=True):
    """A person who works for the house."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    name: str
    email: str = Field(unique=True)
    role: str  # one of ROLES
    created_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True)
class Verified:
    """What proving an address did: the customer, and the guests (same address) that became one with them."""

    customer_id: str
    joined: tuple[str, ...]


def normalise_email(text: str) -> str:
    """The address in the form it is compared by.

    Raises:
        ShopError: 422, it is not an address.
    """
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    ascii_domain = domain.encode("idna", "ignore").decode() if domain else ""
    if (
        not local
        or "." not in ascii_domain
        or len(email) > 254
        or any(char.isspace() or char in '<>,;"' for char in email)
    ):
        raise invalid("That does not look like an e-mail address.", field="email")
    return email


def find_by_email(session: Session, email: str) -> Customer | None:
    """The customer who proved this address."""
    return session.exec(
        select(Customer).join(Identity).where(Identity.kind == "email", Identity.value == email)
    ).first()


def new_customer(session: Session, email: str, name: str = "", *, synthetic: bool = False) -> Customer:
    """A customer who gave an address and has not proved it."""
    customer = Customer(
        id=db.new_id("cus"), name=name.strip()[:120], email=email, created_at=db.now(), synthetic=synthetic
    )
    session.add(customer)
    session.flush()
    return customer


def verify_email(session: Session, customer: Customer, email: str) -> Verified:
    """Record that the customer proved the address; guests who gave the same address become this customer.

    The caller moves what belongs to the joined guests (designs, orders, carts, events) to the customer.

    Raises:
        ShopError: 409, another customer proved this address before.
    """
    owner = find_by_email(session, email)
    if owner is not None and owner.id != customer.id:
        raise ShopError(409, "Address in use", "This address already belongs to an account. Please sign in with it.")
    if owner is None:
        session.add(
            Identity(id=db.new_id("idn"), customer_id=customer.id, kind="email", value=email, verified_at=db.now())
        )
    customer.verified_at = customer.verified_at or db.now()
    session.add(customer)
    guests = session.exec(
        select(Customer).where(
            Customer.email == email,
            Customer.id != customer.id,
            col(Customer.verified_at).is_(None),
            col(Customer.merged_into_id).is_(None),
        )
    ).all()
    for guest in guests:
        guest.merged_into_id = customer.id
        session.add(guest)
    session.flush()
    return Verified(customer.id, tuple(guest.id for guest in guests))


# -- consent ---------------------------------------------------------------------------------------------------------


def consents_of(session: Session, customer_id: str) -> frozenset[str]:
    """The purposes this customer consents to now; an opt-out among joined customers wins."""
    answers = session.exec(
        select(Consent).where(Consent.customer_id == customer_id).order_by(col(Consent.at), col(Consent.id))
    ).all()
    newest = {answer.purpose: answer.granted for answer in answers}
    return frozenset(purpose for purpose, granted in newest.items() if granted)


def answer_consent(
    session: Session, visitor: Visitor, purposes: Iterable[str], source: str, *, customer_id: str | None = None
) -> frozenset[str]:
    """Store the answer to all purposes (those given are granted, the others refused) where it changed."""
    wanted = frozenset(purposes) & frozenset(PURPOSES)
    customer_id = customer_id or visitor.customer_id
    before = consents_of(session, customer_id) if customer_id else visitor.consents
    first_time = not visitor.consent_asked
    for purpose in PURPOSES:
        granted = purpose in wanted
        if granted == (purpose in before) and not first_time:
            continue
        session.add(
            Consent(
                id=db.new_id("cns"),
                customer_id=customer_id,
                session_id=visitor.session_id,
                purpose=purpose,
                granted=granted,
                text_version=CONSENT_TEXT_VERSION,
                source=source,
                at=db.now(),
            )
        )
        kind = "consent-given" if granted else "consent-withdrawn"
        events.record(session, visitor, kind, customer_id=customer_id, facts={"purpose": purpose, "source": source})
    if visitor.session_id:
        row = auth.ensure_session(session, visitor.session_id)
        row.purposes, row.consent_asked = sorted(wanted), True
        session.add(row)
    session.flush()
    return wanted


# -- staff -----------------------------------------------------------------------------------------------------------


def new_staff(session: Session, name: str, email: str, role: str) -> Staff:
    """A new member of staff."""
    if role not in ROLES:
        raise invalid(f"The role must be one of {', '.join(ROLES)}.", field="role")
    staff = Staff(id=db.new_id("stf"), name=name, email=normalise_email(email), role=role, created_at=db.now())
    session.add(staff)
    session.flush()
    events.record(session, NOBODY, "staff-action", subject=staff.id, facts={"action": "staff added", "role": role})
    return staff
