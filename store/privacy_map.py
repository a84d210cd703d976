"""The map of the schema: for every table whose data it is, for what, for how long, and what becomes of it.

A new table needs its entry here; a test walks the schema and fails without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table

Whose = Literal["customer", "visitor", "staff", "house"]
Expired = Callable[[Table, datetime], ColumnElement[bool]]

BOOKS = "ten years, as the accounting law asks"
ACCOUNT = "as long as the account exists"


@dataclass(frozen=True)
class Entry:
    """One table.

    Args:
        column: the column with the customer's id, or the key that leads to `through`.
        through: the table that knows the customer, when this one does not.
        email_column: a column with an address, for rows written before anybody was known.
        session_column: rows of this browser's session become the customer's at sign-in.
        moves: rows of a joined guest become the customer's.
        erasure: what closing the account does: delete the rows, blank the columns in `blanks`, or keep them.
        hidden: columns that an export leaves out (secrets, and what the house reckons about itself).
        expired: which rows have been kept long enough.
    """

    name: str
    whose: Whose
    purpose: str
    keep: str
    column: str | None = None
    through: str | None = None
    email_column: str | None = None
    session_column: str | None = None
    moves: bool = False
    erasure: Literal["delete", "blank", "keep"] = "keep"
    blanks: Mapping[str, Any] = field(default_factory=dict)
    exported: bool = True
    hidden: frozenset[str] = frozenset()
    expired: Expired | None = None


def _older(column: str, **age: float) -> Expired:
    return lambda table, now: table.c[column] < now - timedelta(**age)


def _behaviour_older(days: float) -> Expired:
    """Events that need consent go after a while; what the contract needs stays with the books."""
    kinds = ("view", "choice", "unchoice", "suggestion-shown", "suggestion-withheld", "suggestion-declined")
    return lambda table, now: (table.c.at < now - timedelta(days=days)) & table.c.kind.in_(kinds)


def _done_older(days: float) -> Expired:
    return lambda table, now: (table.c.finished_at < now - timedelta(days=days)) & table.c.state.in_(("done", "failed"))


_ENTRIES = (
    # -- people --
    Entry(
        "customer",
        "customer",
        "to know whom the house serves",
        f"{ACCOUNT}; then without name and address",
        "id",
        erasure="keep",
        hidden=frozenset({"synthetic"}),
    ),
    Entry(
        "identity",
        "customer",
        "to recognise a customer by a proved address",
        ACCOUNT,
        "customer_id",
        moves=True,
        erasure="delete",
    ),
    Entry(
        "credential",
        "customer",
        "to sign in",
        ACCOUNT,
        "customer_id",
        erasure="delete",
        hidden=frozenset({"password_hash", "second_factor", "second_factor_last", "recovery"}),
    ),
    Entry(
        "registration",
        "customer",
        "to open an account once the address is proved",
        "seven days",
        email_column="email",
        erasure="delete",
        hidden=frozenset({"password_hash", "session_id"}),
        expired=_older("created_at", days=7),
    ),
    Entry(
        "web_session",
        "customer",
        "to keep bag and designs between two visits",
        "thirty days",
        "customer_id",
        erasure="delete",
        hidden=frozenset({"id"}),
        expired=lambda table, now: table.c.expires_at < now,
    ),
    Entry(
        "consent",
        "customer",
        "to prove what was consented to, and what was refused",
        f"{ACCOUNT}, and as a proof without a name afterwards",
        "customer_id",
        hidden=frozenset({"session_id"}),
        expired=lambda table, now: table.c.customer_id.is_(None) & (table.c.at < now - timedelta(days=760)),
    ),
    Entry("suppression", "house", "never to write to an address again (kept as a keyed hash)", "without end"),
    Entry(
        "attempt",
        "house",
        "to stop guessing at passwords (kept as a keyed hash)",
        "one day",
        expired=_older("at", days=1),
    ),
    Entry("staff", "staff", "to know who works for the house", "the employment, and ten years in the books"),
    Entry("assignment", "house", "to compare with a control group (an id and an arm)", "without end"),
    # -- what happened --
    Entry(
        "event",
        "customer",
        "the history of what happened: timeline, proof, suggestions (views and choices only with consent)",
        f"views and choices twenty-five months, the rest {BOOKS}",
        "customer_id",
        session_column="session_id",
        moves=True,
        hidden=frozenset({"staff_id", "session_id"}),
        expired=_behaviour_older(760),
    ),
    Entry(
        "message",
        "customer",
        "mails sent to the customer",
        "three years",
        "customer_id",
        email_column="to_address",
        moves=True,
        erasure="delete",
        hidden=frozenset({"dedupe_key", "html", "headers", "cost"}),
        expired=_older("created_at", days=3 * 365),
    ),
    Entry(
        "contact",
        "customer",
        "calls, letters and visits between the house and the customer",
        f"{ACCOUNT}; what they cost without words afterwards",
        "customer_id",
        moves=True,
        erasure="blank",
        blanks={"note": ""},
        hidden=frozenset({"cost", "staff_id"}),
    ),
    Entry(
        "offer",
        "customer",
        "what the house promised to one customer",
        f"{BOOKS}; without its words when the account is closed",
        "customer_id",
        moves=True,
        erasure="blank",
        blanks={"message": "", "reason": ""},
        hidden=frozenset({"margin_floor_basis_points", "cost_estimate", "benefit_cost", "created_by", "arm"}),
    ),
    Entry("task", "house", "work that is due (ids only)", "two weeks after it is done", expired=_done_older(14)),
    # -- designs and bags --
    Entry("published_model", "house", "what is sold", "as long as designs and orders point to it"),
    Entry("stock", "house", "how many pieces there are", "without end"),
    Entry("piece", "house", "which numbered piece belongs to which order line", "without end"),
    Entry(
        "design",
        "customer",
        "configurations that were saved",
        f"{ACCOUNT}; of visitors without one, two years",
        "customer_id",
        session_column="session_id",
        moves=True,
        erasure="blank",
        blanks={"texts": {}, "session_id": None},
        hidden=frozenset({"session_id"}),
        expired=lambda table, now: table.c.customer_id.is_(None) & (table.c.created_at < now - timedelta(days=730)),
    ),
    Entry(
        "cart",
        "customer",
        "what lies in the bag",
        "one year after the last change",
        "customer_id",
        moves=True,
        hidden=frozenset({"session_id"}),
        expired=lambda table, now: table.c.ordered.is_(None) & (table.c.updated_at < now - timedelta(days=365)),
    ),
    Entry(
        "cart_line",
        "customer",
        "what lies in the bag",
        "as long as the bag",
        "cart_id",
        through="cart",
        expired=_older("added_at", days=365),
    ),
)

TABLES: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
