"""What every page and JSON call shares: the visitor, forms that only our pages can send, answers and refusals."""

import json
import logging
import secrets
import traceback
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, cast
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session
from starlette.exceptions import HTTPException

from store import auth, db, invitations, people, rendering
from store.auth import Signer, WebSession
from store.crm import offers
from store.db import Db, ReadingDb
from store.errors import ShopError, SignInNeededError, forbidden
from store.events import Visitor
from store.settings import Settings
from store.shop import price_lists

log = logging.getLogger(__name__)

SESSION_COOKIE = "atelier"
FLASH_COOKIE = "atelier-note"
FLASH_LIFE = timedelta(minutes=5)
JSON_PATHS = ("/api/", "/webhooks/", "/healthz", "/openapi.json")


@dataclass(frozen=True)
class PageContext:
    """What base.html needs on every page."""

    title: str
    path: str
    csrf: str
    nonce: str
    visitor: Visitor
    bag_count: int
    flash: list[tuple[str, str]]
    ask_consent: bool
    test_mode: bool
    offer_notice: Any
    currency: str


def settings_of(request: Request) -> Settings:
    """The settings that this app was made with."""
    return cast(Settings, request.app.state.settings)


def signer_of(request: Request) -> Signer:
    """The signer of this app."""
    return cast(Signer, request.app.state.signer)


# -- the session cookie ----------------------------------------------------------------------------------------------


def session_id_of(request: Request) -> str:
    """The id of this browser's session; a new browser gets a cookie with the answer, a row only when it writes."""
    known: str | None = getattr(request.state, "session_id", None)
    if known:
        return known
    token = request.cookies.get(SESSION_COOKIE, "")
    if not 40 <= len(token) <= 64:
        token = db.new_secret()
        request.state.set_session_token = token
    return use_session_token(request, token)


def use_session_token(request: Request, token: str) -> str:
    """Adopt a token for the rest of this request; returns the session's id."""
    request.state.session_id = "ses_" + signer_of(request).digest("session", token)[:40]
    return cast(str, request.state.session_id)


def rotate_session(session: Session, request: Request) -> WebSession:
    """A new session that takes over the old one's work; at every sign-in, against fixation."""
    old = session.get(WebSession, session_id_of(request))
    new = _new_session(session, request)
    if old is not None:
        new.purposes, new.consent_asked, new.state = list(old.purposes), old.consent_asked, dict(old.state)
        session.delete(old)
    session.add(new)
    session.flush()
    return new


def leave_session(session: Session, request: Request) -> WebSession:
    """An empty session in place of the old one, at sign-out: the next person at this browser inherits nothing."""
    old = session.get(WebSession, session_id_of(request))
    new = _new_session(session, request)
    if old is not None:
        session.delete(old)
        session.flush()
    return new


def _new_session(session: Session, request: Request) -> WebSession:
    request.state.set_session_token = db.new_secret()
    new = auth.ensure_session(session, use_session_token(request, request.state.set_session_token))
    request.state.web_session = new
    return new


def writable_session(session: Session, request: Request) -> WebSession:
    """This browser's session row, made if needed and locked against its other tabs."""
    row = auth.locked_session(session, session_id_of(request))
    request.state.web_session = row
    return row


def csrf_of(request: Request) -> str:
    """The token that our own forms carry; bound to the browser's session."""
    return signer_of(request).digest("csrf", session_id_of(request))


# -- who is asking ---------------------------------------------------------------------------------------------------


def resolve_visitor(request: Request, session: Session) -> Visitor:
    """The visitor of this request: session row, customer or staff, consent; one or two indexed reads."""
    opted_out = request.headers.get("sec-gpc") == "1"
    visitor = Visitor(session_id=session_id_of(request), opted_out=opted_out)
    if request.cookies.get(SESSION_COOKIE):
        row = db.find(session, WebSession, id=session_id_of(request))
        if row is not None and row.expires_at > db.now():
            request.state.web_session = row
            visitor = _known(session, row, opted_out)
            if row.state.get("currency"):
                visitor = replace(visitor, currency=str(row.state["currency"]))
        elif row is not None:
            request.state.session_ended = True
    request.state.visitor = visitor
    if visitor.customer_id and request.method == "GET" and not wants_json(request):
        request.state.offer_notice = offers.notice(session, visitor.customer_id)
    return visitor


def _known(session: Session, row: WebSession, opted_out: bool) -> Visitor:
    if row.staff_id:
        staff = session.get_one(people.Staff, row.staff_id)
        if staff.left_at is None:
            return Visitor(row.id, None, staff.id, staff.role, staff.name, frozenset(), True, opted_out)
        return Visitor(session_id=row.id, opted_out=opted_out)
    if row.customer_id:
        customer = session.get_one(people.Customer, row.customer_id)
        consents = people.consents_of(session, customer.id)
        invited = invitations.audiences_of(session, customer.id)
        return Visitor(row.id, customer.id, None, None, customer.name, consents, True, opted_out, invited)
    return Visitor(row.id, consents=frozenset(row.purposes), consent_asked=row.consent_asked, opted_out=opted_out)


async def _resolved(request: Request, session: Session, reads: bool) -> Visitor:
    if reads and db.never_waits(session.get_bind()):
        return resolve_visitor(request, session)
    return await run_in_threadpool(resolve_visitor, request, session)


async def _visitor(request: Request, session: Db) -> Visitor:
    return await _resolved(request, session, request.method in ("GET", "HEAD"))


async def _asking_visitor(request: Request, session: ReadingDb) -> Visitor:
    return await _resolved(request, session, reads=True)


Who = Annotated[Visitor, Depends(_visitor)]
WhoAsks = Annotated[Visitor, Depends(_asking_visitor)]  # for the posts that only ask, beside `ReadingDb`


def me(session: Session, visitor: Visitor) -> people.Customer:
    """The customer who is signed in.

    Raises:
        SignInNeededError: nobody is.
    """
    if not visitor.signed_in:
        raise SignInNeededError
    return session.get_one(people.Customer, visitor.customer_id)


async def _customer_only(visitor: Who) -> Visitor:
    if not visitor.signed_in:
        raise SignInNeededError
    return visitor


async def _staff_only(visitor: Who) -> Visitor:
    if visitor.signed_in:
        raise forbidden("This part of the house is for its staff.")
    if not visitor.is_staff:
        raise SignInNeededError
    return visitor


Account = Annotated[Visitor, Depends(_customer_only)]
StaffOnly = Annotated[Visitor, Depends(_staff_only)]


# -- requests that only our own pages may send -----------------------------------------------------------------------


async def same_origin(request: Request) -> None:
    """Refuse a writing request that another site sent.

    Raises:
        ShopError: 403.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise forbidden("This request came from another site.")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise forbidden("This request came from another site.")


async def our_form(request: Request) -> None:
    """Refuse a form without the token of this browser's session.

    Raises:
        ShopError: 403.
    """
    await same_origin(request)
    form = await request.form()
    token = form.get("csrf")
    if not isinstance(token, str) or not secrets.compare_digest(token.encode(), csrf_of(request).encode()):
        await form.close()
        raise ShopError(
            403, "Page expired", "This page is too old to be sent. Please go back, reload it and try again."
        )


OurForm = Depends(our_form)
SameOrigin = Depends(same_origin)


# -- answers ---------------------------------------------------------------------------------------------------------


def wants_json(request: Request) -> bool:
    """Whether a machine asks."""
    if request.url.path.startswith(JSON_PATHS):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def wants_partial(request: Request) -> bool:
    """Whether our own script asks for the part of the page it will swap in."""
    return request.headers.get("x-partial") == "1"


def page_context(request: Request, title: str) -> PageContext:
    """What base.html needs, from what this request has resolved."""
    visitor: Visitor = getattr(request.state, "visitor", Visitor())
    row: WebSession | None = getattr(request.state, "web_session", None)
    return PageContext(
        title=title,
        path=request.url.path,
        csrf=csrf_of(request),
        nonce=getattr(request.state, "nonce", ""),
        visitor=visitor,
        bag_count=int(row.state.get("bag_count", 0)) if row else 0,
        flash=_take_flash(request),
        ask_consent=not visitor.consent_asked and not visitor.is_staff,
        test_mode=settings_of(request).test_mode,
        offer_notice=getattr(request.state, "offer_notice", None),
        currency=price_lists.still(visitor.currency).currency,
    )


def render(
    request: Request, template: str, context: dict[str, Any] | None = None, *, title: str = "", status: int = 200
) -> HTMLResponse:
    """A page (or a partial) from its template, with `page` filled in."""
    page = page_context(request, title)
    response = HTMLResponse(rendering.render(template, page=page, **(context or {})), status_code=status)
    if page.flash:
        response.delete_cookie(FLASH_COOKIE)
    # A page carries the visitor's bag and token: it belongs to this browser only.
    response.headers["Cache-Control"] = "private, no-store" if page.visitor.session_id else "private, no-cache"
    return response


def redirect(request: Request, url: str, flash: str | None = None, kind: str = "info") -> RedirectResponse:
    """Post/Redirect/Get: see the page at `url`, with a sentence to read once."""
    response = RedirectResponse(safe_path(url), status_code=303)
    if flash:
        token = signer_of(request).sign("flash", [[kind, flash]])
        response.set_cookie(FLASH_COOKIE, token, max_age=300, httponly=True, samesite="lax", secure=secure(request))
    return response


def safe_path(url: str, otherwise: str = "/") -> str:
    """The address if it is a path of our own, else another: never to another site, whatever a form says."""
    strange = any(ord(char) <= 32 or char == "\\" for char in url)  # browsers drop tabs and turn backslashes
    if strange or not url.startswith("/") or url.startswith("//") or len(url) > 2000:
        return otherwise
    return url


def _to_sign_in(request: Request, error: ShopError) -> RedirectResponse:
    """To the sign-in page with a sentence, and from there back to where they were."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in ("GET", "HEAD"):
        parts = urlsplit(request.headers.get("referer", "/"))  # the page that held the form
        back = parts.path + (f"?{parts.query}" if parts.query else "")
    sentence = error.detail
    if getattr(request.state, "session_ended", False):
        sentence = "Your session has ended and nothing was changed. Please sign in; you will then be back here."
    return redirect(request, f"/sign-in?next={quote(safe_path(back), safe='/')}", sentence)


def secure(request: Request) -> bool:
    """Whether cookies must travel over TLS only."""
    return settings_of(request).public_url.startswith("https://")


def _take_flash(request: Request) -> list[tuple[str, str]]:
    token = request.cookies.get(FLASH_COOKIE)
    if not token:
        return []
    try:
        return [(kind, text) for kind, text in signer_of(request).read("flash", token, FLASH_LIFE)]
    except ShopError:
        return []


def problem(status: int, title: str, detail: str, extra: dict[str, Any] | None = None) -> Response:
    """An RFC 9457 problem."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(extra or {})}
    # In ASCII: half characters, which somebody may have sent as a name, can be told but not written otherwise.
    return Response(json.dumps(body), status_code=status, media_type="application/problem+json")


def refusal(request: Request, error: ShopError) -> Response:
    """A refusal as its asker can read it: problem, partial or page."""
    if wants_json(request):
        return problem(error.status, error.title, error.detail, error.extra)
    if isinstance(error, SignInNeededError):
        return _to_sign_in(request, error)
    context = {"status": error.status, "title": error.title, "detail": error.detail}
    template = "_error.html" if wants_partial(request) else "error.html"
    return render(request, template, context, title=error.title, status=error.status)


SENTENCES = {
    404: ("Not found", "There is nothing at this address."),
    405: ("Not allowed", "This address does not take that kind of request."),
    413: ("Too large", "That was more than we can take at once."),
}


def install_error_pages(app: FastAPI) -> None:
    """Give every error its sentence, in the page's own style or as a problem."""

    def shop_error(request: Request, error: Exception) -> Response:
        return refusal(request, cast(ShopError, error))

    def http_error(request: Request, error: Exception) -> Response:
        status = cast(HTTPException, error).status_code
        title, detail = SENTENCES.get(status, ("Not possible", "This request could not be carried out."))
        return refusal(request, ShopError(status, title, detail))

    def wrong_input(request: Request, error: Exception) -> Response:
        problems = cast(RequestValidationError, error).errors()
        if any(item["type"] == "json_invalid" for item in problems):
            return refusal(request, ShopError(422, "Please check what you entered", "This is not valid JSON."))
        fields = [".".join(str(part) for part in item["loc"][1:]) or "body" for item in problems]
        detail = "Please check: " + "; ".join(
            f"{field} — {item['msg'].lower()}" for field, item in zip(fields, problems, strict=True)
        )
        return refusal(request, ShopError(422, "Please check what you entered", detail[:600], {"fields": fields}))

    def unexpected(request: Request, error: Exception) -> Response:
        number = db.new_id("err")
        # The type and the place only: messages can hold addresses and names.
        place = "".join(traceback.format_tb(error.__traceback__))
        log.error("unexpected error %s at %s: %s\n%s", number, request.url.path, type(error).__name__, place)
        sentence = f"Something went wrong on our side; nothing was lost. If it happens again, tell us {number}."
        return refusal(request, ShopError(500, "Our mistake", sentence))

    app.add_exception_handler(ShopError, shop_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, wrong_input)
    app.add_exception_handler(Exception, unexpected)
