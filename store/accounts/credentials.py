"""Passwords and addresses of accounts: proving them, setting them anew by a signed link, changing them."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from store import auth, db, events, links, mail, people, privacy
from store.auth import Credential
from store.errors import ShopError, refused
from store.events import Visitor
from store.people import Customer, Identity
from store.shop.designs import Design
from store.shop.orders import Order, OrderLine

RESET_LIFE = timedelta(hours=1)
ADDRESS_LIFE = timedelta(days=1)
MAILS_PER_ADDRESS = "6/hour"  # so that nobody fills another person's mailbox with our words


@dataclass(frozen=True)
class Proof:
    """What a try to sign in came to; `locked` says that this address had too many tries, known or not."""

    credential: Credential | None
    locked: bool


def prove(email: str, password: str) -> Proof:
    """Check a password; takes the same steps and the same time whether the address is known or not.

    Hashing lies between two short transactions: it takes 0.1 s, and nobody else should wait for it.
    """
    email = email.strip().lower()
    with db.transaction() as session:
        allowed = auth.count_try(session, try_key(email))
        known = session.get(Credential, email)
    right = auth.check_password(password, known.password_hash if known and allowed else None)
    return Proof(known if right else None, not allowed)


def try_key(email: str, of: str = "password") -> str:
    """Under which key tries for this address are counted."""
    return links.digest(f"try-{of}", email)


def password_problem(password: str, *about: str) -> str | None:
    """Why a password cannot be taken, in a sentence; None when it can."""
    if len(password) < auth.SHORTEST_PASSWORD:
        return f"Please choose a password of at least {auth.SHORTEST_PASSWORD} characters; a sentence is a good one."
    if len(password) > auth.LONGEST_PASSWORD:
        return f"Please choose a password of at most {auth.LONGEST_PASSWORD} characters."
    plain = password.strip().lower()
    if len(set(plain)) < 4 or plain in {text.strip().lower() for text in about if text}:
        return "That password is too easy to guess. Please choose another."
    return None


def set_password(
    session: Session, email: str, password_hash: str, *, customer_id: str | None = None, staff_id: str | None = None
) -> Credential:
    """Give a customer or a member of staff a way to sign in with this address (or a new password).

    Args:
        password_hash: from `auth.hash_password`, made outside of the transaction.
    """
    known = session.get(Credential, email)
    if known is None:
        known = Credential(email=email, password_hash=password_hash, changed_at=db.now())
    known.password_hash, known.changed_at = password_hash, db.now()
    known.customer_id = customer_id or known.customer_id
    known.staff_id = staff_id or known.staff_id
    session.add(known)
    session.flush()
    return known


# -- a new password --------------------------------------------------------------------------------------------------


def ask_reset(session: Session, email: str) -> None:
    """Write to the address: a link to set a new password, or that there is no account; the asker sees no difference."""
    if not auth.within(MAILS_PER_ADDRESS, "mail", try_key(email, "mail")):
        return
    credential = session.get(Credential, email)
    key = db.new_id("rst")
    if credential is None:
        context = {"register": links.absolute("/register")}
        mail.queue(session, "no-account", email, context, dedupe_key=f"no-account:{key}")
        return
    token = [email, _mark(credential)]
    context = {"address": links.signed("/reset-password", "reset", token)}
    mail.queue(session, "reset", email, context, dedupe_key=f"reset:{key}", customer_id=credential.customer_id)


def reset_target(session: Session, token: str) -> Credential:
    """The account whose password a link sets.

    Raises:
        ShopError: 403, the link is forged, too old, or was used.
    """
    email, mark = links.read("reset", token, RESET_LIFE)
    credential = session.get(Credential, email)
    if credential is None or _mark(credential) != mark:
        raise ShopError(403, "Link used", "This link has been used. Please ask for a new one if you need it.")
    return credential


def reset(session: Session, token: str, password_hash: str) -> Credential:
    """Set a new password by a link, once; all sessions of the account end.

    Raises:
        ShopError: 403, the link is forged, too old, or was used.
    """
    credential = reset_target(session, token)
    before = credential.changed_at
    changed = session.execute(
        update(Credential)
        .where(col(Credential.email) == credential.email, col(Credential.changed_at) == before)
        .values(password_hash=password_hash, changed_at=db.now())
        .returning(col(Credential.email))
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:  # two at once with the same link: one set it
        raise ShopError(403, "Link used", "This link has been used. Please ask for a new one if you need it.")
    session.refresh(credential)
    auth.forget_tries(session, try_key(credential.email))
    _end_sessions(session, credential)
    _tell_password_changed(session, credential)
    return credential


def change_password(session: Session, credential: Credential, password_hash: str, session_id: str) -> None:
    """Set a new password from the account; all other sessions end."""
    set_password(session, credential.email, password_hash)
    auth.forget_tries(session, try_key(credential.email))
    _end_sessions(session, credential, but=session_id)
    _tell_password_changed(session, credential)


def _tell_password_changed(session: Session, credential: Credential) -> None:
    context = {"reset": links.absolute("/reset-password")}
    key = f"password-changed:{credential.email}:{credential.changed_at.isoformat()}"
    mail.queue(
        session,
        "password-changed",
        credential.email,
        context,
        dedupe_key=links.digest("dedupe", key),
        customer_id=credential.customer_id,
    )


def _end_sessions(session: Session, credential: Credential, but: str | None = None) -> None:
    if credential.customer_id:
        auth.end_sessions(session, customer_id=credential.customer_id, but=but)
    if credential.staff_id:
        auth.end_sessions(session, staff_id=credential.staff_id, but=but)


def _mark(credential: Credential) -> str:
    """Changes with every change of the password, so that a link works once."""
    return links.digest("reset-mark", f"{credential.email}:{credential.changed_at.timestamp()}")[:32]


# -- a new address ---------------------------------------------------------------------------------------------------


def credential_of(session: Session, customer_id: str) -> Credential:
    """How this customer signs in.

    Raises:
        ShopError: 409, they never chose a password.
    """
    customer = session.get_one(Customer, customer_id)
    credential = session.get(Credential, customer.email)
    if credential is None or credential.customer_id != customer_id:
        raise refused("This account has no password yet. Please choose one through \u201cForgotten password\u201d.")
    return credential


def of_staff(session: Session, staff_id: str) -> Credential:
    """How this member of staff signs in."""
    return session.exec(select(Credential).where(Credential.staff_id == staff_id)).one()


def ask_address_change(session: Session, customer: Customer, new_email: str) -> None:
    """Write to the new address; it counts once the link in that mail is followed."""
    if not auth.within(MAILS_PER_ADDRESS, "mail", try_key(new_email, "mail")):
        return
    token = [customer.id, customer.email, new_email]
    context = {"name": customer.name, "address": links.signed("/account/address", "address", token)}
    key = f"address:{db.new_id('adr')}"
    mail.queue(session, "address", new_email, context, dedupe_key=key, customer_id=customer.id)


def read_address_change(visitor: Visitor, token: str) -> tuple[str, str]:
    """The old and the new address of a link, for the customer who asked for it.

    Raises:
        ShopError: 403, the link is forged, too old, or another customer's.
    """
    customer_id, old, new = links.read("address", token, ADDRESS_LIFE)
    if customer_id != visitor.customer_id:
        raise ShopError(403, "Link not valid", "This link belongs to another account.")
    return old, new


def change_address(session: Session, visitor: Visitor, token: str) -> Customer:
    """Take the new address as proved; the old one is told, and guests with the new one join.

    Raises:
        ShopError: 403, the link is not valid or was used; 409, another account has this address.
    """
    old, new = read_address_change(visitor, token)
    customer = session.get_one(Customer, visitor.customer_id)
    if customer.email != old:
        raise ShopError(403, "Link used", "This link has been used.")
    if session.get(Credential, new) is not None:
        raise ShopError(409, "Address in use", "Another account signs in with this address.")
    proved = people.verify_email(session, customer, new)
    session.execute(
        update(Credential)
        .where(col(Credential.email) == old, col(Credential.customer_id) == customer.id)
        .values(email=new)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(Identity).where(
            col(Identity.customer_id) == customer.id, col(Identity.kind) == "email", col(Identity.value) == old
        )
    )
    customer.email = new
    session.add(customer)
    session.flush()
    join(session, visitor, customer.id, proved.joined)
    mail.queue(
        session,
        "address-changed",
        old,
        {"name": customer.name},
        dedupe_key=f"address-changed:{db.new_id('adr')}",
        customer_id=customer.id,
    )
    return customer


def join(session: Session, visitor: Visitor, customer_id: str, guests: tuple[str, ...]) -> dict[str, list[str]]:
    """Move what belonged to joined guests, and remember which rows, so that it could be undone; returns them."""
    if not guests:
        return {}
    moved = privacy.move(session, guests, customer_id)
    ordered = select(OrderLine.design_id).join(Order).where(Order.customer_id == customer_id)
    designs = session.execute(  # a guest's designs are kept by the browser; the ordered ones are surely theirs
        update(Design)
        .where(col(Design.id).in_(ordered), col(Design.customer_id).is_(None))
        .values(customer_id=customer_id)
        .returning(col(Design.id))
        .execution_options(synchronize_session=False)
    )
    moved["design"] = sorted({*moved.get("design", []), *designs.scalars()})
    session.expire_all()
    facts = {"guests": list(guests), "moved": moved}
    events.record(session, visitor, "customers-joined", subject=customer_id, customer_id=customer_id, facts=facts)
    return moved
