"""The archive of invoices: open to accountants alone, every look written down, lists that add up to the cent."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlalchemy import func
from sqlmodel import col, select

from store import checkout, db
from store.events import Event, Visitor
from store.shop import carts, designs, payment_pages, refunds, settling
from store.shop.delivery import PlaceForm
from store.shop.invoices import Invoice
from store.shop.orders import Order
from store.shop.payments import Till
from tests.browsers import PageBrowser
from tests.conftest import Clock
from tests.store import selling
from tests.store.office.conftest import Known
from tests.store.selling import HandProvider

GUEST = Visitor(session_id="ses_guest")
OWNER = Visitor(staff_id="stf_owner", role="owner")


@pytest.fixture
def till(app: FastAPI) -> Till:
    app.state.till = selling.till_of(HandProvider())
    found: Till = app.state.till
    return found


@pytest.fixture
def issued(till: Till) -> list[Invoice]:
    """In March a watch paid at once, of which €100.01 went back; in April the deposit for another."""
    first, second = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)), Clock(datetime(2026, 4, 2, 9, tzinfo=UTC))
    with db.world(first, seed=7):
        order = paid(till, "full")
        with db.transaction() as session:
            (asked,) = refunds.ask(session, OWNER, session.get_one(Order, order.id), 10001, "goodwill", "key")
        refunds.carry_out(till, asked.id)
    with db.world(second, seed=8):
        paid(till, "deposit")
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(Invoice).order_by(col(Invoice.issued_on), col(Invoice.number))))


def paid(till: Till, plan: str) -> Order:
    with db.transaction() as session:
        cart = carts.open_cart(session, GUEST)
        carts.add(session, GUEST, cart, designs.save(session, GUEST, "meridien", {}, {}))
        total = checkout.quote(session, GUEST, cart, "FR").totals.total
        form = PlaceForm("x@example.com", "Xenia Roth", "1 rue", "Paris", "75001", "FR", seen_total=total, plan=plan)
        order = checkout.place(session, GUEST, cart, form, db.new_id("key")).order
    reference = payment_pages.open_checkout(till, order.id).rsplit("/", 1)[1]
    assert isinstance(till.provider, HandProvider)
    till.provider.pay(reference)
    settling.settle(till, reference)
    return order


def looks() -> list[str]:
    """What the audit log says of the archive."""
    with db.transaction(read_only=True) as session:
        found = session.exec(select(Event).where(Event.kind == "staff-action").order_by(col(Event.id))).all()
    return [event.facts["action"] for event in found if event.staff_id]


def written() -> int:
    with db.transaction(read_only=True) as session:
        return session.exec(select(func.count()).select_from(Event)).one()


def test_an_accountant_finds_adds_up_and_opens_and_each_look_is_written_down(
    issued: list[Invoice], as_role: Callable[[str], PageBrowser]
) -> None:
    accountant = as_role("accountant")
    assert [one.number for one in issued] == ["MA-2026-00001", "MA-C-2026-00001", "MA-2026-00002"]
    accountant.get("/office/invoices")
    assert all(one.number in accountant.page for one in issued)
    # 10,700.00 − 100.01 + 3,210.00
    assert "Together €11,508.33 €2,301.66 €13,809.99" in accountant.text()
    accountant.get("/office/invoices?month=2026-03&q=ma-c")
    assert "MA-C-2026-00001" in accountant.page
    assert "MA-2026-00001" not in accountant.page
    assert "VAT 20 % −€83.34 −€16.67 −€100.01" in accountant.text()
    accountant.get(f"/office/invoices?q={issued[2].order_number}")
    assert [one.number in accountant.page for one in issued] == [False, False, True]
    answer = accountant.get("/office/invoices/MA-2026-00001.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "MA-2026-00001" in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert accountant.get("/office/invoices/MA-2026-00009.pdf").status_code == 404
    assert looks() == [
        "Archive of invoices opened",
        "Archive of invoices opened: 2026-03 MA-C",
        f"Archive of invoices opened: {issued[2].order_number}",
        "Invoice MA-2026-00001 opened",
    ]
    accountant.get("/office/books/audit")
    assert "Invoice MA-2026-00001 opened" in accountant.text()


def test_the_list_adds_up_to_the_books(issued: list[Invoice], as_role: Callable[[str], PageBrowser]) -> None:
    accountant = as_role("accountant")
    answer = accountant.get("/office/invoices/invoices.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == [one.number for one in issued]
    sums = {name: sum(Decimal(row[name]) for row in rows) for name in ("net", "vat", "total")}
    assert sums == {"net": Decimal("11508.33"), "vat": Decimal("2301.66"), "total": Decimal("13809.99")}
    payments = list(csv.DictReader(io.StringIO(accountant.get("/office/books/payments.csv").text)))
    assert sums["total"] == sum(Decimal(row["amount"]) for row in payments)
    march = list(csv.DictReader(io.StringIO(accountant.get("/office/invoices/invoices.csv?month=2026-03").text)))
    assert [row["number"] for row in march] == ["MA-2026-00001", "MA-C-2026-00001"]
    assert {row["kept_until"] for row in rows} == {"2037-01-01"}
    assert looks() == ["Archive of invoices taken as invoices.csv", "Archive of invoices taken as invoices-2026-03.csv"]


@pytest.mark.parametrize("role", ["owner", "advisor", "workshop"])
def test_nobody_else_who_works_here_sees_an_invoice_and_nothing_is_written(
    role: str, issued: list[Invoice], as_role: Callable[[str], PageBrowser]
) -> None:
    browser = as_role(role)
    before = written()
    addresses = ["/office/invoices", "/office/invoices/invoices.csv", "/office/invoices/MA-2026-00001.pdf"]
    addresses.append(f"/orders/{issued[0].order_number}/invoices/MA-2026-00001.pdf")
    for address in addresses:
        answer = browser.get(address)
        assert (answer.status_code, b"%PDF" in answer.content) == (403, False), address
        assert "Xenia" not in answer.text
    browser.get(f"/orders/{issued[0].order_number}")
    assert "MA-2026-00001" not in browser.page
    assert written() == before


def test_strangers_and_customers_find_no_archive(
    known: Known, issued: list[Invoice], visitor: PageBrowser, iris: PageBrowser
) -> None:
    before = written()
    for address in ("/office/invoices", "/office/invoices/invoices.csv", "/office/invoices/MA-2026-00001.pdf"):
        assert visitor.get(address, follow=False).status_code == 303
        assert iris.get(address).status_code == 404
    assert written() == before


def test_a_forged_month_or_page_finds_everything(issued: list[Invoice], as_role: Callable[[str], PageBrowser]) -> None:
    accountant = as_role("accountant")
    for query in ("month=2026-13", "month=x", "page=99", "page=-1", "q=%25"):
        answer = accountant.get(f"/office/invoices?{query}")
        assert answer.status_code == 200, query
        assert ("MA-2026-00001" in answer.text) == (query != "q=%25"), query
    assert len(accountant.get("/office/invoices/invoices.csv?month=2026-99").text.splitlines()) == 4
