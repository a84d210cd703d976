"""What a customer prints: her own invoices and nobody else's; a design's sheet, its words for its owner only."""

import io
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader
from sqlmodel import select

from store import auth, db
from store.accounts import closing
from store.events import Visitor
from store.mail import Message
from store.shop import invoices
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.pages.test_checkout_pages import fill_bag, order_form, the_order
from tests.store.selling import HandProvider


def text_of(content: bytes) -> str:
    """The words of a PDF, without blanks: lines break where they like."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    return "".join("".join(pages).split())


@pytest.fixture
def order(buyer: PageBrowser, provider: HandProvider) -> Order:
    """An order that its buyer paid."""
    fill_bag(buyer, "watch")
    buyer.submit("/checkout", order_form(buyer), follow=False)
    order = the_order()
    pay_page = buyer.get(f"/orders/{order.number}/payment", follow=False).headers["location"]
    provider.pay(pay_page.rsplit("/", 1)[1])
    buyer.get(f"/orders/{order.number}/return")
    return order


def paper_of(order: Order) -> str:
    with db.transaction(read_only=True) as session:
        (invoice,) = invoices.of_order(session, order.id)
    return f"/orders/{order.number}/invoices/{invoice.number}.pdf"


def test_the_buyer_downloads_the_invoice_from_the_order(buyer: PageBrowser, order: Order) -> None:
    address = paper_of(order)
    buyer.get(f"/orders/{order.number}")
    assert f'href="{address}"' in buyer.page
    answer = buyer.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "private, no-store"
    for wanted in ("CamilleArnaud", order.number, "Steel", "Calf", "€9,800.00", "€1,633.33"):
        assert wanted in text_of(answer.content)


def test_a_stranger_opens_it_by_the_signed_link_only(buyer: PageBrowser, stranger: PageBrowser, order: Order) -> None:
    address = paper_of(order)
    for query in ("", "?key=forged"):
        answer = stranger.get(address + query)
        assert (answer.status_code, "Camille" in answer.text) == (404, False)
    assert stranger.get(link_in_the_mail()).content.startswith(b"%PDF")


def link_in_the_mail() -> str:
    """The invoice's link in the mail that thanks for the payment."""
    with db.transaction(read_only=True) as session:
        message = session.exec(select(Message).where(Message.kind == "order-paid")).one()
    line = next(line for line in message.text.splitlines() if "(PDF): " in line)
    parts = urlsplit(line.partition("(PDF): ")[2])
    return f"{parts.path}?{parts.query}"


def test_an_invoice_opens_under_its_own_order_only(buyer: PageBrowser, order: Order) -> None:
    with db.transaction() as session:
        mine = session.get_one(Order, order.id)
        other = selling.order(session, Visitor(session_id=mine.session_id), "strap")
    number = paper_of(order).rsplit("/", 1)[1]
    assert buyer.get(f"/orders/{other.number}").status_code == 200
    assert buyer.get(f"/orders/{other.number}/invoices/{number}").status_code == 404
    assert buyer.get(f"/orders/{order.number}/invoices/MA-2026-99999.pdf").status_code == 404


def test_when_the_account_is_closed_the_invoice_is_kept_and_opens_for_nobody(buyer: PageBrowser, order: Order) -> None:
    address = paper_of(order)
    with db.transaction() as session:
        closing.close(session, Visitor(customer_id=session.get_one(Order, order.id).customer_id))
    assert buyer.get(address).status_code == 404
    with db.transaction(read_only=True) as session:
        (invoice,) = invoices.of_order(session, order.id)
        assert "Camille Arnaud" in invoice.document
        assert invoices.differences(session, [invoice]) == []


# -- spec sheets -----------------------------------------------------------------------------------------------------


def saved(browser: PageBrowser, **texts: str) -> str:
    """The code of a gold watch that this browser saved."""
    body = {"slug": "watch", "choices": {"case": "gold"}, "texts": texts}
    code: str = browser.call("POST", "/api/designs", body).json()["code"]
    return code


def test_a_spec_sheet_has_every_part_price_and_payment(buyer: PageBrowser) -> None:
    code = saved(buyer)
    assert f'href="/designs/{code}.pdf"' in buyer.get(f"/designs/{code}").text
    answer = buyer.get(f"/designs/{code}.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = text_of(answer.content)
    for wanted in ("Gold", "Calf", "€24,000.00", "€14,200.00", "Deposit", "€7,200.00", "Balance", "€16,800.00", code):
        assert wanted in text, wanted
    assert f"/designs/{code}" in text


def test_the_words_on_a_piece_are_printed_for_its_owner_only(buyer: PageBrowser, stranger: PageBrowser) -> None:
    code = saved(buyer, engraving="For Camille")
    mine, theirs = (text_of(one.get(f"/designs/{code}.pdf").content) for one in (buyer, stranger))
    assert "ForCamille" in mine
    assert "finalsale" in mine
    assert "ForCamille" not in theirs
    assert "Gold" in theirs


def test_a_code_that_opens_nothing_prints_nothing(buyer: PageBrowser) -> None:
    assert buyer.get("/designs/AAAAAAAA.pdf").status_code == 404


def test_printing_has_its_limit(buyer: PageBrowser) -> None:
    code = saved(buyer)
    statuses = [buyer.get(f"/designs/{code}.pdf").status_code for _ in range(31)]
    auth.forget_limits()
    assert statuses == [200] * 30 + [429]
