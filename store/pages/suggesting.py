"""What a customer does with suggestions: adds one, declines one, has its reason forgotten, turns them off or on."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from store.db import Db
from store.pages.checkout import Posted, keep
from store.shop import carts, suggestions
from store.web import OurForm, Who, redirect

router = APIRouter(prefix="/checkout/suggestions", include_in_schema=False)

BACK = "/checkout#suggestions"


@router.post("/switch", dependencies=[OurForm])
def switch(request: Request, session: Db, who: Who, form: Posted) -> Response:
    """Turn suggestions off, or on again."""
    keep(request, session, form)
    off = form.get("suggestions") != "on"
    suggestions.switch(session, who, off=off)
    return redirect(request, BACK, "Suggestions are off." if off else "Suggestions are on again.", "success")


@router.post("/{suggestion_id}/addition", dependencies=[OurForm])
def add(request: Request, suggestion_id: str, session: Db, who: Who, form: Posted) -> Response:
    """Put exactly the suggested design into the bag."""
    keep(request, session, form)
    cart = carts.readable(session, str(form.get("cart", "")), who)
    suggestions.accept(session, who, cart, suggestion_id)
    return redirect(request, BACK, "In your bag.", "success")


@router.post("/{suggestion_id}/refusal", dependencies=[OurForm])
def refuse(request: Request, suggestion_id: str, session: Db, who: Who, form: Posted) -> Response:
    """ "Not for me": it is not suggested again."""
    keep(request, session, form)
    cart = carts.readable(session, str(form.get("cart", "")), who)
    suggestions.decline(session, who, cart, suggestion_id)
    return redirect(request, BACK, "We will not suggest it again.", "success")


@router.post("/{suggestion_id}/oblivion", dependencies=[OurForm])
def forget(request: Request, suggestion_id: str, session: Db, who: Who, form: Posted) -> Response:
    """ "Forget this": what the reason says of the customer counts no more."""
    keep(request, session, form)
    cart = carts.readable(session, str(form.get("cart", "")), who)
    suggestions.forget(session, who, cart, suggestion_id)
    return redirect(request, BACK, "Forgotten. Nothing is suggested for that reason any more.", "success")
