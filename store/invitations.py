"""Who is invited to which private part of the house: customers, the audiences of product files, from when to when."""

import re
from datetime import datetime

from sqlalchemy import or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events
from store.errors import invalid
from store.events import Visitor

_AUDIENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


class Invitation(SQLModel, table=True):
    """One customer's way to the options of one audience; ended ones stay, they say who saw what when."""

    __tablename__ = "invitation"

    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    audience: str
    since: datetime
    until: datetime | None = None  # None: until it is withdrawn
    invited_by: str | None = Field(default=None, foreign_key="staff.id")

    def is_open(self) -> bool:
        """Whether it opens anything now."""
        moment = db.now()
        return self.since <= moment and (self.until is None or self.until > moment)


def audiences_of(session: Session, customer_id: str) -> frozenset[str]:
    """The audiences that a customer belongs to now."""
    moment = db.now()
    statement = select(Invitation.audience).where(
        Invitation.customer_id == customer_id,
        col(Invitation.since) <= moment,
        or_(col(Invitation.until).is_(None), col(Invitation.until) > moment),
    )
    return frozenset(session.exec(statement).all())


def of_customer(session: Session, customer_id: str) -> list[Invitation]:
    """A customer's invitations, the newest first."""
    statement = select(Invitation).where(Invitation.customer_id == customer_id)
    return list(session.exec(statement.order_by(col(Invitation.since).desc(), col(Invitation.id).desc())).all())


def invite(
    session: Session, staff: Visitor, customer_id: str, audience: str, until: datetime | None = None
) -> Invitation:
    """Invite a customer; an invitation that is open already gets the new end.

    Raises:
        ShopError: 422, the audience has no such name, or the end lies in the past.
    """
    if not _AUDIENCE.match(audience):
        raise invalid("An audience is a name of letters, digits, - and _.", field="audience")
    if until is not None and until <= db.now():
        raise invalid("The invitation must end in the future.", field="until")
    known = [row for row in of_customer(session, customer_id) if row.audience == audience and row.is_open()]
    if known:
        invitation = known[0]
        invitation.until = until
    else:
        invitation = Invitation(
            id=db.new_id("inv"),
            customer_id=customer_id,
            audience=audience,
            since=db.now(),
            until=until,
            invited_by=staff.staff_id,
        )
    session.add(invitation)
    session.flush()
    facts = {"action": "invited", "audience": audience, "until": until.isoformat() if until else None}
    events.record(session, staff, "staff-action", subject=invitation.id, customer_id=customer_id, facts=facts)
    return invitation


def withdraw(session: Session, staff: Visitor, customer_id: str, audience: str) -> bool:
    """End a customer's invitation to an audience now; False when there was none."""
    moment = db.now()
    ended = session.execute(
        update(Invitation)
        .where(
            col(Invitation.customer_id) == customer_id,
            col(Invitation.audience) == audience,
            or_(col(Invitation.until).is_(None), col(Invitation.until) > moment),
        )
        .values(until=moment)
        .returning(col(Invitation.id))
    ).all()
    session.expire_all()
    for (invitation_id,) in ended:
        facts = {"action": "invitation withdrawn", "audience": audience}
        events.record(session, staff, "staff-action", subject=invitation_id, customer_id=customer_id, facts=facts)
    return bool(ended)
