"""The mailbox of a shop without a mail server: its mails, to read and follow. Never in production."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from store import mail, web
from store.db import Db
from store.errors import not_found
from store.mail import Message
from store.web import Who

# A mail is shown as its reader's program shows it: no script, nothing loaded, links open in the whole window.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-top-navigation-by-user-activation"
)


async def _only_without_mail_server(request: Request) -> None:
    settings = web.settings_of(request)
    if settings.production or settings.mail_url:
        raise not_found("page")


router = APIRouter(include_in_schema=False, dependencies=[Depends(_only_without_mail_server)])


@router.get("/dev/mailbox")
def mailbox(request: Request, session: Db, _visitor: Who, to: Annotated[str, Query(max_length=254)] = "") -> Response:
    """The newest mails, of everybody or to one address."""
    context = {"messages": mail.mailbox(session, to=to.strip().lower()), "to": to}
    return web.render(request, "account/mailbox.html", context, title="Mailbox")


@router.get("/dev/mailbox/{message_id}")
def message(request: Request, session: Db, _visitor: Who, message_id: str) -> Response:
    """One mail with its headers, as text and in a frame as HTML."""
    context = {"message": _message(session, message_id)}
    return web.render(request, "account/mailbox_message.html", context, title=context["message"].subject)


@router.get("/dev/mailbox/{message_id}/html")
def message_html(session: Db, message_id: str) -> Response:
    """The mail's own HTML, under a policy of its own."""
    headers = {"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "private, no-store"}
    return HTMLResponse(_message(session, message_id).html, headers=headers)


def _message(session: Db, message_id: str) -> Message:
    found = session.get(Message, message_id)
    if found is None:
        raise not_found("mail")
    return found
