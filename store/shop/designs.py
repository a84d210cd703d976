"""Designs: saved configurations with a code that opens them, their texts only for their owner."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, bindparam, update
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import Texts, codes
from store import db, events
from store.errors import not_found
from store.events import Visitor
from store.shop import catalog, renewal, uploads
from store.shop.appraisal import NO_AUDIENCE, Appraisal, appraise, checked, known_to
from store.shop.catalog import Published
from store.shop.renewal import Renewed, Saved


class Design(SQLModel, table=True):
    """One configuration of one version of a product; never changed, a change makes another design."""

    __tablename__ = "design"
    __table_args__ = (
        UniqueConstraint("session_id", "fingerprint"),
        Index("ix_design_customer_id_created_at", "customer_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    slug: str
    model_version: str = Field(foreign_key="published_model.version")
    choices: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)
    texts: dict[str, str] = Field(default_factory=dict, sa_type=db.Document)
    hash: str  # of the piece: the same for every way to ask for it
    fingerprint: str  # of the request: version, choices and texts as given
    price: int = Field(sa_type=db.Minor)
    currency: str
    lead_min_days: int
    lead_max_days: int
    session_id: str | None = None
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    parent_code: str | None = None
    created_at: datetime
    source: str = "customer"  # customer, offer, suggestion
    filled: list[str] = Field(default_factory=list, sa_type=db.Document)  # groups whose value the house filled in

    @property
    def own(self) -> frozenset[str]:
        """The groups whose value its owner chose by their own hand."""
        return frozenset(self.choices).difference(self.filled) if self.source == "customer" else frozenset()


def save(
    session: Session,
    visitor: Visitor,
    slug: str,
    choices: Mapping[str, Any],
    texts: Mapping[str, Any],
    *,
    source: str = "customer",
    parent: str | None = None,
    audiences: frozenset[str] = NO_AUDIENCE,
    customer_id: str | None = None,
    filled: Iterable[str] = (),
) -> Design:
    """Save a design under a new code; the same owner saving the same design again gets the one there is.

    Args:
        source: who composed it: customer, offer or suggestion.
        parent: code of the design that this one was forked from.
        audiences: whose private options may be in it, besides those that the visitor is invited to.
        customer_id: for whom, when it is not the visitor (staff composing for a customer).
        filled: groups whose value the house filled in: nobody's choice, and nobody's taste.

    Raises:
        ShopError: 404 unknown product, 422 unknown choice or text, or somebody else's picture, 409 choices that do not
            go together.
    """
    item = catalog.published(session, slug)
    checked(item, choices, texts, audiences | known_to(item, visitor))
    worth = appraise(item, choices, texts)
    uploads.use(session, visitor, item, worth.choices)
    owner = customer_id or visitor.customer_id
    fingerprint = _fingerprint(item, worth)
    known = _same(session, visitor, owner, fingerprint)
    if known is not None:
        return known
    design = Design(
        id=db.new_id("dsg"),
        code=codes.new_code(db.chance()),
        slug=slug,
        model_version=item.version,
        choices=dict(worth.choices),
        texts=dict(worth.texts),
        hash=worth.hash,
        fingerprint=fingerprint,
        price=worth.price.amount,
        currency=worth.price.currency,
        lead_min_days=worth.lead_time.min_days,
        lead_max_days=worth.lead_time.max_days,
        session_id=None if customer_id and customer_id != visitor.customer_id else visitor.session_id,
        customer_id=owner,
        parent_code=parent,
        created_at=db.now(),
        source=source,
        filled=sorted(filled),
    )
    if db.insert_once(session, Design, design.model_dump(), unique=("session_id", "fingerprint")) is None:
        # The same session saved it a moment ago, perhaps before it signed in.
        mine = select(Design).where(Design.session_id == visitor.session_id, Design.fingerprint == fingerprint)
        return session.exec(mine).one()
    kind = "design-forked" if parent else "design-saved"
    facts = {"version": item.version, "source": source, "price": worth.price.amount, "choices": worth.choices}
    events.record(session, visitor, kind, subject=design.id, product=slug, customer_id=owner, facts=facts)
    return db.attach(session, design)


def _same(session: Session, visitor: Visitor, owner: str | None, fingerprint: str) -> Design | None:
    """The owner's very same design."""
    if owner is not None:
        return session.scalars(_HERS, {"customer": owner, "print": fingerprint}).first()
    if visitor.session_id is not None:
        return session.scalars(_GUESTS, {"session": visitor.session_id, "print": fingerprint}).first()
    return None


# Asked for with every piece that goes into a bag: made once.
_OLDEST = select(Design).where(Design.fingerprint == bindparam("print")).order_by(col(Design.created_at)).limit(1)
_HERS = _OLDEST.where(Design.customer_id == bindparam("customer"))
_GUESTS = _OLDEST.where(Design.session_id == bindparam("session"), col(Design.customer_id).is_(None))


def _fingerprint(item: Published, worth: Appraisal) -> str:
    exact = json.dumps([item.version, worth.choices, worth.texts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(exact.encode()).hexdigest()[:32]


def by_code(session: Session, code: str) -> Design:
    """The design that a code opens; case and blanks in the code do not matter.

    Raises:
        ShopError: 404, no design has this code.
    """
    right = codes.normalise(code)
    design = db.find(session, Design, code=right) if right else None
    if design is None:
        raise not_found("design")
    return design


def owned_by(design: Design, visitor: Visitor) -> bool:
    """Whether the visitor may see the texts: their own customer, the session that made it, or staff."""
    return visitor.owns(design.customer_id, design.session_id)


def texts_for(design: Design, visitor: Visitor) -> Texts:
    """The design's texts for its owner, nothing for anyone else."""
    return dict(design.texts) if owned_by(design, visitor) else {}


def of_customer(session: Session, customer_id: str) -> list[Design]:
    """A customer's designs, the newest first."""
    return list(
        session.exec(
            select(Design).where(Design.customer_id == customer_id).order_by(col(Design.created_at).desc())
        ).all()
    )


def of_session(session: Session, session_id: str) -> list[Design]:
    """The designs of a browser's session, the newest first."""
    return list(
        session.exec(
            select(Design).where(Design.session_id == session_id).order_by(col(Design.created_at).desc())
        ).all()
    )


def adopt(session: Session, session_id: str, customer_id: str) -> int:
    """Give the designs that a session made to the customer who signed in with it; returns how many."""
    moved = session.execute(
        update(Design)
        .where(col(Design.session_id) == session_id, col(Design.customer_id).is_(None))
        .values(customer_id=customer_id)
        .returning(col(Design.id))
    ).all()
    return len(moved)


def by_ids(session: Session, ids: Iterable[str]) -> dict[str, Design]:
    """Designs by their ids."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {row.id: row for row in session.exec(select(Design).where(col(Design.id).in_(wanted))).all()}


# -- a newer version -------------------------------------------------------------------------------------------------


def renewed(session: Session, design: Design, reader: Visitor | None = None) -> Renewed:
    """The design on the newest version of its product, with what changed since it was saved.

    Args:
        reader: who will see it; private options are left out for those who are not invited to them.

    Raises:
        ShopError: 404, the product is not sold any more.
    """
    old, new = catalog.version(session, design.model_version), catalog.published(session, design.slug)
    if reader is None:
        return renewal.carried(old, new, as_saved(design))
    return renewal.carried(old, new, as_saved(design), audiences=known_to(new, reader), hers=owned_by(design, reader))


def as_saved(design: Design) -> Saved:
    """The design's part in carrying it to another version."""
    return Saved(design.choices, design.texts, design.price, design.currency)
