"""Signing in and out, for customers and staff at one door; staff prove themselves a second time."""

import io
from datetime import datetime, timedelta
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from store import accounts, auth, db, events, web
from store.accounts import credentials
from store.auth import Credential, WebSession
from store.db import Db
from store.errors import ShopError, SignInNeededError
from store.events import Visitor
from store.settings import house
from store.web import OurForm, Who

router = APIRouter(include_in_schema=False)

PROVING_LIFE = timedelta(minutes=10)
WRONG = "This address and this password do not belong together."
LOCKED = "Too many tries for this address. Please wait a quarter of an hour, or set a new password."
WRONG_CODE = "This code is not right, or was used already. Please wait for the next one."


class SignInForm(BaseModel):
    """Address and password; where to go afterwards."""

    email: str = Field("", max_length=300)
    password: str = Field("", max_length=1000)
    next: str = Field("", max_length=2000)


class CodeForm(BaseModel):
    """Six digits, or a recovery code."""

    code: str = Field("", max_length=60)


def peer(request: Request) -> str:
    """The network address that tries are counted by; never stored."""
    return request.client.host if request.client else "unknown"


# -- the door --------------------------------------------------------------------------------------------------------


@router.get("/sign-in")
def sign_in_page(request: Request, visitor: Who, next: str = "") -> Response:
    """The sign-in page; whoever is in already goes on."""
    if visitor.is_staff:
        return web.redirect(request, _target(next, staff=True))
    if visitor.signed_in:
        return web.redirect(request, _target(next, staff=False))
    return _sign_in_page(request, "", next)


@router.post("/sign-in", dependencies=[OurForm])
def sign_in(request: Request, form: Annotated[SignInForm, Form()]) -> Response:
    """Check address and password; customers are in, staff go on to their second factor."""
    auth.limit("60/minute", "sign-in", peer(request))
    proof = credentials.prove(form.email, form.password)
    with db.transaction() as session:
        web.resolve_visitor(request, session)
        if proof.credential is None:
            problem, status = (LOCKED, 429) if proof.locked else (WRONG, 401)
            return _sign_in_page(request, form.email, form.next, problem, status)
        credential = session.get_one(Credential, proof.credential.email)
        needs_factor = bool(credential.staff_id) and (
            credential.second_factor is not None or web.settings_of(request).production
        )
        if not needs_factor:
            return enter(session, request, credential, form.next)
        row = web.writable_session(session, request)
        until = (db.now() + PROVING_LIFE).isoformat()
        row.state = {**row.state, "proving": {"email": credential.email, "until": until, "next": form.next}}
        session.add(row)
        return web.redirect(request, "/sign-in/code" if credential.second_factor else "/sign-in/second-factor")


def enter(session: Session, request: Request, credential: Credential, next_path: str, say: str = "") -> Response:
    """Sign in for good: a fresh session, everything brought along, and on to where they wanted."""
    before = web.resolve_visitor(request, session)
    row = web.rotate_session(session, request)
    row.state = {key: value for key, value in row.state.items() if key not in ("proving", "new_second_factor")}
    arrival = accounts.arrive(session, before, row, credential)
    target = _target(next_path, staff=credential.staff_id is not None)
    return web.redirect(request, target, " ".join(filter(None, (say, arrival.sentence))), "success")


def _target(next_path: str, *, staff: bool) -> str:
    """Staff land in the office, customers in their account; each where they came from if that is theirs."""
    path = web.safe_path(next_path, "")
    if staff:
        return path if path.startswith("/office") else "/office"
    return path if path and not path.startswith(("/office", "/sign-in", "/register")) else "/account"


def _sign_in_page(request: Request, email: str, next_path: str, problem: str = "", status: int = 200) -> Response:
    context = {"email": email, "next": web.safe_path(next_path, ""), "problem": problem}
    return web.render(request, "account/sign_in.html", context, title="Sign in", status=status)


@router.post("/sign-out", dependencies=[OurForm])
def sign_out(request: Request, session: Db, visitor: Who) -> Response:
    """Leave; the browser keeps nothing of the person."""
    if visitor.signed_in or visitor.is_staff:
        events.record(session, visitor, "signed-out")
    web.leave_session(session, request)
    return web.redirect(request, "/", "You are signed out.")


# -- the second factor -----------------------------------------------------------------------------------------------


def _proving(session: Session, request: Request) -> tuple[WebSession, Credential, dict[str, Any]]:
    """Who has shown the right password in this session a moment ago."""
    row = session.get(WebSession, web.session_id_of(request))
    told = row.state.get("proving") if row else None
    if row is None or not told or datetime.fromisoformat(told["until"]) < db.now():
        raise SignInNeededError("Please begin with your address and password.")
    return row, session.get_one(Credential, told["email"]), told


@router.get("/sign-in/code")
def code_page(request: Request, session: Db, _visitor: Who) -> Response:
    """Ask for the six digits."""
    _proving(session, request)
    return web.render(request, "account/code.html", {"problem": ""}, title="Second factor")


@router.post("/sign-in/code", dependencies=[OurForm])
def check_code(request: Request, session: Db, _visitor: Who, form: Annotated[CodeForm, Form()]) -> Response:
    """Check the six digits or a recovery code; each works once."""
    _row, credential, told = _proving(session, request)
    if credential.second_factor is None:
        return web.redirect(request, "/sign-in/second-factor")
    allowed = auth.count_try(session, credentials.try_key(credential.email, "code"))
    if not allowed:
        return web.render(request, "account/code.html", {"problem": LOCKED}, title="Second factor", status=429)
    digits = form.code.strip().replace(" ", "")
    if digits.isdigit() and len(digits) == 6:
        right = auth.use_second_factor(session, credential, digits)
    else:
        right = auth.use_recovery_code(session, credential, form.code)
    if not right:
        return web.render(request, "account/code.html", {"problem": WRONG_CODE}, title="Second factor", status=401)
    say = "" if digits.isdigit() else f"You used a recovery code; {len(credential.recovery)} are left."
    return enter(session, request, credential, told["next"], say)


def _setting_up(session: Session, request: Request, visitor: Visitor) -> Credential:
    """Whose second factor may be set up: a member of staff in the house, or one who must before coming in."""
    if visitor.is_staff:
        return credentials.of_staff(session, visitor.staff_id or "")
    _row, credential, _told = _proving(session, request)
    if credential.second_factor is not None:
        raise SignInNeededError("Please sign in with your second factor first.")
    return credential


@router.get("/sign-in/second-factor")
def second_factor_page(request: Request, session: db.WritingDb, visitor: Who) -> Response:
    """Show the secret as a QR code; it counts once a code made with it has been entered."""
    credential = _setting_up(session, request, visitor)
    row = web.writable_session(session, request)
    if "new_second_factor" not in row.state:
        row.state = {**row.state, "new_second_factor": auth.new_second_factor()}
        session.add(row)
    return _second_factor_page(request, credential, row.state["new_second_factor"])


def _second_factor_page(
    request: Request, credential: Credential, secret: str, problem: str = "", status: int = 200
) -> Response:
    context = {
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "replaces": credential.second_factor is not None,
        "problem": problem,
    }
    return web.render(request, "account/second_factor.html", context, title="Second factor", status=status)


@router.get("/sign-in/second-factor/qr.svg")
def second_factor_picture(request: Request, session: Db, visitor: Who) -> Response:
    """The QR code of the secret being set up, for this session only."""
    credential = _setting_up(session, request, visitor)
    row = session.get(WebSession, web.session_id_of(request))
    secret = row.state.get("new_second_factor") if row else None
    if secret is None:
        raise ShopError(404, "Not found", "There is no second factor being set up.")
    picture = io.BytesIO()
    code = segno.make(auth.second_factor_uri(secret, credential.email, house().name), error="m")
    code.save(picture, kind="svg", scale=6, border=3, dark="#1b1916", light="#ffffff", xmldecl=False)
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'"}
    return Response(picture.getvalue(), media_type="image/svg+xml", headers=headers)


@router.post("/sign-in/second-factor", dependencies=[OurForm])
def set_second_factor(request: Request, session: Db, visitor: Who, form: Annotated[CodeForm, Form()]) -> Response:
    """Take the new second factor, proved by a code; answer with the recovery codes, shown once."""
    credential = _setting_up(session, request, visitor)
    row = web.writable_session(session, request)
    secret = row.state.get("new_second_factor", "")
    step = auth.matching_step(secret, form.code) if secret else None
    if step is None:
        return _second_factor_page(request, credential, secret, WRONG_CODE, 422)
    credential.second_factor, credential.second_factor_last = secret, step
    codes = auth.new_recovery_codes(credential)
    session.add(credential)
    row.state = {key: value for key, value in row.state.items() if key != "new_second_factor"}
    session.add(row)
    by = Visitor(session_id=row.id, staff_id=credential.staff_id)
    events.record(session, by, "staff-action", subject=credential.staff_id, facts={"action": "second factor set"})
    if not visitor.is_staff:
        told = row.state["proving"]
        enter(session, request, credential, told["next"])
        web.resolve_visitor(request, session)
    return web.render(request, "account/recovery_codes.html", {"codes": codes}, title="Recovery codes")
