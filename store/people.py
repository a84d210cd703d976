"""Who the customers and the staff are, how they are recognised, and what they consented to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import auth, db, events, links
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
    erased_at: datetime | None = None  # closed: what is left is the books'
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


class Suppression(SQLModel, table=True):
    """An address that is not written to with messages again, kept as a keyed hash: it outlives the person's data."""

    __tablename__ = "suppression"

    address_hash: str = Field(primary_key=True)
    reason: str  # account closed
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
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = ""  # an empty or overlong label
    strange = any(char.isspace() or not char.isprintable() or char in '<>,;:"()[]\\' for char in email)
    if not local or "." not in ascii_domain or "@" in local or len(email) > 254 or len(local) > 64 or strange:
        raise invalid("That does not look like an e-mail address.", field="email")
    return f"{local}@{ascii_domain}"


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
    db.insert_row(session, Customer, customer.model_dump())
    return db.attach(session, customer)


def verify_email(session: Session, customer: Customer, email: str) -> Verified:
    """Record that the customer proved the address; guests who gave the same address become this customer.

    The caller moves what belongs to the joined guests (designs, orders, events) to the customer.

    Raises:
        ShopError: 409, another customer proved this address before.
    """
    row = {"id": db.new_id("idn"), "customer_id": customer.id, "kind": "email", "value": email, "verified_at": db.now()}
    db.insert_once(session, Identity, row, unique=("kind", "value"))
    owner = find_by_email(session, email)
    if owner is None or owner.id != customer.id:
        raise ShopError(409, "Address in use", "This address already belongs to an account. Please sign in with it.")
    customer.verified_at = customer.verified_at or db.now()
    session.add(customer)
    session.flush()
    return Verified(customer.id, join_guests(session, customer.id, email))


def join_guests(session: Session, customer_id: str, email: str) -> tuple[str, ...]:
    """Guests who gave this address become the customer who proved it; two people who proved theirs never do."""
    joined = session.execute(
        update(Customer)
        .where(
            col(Customer.email) == email,
            col(Customer.id) != customer_id,
            col(Customer.verified_at).is_(None),
            col(Customer.merged_into_id).is_(None),
        )
        .values(merged_into_id=customer_id)
        .returning(col(Customer.id))
    )
    guests = tuple(sorted(joined.scalars()))
    for guest in guests:
        _keep_refusals(session, guest, customer_id)
    return guests


# -- consent ---------------------------------------------------------------------------------------------------------


def answers_of(session: Session, customer_id: str) -> dict[str, Consent]:
    """The newest answer of this customer to each purpose that was asked."""
    answers = session.exec(
        select(Consent).where(Consent.customer_id == customer_id).order_by(col(Consent.at), col(Consent.id))
    )
    return {answer.purpose: answer for answer in answers}


def history_of(session: Session, customer_id: str) -> list[Consent]:
    """Every answer this customer ever gave, the newest first."""
    statement = select(Consent).where(Consent.customer_id == customer_id)
    return list(session.exec(statement.order_by(col(Consent.at).desc(), col(Consent.id).desc())))


def consents_of(session: Session, customer_id: str) -> frozenset[str]:
    """The purposes this customer consents to now."""
    return frozenset(purpose for purpose, answer in answers_of(session, customer_id).items() if answer.granted)


def consenting(session: Session, purpose: str) -> frozenset[str]:
    """The customers who consent to a purpose now."""
    statement = select(Consent.customer_id, Consent.granted).where(Consent.purpose == purpose)
    newest = dict(session.exec(statement.order_by(col(Consent.at), col(Consent.id))).all())
    return frozenset(customer_id for customer_id, granted in newest.items() if customer_id and granted)


def may_write(session: Session, customer_id: str, purpose: str) -> bool:
    """Whether a mail of this purpose may leave now: consent stands and the address is not suppressed."""
    customer = session.get(Customer, customer_id)
    if customer is None or customer.erased_at is not None or customer.merged_into_id is not None:
        return False
    suppressed = session.get(Suppression, links.digest("suppression", customer.email)) is not None
    return not suppressed and purpose in consents_of(session, customer_id)


def answer_consent(
    session: Session,
    visitor: Visitor,
    purposes: Iterable[str],
    source: str,
    *,
    customer_id: str | None = None,
    over: Iterable[str] = PURPOSES,
) -> frozenset[str]:
    """Store the answer to purposes (those given are granted, the others refused) where it is new; valid at once.

    Args:
        over: the purposes that were asked about; answers to the others stand.

    Returns:
        The purposes consented to now.
    """
    wanted = frozenset(purposes) & frozenset(PURPOSES)
    customer_id = customer_id or visitor.customer_id
    before = _answers_before(session, visitor, customer_id)
    after = {purpose for purpose, granted in before.items() if granted}
    for purpose in (name for name in PURPOSES if name in frozenset(over)):
        signal = visitor.opted_out and purpose == "personalisation"  # the browser's own refusal stands above a click
        granted = purpose in wanted and not signal
        (after.add if granted else after.discard)(purpose)
        if before.get(purpose) != granted:
            _append(session, visitor, customer_id, purpose, granted, "browser signal" if signal else source)
    if visitor.session_id:
        row = auth.ensure_session(session, visitor.session_id)
        row.purposes, row.consent_asked = sorted(after), True
        session.add(row)
    session.flush()
    return frozenset(after)


def _answers_before(session: Session, visitor: Visitor, customer_id: str | None) -> dict[str, bool]:
    if customer_id:
        return {purpose: answer.granted for purpose, answer in answers_of(session, customer_id).items()}
    return {purpose: purpose in visitor.consents for purpose in PURPOSES} if visitor.consent_asked else {}


def _append(
    session: Session, visitor: Visitor, customer_id: str | None, purpose: str, granted: bool, source: str
) -> None:
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


def end_consent(session: Session, customer_id: str, purpose: str, source: str) -> None:
    """Withdraw one purpose for a customer who need not be signed in; a second time changes nothing."""
    if purpose in consents_of(session, customer_id):
        _append(session, NOBODY, customer_id, purpose, False, source)
        session.flush()


def carry_refusals(session: Session, visitor: Visitor, customer_id: str) -> list[str]:
    """At sign-in: what this browser refused (or signals) ends for the account as well; an opt-out wins."""
    granted = consents_of(session, customer_id)
    refused = set(PURPOSES) - visitor.consents if visitor.consent_asked else set()
    if visitor.opted_out:
        refused.add("personalisation")
    ended = sorted(granted & refused)
    if ended:
        answer_consent(session, visitor, (), "refused in this browser", customer_id=customer_id, over=ended)
    return ended


def _keep_refusals(session: Session, guest_id: str, customer_id: str) -> None:
    guest = answers_of(session, guest_id)
    own = consents_of(session, customer_id)
    for purpose in sorted(own):
        if purpose in guest and not guest[purpose].granted:
            _append(session, NOBODY, customer_id, purpose, False, "refused as a guest")


def suppress(session: Session, email: str, reason: str) -> None:
    """Never write messages to this address again, whoever brings it back, until its owner asks for them anew."""
    row = {"address_hash": links.digest("suppression", email), "reason": reason, "at": db.now()}
    db.insert_once(session, Suppression, row, unique=("address_hash",), returning="address_hash")


def lift_suppression(session: Session, email: str) -> None:
    """Its owner proved the address and asked for messages."""
    row = session.get(Suppression, links.digest("suppression", email))
    if row is not None:
        session.delete(row)
        session.flush()


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


def names_of_staff(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """The names of members of staff, by id."""
    wanted = sorted({staff_id for staff_id in ids if staff_id})
    if not wanted:
        return {}
    return {staff.id: staff.name for staff in session.exec(select(Staff).where(col(Staff.id).in_(wanted)))}
