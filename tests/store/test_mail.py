"""The outbox: written with its cause, sent once over real SMTP, held back when the consent is gone."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine
from sqlmodel import Session, select

from store import db, links, mail, people
from store.auth import Signer
from store.events import Event, Visitor
from store.mail import Message, Outbox
from store.settings import read_settings
from store.tasks import Task, Worker
from tests.benchmarks.processes import free_port

CONTEXT = {"name": "O'Hara & Söhne", "address": "http://testserver/verify?token=a&b=c"}


class Postbox:
    """Takes every mail that comes over SMTP."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        if self.refuse:
            return "451 come back later"
        self.mails.append(message_from_bytes(envelope.original_content, policy=policy.default))
        return "250 taken"


@pytest.fixture(autouse=True)
def _links() -> None:
    links.use_links("http://testserver", Signer("test"))


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    """A mail server on loopback and its address."""
    box = Postbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


def outbox(folder: Path, url: str | None = None) -> Outbox:
    """The outbox of a shop with this mail server."""
    return Outbox(read_settings({"DATA_DIR": str(folder), "MAIL_URL": url or "", "SECRET_KEY": "k"}), people.may_write)


def customer_who_allows(session: Session, *purposes: str) -> str:
    """A customer with a proved address and these consents."""
    customer = people.new_customer(session, "camille@example.com", "Camille")
    people.verify_email(session, customer, customer.email)
    people.answer_consent(session, Visitor(), purposes, "account", customer_id=customer.id)
    return customer.id


def test_a_mail_has_a_subject_a_text_and_html_in_the_houses_frame(session: Session) -> None:
    message = mail.queue(session, "verify", "a@example.com", CONTEXT, dedupe_key="k")
    assert message is not None
    assert message.subject == "Please confirm your address"
    assert message.text.startswith("Dear O'Hara & Söhne,\n")
    assert "\nhttp://testserver/verify?token=a&b=c\n" in message.text
    assert "Dear O&#39;Hara &amp; Söhne" in message.html
    assert 'href="http://testserver/verify?token=a&amp;b=c"' in message.html
    assert "Maison Aurèle" in message.html
    assert message.headers == {}


def test_queueing_twice_writes_one_mail_one_task_and_one_event(session: Session) -> None:
    assert mail.queue(session, "verify", "a@example.com", CONTEXT, dedupe_key="k") is not None
    assert mail.queue(session, "verify", "a@example.com", CONTEXT, dedupe_key="k") is None
    assert len(session.exec(select(Message)).all()) == 1
    assert [task.kind for task in session.exec(select(Task))] == ["send-mail"]
    event = session.exec(select(Event).where(Event.kind == "mail-queued")).one()
    assert "example.com" not in str(event.facts)


def test_nothing_is_written_to_nobody(session: Session) -> None:
    assert mail.queue(session, "verify", "", CONTEXT, dedupe_key="k") is None
    assert session.exec(select(Message)).all() == []


def test_a_mail_that_needs_consent_names_its_way_out(session: Session) -> None:
    customer = customer_who_allows(session, "messages")
    message = mail.queue(
        session, "welcome", "camille@example.com", {"name": "C", "account": "x"}, dedupe_key="k",
        customer_id=customer, purpose="messages",
    )  # fmt: skip
    assert message is not None
    address = message.headers["List-Unsubscribe"].strip("<>")
    assert address.startswith("http://testserver/unsubscribe?token=")
    assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in message.text
    assert address in message.html
    with pytest.raises(ValueError, match="needs a customer"):
        mail.queue(session, "welcome", "a@example.com", {}, dedupe_key="j", purpose="messages")


def test_a_mail_travels_once_over_smtp_with_both_bodies(
    engine: Engine, tmp_path: Path, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    with db.transaction() as session:
        customer = customer_who_allows(session, "messages")
        mail.queue(
            session, "welcome", "camille@example.com", {"name": "Zoë", "account": "http://testserver/account"},
            dedupe_key="k", customer_id=customer, purpose="messages",
        )  # fmt: skip
    sender = outbox(tmp_path, url)
    assert Worker({"send-mail": sender.send}).run_due() == 1
    with db.transaction(read_only=True) as session:
        message = session.exec(select(Message)).one()
    sender.send({"message": message.id})
    assert (message.state, message.sent_at is not None) == ("sent", True)
    (received,) = box.mails
    assert received["Subject"] == "Your account is open"
    assert received["To"] == "camille@example.com"
    assert received["From"] == "Maison Aurèle <maison@aurele.example>"
    assert received["Message-ID"] == f"<{message.id}@aurele.example>"
    assert received["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert received["List-Unsubscribe"] == message.headers["List-Unsubscribe"]
    plain, rich = received.get_body(("plain",)), received.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == message.text
    assert "Welcome, Zoë" in rich.get_content()


def test_a_server_that_refuses_is_asked_again_later(
    engine: Engine, tmp_path: Path, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    box.refuse = True
    with db.transaction() as session:
        mail.queue(session, "verify", "a@example.com", CONTEXT, dedupe_key="k")
    worker = Worker({"send-mail": outbox(tmp_path, url).send})
    worker.run_due()
    with db.transaction() as session:
        task = session.exec(select(Task)).one()
        assert (task.state, task.last_error) == ("queued", "SMTPDataError")
        assert session.exec(select(Message)).one().state == "queued"
        task.run_at = db.now()
        session.add(task)
    box.refuse = False
    worker.run_due()
    assert len(box.mails) == 1


def test_a_withdrawn_consent_holds_back_what_is_queued(
    engine: Engine, tmp_path: Path, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    with db.transaction() as session:
        customer = customer_who_allows(session, "messages")
        context = {"name": "C", "account": "x"}
        mail.queue(session, "welcome", "camille@example.com", context, dedupe_key="k", customer_id=customer,
                   purpose="messages")  # fmt: skip
        mail.queue(session, "verify", "camille@example.com", CONTEXT, dedupe_key="service", customer_id=customer)
        people.end_consent(session, customer, "messages", "unsubscribe")
    Worker({"send-mail": outbox(tmp_path, url).send}).run_due()
    assert [received["Subject"] for received in box.mails] == ["Please confirm your address"]
    with db.transaction(read_only=True) as session:
        states = {message.kind: message.state for message in session.exec(select(Message))}
    assert states == {"welcome": "withheld", "verify": "sent"}


def test_without_a_mail_server_a_mail_waits_in_the_mailbox(engine: Engine, tmp_path: Path) -> None:
    with db.transaction() as session:
        mail.queue(session, "verify", "a@example.com", CONTEXT, dedupe_key="k")
        mail.queue(session, "verify", "b@example.com", CONTEXT, dedupe_key="j")
    Worker({"send-mail": outbox(tmp_path).send}).run_due()
    with db.transaction(read_only=True) as session:
        assert [message.to_address for message in mail.mailbox(session)] == ["b@example.com", "a@example.com"]
        assert [message.state for message in mail.mailbox(session, to="a@example.com")] == ["sent"]


def test_an_erased_mail_is_not_sent_and_the_task_ends_well(engine: Engine, tmp_path: Path) -> None:
    outbox(tmp_path).send({"message": "msg_gone"})
