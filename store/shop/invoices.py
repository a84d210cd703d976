"""Invoices and credit notes: one for each amount that came in or went back, numbered without a gap, never changed.

Money that an order keeps is invoiced when it comes in: VAT is due on payments on account. The payment that settles the
order gets the invoice over everything, from which the advance invoices before it are deducted. Money that goes back
gets a credit note that refers to the invoice of its payment. So invoices less credit notes are always what came in less
what went back, for each order and in all.

Every row stands by itself: it outlives its order, its customer's account and the prices of the day.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import UniqueConstraint, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db
from store.rendering import day
from store.settings import house
from store.shop import invoice_documents as documents
from store.shop import orders, payments
from store.shop.invoice_documents import Document, Kind, Reference
from store.shop.invoice_sums import BEYOND, Share, for_payment, for_refund, less, total
from store.shop.orders import Order
from store.shop.payments import Payment
from store.shop.refunds import Refund
from store.shop.schedule import PaymentPart

INVOICE, CREDIT_NOTE = "invoice", "credit-note"  # the series, each with numbers of its own


class Invoice(SQLModel, table=True):
    """A document as it was issued; its columns repeat of it what lists and sums ask for.

    Amounts are signed: a credit note takes from what was charged.
    """

    __tablename__ = "invoice"
    __table_args__ = (UniqueConstraint("series", "year", "position"),)

    id: str = Field(primary_key=True)
    number: str = Field(unique=True)
    series: str
    year: int
    position: int
    kind: str  # one of invoice_documents.TITLES
    cause: str = Field(unique=True)  # what it was issued for: once
    order_id: str = Field(index=True)  # points nowhere: the archive outlives the order
    order_number: str = Field(index=True)
    payment_id: str
    issued_on: date = Field(index=True)
    expires_on: date
    currency: str
    amount: int = Field(sa_type=db.Minor)
    document: str  # JSON, byte for byte as it was sealed
    seal: str

    @property
    def title(self) -> str:
        """What it is called."""
        return documents.TITLES[self.kind]


class InvoiceTax(SQLModel, table=True):
    """What of an invoice falls to one treatment and rate; signed."""

    __tablename__ = "invoice_tax"

    id: str = Field(primary_key=True)
    invoice_id: str = Field(foreign_key="invoice.id", index=True)
    treatment: str
    rate_basis_points: int
    net: int = Field(sa_type=db.Minor)
    tax: int = Field(sa_type=db.Minor)


class InvoiceCounter(SQLModel, table=True):
    """The last number given in a series and year; its row is the queue in which numbers are taken."""

    __tablename__ = "invoice_counter"

    id: str = Field(primary_key=True)  # series and year
    last: int = 0


# -- finding ---------------------------------------------------------------------------------------------------------


def of_order(session: Session, order_id: str) -> list[Invoice]:
    """What was issued for an order, by day, series and number."""
    return of_orders(session, [order_id])[order_id]


def of_orders(session: Session, order_ids: Iterable[str]) -> dict[str, list[Invoice]]:
    """What was issued for orders, by order id; each by day, series and number."""
    found: dict[str, list[Invoice]] = {order_id: [] for order_id in order_ids}
    if found:
        statement = select(Invoice).where(col(Invoice.order_id).in_(list(found)))
        in_order = (col(Invoice.issued_on), col(Invoice.series).desc(), col(Invoice.position))
        for invoice in session.exec(statement.order_by(*in_order)).all():
            found[invoice.order_id].append(invoice)
    return found


def of_cause(session: Session, cause: str) -> Invoice | None:
    """What was issued for a payment, a refund, or a refund that failed."""
    return session.exec(select(Invoice).where(Invoice.cause == cause)).first()


def for_the_payment(payment_id: str) -> str:
    """The cause of a payment's invoice."""
    return f"payment:{payment_id}"


def for_the_refund(refund_id: str) -> str:
    """The cause of a refund's credit note."""
    return f"refund:{refund_id}"


def of_number(session: Session, number: str) -> Invoice | None:
    """The document with that number."""
    return session.exec(select(Invoice).where(Invoice.number == number.strip().upper())).first()


# -- issuing ---------------------------------------------------------------------------------------------------------


def issue_for_payment(session: Session, order: Order, payment_id: str) -> Invoice | None:
    """The invoice of a payment that the order keeps; earlier payments without one get theirs first.

    The caller's transaction has locked the order, as everybody's who moves its money.

    Returns:
        The invoice, or None when that payment is none of this order's.
    """
    issued = of_order(session, order.id)
    for payment in payments.of_order(session, order):
        wanted = payment.id == payment_id or payment.kept
        if wanted and all(invoice.cause != for_the_payment(payment.id) for invoice in issued):
            issued.append(_invoice(session, order, payment, issued))
    return next((one for one in issued if one.cause == for_the_payment(payment_id)), None)


def issue_for_refund(session: Session, order: Order, refund: Refund) -> Invoice | None:
    """The credit note of money that went back; none for a payment that the order never kept."""
    payment = session.get_one(Payment, refund.payment_id)
    if not payment.kept:
        return None
    invoice = issue_for_payment(session, order, payment.id)
    known = of_cause(session, for_the_refund(refund.id))
    if known is not None or invoice is None:
        return known
    of_payment = [one for one in of_order(session, order.id) if one.payment_id == payment.id and one.id != invoice.id]
    left = less(_shares(invoice), *(_credited(one) for one in of_payment))
    shares = for_refund(left, refund.amount)
    words = f"Sent back {documents.METHODS[payment.method]} on {day(refund.made_at or db.now())}"
    buyer = documents.read(invoice.document).buyer  # as it was invoiced, whatever became of the account meanwhile
    told = {
        "refers_to": _reference(invoice),
        "settlement": words,
        "notes": _notes(order, refund.reason),
        "buyer": buyer,
    }
    document = _document(session, order, "credit-note", shares, **told)
    return _issue(session, order, payment.id, for_the_refund(refund.id), document)


def take_back(session: Session, order: Order, refund: Refund) -> Invoice | None:
    """A refund that was made did not arrive after all: its credit note is taken back by an invoice, once."""
    note = of_cause(session, for_the_refund(refund.id))
    if note is None:
        return None
    words = "The refund did not go through; the money is here."
    before = documents.read(note.document)
    told = {"refers_to": _reference(note), "settlement": words, "notes": _notes(order), "buyer": before.buyer}
    document = _document(session, order, "reversal", before.shares, **told)
    return _issue(session, order, note.payment_id, f"failed:{refund.id}", document)


def _invoice(session: Session, order: Order, payment: Payment, issued: Sequence[Invoice]) -> Invoice:
    whole = documents.whole_of(order, orders.lines_of(session, [order])[order.id])
    before = [one for one in issued if one.kind in ("invoice", "advance")]
    left = less(whole, *(_shares(one) for one in before))
    shares = for_payment(left, payment.amount)
    kind: Kind = "advance" if payment.amount < total(left) else "invoice" if total(left) else "receipt"
    received = f"Received {documents.METHODS[payment.method]} on {day(payment.paid_at or db.now())}"
    part = session.get(PaymentPart, payment.part_id) if kind == "advance" and payment.part_id else None
    words = f"{part.label}. {received}" if part else received
    deducted = tuple(_reference(one) for one in before) if kind == "invoice" else ()
    buyer = documents.buyer_of(order, house())
    told = {"settlement": words, "deducted": deducted, "notes": _notes(order), "buyer": buyer}
    document = _document(session, order, kind, shares, **told)
    return _issue(session, order, payment.id, for_the_payment(payment.id), document)


def _notes(order: Order, reason: str = "") -> tuple[str, ...]:
    return tuple(note for note in (order.tax_note, reason and f"Reason: {reason}") if note)


def _document(session: Session, order: Order, kind: Kind, shares: Sequence[Share], **told: Any) -> Document:
    """A document that lacks its number."""
    lines = orders.lines_of(session, [order])[order.id]
    pieces = documents.pieces_of(order, lines)
    if kind in ("credit-note", "reversal"):  # how they are made stands on the invoice that is referred to
        pieces = tuple(piece.model_copy(update={"options": ()}) for piece in pieces)
    sums = documents.sums_of(shares)
    home = None
    if order.currency != house().currency:
        home = (house().currency, order.at_home(sums["tax"]))
    return Document(
        kind=kind,
        number="",
        issued_on=db.now().date(),
        currency=order.currency,
        seller=documents.seller_of(house()),
        order_number=order.number,
        ordered_on=order.placed_at.date(),
        supply=documents.supply_of(order),
        pieces=pieces,
        ordered=documents.rows_of(documents.whole_of(order, lines)),
        home=home,
        **sums,
        **told,
    )


class _AlreadyIssuedError(Exception):
    """Somebody else issued it a moment ago; the number just taken is given back with the savepoint."""


def _issue(session: Session, order: Order, payment_id: str, cause: str, draft: Document) -> Invoice:
    """Number, seal and keep a document; the same cause again finds what was issued for it."""
    series = CREDIT_NOTE if draft.kind == "credit-note" else INVOICE
    try:
        with db.savepoint(session):
            position = _next_position(session, series, draft.issued_on.year)
            form = house().invoices.credit_note if series == CREDIT_NOTE else house().invoices.invoice
            number = form.format(year=draft.issued_on.year, position=position)
            document = draft.model_copy(update={"number": number})
            text = documents.written(document)
            row = {
                "id": db.new_id("inv"),
                "number": number,
                "series": series,
                "year": document.issued_on.year,
                "position": position,
                "kind": document.kind,
                "cause": cause,
                "order_id": order.id,
                "order_number": order.number,
                "payment_id": payment_id,
                "issued_on": document.issued_on,
                "expires_on": date(document.issued_on.year + house().invoices.keep_years + 1, 1, 1),
                "currency": document.currency,
                "amount": document.sign * document.amount,
                "document": text,
                "seal": documents.seal(text),
            }
            if db.insert_once(session, Invoice, row, unique=("cause",)) is None:
                raise _AlreadyIssuedError
            for share in document.shares:
                _keep_tax(session, str(row["id"]), document.sign, share)
    except _AlreadyIssuedError:
        return session.exec(select(Invoice).where(Invoice.cause == cause)).one()
    return session.get_one(Invoice, row["id"])


def _next_position(session: Session, series: str, year: int) -> int:
    """The next number of a series, by one conditional update: a transaction that fails gives it back."""
    counter = f"{series}:{year}"
    counted = (
        update(InvoiceCounter)
        .where(col(InvoiceCounter.id) == counter)
        .values(last=InvoiceCounter.last + 1)
        .returning(col(InvoiceCounter.last))
        .execution_options(synchronize_session=False)
    )
    taken: int | None = session.execute(counted).scalar_one_or_none()
    if taken is None:  # the first of the year
        db.insert_once(session, InvoiceCounter, {"id": counter, "last": 0}, unique=("id",))
        taken = session.execute(counted).scalar_one()
    return taken


def _keep_tax(session: Session, invoice_id: str, sign: int, share: Share) -> None:
    row = {
        "id": db.new_id("itx"),
        "invoice_id": invoice_id,
        "treatment": share.treatment,
        "rate_basis_points": share.rate_basis_points,
        "net": sign * share.net,
        "tax": sign * share.tax,
    }
    db.insert_row(session, InvoiceTax, row)


def _reference(invoice: Invoice) -> Reference:
    document = documents.read(invoice.document)
    of_order = [share for share in document.shares if share.treatment != BEYOND]
    return Reference(
        number=invoice.number,
        issued_on=invoice.issued_on,
        net=sum(share.net for share in of_order),
        tax=sum(share.tax for share in of_order),
    )


def _shares(invoice: Invoice) -> list[Share]:
    return documents.read(invoice.document).shares


def _credited(invoice: Invoice) -> list[Share]:
    """What a credit note took of its payment's invoice; what its reversal gave back counts against it."""
    document = documents.read(invoice.document)
    sign = -document.sign
    return [Share(one.treatment, one.rate_basis_points, sign * one.net, sign * one.tax) for one in document.shares]


# -- looking whether they are as they were issued ----------------------------------------------------------------------


def differences(session: Session, invoices: Iterable[Invoice]) -> list[str]:
    """What in the archive is not as it was issued, in words; empty when all is well."""
    return [f"{one.number}: {problem}" for one in invoices for problem in _problems(session, one)]


def _problems(session: Session, invoice: Invoice) -> list[str]:
    if documents.seal(invoice.document) != invoice.seal:
        return ["the seal is broken, something that was issued has been altered"]
    try:
        document = documents.read(invoice.document)
    except ValueError:
        return ["the document cannot be read"]
    found = documents.problems(document)
    columns = {
        "number": document.number,
        "kind": document.kind,
        "order_number": document.order_number,
        "issued_on": document.issued_on,
        "currency": document.currency,
        "amount": document.sign * document.amount,
    }
    found += [f"{name} has been altered" for name, value in columns.items() if getattr(invoice, name) != value]
    kept = select(InvoiceTax).where(InvoiceTax.invoice_id == invoice.id).order_by(col(InvoiceTax.id))
    rows = [(row.treatment, row.rate_basis_points, row.net, row.tax) for row in session.exec(kept).all()]
    sign = document.sign
    issued = [(one.treatment, one.rate_basis_points, sign * one.net, sign * one.tax) for one in document.shares]
    if sorted(rows) != sorted(issued):
        found.append("the sums by rate have been altered")
    return found
