"""Mail: an outbox of rows, written in the transaction of their cause and sent once by a task.

A mail of the purpose "messages" carries its unsubscribe address (RFC 8058) and is looked at once more when it leaves: a
withdrawn consent holds back what is already queued.
"""

import email.policy
import smtplib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formataddr
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlmodel import Field, Session, SQLModel, col, select

from store import db, events, links, tasks
from store.events import NOBODY
from store.rendering import render
from store.settings import Settings, house

COST_PER_MAIL = 2  # minor units: what reaching a customer by mail costs the house
UNSUBSCRIBE_LIFE = timedelta(days=400)  # a person may answer a mail of last year

Allowed = Callable[[Session, str, str], bool]  # (customer id, purpose): may we write now?


class Message(SQLModel, table=True):
    """One mail to one person; `dedupe_key` makes queueing it twice queue it once."""

    __tablename__ = "message"

    id: str = Field(primary_key=True)
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    kind: str  # template name: order-placed, offer, verify …
    purpose: str | None = None  # the consent it needs; None: part of the contract
    to_address: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = Field(default_factory=dict, sa_type=db.Document)
    dedupe_key: str = Field(unique=True)
    state: str = "queued"  # queued, sent, withheld (consent withdrawn in the meantime)
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
    purpose: str | None = None,
    cost: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Message | None:
    """Write a mail into the outbox, from templates/mail/{kind}.txt and .html.

    Args:
        purpose: the consent that the mail needs ("messages"); it then carries its unsubscribe address.

    Returns:
        The message, or None when one with this `dedupe_key` is there already, or there is no address to write to.
    """
    if not to_address:
        return None  # an account that was closed
    if purpose and not customer_id:
        raise ValueError("a mail that needs consent needs a customer")
    unsubscribe = unsubscribe_address(customer_id, purpose) if customer_id and purpose else None
    words = {**context, "link": links.absolute, "unsubscribe": unsubscribe}
    subject, _, text = render(f"mail/{kind}.txt", **words).strip().partition("\n")
    message = Message(
        id=db.new_id("msg"),
        customer_id=customer_id,
        kind=kind,
        purpose=purpose,
        to_address=to_address,
        subject=" ".join(subject.split()),
        text=text.strip() + "\n",
        html=render(f"mail/{kind}.html", **words),
        headers={**_unsubscribe_headers(unsubscribe), **(headers or {})},
        dedupe_key=dedupe_key,
        state="queued",
        cost=cost,
        created_at=db.now(),
    )
    if db.insert_once(session, Message, message.model_dump(), unique=("dedupe_key",)) is None:
        return None
    tasks.enqueue(session, "send-mail", {"message": message.id}, dedupe_key=f"send-mail:{message.id}")
    facts = {"message": message.id, "template": kind, "cost": cost}
    events.record(session, NOBODY, "mail-queued", subject=message.id, customer_id=customer_id, facts=facts)
    return db.attach(session, message)


def unsubscribe_address(customer_id: str, purpose: str) -> str:
    """The signed address that ends one purpose for one customer, without signing in."""
    return links.signed("/unsubscribe", "unsubscribe", [customer_id, purpose])


def _unsubscribe_headers(address: str | None) -> dict[str, str]:
    if address is None:
        return {}
    return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


class Outbox:
    """Sends queued messages; without MAIL_URL they stay readable at the mailbox page."""

    def __init__(self, settings: Settings, allowed: Allowed) -> None:
        self._url = settings.mail_url
        self._allowed = allowed

    def send(self, payload: dict[str, Any]) -> None:
        """The task "send-mail": hand the message over, then note that it went."""
        with db.transaction(read_only=True) as session:
            message = session.get(Message, payload["message"])
            if message is None or message.state != "queued":
                return  # sent before, or erased with its customer
            withheld = bool(
                message.purpose
                and message.customer_id
                and not self._allowed(session, message.customer_id, message.purpose)
            )
        if self._url and not withheld:
            _deliver(self._url, message)
        with db.transaction() as session:
            row = session.get(Message, message.id)
            if row is not None:
                row.state, row.sent_at = ("withheld", None) if withheld else ("sent", db.now())
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


def mailbox(session: Session, most: int = 200, *, to: str = "") -> list[Message]:
    """The newest messages (to one address), for the mailbox page of a shop without MAIL_URL."""
    statement = select(Message).order_by(col(Message.created_at).desc(), col(Message.id).desc()).limit(most)
    return list(session.exec(statement.where(Message.to_address == to) if to else statement))
