"""The map of the schema: for every table whose data it is, for what, for how long, and what becomes of it.

A new table needs its entry here; a test walks the schema and fails without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, select

Whose = Literal["customer", "staff", "house"]
Condition = Callable[[Table], ColumnElement[bool]]
Expired = Callable[[Table, datetime], ColumnElement[bool]]

BOOKS = "ten years, as the accounting law asks"
ACCOUNT = "as long as the account exists"
TEN_YEARS = timedelta(days=3653)


@dataclass(frozen=True)
class Entry:
    """One table.

    Args:
        label: what the customer reads instead of the table's name.
        column: the column with the customer's id, or the key that leads to `through`.
        through: the table that knows the customer, when this one does not.
        email_column: a column with an address, for rows written before anybody was known.
        session_column: rows of this browser's session become the customer's at sign-in.
        moves: rows of a joined guest become the customer's.
        erasure: what closing the account does: delete the rows, blank the columns in `blanks`, or keep them.
        hidden: columns that an export leaves out: secrets, and what the house reckons for itself.
        shown: which rows an export shows, if not all.
        expired: which rows have been kept long enough.
    """

    name: str
    whose: Whose
    label: str
    purpose: str
    keep: str
    column: str | None = None
    through: str | None = None
    email_column: str | None = None
    session_column: str | None = None
    moves: bool = False
    erasure: Literal["delete", "blank", "keep"] = "keep"
    blanks: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    shown: Condition | None = None
    expired: Expired | None = None


def _hers(name: str, label: str, purpose: str, keep: str, column: str = "customer_id", **more: Any) -> Entry:
    return Entry(name, "customer", label, purpose, keep, column, **more)


def _house(name: str, purpose: str, keep: str, **more: Any) -> Entry:
    return Entry(name, "house", name.replace("_", " "), purpose, keep, **more)


def _hide(*columns: str) -> frozenset[str]:
    return frozenset(columns)


# -- kept long enough ------------------------------------------------------------------------------------------------


def _older(column: str, days: float) -> Expired:
    return lambda table, now: table.c[column] < now - timedelta(days=days)


def _seen_older(days: float) -> Expired:
    """Events that need consent go after a while; what the contract needs stays with the books."""
    kinds = ("view", "choice", "unchoice", "suggestion-shown", "suggestion-withheld", "suggestion-declined")
    return lambda table, now: (table.c.at < now - timedelta(days=days)) & table.c.kind.in_(kinds)


def _done_older(days: float) -> Expired:
    ended = ("done", "failed")
    return lambda table, now: (table.c.finished_at < now - timedelta(days=days)) & table.c.state.in_(ended)


def _nobodys_older(column: str, days: float) -> Expired:
    return lambda table, now: table.c.customer_id.is_(None) & (table.c[column] < now - timedelta(days=days))


def _old_bag(table: Table, now: datetime) -> ColumnElement[bool]:
    return table.c.ordered.is_(None) & (table.c.updated_at < now - timedelta(days=365))


def _in_old_bag(table: Table, now: datetime) -> ColumnElement[bool]:
    bag = table.metadata.tables["cart"]
    return table.c.cart_id.in_(select(bag.c.id).where(_old_bag(bag, now)))


def _in_old_order(table: Table, now: datetime) -> ColumnElement[bool]:
    order = table.metadata.tables["shop_order"]
    return table.c.order_id.in_(select(order.c.id).where(order.c.placed_at < now - TEN_YEARS))


def _old_picture(table: Table, now: datetime) -> ColumnElement[bool]:
    nobodys = table.c.customer_id.is_(None) & (table.c.created_at < now - timedelta(days=730))
    return nobodys | (~table.c.used & (table.c.created_at < now - timedelta(days=30)))


def _past(column: str) -> Expired:
    return lambda table, now: table.c[column] <= now.date()


def _of_past_invoice(table: Table, now: datetime) -> ColumnElement[bool]:
    invoice = table.metadata.tables["invoice"]
    return table.c.invoice_id.in_(select(invoice.c.id).where(invoice.c.expires_on <= now.date()))


_PEOPLE = (
    _hers(
        "customer",
        "You",
        "to know whom the house serves",
        f"{ACCOUNT}, afterwards without name and address",
        "id",
        hidden=_hide("synthetic"),
    ),
    _hers("identity", "Proved addresses", "to recognise you", ACCOUNT, moves=True, erasure="delete"),
    _hers(
        "credential",
        "Sign-in",
        "to let you in",
        ACCOUNT,
        erasure="delete",
        hidden=_hide("password_hash", "second_factor", "second_factor_last", "recovery", "staff_id"),
    ),
    Entry(
        "registration",
        "customer",
        "Registration",
        "to open your account once the address is proved",
        "seven days",
        email_column="email",
        erasure="delete",
        hidden=_hide("password_hash", "session_id"),
        expired=_older("created_at", 7),
    ),
    _hers(
        "web_session",
        "Sessions",
        "to keep your bag and work in progress between two visits",
        "thirty days",
        erasure="delete",
        hidden=_hide("id", "staff_id"),
        expired=_older("expires_at", 0),
    ),
    _hers(
        "consent",
        "Consents",
        "to prove what you allowed and what you declined",
        f"{ACCOUNT}, afterwards as a proof without a name",
        hidden=_hide("session_id"),
        expired=_nobodys_older("at", 760),
    ),
    _house("suppression", "never to write to an address again (a keyed hash)", "without end"),
    _hers(
        "invitation",
        "Invitations",
        "to which private parts of the house you are invited",
        ACCOUNT,
        moves=True,
        erasure="delete",
        hidden=_hide("invited_by"),
    ),
    _house("attempt", "to stop guessing at passwords (a keyed hash)", "one day", expired=_older("at", 1)),
    Entry("staff", "staff", "Staff", "to know who works for the house", "the employment, and ten years in the books"),
    _house("assignment", "to compare with a control group (an id and an arm)", "without end"),
)

_HISTORY = (
    _hers(
        "event",
        "History",
        "what happened: your timeline, proofs, suggestions (views and choices only if you allow it)",
        f"views and choices twenty-five months, the rest {BOOKS}",
        session_column="session_id",
        moves=True,
        hidden=_hide("staff_id", "session_id"),
        expired=_seen_older(760),
    ),
    _hers(
        "message",
        "Mails",
        "what we wrote to you",
        "three years",
        email_column="to_address",
        moves=True,
        erasure="delete",
        hidden=_hide("dedupe_key", "html", "headers", "cost"),
        expired=_older("created_at", 1095),
    ),
    _hers(
        "contact",
        "Calls, letters, visits",
        "to know what was spoken of",
        ACCOUNT,
        moves=True,
        erasure="blank",
        blanks={"note": ""},
        hidden=_hide("cost", "staff_id"),
    ),
    _hers(
        "offer",
        "Offers made for you",
        "what the house offers to you alone",
        ACCOUNT,
        moves=True,
        erasure="blank",
        blanks={"message": "", "reason": ""},
        shown=lambda table: table.c.state != "draft",
        hidden=_hide("margin_floor_basis_points", "cost_estimate", "benefit_cost", "created_by", "arm"),
    ),
    _house("task", "work that is due (ids only)", "two weeks after it is done", expired=_done_older(14)),
)

_SHOP = (
    _house("published_model", "what is sold", "as long as designs and orders point to it"),
    Entry(
        "product_draft",
        "staff",
        "Drafts of products",
        "the next version of a product in the making",
        "until it is published or thrown away",
    ),
    _house("stock", "how many pieces there are", "without end"),
    _house("piece", "which numbered piece belongs to which line of an order", "without end"),
    _hers(
        "design",
        "Designs",
        "the designs you saved",
        f"{ACCOUNT}; of visitors without one, two years",
        session_column="session_id",
        moves=True,
        erasure="blank",
        blanks={"texts": {}, "session_id": None},
        hidden=_hide("session_id"),
        expired=_nobodys_older("created_at", 730),
    ),
    _hers(
        "upload",
        "Pictures",
        "the pictures that you gave with a piece; each can be seen at /uploads/ and its id",
        f"{ACCOUNT}; what no design holds, thirty days, of visitors without an account two years",
        session_column="session_id",
        moves=True,
        erasure="delete",
        hidden=_hide("content", "session_id", "fingerprint", "used"),
        expired=_old_picture,
    ),
    _hers(
        "cart",
        "Bags",
        "what you put into the bag",
        "one year after the last change",
        moves=True,
        hidden=_hide("session_id"),
        expired=_old_bag,
    ),
    _hers(
        "cart_line",
        "Pieces in bags",
        "what you put into the bag",
        "as long as the bag",
        "cart_id",
        through="cart",
        expired=_in_old_bag,
    ),
    _hers(
        "suggestion",
        "Suggestions",
        "what we suggested for your bag, and why",
        "twenty-five months",
        moves=True,
        shown=lambda table: table.c.arm == "shown",
        hidden=_hide("arm"),
        expired=_older("shown_at", 760),
    ),
    _hers(
        "shop_order",
        "Orders",
        "to make, deliver and account for what you ordered",
        f"{BOOKS}; without a name once the account is closed and the order over",
        session_column="session_id",
        moves=True,
        erasure="blank",
        blanks={"email": "", "session_id": None, "contact_seal": None},
        hidden=_hide(
            *("session_id", "idempotency_key", "request_hash", "seal", "contact_seal", "synthetic"),
            *("home_units", "order_units"),
        ),
        expired=_older("placed_at", TEN_YEARS.days),
    ),
    _hers(
        "order_line",
        "Pieces ordered",
        "what was agreed, as it was agreed",
        BOOKS,
        "order_id",
        through="shop_order",
        hidden=_hide("unit_cost", "counts", "pricing"),
        expired=_in_old_order,
    ),
    _hers(
        "vat_id_check",
        "Checks of a VAT ID",
        "to show the tax office why an order went out without VAT",
        BOOKS,
        "order_id",
        through="shop_order",
        expired=_in_old_order,
    ),
    _hers(
        "order_discount",
        "Offers used",
        "what an offer took off an order",
        BOOKS,
        "order_id",
        through="shop_order",
        expired=_in_old_order,
    ),
    _hers(
        "payment",
        "Payments",
        "to receive what was agreed; no card number is ever here",
        BOOKS,
        "order_id",
        through="shop_order",
        hidden=_hide(
            *("url", "provider_reference", "payment_reference", "customer_reference", "method_reference", "open_key")
        ),
        expired=_in_old_order,
    ),
    _hers(
        "refund",
        "Refunds",
        "to give money back",
        BOOKS,
        "order_id",
        through="shop_order",
        hidden=_hide("provider_reference", "dedupe_key", "asked_by"),
        expired=_in_old_order,
    ),
    _hers(
        "payment_part",
        "Payment plan",
        "what of an order is paid when",
        BOOKS,
        "order_id",
        through="shop_order",
        hidden=_hide("requested_by", "evidence", "evidence_file"),
        expired=_in_old_order,
    ),
    _hers(
        "dispute",
        "Disputed payments",
        "what a bank asked about a payment",
        BOOKS,
        "order_id",
        through="shop_order",
        expired=_in_old_order,
    ),
    _hers(
        "invoice",
        "Invoices and credit notes",
        "to account for what was paid and paid back; closed to everyone but accountants and you",
        "ten whole years after the year of issue, as the accounting law asks",
        "order_id",
        through="shop_order",
        hidden=_hide("cause", "seal"),
        expired=_past("expires_on"),
    ),
    _hers(
        "invoice_tax",
        "Invoices by rate of tax",
        "to declare the tax",
        "as long as the invoice",
        "invoice_id",
        through="invoice",
        expired=_of_past_invoice,
    ),
    _house("invoice_counter", "to number invoices without a gap", "without end"),
    _house(
        "reconciliation_finding",
        "what the books and the payment provider say differently",
        "two years",
        expired=_older("found_at", 730),
    ),
    _house("webhook_event", "to take each notice of the payment provider once", "one year"),
)

TABLES: dict[str, Entry] = {entry.name: entry for entry in (*_PEOPLE, *_HISTORY, *_SHOP)}
