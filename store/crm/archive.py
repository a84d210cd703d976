"""The archive of invoices as the accountants use it: found, added up by month and rate, every look written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sql
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from store import events
from store.crm.paging import within
from store.events import Visitor
from store.shop.invoices import Invoice, InvoiceTax

PAGE = 40
BATCH = 500  # invoices read at once


@dataclass(frozen=True)
class RateTotal:
    """What was invoiced less what was credited, of one currency, treatment and rate; minor units."""

    currency: str
    treatment: str
    rate_basis_points: int
    net: int
    tax: int

    @property
    def gross(self) -> int:
        """Net and tax together."""
        return self.net + self.tax


@dataclass(frozen=True)
class Found:
    """A page of the archive, and the totals of everything found."""

    invoices: list[Invoice]
    totals: list[RateTotal]
    months: list[str]
    month: str
    query: str
    found: int
    page: int
    pages: int


def look(session: Session, staff: Visitor, query: str = "", month: str = "", page: int = 1) -> Found:
    """Search by the beginning of a document's or order's number, within a month ("2026-03"); the newest first."""
    months = _months(session)
    month = month if month in months else ""
    word = query.strip().upper()[:40]
    conditions = _conditions(word, month)
    found = session.exec(select(func.count()).select_from(Invoice).where(*conditions)).one()
    page, pages = within(page, found, PAGE)
    newest = (col(Invoice.issued_on).desc(), col(Invoice.series), col(Invoice.position).desc())
    statement = select(Invoice).where(*conditions).order_by(*newest)
    rows = list(session.exec(statement.offset((page - 1) * PAGE).limit(PAGE)).all())
    said = " ".join(part for part in (month, word) if part)
    note(session, staff, f"Archive of invoices opened{f': {said}' if said else ''}")
    return Found(rows, _totals(session, conditions), months, month, word, found, page, pages)


def note(session: Session, staff: Visitor, action: str, invoice: Invoice | None = None) -> None:
    """Write down that somebody looked into the archive."""
    subject = invoice.order_id if invoice else None
    events.record(session, staff, "staff-action", subject=subject, facts={"action": action})


def _months(session: Session) -> list[str]:
    days = session.execute(sql.select(col(Invoice.issued_on)).distinct()).scalars()
    return sorted({f"{day:%Y-%m}" for day in days}, reverse=True)


def _conditions(word: str, month: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if month:
        year, number = (int(part) for part in month.split("-"))
        begin, end = date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
        conditions += [col(Invoice.issued_on) >= begin, col(Invoice.issued_on) < end]
    if word:
        begins = (col(name).startswith(word, autoescape=True) for name in (Invoice.number, Invoice.order_number))
        conditions.append(or_(*begins))
    return conditions


def _totals(session: Session, conditions: list[ColumnElement[bool]]) -> list[RateTotal]:
    currency, treatment = col(Invoice.currency), col(InvoiceTax.treatment)
    rate = col(InvoiceTax.rate_basis_points)
    statement = (
        sql.select(currency, treatment, rate, func.sum(InvoiceTax.net), func.sum(InvoiceTax.tax))
        .join(Invoice, col(Invoice.id) == col(InvoiceTax.invoice_id))
        .where(*conditions)
        .group_by(currency, treatment, rate)
        .order_by(currency, rate.desc(), treatment)
    )
    return [RateTotal(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in session.execute(statement).all()]


def rows(session: Session, month: str = "") -> Iterator[tuple[Invoice, InvoiceTax]]:
    """Every document by rate, by day and number (of one month); signed, so that they add up."""
    conditions = _conditions("", month)
    in_order = (col(Invoice.issued_on), col(Invoice.number))
    last: tuple[date, str] | None = None
    while True:
        statement = select(Invoice).where(*conditions).order_by(*in_order).limit(BATCH)
        if last is not None:
            day, number = last
            later = (col(Invoice.issued_on) == day) & (col(Invoice.number) > number)
            statement = statement.where((col(Invoice.issued_on) > day) | later)
        found = list(session.exec(statement).all())
        if not found:
            return
        ids = [invoice.id for invoice in found]
        taxes: dict[str, list[InvoiceTax]] = {invoice_id: [] for invoice_id in ids}
        kept = select(InvoiceTax).where(col(InvoiceTax.invoice_id).in_(ids)).order_by(col(InvoiceTax.id))
        for row in session.exec(kept).all():
            taxes[row.invoice_id].append(row)
        for invoice in found:
            yield from ((invoice, row) for row in taxes[invoice.id])
        last = (found[-1].issued_on, found[-1].number)
        session.expunge_all()
