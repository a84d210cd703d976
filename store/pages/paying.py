"""The way to the payment page and back: a signed link opens it, the truth is read again at the provider."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from store import checkout, db
from store.errors import not_found
from store.events import Visitor
from store.shop import order_links, orders, payment_pages, payments, settling
from store.shop.orders import Order
from store.web import redirect, resolve_visitor

router = APIRouter(include_in_schema=False)


def seen_order(session: Session, number: str, visitor: Visitor, key: str | None) -> Order:
    """The order, for its session, its customer, staff, or whoever holds its signed link.

    Raises:
        ShopError: 404 for anyone else, as if there were none.
    """
    order = orders.by_number(session, number)
    if not (order_links.opens(order.number, key) or orders.may_see(order, visitor)):
        raise not_found("order")
    return order


def _seen(session: Session, request: Request, number: str, key: str | None) -> Order:
    """Who may not see the order does not pay it either; the reading ends before the provider is asked."""
    return seen_order(session, number, resolve_visitor(request, session), key)


@router.get("/orders/{number}/payment")
def pay(request: Request, number: str, key: str | None = None) -> Response:
    """Open the payment page, or the one that is open already, and go there."""
    with db.transaction(read_only=True) as session:
        order = _seen(session, request, number, key)
        checkout.confirm(session, order)
        order_id = order.id
    return RedirectResponse(payment_pages.open_checkout(payments.till_in(request.app.state), order_id), status_code=303)


@router.get("/orders/{number}/return")
def come_back(request: Request, number: str, key: str | None = None) -> Response:
    """Back from the payment page: read again how it stands, so that "Paid" shows before the webhook comes."""
    with db.transaction(read_only=True) as session:
        order = _seen(session, request, number, key)
    settling.settle_order(payments.till_in(request.app.state), order.id)
    return redirect(request, order_links.path(order.number) if key else f"/orders/{order.number}")
