"""The customer's own rooms: designs, orders and offers; the other rooms of an account are added to its router."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from store import db, web
from store.crm import acceptance, offers
from store.db import Db
from store.events import Visitor
from store.pages.cards import Picture, picture_of
from store.rendering import day
from store.shop import catalog, designs, invoices, order_links, orders, price_lists
from store.shop.appraisal import appraise
from store.shop.designs import Design
from store.web import Account, OurForm, Who

router = APIRouter(include_in_schema=False)

RECENT = 3


# -- my things -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DesignView:
    """A saved design as it stands today."""

    code: str
    name: str
    sentence: str
    saved: str
    picture: Picture
    price: int | None  # now; None when it is not sold any more
    currency: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class OrderView:
    """An order in one line."""

    number: str
    placed: str
    state: str
    tone: str
    total: int
    currency: str
    pieces: tuple[str, ...]
    pictures: Picture
    papers: tuple[tuple[str, str], ...] = ()  # its invoices: what they are, and where they lie


def _designs(session: Session, who: Visitor, found: Sequence[Design]) -> list[DesignView]:
    views = []
    for design in found:
        item = catalog.version(session, design.model_version)
        price, currency = None, design.currency
        changes: tuple[str, ...] = ("This piece is not sold any more.",)
        sentence, picture = "", picture_of(item, design.choices)
        if catalog.find(session, design.slug) is not None:
            now = designs.renewed(session, design, who)
            there, changes = price_lists.shown(now.published, who), now.changes
            price, currency = appraise(there, now.choices, now.texts).price.amount, there.model.currency
            sentence, picture = now.appraisal.sentence, picture_of(now.published, now.appraisal.completion)
        views.append(
            DesignView(design.code, item.name, sentence, day(design.created_at), picture, price, currency, changes)
        )
    return views


def _orders(session: Session, customer_id: str, most: int | None = None) -> list[OrderView]:
    found = orders.of_customer(session, customer_id)[:most]
    lines = orders.lines_of(session, found)
    papers = invoices.of_orders(session, [order.id for order in found])
    tones = {"placed": "warn", "released": "", "cancelled": ""}
    return [
        OrderView(
            order.number,
            day(order.placed_at),
            order.state_label,
            tones.get(order.state, "good"),
            order.total,
            order.currency,
            tuple(f"{line.quantity} × {line.name}" if line.quantity > 1 else line.name for line in lines[order.id]),
            next((line.pictures for line in lines[order.id] if line.pictures), []),
            tuple(
                (f"{paper.title} {paper.number}", order_links.invoice_path(order.number, paper.number))
                for paper in papers[order.id]
            ),
        )
        for order in found
    ]


def _page(request: Request, template: str, context: dict[str, Any], title: str, status: int = 200) -> Response:
    return web.render(request, f"account/{template}.html", context, title=title, status=status)


@router.get("/account")
def overview(request: Request, session: Db, visitor: Who) -> Response:
    """The account at a glance."""
    if visitor.is_staff:
        return web.redirect(request, "/office")
    customer = web.me(session, visitor)
    context = {
        "customer": customer,
        "designs": _designs(session, visitor, designs.of_customer(session, customer.id)[:RECENT]),
        "orders": _orders(session, customer.id, RECENT),
        "offers": offers.for_customer(session, customer.id),
    }
    return _page(request, "overview", context, "Your account")


@router.get("/account/designs")
def my_designs(request: Request, session: Db, visitor: Who) -> Response:
    """Saved designs: the customer's, or those of this browser while nobody is signed in."""
    found: list[Design] = []
    if visitor.customer_id:
        found = designs.of_customer(session, visitor.customer_id)
    elif visitor.session_id:
        found = designs.of_session(session, visitor.session_id)
    return _page(request, "designs", {"designs": _designs(session, visitor, found)}, "Saved designs")


@router.get("/account/orders")
def my_orders(request: Request, session: Db, visitor: Account) -> Response:
    """Orders, the newest first."""
    return _page(request, "orders", {"orders": _orders(session, web.me(session, visitor).id)}, "Orders")


@router.get("/account/offers")
def my_offers(request: Request, session: db.WritingDb, visitor: Account) -> Response:
    """What the house made for this customer alone; opening the page is noted as seeing it."""
    customer = web.me(session, visitor)
    found = offers.sent_to(session, customer.id)
    for offer in found:
        if offer.is_open():
            offers.mark_seen(session, visitor, offer.id)
    context = {"open": [offer for offer in found if offer.is_open()], "past": [o for o in found if not o.is_open()]}
    return _page(request, "offers", {**context, "states": offers.STATES}, "Made for you")


@router.post("/account/offers/{offer_id}/acceptance", dependencies=[OurForm])
def accept_offer(request: Request, session: Db, visitor: Account, offer_id: str) -> Response:
    """Take an offer: its ready design lies in the bag, and the benefit is taken off there."""
    offer = acceptance.take(session, visitor, offer_id)
    if offer.slug is None:
        return web.redirect(request, "/account/offers", f"Kept for you until {day(offer.expires_at)}.", "success")
    sentence = f"It lies in your bag as it was made for you, with your benefit until {day(offer.expires_at)}."
    return web.redirect(request, "/cart", sentence, "success")


@router.post("/account/offers/{offer_id}/refusal", dependencies=[OurForm])
def decline_offer(request: Request, session: Db, visitor: Account, offer_id: str) -> Response:
    """Decline an offer."""
    offers.decline(session, visitor, offer_id)
    return web.redirect(request, "/account/offers", "Thank you for telling us; we will not come back to it.")
