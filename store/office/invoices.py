"""The archive of invoices and credit notes, for accountants alone; who looked at what stands in the audit log."""

import re
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from store import db
from store.crm import archive
from store.errors import not_found
from store.money import major
from store.office.deps import SeesInvoices, show
from store.office.lists import csv_file
from store.shop import invoices, printing
from store.shop.invoice_documents import rate_words

router = APIRouter(prefix="/office/invoices", include_in_schema=False)

COLUMNS = (
    *("number", "document", "issued", "order", "currency", "treatment", "rate_percent"),
    *("net", "vat", "total", "kept_until"),
)


@router.get("")
def show_archive(
    request: Request, session: db.WritingDb, staff: SeesInvoices, q: str = "", month: str = "", page: int = 1
) -> HTMLResponse:
    """Invoices and credit notes, the newest first, with the totals by rate of what was found."""
    context = {"found": archive.look(session, staff, q, month, page), "rate_words": rate_words}
    return show(request, staff, "invoices.html", context, title="Invoices")


@router.get("/invoices.csv")
def export_invoices(session: db.WritingDb, staff: SeesInvoices, month: str = "") -> StreamingResponse:
    """Every document by rate; net, VAT and total add up to what came in less what went back."""
    asked = month if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) else ""
    name = f"invoices-{asked}.csv" if asked else "invoices.csv"
    archive.note(session, staff, f"Archive of invoices taken as {name}")
    return csv_file(name, COLUMNS, _rows(asked))


@router.get("/{number}.pdf")
def download(number: str, staff: SeesInvoices) -> Response:
    """One document on paper; the look is written down before it is printed.

    Raises:
        ShopError: 404, there is none of this number; 409, it was altered.
    """
    with db.transaction() as session:
        invoice = invoices.of_number(session, number)
        if invoice is None:
            raise not_found("invoice")
        archive.note(session, staff, f"{invoice.title} {invoice.number} opened", invoice)
    headers = {"Content-Disposition": f'inline; filename="{invoice.number}.pdf"', "Cache-Control": "private, no-store"}
    return Response(printing.print_invoice(invoice), media_type="application/pdf", headers=headers)


def _rows(month: str) -> Iterator[tuple[str, ...]]:
    with db.transaction(read_only=True) as session:
        for invoice, row in archive.rows(session, month):
            sums = (row.net, row.tax, row.net + row.tax)
            yield (
                *(invoice.number, invoice.kind, invoice.issued_on.isoformat(), invoice.order_number, invoice.currency),
                *(row.treatment, str(major(row.rate_basis_points, "EUR"))),
                *(str(major(amount, invoice.currency)) for amount in sums),
                invoice.expires_on.isoformat(),
            )
