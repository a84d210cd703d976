"""The map of the schema is whole, and export, erasure, joining and retention do what it says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, String, Table, text
from sqlmodel import Session, SQLModel, col, select

from store import accounts, auth, db, events, mail, people, privacy, tasks
from store.accounts import closing, registration
from store.auth import Attempt, Credential, WebSession
from store.crm import contacts
from store.events import Event, Visitor
from store.mail import Message
from store.people import Consent, Customer, Identity, Suppression
from store.privacy_map import TABLES
from store.shop import carts, designs, forgetting, invoices, orders, refunds, snapshots, transfers
from store.shop.designs import Design
from store.shop.invoices import InvoiceCounter
from store.shop.orders import Order
from store.tasks import Task
from tests.conftest import Clock
from tests.store import selling

NAME, EMAIL, ENGRAVING = "Camille Arnaud", "camille@example.com", "For Camille"


@pytest.fixture
def house(session: Session, clock: Clock, tmp_path: Path) -> Iterator[Session]:
    """A house that sells, with a standing clock."""
    selling.open_house(session, tmp_path)
    selling.use_reactions()
    yield session
    events.use_reactions({})


@dataclass
class Person:
    """A customer with an account and a past."""

    customer: Customer
    visitor: Visitor
    order: Order
    design: Design


def live(session: Session, email: str, session_id: str) -> Person:
    """Open an account, design, order, be written to and called."""
    customer = people.new_customer(session, email, NAME)
    people.verify_email(session, customer, email)
    accounts.set_password(session, email, "a-hash-of-a-password", customer_id=customer.id)
    visitor = Visitor(session_id=session_id, customer_id=customer.id, name=NAME)
    auth.ensure_session(session, session_id).customer_id = customer.id
    people.answer_consent(session, visitor, people.PURPOSES, "account")
    order = selling.order(session, visitor, "watch", {"case": "gold"}, texts={"engraving": ENGRAVING})
    contacts.log(session, Visitor(staff_id=None), customer.id, "phone", note=f"{NAME} asked for {ENGRAVING}")
    context = {"name": NAME, "account": "http://testserver/account"}
    mail.queue(session, "welcome", email, context, dedupe_key=f"w:{email}", customer_id=customer.id)
    registration.register(
        session, visitor, email=email, name=NAME, password_hash="x", purposes=frozenset(), next_path="/account"
    )
    session.flush()
    return Person(customer, visitor, order, designs.of_customer(session, customer.id)[0])


# -- the map ---------------------------------------------------------------------------------------------------------


def test_every_table_is_mapped_and_every_entry_has_its_table() -> None:
    assert privacy.unmapped() == (set(), set())


def test_a_new_table_without_entry_and_an_entry_without_table_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("diary", SQLModel.metadata, Column("id", String, primary_key=True))
    try:
        monkeypatch.delitem(TABLES, "cart")
        monkeypatch.setitem(TABLES, "gone", TABLES["task"])
        assert privacy.unmapped() == ({"diary", "cart"}, {"gone"})
    finally:
        SQLModel.metadata.remove(table)


def test_every_column_that_the_map_names_exists() -> None:
    for entry in TABLES.values():
        columns = set(SQLModel.metadata.tables[entry.name].columns.keys())
        named = {entry.column, entry.email_column, entry.session_column} - {None}
        assert named | set(entry.hidden) | set(entry.blanks) <= columns, entry.name
        assert entry.through is None or entry.through in TABLES
        assert entry.purpose
        assert entry.keep
        assert bool(entry.blanks) == (entry.erasure == "blank"), entry.name


def test_every_table_that_points_at_a_customer_is_a_customers() -> None:
    for table in SQLModel.metadata.tables.values():
        if any(key.column.table.name == "customer" for key in table.foreign_keys):
            assert TABLES[table.name].whose == "customer", table.name


# -- export ----------------------------------------------------------------------------------------------------------


def test_an_export_holds_everything_of_one_person_and_nothing_of_another(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    other = live(house, "blanche@example.com", "ses_2")
    export = privacy.export(house, mine.customer.id)
    written = json.dumps(export, ensure_ascii=False)
    tables = export["tables"]
    filled = {name for name, held in tables.items() if held["rows"]}
    assert filled >= {
        "customer",
        "identity",
        "credential",
        "registration",
        "web_session",
        "consent",
        "event",
        "message",
    }
    assert filled >= {"contact", "design", "cart", "cart_line", "shop_order", "order_line"}
    assert tables["shop_order"]["rows"][0]["number"] == mine.order.number
    assert tables["order_line"]["rows"][0]["texts"] == {"engraving": ENGRAVING}
    assert all(held["purpose"] and held["kept"] for held in tables.values())
    for foreign in (other.customer.id, other.order.number, "blanche@example.com", other.design.code):
        assert foreign not in written
    for secret in ("a-hash-of-a-password", "password_hash", "unit_cost", "ses_1"):
        assert secret not in written


def test_an_export_has_what_a_joined_guest_had(house: Session) -> None:
    guest = people.new_customer(house, EMAIL)
    contacts.log(house, Visitor(), guest.id, "letter")
    customer = people.new_customer(house, EMAIL)
    people.verify_email(house, customer, EMAIL)
    assert len(privacy.export(house, customer.id)["tables"]["contact"]["rows"]) == 1


# -- joining ---------------------------------------------------------------------------------------------------------


def test_what_a_guest_had_moves_and_the_moved_rows_are_named(house: Session) -> None:
    order = selling.order(house, selling.guest(), "strap")
    guest_id = order.customer_id
    customer = people.new_customer(house, EMAIL)
    moved = privacy.move(house, [guest_id], customer.id)
    house.refresh(order)
    assert order.customer_id == customer.id
    assert moved["shop_order"] == [order.id]
    assert house.exec(select(Event).where(Event.customer_id == guest_id)).all() == []
    assert privacy.move(house, [], customer.id) == {}


def test_at_sign_in_the_sessions_own_rows_come_along_and_nobody_elses(house: Session) -> None:
    anonymous = selling.guest("ses_1")
    selling.fill(house, anonymous, "watch", {"case": "gold"})
    theirs = live(house, "blanche@example.com", "ses_1")
    elsewhere = selling.fill(house, selling.guest("ses_2"), "strap")
    customer = people.new_customer(house, EMAIL)
    moved = privacy.adopt(house, "ses_1", customer.id)
    assert moved["event"]
    house.expire_all()
    assert house.get_one(Order, theirs.order.id).customer_id == theirs.customer.id, "she proved who she is"
    assert house.get_one(carts.Cart, elsewhere.id).customer_id is None


def test_an_order_of_this_session_follows_its_unproved_guest_into_the_account(house: Session) -> None:
    order = selling.order(house, selling.guest("ses_1"), "strap")
    customer = people.new_customer(house, "other@example.com")
    people.verify_email(house, customer, "other@example.com")
    privacy.adopt(house, "ses_1", customer.id)
    house.refresh(order)
    assert order.customer_id == customer.id


# -- erasure ---------------------------------------------------------------------------------------------------------


def test_closing_keeps_the_books_and_forgets_the_person(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    other = live(house, "blanche@example.com", "ses_2")
    before = (mine.order.total, mine.order.subtotal, mine.order.tax)
    closing.close(house, mine.visitor)
    house.expire_all()
    order = house.get_one(Order, mine.order.id)
    assert (order.total, order.subtotal, order.tax) == before
    assert (order.name, order.email) == (NAME, "")
    assert orders.lines_of(house, [order])[order.id][0].texts == {"engraving": ENGRAVING}
    customer = house.get_one(Customer, mine.customer.id)
    assert (customer.name, customer.email) == ("", "")
    assert customer.erased_at == db.now()
    assert house.get(Credential, EMAIL) is None
    assert house.get(WebSession, "ses_1") is None
    assert house.exec(select(Message).where(Message.customer_id == customer.id)).all() == []
    assert house.get_one(Design, mine.design.id).texts == {}
    assert [row.note for row in contacts.of_customer(house, customer.id)] == [""]
    assert house.get_one(Order, other.order.id).email == selling.form().email
    assert house.get(Credential, "blanche@example.com") is not None


def test_after_closing_no_table_but_the_order_under_way_names_the_person(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    closing.close(house, mine.visitor)
    house.flush()
    found = {place for wanted in (EMAIL, NAME, ENGRAVING) for place in places_of(house, wanted)}
    invoice = {("shop_order", "name"), ("shop_order", "address")}
    invoice |= {("order_line", "texts"), ("order_line", "described"), ("order_line", "sentence")}
    assert found <= invoice


def test_of_an_order_that_is_over_the_invoice_alone_names_the_person(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    staff = Visitor(staff_id="stf_1", role="owner")
    till = selling.till_of(selling.HandProvider())
    transfers.record(house, till, mine.order, mine.order.total, db.now().date(), "A")
    for stage in ("ready", "shipped"):
        orders.advance(house, staff, mine.order, stage)
    closing.close(house, mine.visitor)
    house.expire_all()
    assert house.get_one(Order, mine.order.id).name == NAME, "it is still on its way to her"
    orders.advance(house, staff, house.get_one(Order, mine.order.id), "delivered")
    assert forgetting.forget(house) == 1
    assert forgetting.forget(house) == 0
    house.expire_all()
    found = {place for wanted in (EMAIL, NAME, ENGRAVING, "rue des Lilas") for place in places_of(house, wanted)}
    assert found == {("invoice", "document")}
    order = house.get_one(Order, mine.order.id)
    (line,) = orders.lines_of(house, [order])[order.id]
    assert line.texts == {"engraving": "Xxx Xxxxxxx"}
    assert snapshots.replay(house, order) == []
    (invoice,) = invoices.of_order(house, order.id)
    assert invoices.differences(house, [invoice]) == []


def test_a_refund_after_closing_is_credited_to_whom_it_was_invoiced(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    staff = Visitor(staff_id="stf_1", role="owner")
    till = selling.till_of(selling.HandProvider())
    transfers.record(house, till, mine.order, mine.order.total, db.now().date(), "A")
    orders.call_off(house, staff, mine.order, "she thought better of it")
    closing.close(house, mine.visitor)
    house.expire_all()
    order = house.get_one(Order, mine.order.id)
    assert (order.name, order.address) == ("", {})
    (asked,) = refunds.ask(house, staff, order, order.total, "called off", "key")
    refunds.record_sent(house, staff, order, asked.id, "SEPA-1")
    invoice, note = invoices.of_order(house, order.id)
    assert invoice.amount + note.amount == 0
    assert f'"name":"{NAME}"' in note.document


def test_an_altered_order_stays_altered_when_the_person_is_forgotten(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    mine.order.country = "DE"
    orders.cancel(house, mine.visitor, mine.order, "no")
    closing.close(house, mine.visitor)
    house.expire_all()
    order = house.get_one(Order, mine.order.id)
    assert order.name == ""
    assert snapshots.replay(house, order) == ["order: the seal is broken, something that was agreed has been altered"]


def places_of(session: Session, wanted: str) -> set[tuple[str, str]]:
    """Tables and columns in which a text stands."""
    return {
        (table.name, column.name)
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if session.execute(
            text(f'SELECT count(*) FROM "{table.name}" WHERE CAST("{column.name}" AS TEXT) LIKE :wanted'),
            {"wanted": f"%{wanted}%"},
        ).scalar_one()
    }


def test_after_closing_the_database_file_and_its_log_hold_no_trace(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect.name != "sqlite":
        return  # PostgreSQL keeps no file of ours to read
    selling.use_reactions()
    with db.transaction() as session:
        selling.open_house(session, tmp_path)
        mine = live(session, EMAIL, "ses_1")
    file = Path(str(engine.url.database))
    kept = (file, file.with_name(f"{file.name}-wal"))

    def traces() -> bool:
        return any(EMAIL.encode() in path.read_bytes() for path in kept if path.exists())

    assert traces()
    with db.transaction() as session:
        closing.close(session, mine.visitor)
    tasks.Worker(privacy.TASKS).run_due()
    events.use_reactions({})
    assert not traces()


def test_a_closed_address_stays_suppressed_until_its_owner_asks_for_messages_anew(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    closing.close(house, mine.visitor)
    (row,) = house.exec(select(Suppression)).all()
    assert EMAIL not in row.address_hash
    again = people.new_customer(house, EMAIL)
    people.verify_email(house, again, EMAIL)
    people.answer_consent(house, Visitor(), ["messages"], "import", customer_id=again.id)
    assert not people.may_write(house, again.id, "messages")


def test_closing_leaves_a_nameless_proof_and_the_consents(house: Session) -> None:
    mine = live(house, EMAIL, "ses_1")
    closing.close(house, mine.visitor)
    event = house.exec(select(Event).where(Event.kind == "customer-erased")).one()
    assert event.subject == mine.customer.id
    assert len(house.exec(select(Consent).where(Consent.customer_id == mine.customer.id)).all()) == 2
    assert house.exec(select(Identity).where(Identity.customer_id == mine.customer.id)).all() == []


# -- retention -------------------------------------------------------------------------------------------------------


def test_retention_deletes_what_was_kept_long_enough_and_nothing_else(house: Session, clock: Clock) -> None:
    mine = live(house, EMAIL, "ses_1")
    anonymous = selling.guest("ses_2")
    selling.fill(house, anonymous, "watch", {"strap": "rubber"})
    auth.count_try(house, "k")
    consenting = Visitor(session_id="ses_3", customer_id=mine.customer.id, consents=frozenset({"personalisation"}))
    events.record(house, consenting, "view", product="watch")
    assert privacy.expire(house) == {}
    clock.forward(days=2)
    assert privacy.expire(house) == {"attempt": 1}
    assert house.exec(select(Attempt)).all() == []
    clock.forward(days=6)
    assert privacy.expire(house) == {"registration": 1}
    clock.forward(days=26)
    assert privacy.expire(house) == {"web_session": 2}
    clock.forward(days=335)
    assert privacy.expire(house) == {"cart_line": 1, "cart": 1}
    clock.forward(days=375)
    assert privacy.expire(house) == {"design": 1}
    assert house.get(Design, mine.design.id) is not None
    clock.forward(days=20)
    assert privacy.expire(house) == {"event": 1}
    clock.forward(days=340)
    assert set(privacy.expire(house)) == {"message"}
    assert house.get_one(Order, mine.order.id).name == NAME


def test_after_ten_years_an_order_goes_with_all_that_belongs_to_it(house: Session, clock: Clock) -> None:
    order_id = live(house, EMAIL, "ses_1").order.id
    clock.forward(days=3_660)
    gone = privacy.expire(house)
    assert gone["order_line"] == 1
    assert gone["shop_order"] == 1
    assert house.get(Order, order_id) is None


def test_an_invoice_goes_ten_years_after_its_own_and_not_before(house: Session, clock: Clock) -> None:
    mine = live(house, EMAIL, "ses_1")
    transfers.record(house, selling.till_of(selling.HandProvider()), mine.order, mine.order.total, db.now().date(), "A")
    order_id = mine.order.id
    clock.moment = datetime(2036, 12, 31, 23, 59, tzinfo=UTC)
    gone = privacy.expire(house)
    assert (gone.get("invoice"), gone.get("invoice_tax")) == (None, None)
    assert house.get(Order, order_id) is None, "the archive stands without its order"
    clock.forward(minutes=1)
    assert privacy.expire(house) == {"invoice_tax": 1, "invoice": 1}
    assert house.exec(select(InvoiceCounter.last)).all() == [1], "no number is given a second time"


def test_retention_is_asked_for_once_a_day_and_asks_for_tomorrow(engine: object, clock: Clock) -> None:
    with db.transaction() as session:
        privacy.plan_retention(session)
        privacy.plan_retention(session)
    worker = tasks.Worker(privacy.TASKS)
    assert worker.run_due() == 1
    clock.forward(days=1)
    assert worker.run_due() == 1
    with db.transaction(read_only=True) as session:
        states = [(task.state, task.run_at.day) for task in session.exec(select(Task).order_by(col(Task.run_at)))]
    assert states == [("done", 2), ("done", 3), ("queued", 4)]
