"""An order's money at the desk: refunds, transfers, milestones, calling off; lists that add up, and who did what."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlmodel import select

from store import checkout, db
from store.events import Event, Visitor
from store.money import major
from store.settings import house
from store.shop import carts, designs, payment_pages, reconciliation, refunds, schedule, settling, vat_checks
from store.shop.delivery import PlaceForm
from store.shop.orders import Order
from store.shop.payments import Payment, Till
from store.shop.refunds import Refund
from store.shop.vat_register import Answer
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.office.conftest import Known
from tests.store.selling import HandProvider

GUEST = Visitor(session_id="ses_guest")


@pytest.fixture
def till(app: object) -> Till:
    app.state.till = selling.till_of(HandProvider())  # type: ignore[attr-defined]
    found: Till = app.state.till  # type: ignore[attr-defined]
    return found


def placed(plan: str = "full") -> Order:
    with db.transaction() as session:
        cart = carts.open_cart(session, GUEST)
        carts.add(session, GUEST, cart, designs.save(session, GUEST, "meridien", {}, {}))
        total = checkout.quote(session, GUEST, cart, "FR").totals.total
        form = PlaceForm("x@example.com", "Xenia Roth", "1 rue", "Paris", "75001", "FR", seen_total=total, plan=plan)
        return checkout.place(session, GUEST, cart, form, db.new_id("key")).order


def paid(till: Till, plan: str = "full") -> Order:
    order = placed(plan)
    reference = payment_pages.open_checkout(till, order.id).rsplit("/", 1)[1]
    assert isinstance(till.provider, HandProvider)
    till.provider.pay(reference)
    settling.settle(till, reference)
    return now(order)


def now(order: Order) -> Order:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order.id)


def page_of(order: Order) -> str:
    return f"/office/orders/{order.number}"


def rows(table: type) -> list:  # type: ignore[type-arg]
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(table)).all())


def test_a_refund_is_asked_for_once_with_its_reason(owner: PageBrowser, till: Till) -> None:
    order = paid(till)
    owner.get(page_of(order))
    key = re.search(r'name="key" value="([^"]+)"', owner.page)
    assert key
    form = {"amount": "120.50", "reason": "A scratch", "key": key[1]}
    for _ in range(2):
        owner.submit(f"{page_of(order)}/refunds", form)
    (row,) = rows(Refund)
    assert (row.amount, row.reason, row.state) == (12050, "A scratch", "asked")
    refunds.carry_out(till, row.id)
    owner.get(page_of(order))
    assert "€120.50 sent · A scratch" in owner.text()
    refusal = owner.submit(f"{page_of(order)}/refunds", {"amount": "99999999", "reason": "All of it", "key": "b"})
    assert (refusal.status_code, len(rows(Refund))) == (409, 1)


def test_a_transfer_is_recorded_and_an_overpayment_said(owner: PageBrowser, till: Till) -> None:
    order = placed()
    over = f"{(order.total + 5000) // 100}"
    owner.get(page_of(order))
    form = {"amount": over, "received_on": db.now().date().isoformat(), "reference": "BANK-7"}
    owner.submit(f"{page_of(order)}/transfers", form)
    assert "€50 of it is more than the total." in owner.text()
    assert now(order).is_settled
    assert [payment.method for payment in rows(Payment)] == ["transfer"]
    again = owner.submit(f"{page_of(order)}/transfers", form)
    assert (again.status_code, len(rows(Payment))) == (409, 1)


def test_a_plan_shows_its_parts_and_its_balance_is_asked_for_by_the_stage(
    owner: PageBrowser, till: Till, as_role: Callable[[str], PageBrowser]
) -> None:
    order = paid(till, "deposit")
    owner.get(page_of(order))
    assert "Deposit received" in owner.text()
    assert "Payment plan" in owner.text()
    workshop = as_role("workshop")
    workshop.get(page_of(order))
    assert "Money" not in workshop.text()
    workshop.submit(f"{page_of(order)}/stage", {"stage": "ready", "reason": "Checked by Anne"})
    with db.transaction(read_only=True) as session:
        standing = schedule.standing(session, session.get_one(Order, order.id))
    assert standing.due == order.total - standing.parts[0].part.amount


def test_a_milestone_needs_evidence_and_is_recorded_once(owner: PageBrowser, till: Till) -> None:
    order = paid(till, "deposit")
    with db.transaction() as session:
        part = schedule.of_orders(session, [order])[order.id][1]
        part.due, part.due_words = "hull", "when the hull is laid"
        session.add(part)
    owner.get(page_of(order))
    assert "Record milestone: Balance" in owner.text()
    bare = owner.submit(f"{page_of(order)}/milestones", {"part": part.id})
    assert bare.status_code == 422
    owner.get(page_of(order))
    for _ in range(2):
        owner.submit(f"{page_of(order)}/milestones", {"part": part.id, "evidence": "Laid", "evidence_file": "hull.pdf"})
    with db.transaction(read_only=True) as session:
        asked = session.exec(select(Event).where(Event.kind == "payment-requested")).all()
    assert len(asked) == 1
    owner.get(page_of(order))
    assert "Laid (hull.pdf)" in owner.text()


def test_an_order_is_called_off_and_its_money_goes_back(owner: PageBrowser, till: Till) -> None:
    order = paid(till)
    owner.get(page_of(order))
    owner.submit(f"{page_of(order)}/cancellation", {"reason": "He changed his mind"})
    assert now(order).state == "cancelled"
    assert [(row.amount, row.reason) for row in rows(Refund)] == [(order.total, "called off: He changed his mind")]


def test_the_lists_add_up_to_the_cent(owner: PageBrowser, till: Till, known: Known) -> None:
    order, other = paid(till, "deposit"), paid(till)
    with db.transaction() as session:
        refunds.ask(session, Visitor(staff_id="stf_1"), session.get_one(Order, other.id), 12345, "=HYPERLINK(1)", "k")
    refunds.carry_out(till, rows(Refund)[0].id)
    by_order = {row["number"]: row for row in table(owner, "/office/books/orders.csv")}
    moved = table(owner, "/office/books/payments.csv")
    assert set(by_order) == {order.number, other.number, known.order.number}
    for number in (order.number, other.number):
        total = sum((Decimal(row["amount"]) for row in moved if row["order"] == number), Decimal())
        assert total == Decimal(by_order[number]["in_hand"])
        line = by_order[number]
        assert Decimal(line["taken"]) - Decimal(line["sent_back"]) - Decimal(line["held_by_bank"]) == total
    assert by_order[order.number]["received"] == by_order[order.number]["in_hand"]
    assert Decimal(by_order[other.number]["sent_back"]) == Decimal("123.45")
    assert [row["note"] for row in moved if row["kind"] == "refund"] == ["'=HYPERLINK(1)"]
    assert {row["currency"] for row in moved} == {house().currency}


def table(browser: PageBrowser, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def to_germany(**company: str) -> Order:
    """A strap sent to Berlin."""
    with db.transaction() as session:
        visitor = Visitor(session_id="ses_berlin")
        cart = carts.open_cart(session, visitor)
        carts.add(session, visitor, cart, designs.save(session, visitor, "strap-calf-navy", {}, {}))
        address = ("a@example.com", "Ada Roth", "Linienstr. 1", "Berlin", "10115", "DE")
        form = PlaceForm(*address, seen_total=10**9, **company)
        return checkout.place(session, visitor, cart, form, db.new_id("key")).order


def test_the_orders_list_adds_up_by_rate(owner: PageBrowser, known: Known) -> None:
    sent = to_germany()
    bought = to_germany(company="=Acme", vat_id="DE136695976")
    lines = {line["number"]: line for line in table(owner, "/office/books/orders.csv")}
    columns = ("net_20", "tax_20", "net_19", "tax_19", "net_0", "tax_0")
    for order in (sent, bought, known.order):
        line = lines[order.number]
        assert sum(Decimal(line[name]) for name in columns) == Decimal(line["total"])
        assert sum(Decimal(line[name]) for name in columns[1::2]) == Decimal(line["tax"])
    assert lines[sent.number]["tax_19"] == str(major(sent.tax, "EUR")) != "0.00"
    assert Decimal(lines[known.order.number]["tax_20"]) == major(known.order.tax, "EUR")
    assert lines[sent.number]["total_at_home"] == lines[sent.number]["total"]
    business = lines[bought.number]
    assert (business["tax_treatment"], business["company"], business["vat_id"]) == (
        *("reverse-charge", "'=Acme"),
        "DE136695976",
    )
    assert Decimal(business["net_0"]) == Decimal(business["total"])


class Unknowing:
    """A register that knows nobody."""

    def check(self, vat_id: str) -> Answer:
        return Answer(False, "R-1")


def test_an_invalid_vat_id_is_told_until_somebody_noted_what_was_done(
    owner: PageBrowser, as_role: Callable[[str], PageBrowser]
) -> None:
    order = to_germany(company="Acme GmbH", vat_id="DE136695976")
    owner.get(page_of(order))
    for words in ("Acme GmbH", "DE136695976", "being asked", "Without VAT: reverse charge", "Reverse charge: VAT is"):
        assert words in owner.text()
    vat_checks.carry_out(Unknowing(), order.id)
    for address in ("/office", "/office/books", page_of(order)):
        owner.get(address)
        assert "not valid" in owner.text()
    advisor = as_role("advisor")
    advisor.get(page_of(order))
    assert "does not know DE136695976" in advisor.text()
    assert "What was done about it" not in advisor.text()
    assert advisor.submit(f"{page_of(order)}/vat-check/settled", {"done": "x"}, follow=False).status_code == 403
    assert owner.submit(f"{page_of(order)}/vat-check/settled", {"done": " "}, follow=False).status_code == 422
    owner.get(page_of(order))
    owner.submit(f"{page_of(order)}/vat-check/settled", {"done": "The VAT came by transfer"})
    owner.get("/office/books")
    assert "VAT IDs that are not valid" not in owner.text()
    owner.get("/office/books/audit")
    assert "The VAT came by transfer" in owner.text()


def test_an_order_in_francs_is_reckoned_at_home_for_the_office(owner: PageBrowser) -> None:
    with db.transaction() as session:
        visitor = Visitor(session_id="ses_zurich", currency="CHF")
        cart = carts.open_cart(session, visitor)
        carts.add(session, visitor, cart, designs.save(session, visitor, "strap-calf-navy", {}, {}))
        form = PlaceForm("a@example.com", "Ada Roth", "Quai 1", "Zürich", "8001", "CH", seen_total=10**9)
        order = checkout.place(session, visitor, cart, form, db.new_id("key")).order
    line = next(line for line in table(owner, "/office/books/orders.csv") if line["number"] == order.number)
    # 290.00 € are 285 francs on the list, 237.50 without VAT, and 60 the delivery; in the books 94 francs are 100 €.
    assert (line["currency"], line["total"], line["total_at_home"]) == ("CHF", "297.50", "316.49")
    owner.get(page_of(order))
    assert "CHF 297.50" in owner.text()
    assert "Margin on this order: €160.66 without VAT" in owner.text()  # 252.66 less 92.00


def test_every_action_stands_in_the_record_of_what_staff_did(owner: PageBrowser, till: Till) -> None:
    order = paid(till)
    owner.get(page_of(order))
    owner.submit(f"{page_of(order)}/refunds", {"amount": "1", "reason": "A trifle", "key": "a"})
    owner.submit(f"{page_of(order)}/stage", {"stage": "in-production", "reason": "Begun"})
    owner.get("/office/books/audit")
    for words in ("The owner", f"{order.number}: €1 to go back", "A trifle", f"{order.number}: in the workshop"):
        assert words in owner.text()


def test_findings_stand_on_the_accountants_page(till: Till, as_role: Callable[[str], PageBrowser]) -> None:
    order = paid(till)
    accountant = as_role("accountant")
    accountant.get("/office/books")
    assert "Nothing is pending" in accountant.text()
    with db.transaction() as session:
        session.get_one(Order, order.id).received -= 1
    accountant.submit("/office/books/reconciliation")
    reconciliation.reconcile(till)
    accountant.get("/office/books")
    assert order.number in accountant.text()
    assert "as received" in accountant.text()
