"""Opening an account, proving an address, keeping what was ordered as a guest, and setting a new password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from store import auth, db, people, web
from store.accounts import credentials, registration
from store.accounts.registration import Registration
from store.db import Db
from store.errors import ShopError
from store.events import Visitor
from store.pages.sign_in import WRONG, enter, peer
from store.web import OurForm, Who

router = APIRouter(include_in_schema=False)


class RegisterForm(BaseModel):
    """What a person gives for an account; the ticks are consents, none is needed."""

    name: str = Field("", max_length=300)
    email: str = Field("", max_length=300)
    password: str = Field("", max_length=1000)
    personalisation: str = Field("", max_length=10)
    messages: str = Field("", max_length=10)
    next: str = Field("", max_length=2000)

    def purposes(self, visitor: Visitor) -> frozenset[str]:
        """What was ticked here, and what this browser had allowed before."""
        ticked = {purpose for purpose in people.PURPOSES if getattr(self, purpose)}
        return frozenset(ticked | visitor.consents)

    def problems(self) -> dict[str, str]:
        """What is wrong, by field, in sentences."""
        wrong: dict[str, str] = {}
        if not self.name.strip():
            wrong["name"] = "Please tell us your name."
        try:
            people.normalise_email(self.email)
        except ShopError as error:
            wrong["email"] = error.detail
        problem = credentials.password_problem(self.password, self.email, self.name)
        if problem:
            wrong["password"] = problem
        return wrong


class TokenForm(BaseModel):
    """A signed link's value, with a password where one is asked for."""

    token: str = Field("", max_length=2000)
    password: str = Field("", max_length=1000)


class ClaimForm(RegisterForm):
    """The same for a guest, whose address the link has proved."""

    token: str = Field("", max_length=2000)


class AddressForm(BaseModel):
    """An address to write to."""

    email: str = Field("", max_length=300)


# -- a new account ---------------------------------------------------------------------------------------------------


@router.get("/register")
def register_page(request: Request, visitor: Who, next: str = "", email: str = "") -> Response:
    """The form for a new account."""
    if visitor.signed_in:
        return web.redirect(request, web.safe_path(next, "/account"))
    return _register_page(request, visitor, RegisterForm(name="", email=email[:300], next=next[:2000]), {})


def _register_page(
    request: Request, visitor: Visitor, form: RegisterForm, wrong: dict[str, str], status: int = 200
) -> Response:
    context = {"form": form, "wrong": wrong, "granted": visitor.consents, "opted_out": visitor.opted_out}
    return web.render(request, "account/register.html", context, title="Create an account", status=status)


@router.post("/register", dependencies=[OurForm])
def register(request: Request, form: Annotated[RegisterForm, Form()]) -> Response:
    """Ask for an account; the answer is the same for every address, the mail is not."""
    auth.limit("60/minute", "register", peer(request))
    wrong = form.problems()
    password_hash = "" if wrong else auth.hash_password(form.password)  # outside of the transaction: it takes a while
    with db.transaction() as session:
        visitor = web.resolve_visitor(request, session)
        if wrong:
            return _register_page(request, visitor, form, wrong, 422)
        registration.register(
            session,
            visitor,
            email=people.normalise_email(form.email),
            name=form.name,
            password_hash=password_hash,
            purposes=form.purposes(visitor),
            next_path=web.safe_path(form.next, "/account"),
        )
    return web.redirect(request, "/register/sent")


@router.get("/register/sent")
def register_sent(request: Request, _visitor: Who) -> Response:
    """What to do now: look into the mail."""
    return _look_into_mail(request, "Follow the link in it within three days, and your account is open.")


def _look_into_mail(request: Request, text: str) -> Response:
    settings = web.settings_of(request)
    context = {"text": text, "mailbox": settings.mail_url is None and not settings.production}
    return web.render(request, "account/look_into_mail.html", context, title="Look into your mail")


@router.get("/verify")
def verify_page(request: Request, session: Db, visitor: Who, token: str = "") -> Response:
    """Ask for one click: programs that follow every link in a mail must not open accounts."""
    return _verify_page(request, visitor, registration.waiting(session, token), token)


def _verify_page(
    request: Request, visitor: Visitor, wish: Registration, token: str, problem: str = "", status: int = 200
) -> Response:
    same_browser = wish.session_id == visitor.session_id
    context = {"wish": wish, "token": token, "same_browser": same_browser, "problem": problem}
    return web.render(request, "account/verify.html", context, title="Confirm your address", status=status)


@router.post("/verify", dependencies=[OurForm])
def verify(request: Request, form: Annotated[TokenForm, Form()]) -> Response:
    """Open the account, and sign in; in another browser the password shows that the same person asked."""
    with db.transaction() as session:
        wish = registration.waiting(session, form.token)
        asked_here = wish.session_id == web.session_id_of(request)
        may_try = asked_here or auth.count_try(session, credentials.try_key(wish.id, "verify"))
    if not asked_here and not (may_try and auth.check_password(form.password, wish.password_hash)):
        with db.transaction(read_only=True) as session:
            visitor = web.resolve_visitor(request, session)
            return _verify_page(request, visitor, wish, form.token, WRONG, 401)
    with db.transaction() as session:
        visitor = web.resolve_visitor(request, session)
        credential = registration.confirm(session, visitor, session.get_one(Registration, wish.id))
        return enter(session, request, credential, wish.next_path, "Your account is open.")


# -- a guest keeps what they ordered ---------------------------------------------------------------------------------


@router.get("/claim")
def claim_page(request: Request, session: Db, visitor: Who, token: str = "") -> Response:
    """The form for a guest who came by the link in a mail."""
    guest = registration.claimed(session, token)
    return _claim_page(request, visitor, ClaimForm(name=guest.name, email=guest.email, token=token), {})


def _claim_page(
    request: Request, visitor: Visitor, form: ClaimForm, wrong: dict[str, str], status: int = 200
) -> Response:
    context = {"form": form, "wrong": wrong, "granted": visitor.consents, "opted_out": visitor.opted_out}
    return web.render(request, "account/claim.html", context, title="Keep your orders", status=status)


@router.post("/claim", dependencies=[OurForm])
def claim(request: Request, form: Annotated[ClaimForm, Form()]) -> Response:
    """Make the guest's account and sign in."""
    auth.limit("60/minute", "register", peer(request))
    with db.transaction(read_only=True) as session:
        guest = registration.claimed(session, form.token)
    form.email = guest.email
    wrong = form.problems()
    password_hash = "" if wrong else auth.hash_password(form.password)
    with db.transaction() as session:
        visitor = web.resolve_visitor(request, session)
        if wrong:
            return _claim_page(request, visitor, form, wrong, 422)
        purposes = form.purposes(visitor)
        credential = registration.claim(
            session, visitor, form.token, name=form.name, password_hash=password_hash, purposes=purposes
        )
        return enter(session, request, credential, "/account", "Your account is open.")


# -- a forgotten password --------------------------------------------------------------------------------------------


@router.get("/reset-password")
def reset_page(request: Request, session: Db, _visitor: Who, token: str = "") -> Response:
    """Ask for the address; with a link's token, for the new password."""
    if token:
        return _new_password_page(request, session, token, "")
    return web.render(request, "account/reset.html", {"email": "", "problem": ""}, title="Forgotten password")


@router.post("/reset-password", dependencies=[OurForm])
def ask_reset(request: Request, session: Db, _visitor: Who, form: Annotated[AddressForm, Form()]) -> Response:
    """Write to the address; the answer is the same for every address."""
    auth.limit("30/minute", "reset", peer(request))
    try:
        email = people.normalise_email(form.email)
    except ShopError as error:
        context = {"email": form.email, "problem": error.detail}
        return web.render(request, "account/reset.html", context, title="Forgotten password", status=422)
    credentials.ask_reset(session, email)
    return web.redirect(request, "/reset-password/sent")


@router.get("/reset-password/sent")
def reset_sent(request: Request, _visitor: Who) -> Response:
    """What to do now: look into the mail."""
    return _look_into_mail(request, "If the address has an account, the link in it sets a new password within an hour.")


def _new_password_page(request: Request, session: Session, token: str, problem: str, status: int = 200) -> Response:
    credential = credentials.reset_target(session, token)
    context = {"token": token, "email": credential.email, "problem": problem}
    return web.render(request, "account/new_password.html", context, title="A new password", status=status)


@router.post("/reset-password/new", dependencies=[OurForm])
def reset(request: Request, form: Annotated[TokenForm, Form()]) -> Response:
    """Set the new password, once; every session of the account ends."""
    with db.transaction(read_only=True) as session:
        web.resolve_visitor(request, session)
        email = credentials.reset_target(session, form.token).email
        problem = credentials.password_problem(form.password, email)
        if problem:
            return _new_password_page(request, session, form.token, problem, 422)
    password_hash = auth.hash_password(form.password)
    with db.transaction() as session:
        credentials.reset(session, form.token, password_hash)
    return web.redirect(request, "/sign-in", "Your new password is set. Please sign in with it.", "success")
