"""The owner's desk: the customers, one customer's page, and contacts logged by hand."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from store import events, invitations
from store.crm import contacts, insight, next_piece, offers, profile, profit, proposals, sending, timeline
from store.db import Db, WritingDb
from store.office.amounts import read_amount
from store.office.deps import LogsContacts, MakesOffers, SeesCustomers, may, show
from store.settings import house
from store.shop import catalog
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/customers", include_in_schema=False)


@router.get("")
def list_customers(
    request: Request, session: Db, staff: SeesCustomers, q: str = "", page: int = 1, by: str = "recent"
) -> HTMLResponse:
    """All customers, found by name, address or order number."""
    context = {
        "found": profile.directory(session, q[:200], page, by),
        "q": q[:200],
        "by": by if by in profile.ORDERINGS else "recent",
        "orderings": profile.ORDERINGS,
        "currency": house().currency,
    }
    return show(request, staff, "customers.html", context, title="Customers")


@router.get("/{customer_id}")
def show_customer(
    request: Request,
    customer_id: str,
    session: WritingDb,
    staff: SeesCustomers,
    show_only: str = "all",
    page: int = 1,
) -> HTMLResponse:
    """One customer: what they own and began, what they bring, their whole timeline; that it was read is recorded."""
    customer = profile.by_id(session, customer_id)
    if page == 1 and show_only == "all":
        events.record(session, staff, "staff-viewed", customer_id=customer.id, subject=customer.id)
    known = profile.of(session, customer)
    proposed = proposals.proposals(session, customer.id, chances=insight.chances) if may(staff, "see offers") else []
    context = {
        "known": known,
        "customer": customer,
        "row": profit.row_profit(session, customer.id),
        "offers": offers.all_of(session, customer.id),
        "states": offers.STATES,
        "proposals": proposed,
        "mail_refusal": sending.mail_refusal(session, customer.id) if proposed else None,
        "history": timeline.of_customer(session, customer.id, show_only, page),
        "names": {item.slug: item.name for item in catalog.listing(session)},
        "filters": timeline.FILTERS,
        "show_only": show_only if show_only in timeline.FILTERS else "all",
        "channels": contacts.CHANNELS,
        "directions": contacts.DIRECTIONS,
        "currency": house().currency,
        "invitations": invitations.of_customer(session, customer.id),
        "audiences": catalog.audiences(session),
        "audience_names": {name: name for name in catalog.audiences(session)},
    }
    return show(request, staff, "customer.html", context, title=customer.name or customer.email or "A guest")


@router.post("/{customer_id}/letters", dependencies=[OurForm])
def write(
    request: Request, customer_id: str, session: Db, staff: MakesOffers, slug: Annotated[str, Form(max_length=80)]
) -> RedirectResponse:
    """Write to them about a proposed piece, ready configured and without a benefit."""
    customer = profile.by_id(session, customer_id)
    next_piece.write(session, staff, customer.id, slug)
    return redirect(request, f"/office/customers/{customer.id}#next", "The letter is on its way.", "success")


class ContactForm(BaseModel):
    """A contact as the form sends it."""

    channel: str
    direction: Literal["in", "out"] = "out"
    minutes: int = 0
    cost: str = ""
    note: str = ""


@router.post("/{customer_id}/contacts", dependencies=[OurForm])
def log_contact(
    request: Request, customer_id: str, session: Db, staff: LogsContacts, form: Annotated[ContactForm, Form()]
) -> RedirectResponse:
    """Note a call, a letter, a visit."""
    customer = profile.by_id(session, customer_id)
    contacts.log(
        session,
        staff,
        customer.id,
        form.channel,
        direction=form.direction,
        minutes=form.minutes,
        cost=read_amount(form.cost, house().currency, "cost"),
        note=form.note,
    )
    return redirect(request, f"/office/customers/{customer.id}", "The contact is on the timeline.", "success")
