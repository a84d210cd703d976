"""A customer's details: name, address, password, what the house knows about them, and closing the account."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from store import auth, db, people, privacy, web
from store.accounts import closing, credentials
from store.db import Db
from store.errors import ShopError
from store.pages.sign_in import LOCKED
from store.people import Customer
from store.shop import forgetting
from store.web import Account, OurForm

router = APIRouter(include_in_schema=False)


def _page(request: Request, template: str, context: dict[str, Any], title: str, status: int = 200) -> Response:
    return web.render(request, f"account/{template}.html", context, title=title, status=status)


class DetailsForm(BaseModel):
    """Name, address and password; each form of the page sends its own part."""

    name: str = Field("", max_length=300)
    email: str = Field("", max_length=300)
    password: str = Field("", max_length=1000)  # the present one
    new_password: str = Field("", max_length=1000)
    token: str = Field("", max_length=2000)


def _details(request: Request, customer: Customer, wrong: dict[str, str], status: int = 200) -> Response:
    return _page(request, "details", {"customer": customer, "wrong": wrong}, "Your details", status)


@router.get("/account/details")
def details_page(request: Request, session: Db, visitor: Account) -> Response:
    """Name, address, password, and the way out."""
    return _details(request, web.me(session, visitor), {})


@router.post("/account/name", dependencies=[OurForm])
def change_name(request: Request, session: Db, visitor: Account, form: Annotated[DetailsForm, Form()]) -> Response:
    """Be called differently."""
    customer = web.me(session, visitor)
    if not form.name.strip():
        return _details(request, customer, {"name": "Please tell us your name."}, 422)
    customer.name = form.name.strip()[:120]
    session.add(customer)
    return web.redirect(request, "/account/details", "Your name is changed.", "success")


@dataclass(frozen=True)
class Proved:
    """Who asked, and whether they knew the password: the outcome before the changing transaction begins."""

    email: str
    problem: str | None


def _prove(request: Request, password: str) -> Proved:
    """Ask for the password again before something that a passer-by at an open browser must not do."""
    with db.transaction(read_only=True) as session:
        visitor = web.resolve_visitor(request, session)
        email = credentials.credential_of(session, web.me(session, visitor).id).email
    proof = credentials.prove(email, password)
    if proof.credential is None:
        return Proved(email, LOCKED if proof.locked else "This is not your password.")
    return Proved(email, None)


@router.post("/account/password", dependencies=[OurForm])
def change_password(request: Request, form: Annotated[DetailsForm, Form()]) -> Response:
    """Set another password; every other session ends."""
    proved = _prove(request, form.password)
    wrong = {"password": proved.problem} if proved.problem else {}
    problem = credentials.password_problem(form.new_password, proved.email)
    if problem and not wrong:
        wrong = {"new_password": problem}
    password_hash = "" if wrong else auth.hash_password(form.new_password)
    with db.transaction() as session:
        customer = web.me(session, web.resolve_visitor(request, session))
        if wrong:
            return _details(request, customer, wrong, 422)
        credential = credentials.credential_of(session, customer.id)
        credentials.change_password(session, credential, password_hash, web.session_id_of(request))
    return web.redirect(request, "/account/details", "Your password is changed; all other sessions ended.", "success")


@router.post("/account/email", dependencies=[OurForm])
def ask_address_change(request: Request, form: Annotated[DetailsForm, Form()]) -> Response:
    """Ask for another address; it counts once the mail sent there has been answered."""
    proved = _prove(request, form.password)
    wrong = {"email_password": proved.problem} if proved.problem else {}
    with db.transaction() as session:
        customer = web.me(session, web.resolve_visitor(request, session))
        try:
            email = people.normalise_email(form.email)
        except ShopError as error:
            wrong["email"] = error.detail
        if wrong:
            return _details(request, customer, wrong, 422)
        credentials.ask_address_change(session, customer, email)
    sentence = "We have written to the new address. Follow the link in that mail, and it is yours here."
    return web.redirect(request, "/account/details", sentence)


@router.get("/account/address")
def address_page(request: Request, visitor: Account, token: str = "") -> Response:
    """Ask for one click before the new address counts."""
    old, new = credentials.read_address_change(visitor, token)
    return _page(request, "address", {"old": old, "new": new, "token": token}, "A new address")


@router.post("/account/address", dependencies=[OurForm])
def change_address(request: Request, session: Db, visitor: Account, form: Annotated[DetailsForm, Form()]) -> Response:
    """Take the new address."""
    customer = credentials.change_address(session, visitor, form.token)
    return web.redirect(request, "/account/details", f"You sign in with {customer.email} from now on.", "success")


# -- what the house knows --------------------------------------------------------------------------------------------


@router.get("/account/privacy")
def privacy_page(request: Request, session: Db, visitor: Account) -> Response:
    """What the house holds about this customer, for what and for how long."""
    customer = web.me(session, visitor)
    held = privacy.export(session, customer.id)["tables"]
    context = {
        "customer": customer,
        "held": [part for part in held.values() if part["rows"]],
        "answers": people.history_of(session, customer.id),
        "purposes": people.PURPOSES,
        "forgotten": forgetting.in_words(session, customer.id),
    }
    return _page(request, "privacy", context, "What we know about you")


@router.post("/account/forgotten/{forgotten_id}/return", dependencies=[OurForm])
def remember(request: Request, forgotten_id: str, session: Db, visitor: Account) -> Response:
    """Let something count again that was to be forgotten."""
    forgetting.remember(session, visitor, forgotten_id)
    return web.redirect(request, "/account/privacy#forgotten", "It counts again when we choose for you.", "success")


@router.get("/account/data.json")
def my_data(session: Db, visitor: Account) -> Response:
    """Everything the house holds about this customer, to take away."""
    customer = web.me(session, visitor)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "private, no-store"}
    return JSONResponse(privacy.export(session, customer.id), headers=headers)


@router.get("/account/close")
def close_page(request: Request, session: Db, visitor: Account) -> Response:
    """What closing does, before it is done."""
    return _page(request, "close", {"customer": web.me(session, visitor), "problem": ""}, "Close your account")


@router.post("/account/close", dependencies=[OurForm])
def close(request: Request, form: Annotated[DetailsForm, Form()]) -> Response:
    """Close the account: the books stay, the person goes."""
    proved = _prove(request, form.password)
    with db.transaction() as session:
        visitor = web.resolve_visitor(request, session)
        customer = web.me(session, visitor)
        if proved.problem:
            return _page(request, "close", {"customer": customer, "problem": proved.problem}, "Close your account", 422)
        closing.close(session, visitor)
        web.leave_session(session, request)
    return web.redirect(request, "/", "Your account is closed, and we have forgotten you as far as the law lets us.")
