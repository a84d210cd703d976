"""The owner's desk: writing an offer to one person, and changing its draft."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from sqlmodel import Session

from store import db
from store.crm import drafts, offers, profile, proposals
from store.crm.benefits import KINDS
from store.crm.drafts import Draft
from store.crm.offers import Offer
from store.db import Db
from store.errors import ShopError, forbidden, invalid
from store.events import Visitor
from store.money import major
from store.office.amounts import read_amount, read_percent
from store.office.deps import MakesOffers, may, show
from store.people import Customer
from store.settings import house
from store.shop import catalog, designs
from store.shop.appraisal import appraise, picture_of
from store.web import OurForm, redirect

router = APIRouter(prefix="/office", include_in_schema=False)


class OfferForm(BaseModel):
    """The composer as the form sends it; amounts and percentages as typed."""

    slug: str = ""
    choices: str = "{}"
    design: str = ""
    kind: str = "privilege"
    amount: str = ""
    percent: str = ""
    gift: str = ""
    privilege: str = ""
    benefit_cost: str = ""
    message: str = ""
    reason: str = ""
    expires: str = ""
    floor: str = ""


@router.get("/customers/{customer_id}/offer")
def compose(
    request: Request, customer_id: str, session: Db, staff: MakesOffers, slug: str = "", design: str = ""
) -> HTMLResponse:
    """The composer: for a piece proposed, for one of their designs, for any piece, or for the whole bag."""
    customer = profile.by_id(session, customer_id)
    form = OfferForm(
        slug=slug,
        design=design,
        expires=(db.now() + timedelta(days=house().offers.valid_days)).date().isoformat(),
        floor=_percent_words(house().offers.margin_floor_basis_points),
        message=f"We thought of you first.\n\nWith our best wishes,\n{house().name}",
    )
    if design:
        saved = designs.by_code(session, design)
        form.slug, form.choices = saved.slug, json.dumps(designs.renewed(session, saved).choices)
        form.reason = f"You designed this {catalog.published(session, saved.slug).name} and kept it."
    elif slug:
        choices, form.reason = proposals.ready(session, customer.id, slug)
        form.choices = json.dumps(choices)
    return _composer(request, session, staff, customer, form)


@router.post("/customers/{customer_id}/offer", dependencies=[OurForm], response_model=None)
def write_draft(
    request: Request, customer_id: str, session: Db, staff: MakesOffers, form: Annotated[OfferForm, Form()]
) -> HTMLResponse | RedirectResponse:
    """Keep the draft and show it as she will see it; a refused one comes back with what was typed."""
    customer = profile.by_id(session, customer_id)
    try:
        with db.savepoint(session):
            offer = drafts.draft(session, staff, customer.id, _wish(session, staff, customer.id, form))
    except ShopError as error:
        return _composer(request, session, staff, customer, form, error)
    return redirect(request, f"/office/offers/{offer.id}")


@router.get("/offers/{offer_id}/edit")
def edit_draft(request: Request, offer_id: str, session: Db, staff: MakesOffers) -> HTMLResponse:
    """The composer with a draft in it."""
    offer = offers.by_id(session, offer_id)
    customer = profile.by_id(session, offer.customer_id)
    return _composer(request, session, staff, customer, _filled(session, offer), offer=offer)


@router.post("/offers/{offer_id}/edit", dependencies=[OurForm], response_model=None)
def revise_draft(
    request: Request, offer_id: str, session: Db, staff: MakesOffers, form: Annotated[OfferForm, Form()]
) -> HTMLResponse | RedirectResponse:
    """Keep the changed draft."""
    offer = offers.by_id(session, offer_id)
    customer = profile.by_id(session, offer.customer_id)
    try:
        with db.savepoint(session):
            drafts.revise(session, staff, offer_id, _wish(session, staff, customer.id, form))
    except ShopError as error:
        return _composer(request, session, staff, customer, form, error, offer)
    return redirect(request, f"/office/offers/{offer_id}")


# -- the composer ----------------------------------------------------------------------------------------------------


def _wish(session: Session, staff: Visitor, customer_id: str, form: OfferForm) -> Draft:
    """What the form asks for.

    Raises:
        ShopError: 422 what cannot be read, 403 a floor below the house's by somebody who may not lower it.
    """
    floor = read_percent(form.floor, "floor") if form.floor.strip() else None
    if floor is not None and floor < house().offers.margin_floor_basis_points and not may(staff, "lower the floor"):
        raise forbidden("Only the owner may go below the house's margin floor.")
    return Draft(
        kind=form.kind,
        message=form.message,
        reason=form.reason,
        expires_at=_end_of(form.expires),
        slug=form.slug or None,
        choices=_choices(form.choices),
        texts=_texts(session, customer_id, form),
        amount=read_amount(form.amount, house().currency, "amount"),
        basis_points=read_percent(form.percent, "percent"),
        gift_slug=form.gift or None,
        privilege=form.privilege,
        benefit_cost=read_amount(form.benefit_cost, house().currency, "benefit_cost"),
        margin_floor_basis_points=floor,
    )


def _texts(session: Session, customer_id: str, form: OfferForm) -> dict[str, str]:
    """The words on the customer's own design; those that somebody else wrote are theirs, whoever the offer is for."""
    if not form.design:
        return {}
    design = designs.by_code(session, form.design)
    return dict(design.texts) if (design.customer_id, design.slug) == (customer_id, form.slug) else {}


def _end_of(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
    except ValueError as error:
        raise invalid("Please choose the last day of the offer.", field="expires") from error


def _choices(text: str) -> dict[str, Any]:
    try:
        choices = json.loads(text or "{}")
    except ValueError:
        choices = None
    if not isinstance(choices, dict):
        raise invalid("The design of this piece could not be read. Please choose the piece again.", field="slug")
    return choices


def _filled(session: Session, offer: Offer) -> OfferForm:
    """A draft, back in the form it came from."""
    design = designs.by_ids(session, [offer.design_id] if offer.design_id else []).get(offer.design_id or "")
    return OfferForm(
        slug=offer.slug or "",
        choices=json.dumps(design.choices if design else {}),
        design=design.code if design else "",
        kind=offer.kind,
        amount=_amount_words(offer.amount),
        percent=_percent_words(offer.basis_points),
        gift=offer.gift_slug or "",
        privilege=offer.privilege,
        benefit_cost=_amount_words(offer.benefit_cost),
        message=offer.message,
        reason=offer.reason,
        expires=offer.expires_at.date().isoformat(),
        floor=_percent_words(offer.margin_floor_basis_points),
    )


def _composer(
    request: Request,
    session: Session,
    staff: Visitor,
    customer: Customer,
    form: OfferForm,
    error: ShopError | None = None,
    offer: Offer | None = None,
) -> HTMLResponse:
    pieces = catalog.listing(session)
    context: dict[str, Any] = {
        "customer": customer,
        "form": form,
        "offer": offer,
        "error": error.detail if error else "",
        "field": error.extra.get("field") if error else None,
        "pieces": [(item.slug, item.name) for item in pieces],
        "kinds": KINDS,
        "piece": None,
        "currency": house().currency,
        "today": db.now().date().isoformat(),
    }
    if form.slug:
        item = catalog.published(session, form.slug)
        try:
            worth = appraise(item, _choices(form.choices), _texts(session, customer.id, form))
        except ShopError:  # the refusal is told above; the piece is shown as it comes
            form.choices = "{}"
            worth = appraise(item, {})
        context["piece"] = {"name": item.name, "worth": worth, "picture": picture_of(item, worth.completion)}
    name = customer.name or customer.email or "a guest"
    status = error.status if error else 200
    return show(request, staff, "compose.html", context, title=f"An offer to {name}", status=status)


def _percent_words(basis_points: int) -> str:
    """Basis points as they are typed."""
    whole, rest = divmod(basis_points, 100)
    return "" if not basis_points else f"{whole}.{rest:02}".rstrip("0").rstrip(".")


def _amount_words(amount: int) -> str:
    """Minor units as they are typed."""
    return str(major(amount, house().currency)) if amount else ""
