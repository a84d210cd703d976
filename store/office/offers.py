"""The owner's desk: offers to one person, seen as they will be met, sent once, followed."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from store import db, people
from store.crm import offer_mail, offers, profile, sending
from store.crm.benefits import KINDS
from store.crm.offers import STATES
from store.db import Db
from store.office.deps import MakesOffers, SeesOffers, show
from store.web import OurForm, redirect

router = APIRouter(prefix="/office", include_in_schema=False)

# A mail is shown as it is: its own styles, nothing else, and only inside our own page.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"


@router.get("/offers")
def list_offers(request: Request, session: Db, staff: SeesOffers, state: str = "", page: int = 1) -> HTMLResponse:
    """Offers of all customers, the newest first."""
    found = offers.listing(session, state, page)
    context = {"found": found, "counts": offers.counts(session), "state": found.state, "states": STATES}
    return show(request, staff, "offers.html", context, title="Offers")


@router.get("/offers/{offer_id}")
def show_offer(request: Request, offer_id: str, session: Db, staff: SeesOffers) -> HTMLResponse:
    """The offer as its customer meets it, what it leaves the house, and what became of it."""
    offer = offers.by_id(session, offer_id)
    context = {
        "offer": offer,
        "customer": profile.by_id(session, offer.customer_id),
        "preview": offer_mail.preview(session, offer),
        "state": STATES[offer.state],
        "kinds": KINDS,
        "order": offers.order_of(session, offer),
        "by": people.names_of_staff(session, [offer.created_by]).get(offer.created_by or "", ""),
        "ended": offer.expires_at <= db.now(),
    }
    return show(request, staff, "offer.html", context, title=offer.piece_name or "An offer on the whole bag")


@router.get("/offers/{offer_id}/mail")
def show_mail(offer_id: str, session: Db, _staff: SeesOffers) -> HTMLResponse:
    """The mail itself, for the frame of the preview."""
    html = offer_mail.preview(session, offers.by_id(session, offer_id)).html
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "private, no-store"})


class SendForm(BaseModel):
    """How the offer goes out."""

    channel: str = "site"


@router.post("/offers/{offer_id}/sending", dependencies=[OurForm])
def send_offer(
    request: Request, offer_id: str, session: Db, staff: MakesOffers, form: Annotated[SendForm, Form()]
) -> RedirectResponse:
    """Send it, once."""
    offer = sending.send(session, staff, offer_id, form.channel)
    how = "by mail and on the site" if offer.channel == "mail" else "on the site"
    return redirect(request, f"/office/offers/{offer.id}", f"The offer was sent, {how}.", "success")


class WithdrawForm(BaseModel):
    """Why it is taken back."""

    reason: str = ""


@router.post("/offers/{offer_id}/withdrawal", dependencies=[OurForm])
def withdraw_offer(
    request: Request, offer_id: str, session: Db, staff: MakesOffers, form: Annotated[WithdrawForm, Form()]
) -> RedirectResponse:
    """Take it back."""
    offer = sending.withdraw(session, staff, offer_id, form.reason)
    return redirect(request, f"/office/customers/{offer.customer_id}", "The offer was withdrawn.", "success")
