"""Opening an account: nothing is known of a person until they have proved the address they gave.

A registration waits beside the customers. Whoever only knows an address can neither take what its owner ordered as a
guest, nor learn whether it has an account: the answer is always a mail to that address.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col

from store import auth, db, events, links, mail, people
from store.accounts import credentials
from store.auth import Credential
from store.errors import ShopError
from store.events import Visitor
from store.people import Customer

VERIFY_LIFE = timedelta(days=3)
CLAIM_LIFE = timedelta(days=60)


class Registration(SQLModel, table=True):
    """Somebody's wish for an account, until the link in the mail is followed."""

    __tablename__ = "registration"

    id: str = Field(primary_key=True)
    email: str = Field(index=True)
    name: str
    password_hash: str
    purposes: list[str] = Field(default_factory=list, sa_type=db.Document)
    session_id: str | None = None
    next_path: str = "/account"
    created_at: datetime
    used_at: datetime | None = None


def register(
    session: Session,
    visitor: Visitor,
    *,
    email: str,
    name: str,
    password_hash: str,
    purposes: frozenset[str],
    next_path: str = "/account",
) -> None:
    """Ask for an account; the same is done and shown whether the address has one or not."""
    wish = Registration(
        id=db.new_id("reg"),
        email=email,
        name=name.strip()[:120],
        password_hash=password_hash,
        purposes=sorted(purposes),
        session_id=visitor.session_id,
        next_path=next_path,
        created_at=db.now(),
    )
    known = session.get(Credential, email)
    if known is not None:
        wish.used_at, wish.password_hash = db.now(), ""
    session.add(wish)
    session.flush()
    if not auth.within(credentials.MAILS_PER_ADDRESS, "mail", credentials.try_key(email, "mail")):
        return
    if known is not None:
        context = {"sign_in": links.absolute("/sign-in"), "reset": links.absolute("/reset-password")}
        mail.queue(session, "account-exists", email, context, dedupe_key=f"account-exists:{wish.id}")
        return
    context = {"name": wish.name, "address": links.signed("/verify", "verify", wish.id)}
    mail.queue(session, "verify", email, context, dedupe_key=f"verify:{wish.id}")


def waiting(session: Session, token: str) -> Registration:
    """The registration that a link belongs to.

    Raises:
        ShopError: 403, the link is forged, too old, or was used.
    """
    wish = session.get(Registration, links.read("verify", token, VERIFY_LIFE))
    if wish is None or wish.used_at is not None:
        raise ShopError(403, "Link used", "This link has been used already. Please sign in with your password.")
    return wish


def confirm(session: Session, visitor: Visitor, wish: Registration) -> Credential:
    """The address is proved: make the account, once.

    The caller has made sure that the same person asked: the same browser's session, or the password.

    Raises:
        ShopError: 403, the link was used; 409, the address got an account in the meantime.
    """
    password_hash = wish.password_hash
    used = session.execute(
        update(Registration)
        .where(col(Registration.id) == wish.id, col(Registration.used_at).is_(None))
        .values(used_at=db.now(), password_hash="")
        .returning(col(Registration.id))
        .execution_options(synchronize_session=False)
    ).first()
    if used is None:
        raise ShopError(403, "Link used", "This link has been used already. Please sign in with your password.")
    return _open(session, visitor, wish.email, wish.name, password_hash, frozenset(wish.purposes))


def _open(
    session: Session, visitor: Visitor, email: str, name: str, password_hash: str, purposes: frozenset[str]
) -> Credential:
    if session.get(Credential, email) is not None:
        raise ShopError(409, "Address in use", "This address already belongs to an account. Please sign in with it.")
    customer = people.find_by_email(session, email) or people.new_customer(session, email, name)
    if name and not customer.name:
        customer.name = name.strip()[:120]
    events.record(session, visitor, "customer-registered", subject=customer.id, customer_id=customer.id)
    proved = people.verify_email(session, customer, email)
    events.record(session, visitor, "customer-verified", subject=customer.id, customer_id=customer.id)
    credentials.join(session, visitor, customer.id, proved.joined)
    credential = credentials.set_password(session, email, password_hash, customer_id=customer.id)
    people.answer_consent(session, visitor, purposes, "registration", customer_id=customer.id)
    if "messages" in purposes:
        people.lift_suppression(session, email)
    context = {"name": customer.name, "account": links.absolute("/account")}
    mail.queue(session, "welcome", email, context, dedupe_key=f"welcome:{customer.id}", customer_id=customer.id)
    return credential


# -- a guest keeps what they ordered ---------------------------------------------------------------------------------


def claim_link(customer: Customer) -> str:
    """The address, for a mail to a guest only, where they keep their orders in an account; the mail proves theirs."""
    return links.signed("/claim", "claim", [customer.id, customer.email])


def claimed(session: Session, token: str) -> Customer:
    """The guest that a link belongs to.

    Raises:
        ShopError: 403, the link is forged or too old; 409, there is an account.
    """
    customer_id, email = links.read("claim", token, CLAIM_LIFE)
    guest = session.get(Customer, customer_id)
    if session.get(Credential, email) is not None:
        raise ShopError(409, "Account exists", "This address has an account. Please sign in: your orders are in it.")
    if guest is None or guest.email != email:
        raise ShopError(403, "Link not valid", "This link is not valid any more.")
    return guest


def claim(
    session: Session, visitor: Visitor, token: str, *, name: str, password_hash: str, purposes: frozenset[str]
) -> Credential:
    """Make a guest's account; the link came to their address, so the address is proved.

    Raises:
        ShopError: 403, the link is forged or too old; 409, there is an account.
    """
    guest = claimed(session, token)
    return _open(session, visitor, guest.email, name or guest.name, password_hash, purposes)
