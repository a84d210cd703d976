"""Closing an account: the person goes, the books stay."""

from sqlmodel import Session

from store import events, privacy
from store.crm import offers, sending
from store.errors import SignInNeededError
from store.events import Visitor


def close(session: Session, visitor: Visitor) -> None:
    """Erase the visitor's own account; an event without a name remains as the proof that it was done."""
    if visitor.customer_id is None:
        raise SignInNeededError
    for offer in offers.for_customer(session, visitor.customer_id):
        sending.withdraw(session, visitor, offer.id, "account closed")
    events.record(session, visitor, "customer-erased", subject=visitor.customer_id)
    session.flush()
    privacy.erase(session, visitor.customer_id)
