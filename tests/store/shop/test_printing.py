"""What is printed: every option is in the text, pages are numbered and fit, the same content gives the same bytes."""

import io
from datetime import date
from typing import Any

import pypdfium2
import pytest
from pypdf import PdfReader

from store import paper
from store.settings import ROOT, house
from store.shop import invoice_documents as documents
from store.shop.invoice_documents import Document, Kind, Party, Piece, Reference
from store.shop.invoice_sums import Share, for_payment, less, total
from store.shop.printing import DesignSheet, print_design, print_document

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenhalterung"
STILLS = sorted((ROOT / "static" / "pictures").glob("strap-*.webp"))
OPTIONS = (
    ("Case", "Rose gold"),
    ("Zifferblattbeleuchtungseinrichtung", "Mitternachtsblau, Sonnenschliff"),
    ("Dirželis", "Šviesiai rudas – ąčęėįšųūž"),
    ("Engraving", "“À toi, für immer”"),
    ("Holder", LONG),
)


def piece(name: str = "Méridien", options: tuple[tuple[str, str], ...] = OPTIONS, **changed: Any) -> Piece:
    facts: dict[str, Any] = {
        "quantity": 2,
        "amount": 2400000,
        "discount": 120000,
        "rate_basis_points": 2000,
        "tax": 380000,
    }
    return Piece(name=name, code="K7PM2XWQ", options=options, treatment="domestic", **{**facts, **changed})


def document(kind: Kind = "invoice", pieces: tuple[Piece, ...] = (piece(),)) -> Document:
    """A last invoice after a deposit of 30 %."""
    tax = sum(one.tax for one in pieces)
    whole = [Share("domestic", 2000, sum(one.charged for one in pieces) - tax, tax)]
    deposit = for_payment(whole, total(whole) * 3 // 10)
    left = less(whole, deposit)
    before = Reference(
        number="MA-2026-00041",
        issued_on=date(2026, 3, 2),
        net=sum(share.net for share in deposit),
        tax=sum(share.tax for share in deposit),
    )
    return Document(
        kind=kind,
        number="MA-2026-00107",
        issued_on=date(2026, 6, 4),
        currency="EUR",
        seller=documents.seller_of(house()),
        buyer=Party(name="Müller & Söhne GmbH", address=("Camille Arnaud", "Köln", "Germany"), vat_id="DE136695976"),
        order_number="K7PM2XWQ",
        ordered_on=date(2026, 3, 2),
        supply="At hand-over, promised for 6 June 2026",
        pieces=pieces,
        ordered=documents.rows_of(whole),
        deducted=(before,),
        settlement="Received by card on 4 June 2026",
        notes=("Reverse charge, Article 138.",),
        **documents.sums_of(left),
    )


def sheet(**changed: Any) -> DesignSheet:
    facts: dict[str, Any] = {
        "name": "Méridien",
        "code": "K7PM2XWQ",
        "address": "https://aurele.example/designs/K7PM2XWQ",
        "made_on": date(2026, 3, 2),
        "valid_until": date(2026, 4, 1),
        "words": "Méridien: rose gold",
        "layers": STILLS[:1],
        "options": OPTIONS,
        "price": 2400000,
        "currency": "EUR",
        "trace": (("Méridien", 980000), ("Case: Rose gold", 1420000)),
        "payments": (("Deposit", "with the order", 720000), ("Balance", "when it is finished", 1680000)),
        "ready": "between 3 and 17 May 2026",
        "final_sale": False,
    }
    return DesignSheet(**{**facts, **changed})


def words_of(file: bytes) -> str:
    """The text layer in single blanks, with words that were broken over two lines put together again."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(file)).pages]
    return " ".join(" ".join(pages).split())


def holds(text: str, wanted: str) -> bool:
    """Whether a text is there, wherever its lines break."""
    return wanted.replace(" ", "") in text.replace(" ", "")


def test_an_invoice_says_everything_the_law_and_the_customer_ask_for() -> None:
    text = words_of(print_document(document()))
    wanted = [part for option in OPTIONS for part in option]
    wanted += ["Invoice", "MA-2026-00107", "4 June 2026", "K7PM2XWQ of 2 March 2026", "Méridien × 2", "20 %"]
    wanted += ["Maison Aurèle SAS", "18 rue de la Paix", "VAT ID FR11123456782", "RCS Paris 123 456 782"]
    wanted += ["Müller & Söhne GmbH", "VAT ID DE136695976", "Received by card on 4 June 2026"]
    wanted += ["At hand-over, promised for 6 June 2026", "Reverse charge, Article 138."]
    wanted += ["€24,000.00", "−€1,200.00", "€22,800.00", "less MA-2026-00041 of 2 March 2026", "−€6,840.00"]
    wanted += ["€13,300.00", "€2,660.00", "€15,960.00", "1 / 1"]
    assert [one for one in wanted if not holds(text, one)] == []


@pytest.mark.parametrize("kind", ["advance", "credit-note", "receipt", "reversal"])
def test_each_document_is_called_what_it_is(kind: Kind) -> None:
    text = words_of(print_document(document(kind)))
    assert holds(text, documents.TITLES[kind])
    assert holds(text, "MA-2026-00107")


def test_the_same_document_is_printed_in_the_same_bytes() -> None:
    assert print_document(document()) == print_document(document())
    assert print_design(sheet()) == print_design(sheet())
    assert print_document(document()) != print_document(document("advance"))


def test_a_hundred_lines_go_over_numbered_pages_and_nothing_is_lost() -> None:
    rows = tuple((f"Part {number}", f"Value {number} of {LONG}") for number in range(40))
    pieces = tuple(piece(f"Piece {index}", rows) for index in range(3))
    file = print_document(document(pieces=pieces))
    reader = PdfReader(io.BytesIO(file))
    assert len(reader.pages) > 3
    for number, page in enumerate(reader.pages, 1):
        assert holds(page.extract_text(), f"{number} / {len(reader.pages)}")
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((595.28, 841.89), abs=0.01)
    text = words_of(file)
    assert [row for row in rows if not holds(text, row[1])] == []
    assert text.count("Part 39") == 3


def test_nothing_is_set_outside_the_margins() -> None:
    """The ink of every page lies within the type area; long words are broken, none runs out."""
    pieces = tuple(piece(LONG * 2, (*OPTIONS, (LONG, LONG * 3))) for _ in range(4))
    for file in (print_document(document(pieces=pieces)), print_design(sheet(options=(*OPTIONS, (LONG, LONG * 3))))):
        printed = pypdfium2.PdfDocument(file)
        for page in printed:
            image = page.render(scale=1).to_pil().convert("L")
            marked = image.point(lambda value: 255 if value < 200 else 0).getbbox()
            assert marked is not None
            left, _, right, bottom = marked
            millimetre = image.width / 210
            assert left >= (paper.LEFT - 1) * millimetre
            assert right <= (paper.RIGHT + 2) * millimetre
            assert bottom <= 290 * millimetre
        printed.close()


def test_a_spec_sheet_says_what_the_design_is_and_how_it_is_paid() -> None:
    text = words_of(print_design(sheet()))
    wanted = [part for option in OPTIONS for part in option]
    wanted += ["Méridien", "K7PM2XWQ", "https://aurele.example/designs/K7PM2XWQ", "€24,000.00"]
    wanted += ["Case: Rose gold", "€14,200.00", "Deposit", "with the order", "€7,200.00", "when it is finished"]
    wanted += ["between 3 and 17 May 2026", "Valid until 1 April 2026", "within fourteen days"]
    assert [one for one in wanted if not holds(text, one)] == []
    assert holds(words_of(print_design(sheet(final_sale=True))), "final sale, without a right of withdrawal")


def test_a_spec_sheet_has_its_picture() -> None:
    with_picture, without = print_design(sheet()), print_design(sheet(layers=()))
    images = [len(page.images) for page in PdfReader(io.BytesIO(with_picture)).pages]
    assert images == [1]
    assert [len(page.images) for page in PdfReader(io.BytesIO(without)).pages] == [0]
