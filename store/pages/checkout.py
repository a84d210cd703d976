"""The way to an order: the bag, and one calm page for contact, delivery and the agreement."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlmodel import Session
from starlette.datastructures import FormData

from store import checkout, db
from store.auth import WebSession
from store.checkout import Quote
from store.db import Db, WritingDb
from store.errors import ShopError, not_found
from store.events import Visitor, views
from store.people import Customer
from store.settings import house
from store.shop import carts, designs, orders, schedule, share_codes, suggestions, taxes
from store.shop.appraisal import Appraisal
from store.shop.carts import Cart, LineView
from store.shop.delivery import LENGTHS, check_form, destination_of
from store.shop.payment_provider import LARGEST_CHARGE
from store.web import OurForm, Who, redirect, render, wants_partial, writable_session

router = APIRouter(include_in_schema=False)

WEEKS_FROM = 21  # days from which one speaks of weeks


async def posted(request: Request) -> FormData:
    """The form that was sent; read already when its token was checked."""
    return await request.form()


Posted = Annotated[FormData, Depends(posted)]


# -- the bag ---------------------------------------------------------------------------------------------------------


@router.get("/cart")
def bag(request: Request, session: Db, who: Who) -> Response:
    """The bag as it stands now."""
    views.note(who, page="/cart")
    cart = carts.current(session, who)
    bill = checkout.quote(session, who, cart) if cart else None
    context = {"bill": bill, "rows": _rows(bill) if bill else [], "ready": _ready}
    return render(request, "checkout/cart.html", context, title="Your bag")


def _ready(line: LineView) -> str:
    """When a line is ready, as one says it."""
    if line.worth is None or line.worth.lead_time.max_days == 0:
        return "Ready at once"
    first, last = line.worth.lead_time.min_days, line.worth.lead_time.max_days
    if first >= WEEKS_FROM:
        first, last, unit = first // 7, -(-last // 7), "weeks"
    else:
        unit = "days"
    return f"Ready in {first} to {last} {unit}" if last > first else f"Ready in {last} {unit}"


@router.post("/cart/lines", dependencies=[OurForm])
def add_line(
    request: Request,
    session: Db,
    who: Who,
    slug: Annotated[str, Form(max_length=100)] = "",
    design: Annotated[str, Form(max_length=20)] = "",
    quantity: Annotated[int, Form()] = 1,
    next: Annotated[str, Form(max_length=300)] = "/cart",
) -> Response:
    """Put a design (by its code) or a product as it comes into the bag."""
    writable_session(session, request)
    cart = carts.open_cart(session, who)
    if design:
        found = share_codes.opened(session, design, who, request.client.host if request.client else "")
    else:
        found = designs.save(session, who, slug, {}, {})
    carts.add(session, who, cart, found, quantity)
    return redirect(request, next, "In your bag.", "success")


@router.post("/cart/lines/{line_id}", dependencies=[OurForm])
def change_line(
    request: Request, line_id: str, session: Db, who: Who, quantity: Annotated[int, Form(ge=0, le=99)]
) -> Response:
    """Set how many of a line; none takes it out."""
    carts.change_quantity(session, who, _my_cart(session, who), line_id, quantity)
    return redirect(request, "/cart")


@router.post("/cart/lines/{line_id}/removal", dependencies=[OurForm])
def remove_line(request: Request, line_id: str, session: Db, who: Who) -> Response:
    """Take a line out of the bag; its design stays saved."""
    carts.remove(session, who, _my_cart(session, who), line_id)
    return redirect(request, "/cart", "Taken out of your bag. The design is kept among your saved designs.")


def _my_cart(session: Session, who: Visitor) -> Cart:
    cart = carts.current(session, who)
    if cart is None:
        raise not_found("line of your bag")
    return cart


# -- the checkout ----------------------------------------------------------------------------------------------------


@router.get("/checkout")
def checkout_page(
    request: Request, session: WritingDb, who: Who, country: str = "", postal_code: str = "", vat_id: str = ""
) -> Response:
    """One page: contact, delivery, what suits (written down as shown), what it comes to there."""
    cart = carts.current(session, who)
    if cart is None:
        return redirect(request, "/cart")
    views.note(who, page="/checkout")
    typed = _known(request, session, who)
    if country in dict(house().countries):
        typed |= {"country": country, "postal_code": postal_code, "vat_id": vat_id}
    bill = checkout.quote(session, who, cart, destination_of(typed))
    if not bill.cart_view.lines:
        return redirect(request, "/cart")
    if wants_partial(request):
        return render(request, "checkout/_summary.html", {"bill": bill, "rows": _rows(bill)})
    return _page(request, session, who, bill, typed, {})


@router.post("/checkout", dependencies=[OurForm])
def place(request: Request, session: Db, who: Who, form: Posted) -> Response:
    """Place the order and go on to payment; what is wrong is told beside what was typed."""
    cart = carts.readable(session, str(form.get("cart", "")), who)
    before = orders.of_cart(session, cart.id)
    if before is not None:  # a second click, the back button: the order is there
        return redirect(request, f"/orders/{before.number}")
    typed = _typed(form)
    right, wrong = check_form({**typed, **{name: form.get(name) for name in ("seen_total", "plan", "currency")}})
    key, chosen = str(form.get("key", ""))[:200] or db.new_secret(), str(form.get("plan", ""))[:40]
    if right is None:
        bill = checkout.quote(session, who, cart, destination_of(typed))
        return _page(request, session, who, bill, typed, wrong, key=key, chosen=chosen)
    try:
        with db.savepoint(session):  # a refusal leaves nothing behind, and the page says what has changed
            placed = checkout.place(session, who, cart, right, key)
    except ShopError as error:
        if error.status not in (409, 422):
            raise
        bill = checkout.quote(session, who, carts.readable(session, cart.id, who), right.destination)
        if not bill.cart_view.lines:
            return redirect(request, "/cart")
        return _page(request, session, who, bill, typed, {}, key=key, refusal=error, chosen=chosen)
    row = writable_session(session, request)
    row.state = {name: value for name, value in row.state.items() if name != "checkout"}
    session.add(row)
    # What no card can carry is paid by transfer: the order's page says how.
    by_card = 0 < schedule.standing(session, placed.order).due <= LARGEST_CHARGE
    way = "/payment" if by_card else ""
    return redirect(request, f"/orders/{placed.order.number}{way}")


@router.post("/checkout/delivery", dependencies=[OurForm])
def delivery(request: Request, session: Db, form: Posted) -> Response:
    """Without script: reckon anew for another country, and keep what was typed."""
    keep(request, session, form)
    return redirect(request, "/checkout#delivery")


def keep(request: Request, session: Session, form: Mapping[str, Any]) -> None:
    """Remember what was typed while something else happens on the page."""
    row = writable_session(session, request)
    row.state = {**row.state, "checkout": _typed(form)}
    session.add(row)


def _typed(form: Mapping[str, Any]) -> dict[str, str]:
    typed = {name: str(form.get(name) or "")[: most + 1] for name, most in LENGTHS.items()}
    return {**typed, "country": str(form.get("country") or house().country).upper()[:2]}


def _known(request: Request, session: Session, who: Visitor) -> dict[str, str]:
    """What the fields hold at first: typed before, or known of the customer."""
    row: WebSession | None = getattr(request.state, "web_session", None)
    empty = dict.fromkeys(LENGTHS, "") | {"country": house().country}
    if row is not None and "checkout" in row.state:
        return empty | dict(row.state["checkout"])
    if who.customer_id is None:
        return empty
    customer = session.get_one(Customer, who.customer_id)
    before = orders.of_customer(session, who.customer_id)[:1]
    known = empty | {"email": customer.email, "name": customer.name}
    for order in before:
        known |= {**order.address, "company": order.company, "vat_id": order.vat_id}
    return known


def _page(
    request: Request,
    session: Session,
    who: Visitor,
    bill: Quote,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    key: str = "",
    refusal: ShopError | None = None,
    chosen: str = "",
) -> Response:
    context = {
        "bill": bill,
        "rows": _rows(bill),
        "typed": typed,
        "wrong": wrong,
        "key": key or db.new_secret(),
        "refusal": refusal,
        "countries": house().countries,
        "territories": _territories(),
        "plan": bill.plan,
        "plan_parts": schedule.planned(bill.plan, bill.totals.total),
        "chosen": chosen,
        "largest_charge": LARGEST_CHARGE,
        "personal": [
            (line.label, _own(line.worth)) for line in bill.cart_view.lines if line.worth and line.worth.personal
        ],
        "suggested": suggestions.for_cart(session, who, bill.cart_view),
        "suggestions_off": suggestions.switched_off(session, who),
    }
    status = refusal.status if refusal else 422 if wrong else 200
    return render(request, "checkout/checkout.html", context, title="Checkout", status=status)


def _own(worth: Appraisal) -> str:
    """What of the customer's own is on a piece, in words."""
    words = [f"“{text}”" for text in worth.texts.values()]
    return ", ".join([*words, "your picture"] if worth.pictures else words)


def _rows(bill: Quote) -> list[tuple[str, int | str, str]]:
    """The reckoning as `ui.lines` shows it."""
    sums = bill.totals
    rows: list[tuple[str, int | str, str]] = [
        (f"{line.label} × {line.line.quantity}" if line.line.quantity > 1 else line.label, line.amount, "")
        for line in bill.cart_view.lines
    ]
    rows += [(discount.label, -discount.amount, "off") for discount in bill.discounts if discount.amount]
    rows += [(discount.label, "Included", "off") for discount in bill.discounts if not discount.amount]
    rows.append((f"Insured delivery, {house().country_name(bill.country)}", sums.shipping or "Included", ""))
    return rows + taxes.written(sums.taxes)


def _territories() -> str:
    """The beginnings of postal codes that change the tax, by country, for the script."""
    found: dict[str, list[str]] = {}
    for one in house().vat.territories:
        found.setdefault(one.country, []).extend(one.prefixes)
    return json.dumps(found)
