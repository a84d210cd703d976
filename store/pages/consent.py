"""Privacy choices: the banner's answer, the page that shows and changes them, and the way out of messages."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field

from store import links, mail, people, web
from store.db import Db
from store.errors import ShopError
from store.people import Customer
from store.web import OurForm, Who

router = APIRouter(include_in_schema=False)


class ConsentForm(BaseModel):
    """The answer of the banner (all, necessary) or of the page (choice, with a tick for each purpose)."""

    answer: str = Field("choice", max_length=20)
    personalisation: str = Field("", max_length=10)
    messages: str = Field("", max_length=10)
    next: str = Field("", max_length=2000)

    def purposes(self) -> frozenset[str]:
        """What is consented to."""
        if self.answer == "all":
            return frozenset(people.PURPOSES)
        if self.answer == "necessary":
            return frozenset()
        return frozenset(purpose for purpose in people.PURPOSES if getattr(self, purpose))


@router.get("/consent")
def consent_page(request: Request, session: Db, visitor: Who, next: str = "") -> Response:
    """Every purpose with its present answer."""
    answers = people.answers_of(session, visitor.customer_id) if visitor.customer_id else {}
    context = {"purposes": people.PURPOSES, "answers": answers, "next": web.safe_path(next, "/consent")}
    return web.render(request, "account/consent.html", context, title="Privacy choices")


@router.post("/consent", dependencies=[OurForm])
def answer_consent(request: Request, session: Db, visitor: Who, form: Annotated[ConsentForm, Form()]) -> Response:
    """Store the answer; it counts from now on."""
    target = web.safe_path(form.next, "/")
    if visitor.is_staff:
        return web.redirect(request, target)
    source = "banner" if form.answer in ("all", "necessary") else "privacy choices"
    after = people.answer_consent(session, visitor, form.purposes(), source)
    if visitor.customer_id and "messages" in after:
        people.lift_suppression(session, session.get_one(Customer, visitor.customer_id).email)
    return web.redirect(request, target, _sentence(after, visitor.opted_out), "success")


def _sentence(after: frozenset[str], opted_out: bool) -> str:
    allowed = " and ".join(purpose for purpose in people.PURPOSES if purpose in after)
    sentence = f"Noted: you allow {allowed}." if allowed else "Noted: only what is necessary."
    signal = " Your browser asks not to be profiled, so personalisation stays off." if opted_out else ""
    return f"{sentence}{signal} You can change this at any time under Privacy choices."


# -- the way out of messages -----------------------------------------------------------------------------------------


def _read(token: str) -> tuple[str, str]:
    customer_id, purpose = links.read("unsubscribe", token, mail.UNSUBSCRIBE_LIFE)
    return customer_id, purpose


@router.get("/unsubscribe")
def unsubscribe_page(request: Request, session: Db, _visitor: Who, token: str = "") -> Response:
    """Ask for one click; opening the address changes nothing, for programs open every link."""
    customer_id, purpose = _read(token)
    done = purpose not in people.consents_of(session, customer_id)
    context = {"token": token, "done": done}
    return web.render(request, "account/unsubscribe.html", context, title="No more messages")


@router.post("/unsubscribe")
def unsubscribe(
    request: Request,
    session: Db,
    _visitor: Who,
    token: str = "",
    form_token: Annotated[str, Form(alias="token", max_length=2000)] = "",
) -> Response:
    """End the purpose; from our page, or by one click of a mail program (RFC 8058), which has no cookie and no token.

    The signed link is the proof: it came to the customer's own address.
    """
    customer_id, purpose = _read(token or form_token)
    if session.get(Customer, customer_id) is None:
        raise ShopError(403, "Link not valid", "This link is not valid any more.")
    people.end_consent(session, customer_id, purpose, "unsubscribe")
    if not form_token:
        return PlainTextResponse("You will get no more messages.")
    again = f"/unsubscribe?token={form_token}"
    return web.redirect(request, again, "Done. We will not write to you with messages any more.", "success")
