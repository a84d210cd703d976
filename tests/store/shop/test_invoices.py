"""Invoices and credit notes: one for each amount, exact by rate, numbered without a gap, never altered unnoticed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import func, update
from sqlmodel import col, select

from store import commands, db, mail
from store.errors import ShopError
from store.events import Visitor
from store.shop import (
    invoice_documents,
    invoices,
    notices,
    orders,
    payment_pages,
    refunds,
    settling,
    transfers,
)
from store.shop.invoice_documents import Document
from store.shop.invoices import Invoice, InvoiceCounter, InvoiceTax
from store.shop.orders import Order, OrderLine
from store.shop.payment_provider import PaymentUnavailable, RefundState
from store.shop.payments import Payment, Till
from store.shop.printing import print_invoice
from store.shop.refunds import Refund
from store.tasks import Worker
from tests.conftest import Clock
from tests.store import selling
from tests.store.selling import HandProvider, placed

pytestmark = pytest.mark.usefixtures("open_house", "clock")
OWNER = Visitor(staff_id="stf_owner", role="owner")
WORKSHOP = Visitor(staff_id="stf_1", role="workshop")


def pay(till: Till, provider: HandProvider, order_id: str) -> str:
    reference = payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]
    provider.pay(reference)
    settling.settle(till, reference)
    return reference


def paid(till: Till, provider: HandProvider, plan: str = "full") -> str:
    order_id = placed(plan)
    pay(till, provider, order_id)
    return order_id


def twice_paid(till: Till, provider: HandProvider, worker: Worker, clock: Clock) -> str:
    order_id = paid(till, provider, "deposit")
    clock.forward(days=60)
    with db.transaction() as session:
        orders.advance(session, WORKSHOP, session.get_one(Order, order_id), "ready")
    worker.run_due()
    return order_id


def transfer(till: Till, order_id: str, amount: int, reference: str = "BANK-1") -> Payment:
    with db.transaction() as session:
        today = db.now().date()
        return transfers.record(session, till, session.get_one(Order, order_id), amount, today, reference)


def refund(order_id: str, amount: int, reason: str = "goodwill") -> list[Refund]:
    with db.transaction() as session:
        return refunds.ask(session, OWNER, session.get_one(Order, order_id), amount, reason, db.new_id("key"))


def issued(order_id: str) -> list[Invoice]:
    with db.transaction(read_only=True) as session:
        return invoices.of_order(session, order_id)


def document(invoice: Invoice) -> Document:
    return invoice_documents.read(invoice.document)


def told(invoice: Invoice) -> tuple[str, str, int, int, int]:
    """Number, kind, and signed net, tax and amount as the rows keep them."""
    with db.transaction(read_only=True) as session:
        rows = session.exec(select(InvoiceTax).where(InvoiceTax.invoice_id == invoice.id)).all()
    return (
        invoice.number,
        invoice.kind,
        sum(row.net for row in rows),
        sum(row.tax for row in rows),
        invoice.amount,
    )


def rows(table: Any, *conditions: Any) -> list[Any]:
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(table).where(*conditions)).all())


# -- money that comes in ---------------------------------------------------------------------------------------------


def test_an_order_paid_at_once_has_one_invoice_over_everything(till: Till, provider: HandProvider) -> None:
    (invoice,) = issued(paid(till, provider))
    assert told(invoice) == ("MA-2026-00001", "invoice", 816667, 163333, 980000)
    said = document(invoice)
    assert (said.issued_on, said.ordered_on, invoice.expires_on) == (
        date(2026, 3, 2),
        date(2026, 3, 2),
        date(2037, 1, 1),
    )
    assert said.seller.name == "Maison Aurèle SAS"
    assert said.seller.vat_id == "FR11123456782"
    assert said.buyer.name == "Camille Arnaud"
    assert said.buyer.address == ("3 rue des Lilas", "44000 Nantes", "France")
    assert said.settlement == "Received by card on 2 March 2026"
    assert said.deducted == ()
    assert [(piece.name, piece.options, piece.amount) for piece in said.pieces] == [
        ("Watch", (("Case", "Steel"), ("Strap", "Calf")), 980000)
    ]


def test_a_deposit_has_an_advance_invoice_that_the_last_one_takes_off(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = twice_paid(till, provider, worker, clock)
    advance, last = issued(order_id)
    assert told(advance) == ("MA-2026-00001", "advance", 245000, 49000, 294000)
    assert told(last) == ("MA-2026-00002", "invoice", 571667, 114333, 686000)
    assert document(advance).settlement == "Deposit. Received by card on 2 March 2026"
    (deducted,) = document(last).deducted
    assert (deducted.number, deducted.net, deducted.tax) == ("MA-2026-00001", 245000, 49000)
    assert [(one.net, one.tax) for one in document(last).ordered] == [(816667, 163333)]
    assert document(last).settlement == "Received by the card kept for this order on 1 May 2026"


def test_transfers_in_parts_are_invoiced_as_they_come(till: Till) -> None:
    order_id = placed()
    transfer(till, order_id, 300001, "A")
    transfer(till, order_id, 679999, "B")
    assert [told(one) for one in issued(order_id)] == [
        ("MA-2026-00001", "advance", 250001, 50000, 300001),
        ("MA-2026-00002", "invoice", 566666, 113333, 679999),
    ]


def test_what_comes_in_beyond_the_total_bears_no_tax(till: Till, clock: Clock) -> None:
    order_id = placed()
    transfer(till, order_id, 1000000, "A")
    clock.forward(days=1)
    transfer(till, order_id, 500, "B")
    first, second = issued(order_id)
    assert told(first) == ("MA-2026-00001", "invoice", 836667, 163333, 1000000)
    assert [(one.treatment, one.net, one.tax) for one in document(first).sums] == [
        ("domestic", 816667, 163333),
        ("beyond", 20000, 0),
    ]
    assert told(second) == ("MA-2026-00002", "receipt", 500, 0, 500)
    (asked, *_) = refund(order_id, 20500, "overpaid")
    assert asked.amount == 500
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        for one in refunds.of_order(session, order):
            refunds.record_sent(session, OWNER, order, one.id, "SEPA-1")
    assert sorted(told(one)[2:] for one in issued(order_id)[2:]) == [(-20000, 0, -20000), (-500, 0, -500)]


def test_a_webhook_that_comes_thrice_issues_one_invoice(till: Till, provider: HandProvider) -> None:
    order_id = placed()
    reference = payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]
    provider.pay(reference)
    for event in ("evt_1", "evt_1", "evt_2"):
        notices.receive(till, f"{event} checkout_completed {reference}".encode(), "right")
        notices.settle_notice(till, event)
    assert [one.number for one in issued(order_id)] == ["MA-2026-00001"]
    (payment,) = rows(Payment)
    with db.transaction() as session:
        again = invoices.issue_for_payment(session, session.get_one(Order, order_id), payment.id)
    assert again is not None
    assert again.number == "MA-2026-00001"
    assert [row.last for row in rows(InvoiceCounter)] == [1]


def test_money_that_is_sent_back_at_once_has_neither_invoice_nor_credit_note(
    till: Till, provider: HandProvider, worker: Worker
) -> None:
    order_id = placed()
    reference = payment_pages.open_checkout(till, order_id).rsplit("/", 1)[1]
    with db.transaction() as session:
        orders.cancel(session, selling.guest(), session.get_one(Order, order_id), "changed my mind")
    assert issued(order_id) == []
    provider.pay(reference)
    settling.settle(till, reference)
    worker.run_due()
    assert [row.state for row in rows(Refund)] == ["made"]
    assert (rows(Invoice), rows(InvoiceCounter)) == ([], [])


def test_an_order_that_cost_nothing_has_no_invoice(till: Till) -> None:
    order_id = placed()
    with db.transaction() as session:
        orders.mark_paid(session, session.get_one(Order, order_id), None)
    assert issued(order_id) == []


def test_a_payment_of_before_gets_its_invoice_with_the_next(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = paid(till, provider, "deposit")
    with db.transaction() as session:  # as in a shop that issued none when the deposit came
        for table in (InvoiceTax, Invoice, InvoiceCounter):
            for row in session.exec(select(table)).all():
                session.delete(row)
            session.flush()
    clock.forward(days=60)
    with db.transaction() as session:
        orders.advance(session, WORKSHOP, session.get_one(Order, order_id), "ready")
    worker.run_due()
    assert [(one.kind, one.amount) for one in issued(order_id)] == [("advance", 294000), ("invoice", 686000)]


def test_every_line_and_the_delivery_keep_their_own_tax(till: Till) -> None:
    order_id = placed(slug="strap")
    with db.transaction() as session:  # as an order from abroad stands: two rates, a note, a company
        order = session.get_one(Order, order_id)
        order.subtotal, order.shipping, order.shipping_tax, order.tax_basis_points = 29000, 2500, 0, 0
        order.total, order.tax, order.tax_treatment = 31500, 4833, "reverse-charge"
        order.company, order.vat_id, order.tax_note = "Uhren GmbH", "DE136695976", "Reverse charge, Article 138."
        session.add(order)
    transfer(till, order_id, 31500)
    (invoice,) = issued(order_id)
    said = document(invoice)
    assert [(one.treatment, one.rate_basis_points, one.net, one.tax) for one in said.sums] == [
        ("domestic", 2000, 24167, 4833),
        ("reverse-charge", 0, 2500, 0),
    ]
    assert (said.buyer.name, said.buyer.address[0], said.buyer.vat_id) == (
        "Uhren GmbH",
        "Camille Arnaud",
        "DE136695976",
    )
    assert said.notes == ("Reverse charge, Article 138.",)


def test_the_tax_is_told_in_the_houses_currency_too(till: Till) -> None:
    order_id = placed(slug="strap")
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        order.currency, order.home_units, order.order_units = "CHF", 107, 100
        session.add(order)
    transfer(till, order_id, 29000)
    said = document(issued(order_id)[0])
    assert (said.currency, said.tax, said.home) == ("CHF", 4833, ("EUR", 5171))


# -- money that goes back --------------------------------------------------------------------------------------------


def test_a_refund_has_a_credit_note_that_refers_to_the_invoice(
    till: Till, provider: HandProvider, worker: Worker
) -> None:
    order_id = paid(till, provider)
    refund(order_id, 10001, "A scratch at delivery")
    assert len(issued(order_id)) == 1  # asked for is not gone yet
    worker.run_due()
    invoice, note = issued(order_id)
    assert told(note) == ("MA-C-2026-00001", "credit-note", -8334, -1667, -10001)
    said = document(note)
    assert said.refers_to is not None
    assert (said.refers_to.number, said.amount, said.notes) == (
        invoice.number,
        10001,
        ("Reason: A scratch at delivery",),
    )
    refund(order_id, 969999)
    worker.run_due()
    assert told(issued(order_id)[2]) == ("MA-C-2026-00002", "credit-note", -808333, -161666, -969999)
    assert sum(one.amount for one in issued(order_id)) == 0


def test_a_refund_over_two_payments_credits_each_invoice(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    order_id = twice_paid(till, provider, worker, clock)
    refund(order_id, 700000)
    worker.run_due()
    notes = [one for one in issued(order_id) if one.kind == "credit-note"]
    assert sorted((document(one).refers_to.number, one.amount) for one in notes) == [  # type: ignore[union-attr]
        ("MA-2026-00001", -14000),
        ("MA-2026-00002", -686000),
    ]


def test_a_refund_that_came_back_takes_its_credit_note_back(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    (asked,) = refund(order_id, 10000)
    worker.run_due()
    (payment,) = rows(Payment)
    made = provider.refunds[asked.id]
    provider.refunds[asked.id] = RefundState(
        made.reference, made.payment_reference, made.amount, made.currency, "failed", refund_id=asked.id
    )
    for _ in range(2):
        settling.settle_money_back(till, str(payment.payment_reference))
    assert [told(one) for one in issued(order_id)] == [
        ("MA-2026-00001", "invoice", 816667, 163333, 980000),
        ("MA-2026-00002", "reversal", 8333, 1667, 10000),
        ("MA-C-2026-00001", "credit-note", -8333, -1667, -10000),
    ]
    refund(order_id, 980000)
    worker.run_due()
    assert told(issued(order_id)[-1])[2:] == (-816667, -163333, -980000)


def test_a_refund_that_never_left_changes_nothing(till: Till, provider: HandProvider, worker: Worker) -> None:
    order_id = paid(till, provider)
    (asked,) = refund(order_id, 10000)
    with db.transaction() as session:
        payment = session.exec(select(Payment)).one()
        known = RefundState("re_1", str(payment.payment_reference), 10000, "EUR", "failed", refund_id=asked.id)
        refunds.take_over(session, payment, [known])
    assert [row.state for row in rows(Refund)] == ["failed"]
    assert len(issued(order_id)) == 1


# -- mails -----------------------------------------------------------------------------------------------------------


def test_the_mails_about_money_link_its_paper(till: Till, provider: HandProvider, worker: Worker, clock: Clock) -> None:
    order_id = twice_paid(till, provider, worker, clock)
    refund(order_id, 10000)
    worker.run_due()
    (number,) = [row.number for row in rows(Order)]
    for kind, paper, title in (
        ("order-paid", "MA-2026-00001", "Advance invoice"),
        ("payment-received", "MA-2026-00002", "Invoice"),
        ("refund", "MA-C-2026-00001", "Credit note"),
    ):
        (message,) = rows(mail.Message, mail.Message.kind == kind)
        address = f"http://testserver/orders/{number}/invoices/{paper}.pdf?key="
        assert f"{title} {paper} (PDF): {address}" in message.text
        assert address in message.html
    (placing,) = rows(mail.Message, mail.Message.kind == "order-placed")
    assert "/invoices/" not in placing.text


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_each_year_and_series_counts_for_itself(
    till: Till, provider: HandProvider, worker: Worker, clock: Clock
) -> None:
    first = paid(till, provider)
    clock.moment = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
    second = paid(till, provider)
    refund(first, 100)
    worker.run_due()
    assert [one.number for one in issued(first) + issued(second)] == [
        "MA-2026-00001",
        "MA-C-2027-00001",
        "MA-2027-00001",
    ]


def test_a_transaction_that_fails_leaves_no_gap(till: Till, provider: HandProvider) -> None:
    order_id = placed()

    def come_in_and_fail() -> None:
        with db.transaction() as session:
            order = session.get_one(Order, order_id)
            transfers.record(session, till, order, 980000, db.now().date(), "A")
            assert [one.number for one in invoices.of_order(session, order_id)] == ["MA-2026-00001"]
            raise PaymentUnavailable("the line went dead before the end")

    with pytest.raises(PaymentUnavailable):
        come_in_and_fail()
    assert (issued(order_id), rows(InvoiceCounter), rows(mail.Message, mail.Message.kind == "order-paid")) == (
        [],
        [],
        [],
    )
    transfer(till, order_id, 980000)
    assert [one.number for one in issued(order_id)] == ["MA-2026-00001"]


def test_numbers_taken_at_once_have_no_gap_and_none_is_given_twice(till: Till) -> None:
    """Twelve transfers in six threads; every third transaction fails after it has its number."""
    found = [placed(slug="strap") for _ in range(12)]

    def come_in(index: int) -> None:
        with db.transaction() as session:
            order = session.get_one(Order, found[index])
            transfers.record(session, till, order, 29000, db.now().date(), f"T-{index}")
            if index % 3 == 0:
                raise PaymentUnavailable("it fails at the last moment")

    def tried(index: int) -> bool:
        try:
            come_in(index)
        except PaymentUnavailable:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(tried, range(12)))
    assert done == [index % 3 != 0 for index in range(12)]
    kept = rows(Invoice)
    year = date.today().year  # noqa: DTZ011 - threads do not live by the test's clock
    assert sorted(one.position for one in kept if one.year in (2026, year)) == list(range(1, 9))
    assert sorted(one.order_id for one in kept) == sorted(found[index] for index in range(12) if index % 3)


def test_one_cause_in_many_threads_issues_one_document(till: Till) -> None:
    order_id = placed(slug="strap")
    payment = transfer(till, order_id, 29000)
    with db.transaction() as session:
        for table in (InvoiceTax, Invoice, InvoiceCounter):
            for row in session.exec(select(table)).all():
                session.delete(row)
            session.flush()

    def issue(_index: int) -> str:
        with db.transaction() as session:
            order = session.get_one(Order, order_id)  # without the lock that everybody takes: the unique key decides
            found = invoices.issue_for_payment(session, order, payment.id)
            assert found is not None
            return found.number

    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(issue, range(12)))
    (kept,) = rows(Invoice)
    assert set(numbers) == {kept.number}
    assert [row.last for row in rows(InvoiceCounter)] == [1]


# -- altered ---------------------------------------------------------------------------------------------------------

ALTERATIONS: dict[str, Callable[[Invoice], dict[str, Any]]] = {
    "a byte of the document": lambda one: {"document": one.document.replace("Camille", "Camilla")},
    "a blank": lambda one: {"document": one.document + " "},
    "the seal": lambda one: {"seal": "0" * 64},
    "the amount": lambda one: {"amount": 980001},
    "the number": lambda one: {"number": "MA-2026-00007"},
    "the day": lambda one: {"issued_on": date(2026, 3, 3)},
    "the order": lambda one: {"order_number": "AAAAAAAA"},
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_one_altered_byte_is_noticed(till: Till, provider: HandProvider, what: str) -> None:
    order_id = paid(till, provider)
    (invoice,) = issued(order_id)
    with db.transaction() as session:
        assert invoices.differences(session, [invoice]) == []
        session.execute(update(Invoice).where(col(Invoice.id) == invoice.id).values(**ALTERATIONS[what](invoice)))
        session.expire_all()
        assert len(invoices.differences(session, invoices.of_order(session, order_id))) == 1


def test_an_altered_sum_by_rate_is_noticed(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    with db.transaction() as session:
        session.execute(update(InvoiceTax).values(tax=InvoiceTax.tax + 1))
        found = invoices.differences(session, invoices.of_order(session, order_id))
    assert found == ["MA-2026-00001: the sums by rate have been altered"]


def test_replay_order_looks_at_the_invoices_too(
    till: Till,
    provider: HandProvider,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    order_id = paid(till, provider)
    number = issued(order_id)[0].order_number
    engine = db.current_engine()
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))

    def replayed() -> int:
        with pytest.raises(typer.Exit) as ended:
            commands.replay_order(number)
        db.current_engine().dispose()
        db.use_engine(engine)
        return ended.value.exit_code

    assert replayed() == 0
    with db.transaction() as session:
        session.execute(update(Invoice).values(document=func.replace(Invoice.document, "Nantes", "Nantez")))
    assert replayed() == 2
    assert "MA-2026-00001: the seal is broken" in capsys.readouterr().out


def test_what_was_altered_is_not_printed(till: Till, provider: HandProvider) -> None:
    (invoice,) = issued(paid(till, provider))
    invoice.document = invoice.document.replace("980000", "990000")
    with pytest.raises(ShopError) as refusal:
        print_invoice(invoice)
    assert refusal.value.status == 409


def test_an_invoice_stays_as_it_was_whatever_becomes_of_the_order(till: Till, provider: HandProvider) -> None:
    order_id = paid(till, provider)
    (before,) = issued(order_id)
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        order.name, order.address = "", {}
        for line in session.exec(select(OrderLine)).all():
            line.name = "Another"
            session.add(line)
        session.add(order)
    (after,) = issued(order_id)
    assert (after.document, after.seal) == (before.document, before.seal)
