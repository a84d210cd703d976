"""The one append-only history: what happened, to whom, when; and who is asking (`Visitor`).

Every event is a row of `event`: timeline, audit trail, recommender's input and trigger of reactions at once.
Events carry ids and facts, never names or texts, so that erasing a person need not rewrite them.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Index, insert
from sqlmodel import Field, Session, SQLModel

from store import db

log = logging.getLogger(__name__)

# Kinds and the consent each needs; None = part of the contract or of the law, always recorded.
KINDS: dict[str, str | None] = {
    "view": "personalisation",
    "choice": "personalisation",
    "unchoice": "personalisation",
    "suggestion-shown": "personalisation",
    "suggestion-withheld": "personalisation",
    "suggestion-added": "personalisation",
    "suggestion-declined": "personalisation",
    "design-saved": None,
    "design-forked": None,
    "cart-line-added": None,
    "cart-line-changed": None,
    "cart-line-removed": None,
    "order-placed": None,
    "order-paid": None,
    "order-released": None,
    "order-cancelled": None,
    "order-stage": None,
    "payment-opened": None,
    "payment-requested": None,
    "payment-received": None,
    "payment-failed": None,
    "refund-asked": None,
    "refund-made": None,
    "refund-failed": None,
    "dispute-opened": None,
    "dispute-closed": None,
    "customer-registered": None,
    "customer-verified": None,
    "customers-joined": None,
    "customer-erased": None,
    "signed-in": None,
    "signed-out": None,
    "consent-given": None,
    "consent-withdrawn": None,
    "contact": None,
    "mail-queued": None,
    "offer-drafted": None,
    "offer-sent": None,
    "offer-seen": None,
    "offer-accepted": None,
    "offer-declined": None,
    "offer-redeemed": None,
    "offer-restored": None,
    "offer-expired": None,
    "offer-withdrawn": None,
    "staff-viewed": None,
    "staff-action": None,
    "taste-forgotten": None,
    "recommender-trained": None,
    "product-published": None,
    "model-published": None,
}


@dataclass(frozen=True)
class Visitor:
    """Who is asking, resolved once a request: session, customer or member of staff, and what was consented to."""

    session_id: str | None = None
    customer_id: str | None = None
    staff_id: str | None = None
    role: str | None = None
    name: str | None = None
    consents: frozenset[str] = frozenset()
    consent_asked: bool = False
    opted_out: bool = False  # Global Privacy Control
    audiences: frozenset[str] = frozenset()  # whose private options this customer is invited to
    currency: str = ""  # in which prices are shown; the house's own when none was chosen

    @property
    def signed_in(self) -> bool:
        """Signed in as a customer."""
        return self.customer_id is not None

    def owns(self, customer_id: str | None, session_id: str | None) -> bool:
        """Whether something of that customer, or while it is nobody's of that browser, is theirs; all is staff's."""
        if self.is_staff:
            return True
        if customer_id is not None:
            return customer_id == self.customer_id
        return session_id is not None and session_id == self.session_id

    @property
    def is_staff(self) -> bool:
        """Signed in as a member of staff."""
        return self.staff_id is not None

    def allows(self, purpose: str | None) -> bool:
        """Whether this purpose may be pursued with this visitor."""
        return purpose is None or (purpose in self.consents and not (self.opted_out and purpose == "personalisation"))


NOBODY = Visitor()  # the shop itself: tasks, webhooks, the clock


class Event(SQLModel, table=True):
    """Something that happened; never changed, never deleted but by retention."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_customer_id_at", "customer_id", "at"),
        Index("ix_event_subject_kind", "subject", "kind"),
        Index("ix_event_kind_at", "kind", "at"),
    )

    id: str = Field(primary_key=True)
    kind: str
    at: datetime
    received_at: datetime
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    session_id: str | None = Field(default=None, index=True)
    staff_id: str | None = None
    subject: str | None = None  # id of the order, design, offer … it is about
    product: str | None = None  # slug
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)


Handler = Callable[[Session, Event], None]


@dataclass
class Reactions:
    """The table "when X, then Y" that main.py hands over; empty until then."""

    handlers: Mapping[str, tuple[Handler, ...]] = field(default_factory=dict)


_reactions = Reactions()


def use_reactions(handlers: Mapping[str, tuple[Handler, ...]]) -> None:
    """Install the table of reactions; the handlers run in the event's own transaction and only write rows."""
    unknown = set(handlers) - set(KINDS)
    if unknown:
        raise ValueError(f"reactions to unknown events: {sorted(unknown)}")
    _reactions.handlers = handlers


def record(
    session: Session,
    visitor: Visitor,
    kind: str,
    *,
    subject: str | None = None,
    product: str | None = None,
    customer_id: str | None = None,
    facts: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Event | None:
    """Append an event, as far as consent allows, and run its reactions in the same transaction.

    Args:
        customer_id: whom it concerns when it is not the visitor (a webhook, a member of staff at work).
        at: when it happened, if not now.

    Returns:
        The event, or None when the visitor's consent does not cover this kind.
    """
    if not visitor.allows(KINDS[kind]):
        return None
    row = _row(visitor, kind, subject, product, customer_id, facts, at)
    db.insert_row(session, Event, row)
    event = Event(**row)
    for handler in _reactions.handlers.get(kind, ()):
        handler(session, event)
    return event


def _row(
    visitor: Visitor,
    kind: str,
    subject: str | None,
    product: str | None,
    customer_id: str | None,
    facts: Mapping[str, Any] | None,
    at: datetime | None,
) -> dict[str, Any]:
    moment = db.now()
    return {
        "id": db.new_id("evt"),
        "kind": kind,
        "at": at or moment,
        "received_at": moment,
        "customer_id": customer_id or visitor.customer_id,
        "session_id": visitor.session_id,
        "staff_id": visitor.staff_id,
        "subject": subject,
        "product": product,
        "facts": dict(facts or {}),
    }


class ViewQueue:
    """Page views, kept in memory and written in batches: a view never writes on the request path."""

    def __init__(self, every_seconds: float = 2.0, most: int = 10_000) -> None:
        self._rows: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=most)
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def note(
        self, visitor: Visitor, *, product: str | None = None, subject: str | None = None, page: str | None = None
    ) -> None:
        """Remember a view, if the visitor consented; dropped (and counted in the log) when the queue is full."""
        if not visitor.allows(KINDS["view"]):
            return
        try:
            self._rows.put_nowait(_row(visitor, "view", subject, product, None, {"page": page} if page else None, None))
        except queue.Full:
            log.warning("view queue full, a view was dropped")

    def flush(self) -> int:
        """Write what has come together; returns the number of rows."""
        rows = []
        while not self._rows.empty():
            rows.append(self._rows.get_nowait())
        if rows:
            with db.transaction() as session:
                session.execute(insert(Event), rows)
        return len(rows)

    def start(self) -> None:
        """Begin to write every two seconds in a thread of its own."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)
        self.flush()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.flush()
            except Exception:
                log.exception("page views could not be written")


views = ViewQueue()
