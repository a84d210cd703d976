"""Bringing an offer to its one reader, once, as far as consent and the pause between mails allow; taking it back."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select, update

from store import db, tasks
from store.crm import drafts, offers
from store.crm.offers import OPEN, Offer
from store.errors import refused
from store.events import NOBODY, Visitor
from store.mail import Message
from store.people import Customer, may_write
from store.settings import house

SELLING = ("offer", "next-piece")  # the mails that the pause between two is about


def mail_refusal(session: Session, customer_id: str) -> str | None:
    """Why nothing that is for sale may go to this customer by mail now, in a sentence for the office; None: it may."""
    customer = session.get_one(Customer, customer_id)
    if not customer.email:
        return "There is no address: an offer waits on the site."
    if not may_write(session, customer_id, "messages"):
        return "This customer has not agreed to messages: an offer can be shown on the site only."
    rules = house().offers
    since = db.now() - timedelta(days=rules.mail_days)
    written = session.exec(
        select(Message.created_at)
        .where(Message.customer_id == customer_id, col(Message.kind).in_(SELLING), Message.created_at > since)
        .order_by(col(Message.created_at).desc())
    ).all()
    if len(written) >= rules.mails:
        free = written[rules.mails - 1] + timedelta(days=rules.mail_days)
        return (
            f"The house writes with at most {rules.mails} offer{'s' if rules.mails > 1 else ''} in {rules.mail_days} "
            f"days: by mail again from {free:%-d %B %Y, %H:%M} UTC, on the site at once."
        )
    return None


def send(session: Session, staff: Visitor, offer_id: str, channel: str) -> Offer:
    """Send a draft, once; sending again changes nothing.

    The mail is written by the reaction to "offer-sent", in this transaction.

    Args:
        channel: "mail" (by mail and on the site) or "site".

    Raises:
        ShopError: 409 without consent to messages, within the pause between two mails, below the margin floor, or when
            it has ended.
    """
    offer = offers.by_id(session, offer_id)
    # Two offers to the same person must not both pass the cap: her row is the lock.
    session.exec(select(Customer).where(Customer.id == offer.customer_id).with_for_update()).one()
    session.refresh(offer)
    if offer.state in OPEN:
        return offer
    drafts.keep_floor(session, offer)  # prices may have moved since it was drafted
    refusal = mail_refusal(session, offer.customer_id) if channel == "mail" else None
    if refusal:
        raise refused(refusal, "Not by mail")
    moment = db.now()
    won = offers.move(
        session,
        offer_id,
        (col(Offer.state) == "draft", col(Offer.expires_at) > moment),
        state="sent",
        sent_at=moment,
        channel="mail" if channel == "mail" else "site",
    )
    if not won:
        raise refused("Only a draft that has not ended can be sent.")
    session.refresh(offer)
    offers.record(session, staff, "offer-sent", offer, channel=offer.channel)
    tasks.enqueue(session, "expire-offers", {}, dedupe_key=f"expire-offers:{offer.id}", run_at=offer.expires_at)
    return offer


def withdraw(session: Session, staff: Visitor, offer_id: str, reason: str) -> Offer:
    """Take back a draft or an open offer.

    Raises:
        ShopError: 409 when it was used, answered with no, or has ended.
    """
    offer = offers.by_id(session, offer_id)
    if not offers.move(session, offer_id, (col(Offer.state).in_(("draft", *OPEN)),), state="withdrawn"):
        raise refused("This offer can no longer be withdrawn.")
    session.refresh(offer)
    offers.record(session, staff, "offer-withdrawn", offer, reason=reason[:200])
    return offer


def expire_due(session: Session) -> int:
    """End every open offer whose day has come; returns how many."""
    due = session.execute(
        update(Offer)
        .where(col(Offer.state).in_(("draft", *OPEN)), col(Offer.expires_at) <= db.now())
        .values(state="expired")
        .returning(col(Offer.id))
        .execution_options(synchronize_session=False)
    ).all()
    for (offer_id,) in due:
        offer = session.get_one(Offer, offer_id)
        session.refresh(offer)
        offers.record(session, NOBODY, "offer-expired", offer)
    return len(due)


def expire(_payload: dict[str, Any]) -> None:
    """The task "expire-offers"."""
    with db.transaction() as session:
        expire_due(session)


TASKS = {"expire-offers": expire}
