"""What signing in does: the session becomes the person's, and what they did before comes along."""

from dataclasses import dataclass, replace

from sqlmodel import Session

from store import auth, db, events, people, privacy
from store.accounts import credentials
from store.auth import Credential, WebSession
from store.events import Visitor
from store.people import Customer
from store.shop import carts, designs


@dataclass(frozen=True)
class Arrival:
    """What came along at sign-in, for the sentence that tells it."""

    name: str
    designs: int = 0
    bag_lines: int = 0
    orders: int = 0
    ended_consents: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What the person reads after signing in."""
        words = [f"Welcome, {self.name}." if self.name else "Welcome."]
        brought = []
        if self.designs:
            brought.append("your design" if self.designs == 1 else f"your {self.designs} designs")
        if self.orders:
            brought.append("your order" if self.orders == 1 else f"your {self.orders} orders")
        if brought:
            words.append(f"We have put {' and '.join(brought)} into your account.")
        if self.bag_lines:
            words.append("What lay in your bag before lies in it again.")
        if self.ended_consents:
            ended = " and ".join(self.ended_consents)
            words.append(
                f"As you declined it in this browser, we have ended your consent to {ended}; "
                "you can give it again under Privacy choices."
            )
        return " ".join(words)


def arrive(session: Session, before: Visitor, row: WebSession, credential: Credential) -> Arrival:
    """Sign a person in to a fresh session and bring along what they did as a visitor.

    Args:
        before: the visitor as they came, with the old session's id.
        row: the new session's row, which took over the old one's work.
    """
    auth.forget_tries(session, credentials.try_key(credential.email))
    auth.forget_tries(session, credentials.try_key(credential.email, "code"))
    if credential.staff_id:
        return _arrive_staff(session, row, credential)
    customer = session.get_one(Customer, credential.customer_id)
    row.customer_id, row.staff_id = customer.id, None
    session.add(row)
    session.flush()
    visitor = replace(before, session_id=row.id, customer_id=customer.id, name=customer.name)
    joined = people.join_guests(session, customer.id, customer.email) if customer.verified_at else ()
    brought = credentials.join(session, visitor, customer.id, joined)
    ended = people.carry_refusals(session, visitor, customer.id)
    old = before.session_id or ""
    saved = designs.adopt(session, old, customer.id) + len(brought.get("design", []))
    moved = privacy.adopt(session, old, customer.id)
    ordered = len(brought.get("shop_order", [])) + len(moved.get("shop_order", []))
    lines = carts.adopt(session, visitor)
    events.record(session, visitor, "signed-in", facts={"adopted": moved, "designs": saved, "bag_lines": lines})
    return Arrival(customer.name, saved, lines, ordered, tuple(ended))


def _arrive_staff(session: Session, row: WebSession, credential: Credential) -> Arrival:
    staff = session.get_one(people.Staff, credential.staff_id)
    row.customer_id, row.staff_id, row.state = None, staff.id, {}
    row.expires_at = db.now() + auth.STAFF_SESSION_LIFE
    session.add(row)
    session.flush()
    visitor = Visitor(session_id=row.id, staff_id=staff.id, role=staff.role, name=staff.name)
    events.record(session, visitor, "signed-in")
    return Arrival(staff.name)
