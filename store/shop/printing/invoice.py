"""An invoice or credit note on paper, set from the kept document alone."""

from collections.abc import Sequence

from store.errors import refused
from store.money import write_full
from store.paper import AMOUNT, LABEL, LEFT, RIGHT, SMALL, STRONG, TEXT, TITLE, WIDTH, Column, Sheet, Style
from store.rendering import day
from store.shop import invoice_documents as documents
from store.shop.invoice_documents import Document, Party, Piece, Reference, Sum, rate_words
from store.shop.invoices import Invoice

PIECES = (Column(LEFT, 106), Column(LEFT + 110, 22, True), Column(LEFT + 134, 32, True))
SUMS = (Column(LEFT, 72), *(Column(LEFT + 74 + index * 31, 30, True) for index in range(3)))
OPTIONS = (Column(LEFT + 4, 46), Column(LEFT + 52, 74))
OPTION = Style(size=8.2, leading=4.0)


def print_invoice(invoice: Invoice) -> bytes:
    """A kept document as a PDF.

    Raises:
        ShopError: 409, it is not as it was issued; what was altered is not printed.
    """
    if documents.seal(invoice.document) != invoice.seal:
        raise refused("This document is not as it was issued, so it is not printed. Please write to us.", "Seal broken")
    return print_document(documents.read(invoice.document))


def print_document(document: Document) -> bytes:
    """A document as a PDF; the same document gives the same bytes."""
    seller = document.seller
    imprint = [" · ".join((seller.name, *seller.address))]
    imprint.append(" · ".join(part for part in (_vat(seller), seller.registration, seller.email) if part))
    sheet = Sheet(f"{document.title} {document.number}", document.issued_on, imprint)
    _head(sheet, document)
    if document.kind != "receipt":
        _pieces(sheet, document)
    _deducted(sheet, document)
    _sums(sheet, document)
    for note in document.notes:
        sheet.gap(1.5)
        sheet.paragraph(note)
    return sheet.made()


def _vat(party: Party) -> str:
    return f"VAT ID {party.vat_id}" if party.vat_id else ""


def _head(sheet: Sheet, document: Document) -> None:
    sheet.put(document.title, LEFT, 40, TITLE)
    buyer = document.buyer
    named = (buyer.name, *buyer.address, *((_vat(buyer),) if buyer.vat_id else ()))
    left = sheet.block(LEFT, 58, 68, "To", named)
    facts = [
        ("Number", document.number),
        ("Date of issue", day(document.issued_on)),
        ("Order", f"{document.order_number} of {day(document.ordered_on)}"),
    ]
    if document.refers_to:
        earlier = document.refers_to
        facts.append(("Refers to", f"{earlier.number} of {day(earlier.issued_on)}"))
    facts.append(("Payment", document.settlement))
    if document.kind in ("invoice", "advance"):
        facts.append(("Date of supply", document.supply))
    sheet.set_y(58)
    sheet.facts(facts, LEFT + 74, WIDTH - 74, names=0.27)
    sheet.set_y(max(left, sheet.get_y()) + 6)


def _pieces(sheet: Sheet, document: Document) -> None:
    sheet.heading("What it is a payment on account for" if document.kind == "advance" else "What was ordered")
    sheet.row(PIECES, ("PIECE", "VAT", "PRICE"), LABEL, after=0.4)
    sheet.line_below()
    for piece in document.pieces:
        _piece(sheet, piece, document.currency)
    whole = document.ordered
    gross = sum(one.net + one.tax for one in whole)
    contained = sum(one.tax for one in whole)
    sheet.room(14)
    words = f"The whole order, VAT {write_full(contained, document.currency)} contained"
    sheet.row(PIECES, (words, "", write_full(gross, document.currency)), STRONG)
    sheet.gap(2)


def _piece(sheet: Sheet, piece: Piece, currency: str) -> None:
    name = f"{piece.name} × {piece.quantity}" if piece.quantity > 1 else piece.name
    rate = rate_words(piece.treatment, piece.rate_basis_points).removeprefix("VAT ")
    sheet.room(16 if piece.options else 6)
    sheet.row(PIECES, (name, rate, write_full(piece.amount, currency)), STRONG, after=0.3)
    if piece.discount:
        sheet.row(PIECES, ("Your offer", "", write_full(-piece.discount, currency)), TEXT, after=0.3)
    if piece.sentence:
        sheet.row(PIECES, (piece.sentence, "", ""), SMALL, after=0.3)
    if piece.options:
        sheet.gap(0.6)
    for label, value in piece.options:
        sheet.row(OPTIONS, (label, value), OPTION, after=0.1)
    if piece.options and piece.code:
        sheet.row(OPTIONS, ("Design", piece.code), OPTION, after=0.1)
    sheet.gap(1.4)
    sheet.line_below()


def _sum_row(words: str, rows: Sequence[Sum | Reference], currency: str, sign: int = 1) -> tuple[str, ...]:
    net, tax = sum(one.net for one in rows), sum(one.tax for one in rows)
    return (words, *(write_full(sign * amount, currency) for amount in (net, tax, net + tax)))


def _deducted(sheet: Sheet, document: Document) -> None:
    """On the last invoice of several: the order by rate, and the advance invoices that it takes off."""
    if not document.deducted:
        return
    sheet.heading("Invoiced before", 30)
    sheet.row(SUMS, ("", "NET", "VAT", "TOTAL"), LABEL, after=0.4)
    sheet.line_below()
    for one in document.ordered:
        words = rate_words(one.treatment, one.rate_basis_points)
        sheet.row(SUMS, _sum_row(f"The whole order, {words}", [one], document.currency))
    for earlier in document.deducted:
        words = f"less {earlier.number} of {day(earlier.issued_on)}"
        sheet.row(SUMS, _sum_row(words, [earlier], document.currency, -1))
    sheet.gap(2)


def _sums(sheet: Sheet, document: Document) -> None:
    names = {
        "advance": "This payment on account",
        "credit-note": "Credited",
        "receipt": "Received",
        "reversal": "Invoiced again",
    }
    sheet.heading(names.get(document.kind, "This invoice"), 44 + 6 * len(document.sums))
    sheet.row(SUMS, ("", "NET", "VAT", "TOTAL"), LABEL, after=0.4)
    sheet.line_below()
    for one in document.sums:
        words = rate_words(one.treatment, one.rate_basis_points)
        sheet.row(SUMS, _sum_row(words, [one], document.currency))
    if len(document.sums) > 1:
        sheet.row(SUMS, _sum_row("Together", document.sums, document.currency), STRONG)
    sheet.line_below()
    sheet.gap(1)
    y = sheet.get_y()
    words = {"credit-note": "Credited in all", "receipt": "Received in all"}.get(document.kind, "Total, paid")
    sheet.put(words, LEFT, y + 1.2, STRONG)
    sheet.put(write_full(document.amount, document.currency), RIGHT - 80, y, AMOUNT, width=80, right=True)
    sheet.gap(2)
    if document.home:
        currency, tax = document.home
        sheet.paragraph(f"The VAT in {currency}: {write_full(tax, currency)}.", SMALL)
