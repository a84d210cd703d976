"""Closing an account: the person goes, the books stay."""

from sqlmodel import Session

from store import events, privacy
from store.errors import SignInNeededError
from store.events import Visitor


def close(session: Session, visitor: Visitor) -> None:
    """Erase the visitor's own account; an event without a name remains as the proof that it was done."""
    if visitor.customer_id is None:
        raise SignInNeededError
    events.record(session, visitor, "customer-erased", subject=visitor.customer_id)
    session.flush()
    privacy.erase(session, visitor.customer_id)
