"""The hosted pay page: a plain form where a customer pays with a test card, confirms 3-D Secure, or turns back."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from store.money import write
from store.settings import ROOT
from store.shop.stripe_sandbox import checkout
from store.shop.stripe_sandbox.cards import CARDS, read_typed
from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import Sandbox

TEMPLATES = Path(__file__).parent / "templates"
TYPEFACES = ROOT / "static" / "vendor"
HAS_TYPEFACES = (TYPEFACES / "fonts.css").exists()
LARGEST_FORM = 10_000  # bytes
# error code → the page's own sentence, where Stripe's speaks to developers
PAGE_SAYS = {"payment_intent_authentication_failure": "The payment was not confirmed."}
TRY_AGAIN = " Nothing was charged: please try again or use another card."

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_pages.filters["money"] = lambda amount, currency: write(amount, currency.upper())


@dataclass(frozen=True)
class _Page:
    """What to answer: a template with its values, or a way to go on."""

    template: str = ""
    status: int = 200
    values: dict[str, object] = field(default_factory=dict)
    go_to: str = ""
    may_go_to: str = ""  # the shop's origin: a form's answer may redirect there


def _pay_form(box: Sandbox, session: Body, status: int = 200, **said: object) -> _Page:
    values = {
        "merchant": box.merchant,
        "session": session,
        "lines": session["_lines"],
        "cards": [card for card in CARDS.values() if card.listed],
        "action": f"/pay/{session['id']}",
        "message": "",
        "wrong": {},
        "number": "",
        "exp": "",
    }
    return _Page("pay.html", status, values | said, may_go_to=_origin(session))


def _notice(box: Sandbox, status: int, title: str, text: str, session: Body | None = None) -> _Page:
    back = session["cancel_url"] if session else None
    return _Page("notice.html", status, {"merchant": box.merchant, "title": title, "text": text, "back": back})


def _origin(session: Body) -> str:
    parts = urlsplit(session["success_url"])
    return f"{parts.scheme}://{parts.netloc}"


def _closed(box: Sandbox, session: Body) -> _Page | None:
    """Where a session that is not open (any more) leads; none for an open one."""
    if session["status"] == "complete":
        target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return _Page(go_to=target, status=303)
    if session["status"] == "expired":
        text = "Nothing was charged. Return to the shop to see your order and to ask for a new payment page."
        return _notice(box, 410, "This payment page has closed", text, session)
    return None


def _show(box: Sandbox, reference: str, _form: dict[str, str]) -> _Page:
    session = checkout.current(box, reference)
    return _closed(box, session) or _pay_form(box, session, message=_last_failure(box, session))


def _last_failure(box: Sandbox, session: Body) -> str:
    """Why the last card was not taken, so that the sentence is there after a redirect too."""
    if not session["payment_intent"]:
        return ""
    error = box.get("payment_intent", session["payment_intent"])["last_payment_error"]
    return f"{PAGE_SAYS.get(error['code'], error['message'])}{TRY_AGAIN}" if error else ""


def _pay(box: Sandbox, reference: str, form: dict[str, str]) -> _Page:
    session = checkout.current(box, reference)
    if closed := _closed(box, session):
        return closed
    today = datetime.fromtimestamp(box.ledger.now(), UTC)
    typed = read_typed(form.get("number", ""), form.get("exp", ""), form.get("cvc", ""), today)
    if isinstance(typed, dict):
        number = form.get("number", "")
        known = number if re.sub(r"\s", "", number) in CARDS else ""  # only a test card is ever written back
        return _pay_form(box, session, 422, wrong=typed, number=known, exp=form.get("exp", "")[:10])
    intent = checkout.pay(box, session, typed)
    if intent["status"] == "requires_action":
        return _Page(go_to=f"/pay/{reference}/confirmation", status=303)
    # A declined card leads to the form again by a redirect, so that going back never asks to send the card twice.
    return _closed(box, session) or _Page(go_to=f"/pay/{reference}", status=303)


def _ask(box: Sandbox, reference: str, _form: dict[str, str]) -> _Page:
    session = checkout.current(box, reference)
    if closed := _closed(box, session):
        return closed
    intent = box.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if intent is None or intent["status"] != "requires_action":
        return _Page(go_to=f"/pay/{reference}", status=303)
    method = box.get("payment_method", intent["payment_method"])
    values = {
        "merchant": box.merchant,
        "session": session,
        "last4": method["card"]["last4"],
        "action": f"/pay/{reference}/confirmation",
    }
    return _Page("confirmation.html", 200, values, may_go_to=_origin(session))


def _confirm(box: Sandbox, reference: str, form: dict[str, str]) -> _Page:
    session = checkout.current(box, reference)
    if closed := _closed(box, session):
        return closed
    if form.get("answer") not in ("confirm", "fail"):
        return _ask(box, reference, form)
    checkout.confirm(box, session, agreed=form["answer"] == "confirm")
    return _closed(box, session) or _Page(go_to=f"/pay/{reference}", status=303)


def _carry_out(box: Sandbox, reference: str, form: dict[str, str], step: Callable[..., _Page]) -> _Page:
    """One step in one transaction; a second submission waits for the first and finds the session closed."""
    try:
        with box.ledger.transaction():
            return step(box, reference, form)
    except StripeProblem as problem:
        if problem.status != 404:
            raise
        return _notice(box, 404, "There is no such payment page", "Please follow the link on your order once more.")


def _render(page: _Page) -> Response:
    headers = {
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {page.may_go_to}".strip()
        ),
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    if page.go_to:
        return RedirectResponse(page.go_to, page.status, headers)
    return HTMLResponse(_pages.get_template(page.template).render(page.values), page.status, headers)


def _step(step: Callable[..., _Page]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        body = await request.body()
        if len(body) > LARGEST_FORM:
            return _render(_notice(request.app.state.box, 413, "That was too much", "Please fill in the form again."))
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        box: Sandbox = request.app.state.box
        return _render(await run_in_threadpool(_carry_out, box, request.path_params["id"], form, step))

    return respond


async def _style(_request: Request) -> Response:
    return FileResponse(TEMPLATES / "pay.css", media_type="text/css")


async def _typefaces(_request: Request) -> Response:
    """The house's typefaces where they are built; the page stands without them."""
    return FileResponse(TYPEFACES / "fonts.css") if HAS_TYPEFACES else Response("", media_type="text/css")


def routes() -> list[BaseRoute]:
    """The pay page, its 3-D Secure question and their style sheet."""
    return [
        Route("/pay/{id}", _step(_show), methods=["GET"]),
        Route("/pay/{id}", _step(_pay), methods=["POST"]),
        Route("/pay/{id}/confirmation", _step(_ask), methods=["GET"]),
        Route("/pay/{id}/confirmation", _step(_confirm), methods=["POST"]),
        Route("/style.css", _style, methods=["GET"]),
        Route("/fonts.css", _typefaces, methods=["GET"]),
        Mount("/fonts", StaticFiles(directory=TYPEFACES / "fonts", check_dir=False)),
    ]
