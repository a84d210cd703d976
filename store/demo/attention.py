"""The owner's attention in the demo house: now and then an offer to one person, composed from their proposals."""

import random
from datetime import timedelta

from sqlmodel import Session, select

from store import db
from store.crm import drafts, insight, proposals, sending
from store.crm.drafts import Draft
from store.errors import ShopError
from store.events import Visitor
from store.people import Staff

WRITES = 0.07  # after visits of people who own something
LASTS = timedelta(days=120)  # the people of this house come back after some months
PERCENT = (500, 800, 1_000)  # basis points


def owner_writes(session: Session, chance: random.Random, visitor: Visitor, owned: frozenset[str]) -> None:
    """Perhaps make this person an offer: the first proposal, with a small percentage or a privilege."""
    if not owned or visitor.customer_id is None or chance.random() > WRITES:
        return
    owner = session.exec(select(Staff).where(Staff.role == "owner").limit(1)).first()
    if owner is None:
        return
    staff = Visitor(staff_id=owner.id, role=owner.role, name=owner.name)
    channel = "mail" if "messages" in visitor.consents else "site"
    for proposal in proposals.proposals(session, visitor.customer_id, 1, insight.chances):
        percent = chance.random() < 0.7
        wish = Draft(
            kind="percent" if percent else "privilege",
            message=f"I thought of you when I saw the {proposal.name}. It would be my pleasure to send it to you.",
            reason=proposal.reason,
            expires_at=db.now() + LASTS,
            slug=proposal.slug,
            choices=proposal.choices,
            basis_points=chance.choice(PERCENT) if percent else 0,
            privilege="" if percent else "An hour with the workshop when you collect it",
            benefit_cost=0 if percent else 4_000,
        )
        try:
            with db.transaction():  # within this visit's
                sending.send(session, staff, drafts.draft(session, staff, visitor.customer_id, wish).id, channel)
        except ShopError:
            return  # written to lately, or below the margin floor
