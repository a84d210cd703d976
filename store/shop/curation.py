"""The owner's hand on the suggestions: pieces pinned and banned, a floor of margin, all of it off; at work at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import UniqueConstraint, delete
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, money
from store.errors import invalid
from store.events import Visitor
from store.money import FULL
from store.settings import house
from store.shop import catalog
from store.shop.appraisal import Appraisal

PIN, BAN, FLOOR, OFF, HELD, EXPLORED = "pin", "ban", "floor", "off", "held", "explored"
EVERYTHING = ""  # the slug of what concerns the whole house
EXPLORED_USUALLY = 1_000  # basis points of bags whose last place goes to a piece drawn by lot


class SuggestionRule(SQLModel, table=True):
    """One decision of the owner about the suggestions: of a piece (pin, ban), or of the whole house."""

    __tablename__ = "suggestion_rule"
    __table_args__ = (UniqueConstraint("kind", "slug"),)

    id: str = Field(primary_key=True)
    kind: str
    slug: str = EVERYTHING
    basis_points: int = 0
    decided_by: str | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime


@dataclass(frozen=True)
class Policy:
    """All decisions that stand.

    Attributes:
        pins: slugs that come first wherever they fit, the earliest pinned first.
        bans: slugs that are never suggested.
        floor: basis points of the price without tax that a suggested piece must leave as margin; None for no floor.
        off: nobody is suggested anything.
        held: trained models are not published by themselves.
        explored: basis points of bags whose last place goes to a piece drawn by lot, so that others are tried, too.
    """

    pins: tuple[str, ...] = ()
    bans: frozenset[str] = frozenset()
    floor: int | None = None
    off: bool = False
    held: bool = False
    explored: int = EXPLORED_USUALLY

    def allows(self, worth: Appraisal) -> bool:
        """Whether a piece leaves enough margin."""
        if self.floor is None:
            return True
        net = worth.price.amount - money.contained_tax(worth.price.amount, house().vat_basis_points)
        return (net - worth.unit_cost) * FULL >= self.floor * net


def policy(session: Session) -> Policy:
    """What the owner has decided, as it stands now."""
    wanted = select(SuggestionRule.kind, SuggestionRule.slug, SuggestionRule.basis_points)
    rows = session.exec(wanted.order_by(col(SuggestionRule.decided_at), col(SuggestionRule.id))).all()
    house_wide = {kind: share for kind, slug, share in rows if slug == EVERYTHING}
    return Policy(
        pins=tuple(slug for kind, slug, _ in rows if kind == PIN),
        bans=frozenset(slug for kind, slug, _ in rows if kind == BAN),
        floor=house_wide.get(FLOOR),
        off=OFF in house_wide,
        held=HELD in house_wide,
        explored=house_wide.get(EXPLORED, EXPLORED_USUALLY),
    )


def rule_piece(session: Session, staff: Visitor, slug: str, kind: str | None) -> None:
    """Pin or ban a piece; None takes back what was decided about it.

    Raises:
        ShopError: 404 no such piece, 422 neither pin nor ban, or a piece that is never suggested pinned.
    """
    item = catalog.published(session, slug)
    if kind not in (PIN, BAN, None):
        raise invalid("A piece is pinned or banned.", field="rule")
    if kind == PIN and item.model.supply.numbered:
        raise invalid("A numbered piece is found, never suggested: it cannot be pinned.", field="slug")
    session.execute(delete(SuggestionRule).where(col(SuggestionRule.slug) == slug))
    if kind is not None:
        _decide(session, staff, kind, slug, 0)
    done = {PIN: "suggestion pinned", BAN: "suggestion banned", None: "suggestion left to the ranking"}[kind]
    events.record(session, staff, "staff-action", product=slug, facts={"action": done})


def rule_house(session: Session, staff: Visitor, kind: str, basis_points: int | None) -> None:
    """Decide something for the whole house: floor, explored (basis points), off or held (0); None takes it back.

    Raises:
        ShopError: 422, a share that cannot be.
    """
    if kind not in (FLOOR, OFF, HELD, EXPLORED) or not 0 <= (basis_points or 0) < FULL:
        raise invalid("A share lies between 0 and 99.99 %.", field=kind)
    session.execute(delete(SuggestionRule).where(col(SuggestionRule.kind) == kind, col(SuggestionRule.slug) == ""))
    if basis_points is not None:
        _decide(session, staff, kind, EVERYTHING, basis_points)
    words = {FLOOR: "floor of suggestions", OFF: "suggestions off", HELD: "models held", EXPLORED: "share of trials"}
    facts = {"action": words[kind], "basis_points": basis_points if basis_points is not None else "taken back"}
    events.record(session, staff, "staff-action", facts=facts)


def _decide(session: Session, staff: Visitor, kind: str, slug: str, basis_points: int) -> None:
    row = {
        "id": db.new_id("rul"),
        "kind": kind,
        "slug": slug,
        "basis_points": basis_points,
        "decided_by": staff.staff_id,
        "decided_at": db.now(),
    }
    db.insert_or_update(session, SuggestionRule, row, ("kind", "slug"), ("basis_points", "decided_by", "decided_at"))


def rules_of_pieces(session: Session) -> Sequence[SuggestionRule]:
    """The pinned and banned pieces, the earliest decision first."""
    found = select(SuggestionRule).where(col(SuggestionRule.kind).in_((PIN, BAN)))
    return session.exec(found.order_by(col(SuggestionRule.decided_at), col(SuggestionRule.id))).all()
