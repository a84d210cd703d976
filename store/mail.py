"""Mail: an outbox of rows, written in the transaction of their cause and sent once by a task."""

import email.policy
import smtplib
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import formataddr
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, tasks
from store.events import NOBODY
from store.rendering import render
from store.settings import Settings, house

COST_PER_MAIL = 2  # minor units: what reaching a customer by mail costs the house


class Message(SQLModel, table=True):
    """One mail to one person; `dedupe_key` makes queueing it twice queue it once."""

    __tablename__ = "message"

    id: str = Field(primary_key=True)
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    kind: str  # template name: order-placed, offer, verify …
    to_address: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = Field(default_factory=dict, sa_type=db.Document)
    dedupe_key: str = Field(unique=True)
    state: str = "queued"  # queued, sent
    cost: int = Field(default=0, sa_type=db.Minor)
    created_at: datetime
    sent_at: datetime | None = None


def queue(
    session: Session,
    kind: str,
    to_address: str,
    context: Mapping[str, Any],
    *,
    dedupe_key: str,
    customer_id: str | None = None,
    cost: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Message | None:
    """Write a mail into the outbox, from templates/mail/{kind}.txt (first line: subject) and .html.

    Returns:
        The message, or None when one with this `dedupe_key` is there already.
    """
    subject, _, text = render(f"mail/{kind}.txt", **context).strip().partition("\n")
    row = {
        "id": db.new_id("msg"),
        "customer_id": customer_id,
        "kind": kind,
        "to_address": to_address,
        "subject": subject.strip(),
        "text": text.strip() + "\n",
        "html": render(f"mail/{kind}.html", **context),
        "headers": dict(headers or {}),
        "dedupe_key": dedupe_key,
        "state": "queued",
        "cost": cost,
        "created_at": db.now(),
    }
    statement = db.insert(session, Message).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"])
    if session.execute(statement.returning(col(Message.id))).first() is None:
        return None
    tasks.enqueue(session, "send-mail", {"message": row["id"]}, dedupe_key=f"send-mail:{row['id']}")
    facts = {"message": row["id"], "template": kind, "cost": cost}
    events.record(session, NOBODY, "mail-queued", subject=str(row["id"]), customer_id=customer_id, facts=facts)
    return session.get_one(Message, row["id"])


class Outbox:
    """Sends queued messages; without MAIL_URL they stay readable at the mailbox page."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.mail_url

    def send(self, payload: dict[str, Any]) -> None:
        """The task "send-mail": hand the message over, then note that it went."""
        with db.transaction(read_only=True) as session:
            message = session.get_one(Message, payload["message"])
        if message.state == "sent":
            return
        if self._url:
            _deliver(self._url, message)
        with db.transaction() as session:
            row = session.get_one(Message, message.id)
            row.state, row.sent_at = "sent", db.now()
            session.add(row)


def _deliver(url: str, message: Message) -> None:
    """Over SMTP; `smtp://user:password@host:port` or `smtps://…`."""
    parts = urlsplit(url)
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = formataddr((house().name, house().email))
    mail["To"] = message.to_address
    mail["Subject"] = message.subject
    mail["Message-ID"] = f"<{message.id}@{house().email.partition('@')[2]}>"
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    connect = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with connect(parts.hostname or "localhost", parts.port or 0, timeout=20) as server:
        if parts.username:
            if parts.scheme == "smtp":
                server.starttls()
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)


def mailbox(session: Session, most: int = 200) -> list[Message]:
    """The newest messages, for the mailbox page of a shop without MAIL_URL."""
    return list(
        session.exec(select(Message).order_by(col(Message.created_at).desc(), col(Message.id).desc()).limit(most))
    )
