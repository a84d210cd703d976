"""The owner's desk: orders with their state, and moving a paid order through the workshop."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from sqlmodel import Session

from store import db, people
from store.crm import audit, offers, order_book, timeline
from store.db import Db
from store.errors import invalid
from store.events import Visitor
from store.office.deps import AdvancesProduction, SeesOrders, show
from store.settings import house
from store.shop import books, orders, refunds, schedule, taxes, vat_checks
from store.shop.orders import STAGES, STATES, Order
from store.shop.payments import TRANSFER
from store.shop.schedule import READY, PaymentPart, Standing
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/orders", include_in_schema=False)

# The usual reason for each stage, to be changed where there is another.
REASONS: dict[str, str] = {
    "in-production": "Work has begun at the bench",
    "ready": "Finished and checked",
    "shipped": "Handed to the carrier",
    "delivered": "Received by the customer",
}


@router.get("")
def list_orders(
    request: Request, session: Db, staff: SeesOrders, state: str = "", q: str = "", page: int = 1
) -> HTMLResponse:
    """Orders, the newest first, by state, number or name."""
    found = order_book.listing(session, state, q, page)
    context = {"found": found, "q": q[:100], "states": STATES, "counts": order_book.counts(session)}
    return show(request, staff, "orders.html", context, title="Orders")


@router.get("/{number}")
def show_order(request: Request, number: str, session: Db, staff: SeesOrders) -> HTMLResponse:
    """One order: its snapshot, its offers, its history, and the next stage."""
    order = orders.by_number(session, number)
    return _page(request, session, staff, order)


class StageForm(BaseModel):
    """The stage reached and why it is said now."""

    stage: str
    reason: str = ""


@router.post("/{number}/stage", dependencies=[OurForm])
def advance_order(
    request: Request, number: str, session: Db, staff: AdvancesProduction, form: Annotated[StageForm, Form()]
) -> RedirectResponse:
    """Record that the order reached a stage, by whom and why."""
    order = orders.by_number(session, number)
    reason = form.reason.strip()[:300]
    if not reason:
        raise invalid("Please say why the order moves on.", field="reason")
    orders.advance(session, staff, order, form.stage, reason)
    audit.note(session, staff, order, f"{order.number}: {STATES[form.stage].lower()}", reason, stage=form.stage)
    sentence = f"{order.number} is now: {STATES[form.stage].lower()}."
    return redirect(request, f"/office/orders/{order.number}", sentence, "success")


def _next_milestone(standing: Standing) -> PaymentPart | None:
    """The milestone that can be recorded next; the finished piece is recorded as a stage instead."""
    upcoming = standing.upcoming
    return upcoming.part if upcoming and upcoming.part.due != READY else None


def _page(request: Request, session: Session, staff: Visitor, order: Order) -> HTMLResponse:
    lines = orders.lines_of(session, [order])[order.id]
    reached = STAGES.index(order.state) if order.state in STAGES else -1
    following = STAGES[reached + 1] if order.is_paid and reached + 1 < len(STAGES) else None
    taken = orders.discounts_of(session, order)
    used = [offers.find(session, offer_id) for offer_id in dict.fromkeys(row.offer_id for row in taken)]
    standing = schedule.standing(session, order)
    account = books.account(session, order)
    context = {
        "order": order,
        "lines": lines,
        "standing": standing,
        "account": account,
        "refundable": refunds.refundable(account.payments),
        "by_hand": {payment.id for payment in account.payments if payment.method == TRANSFER},
        "milestone": _next_milestone(standing),
        "names": people.names_of_staff(session, (part.part.requested_by for part in standing.parts)),
        "key": db.new_secret(),
        "today": db.now().date().isoformat(),
        "discount_rows": [(row.label, -row.amount if row.amount else "included", "off") for row in taken],
        "used": [offer for offer in used if offer is not None],
        "entries": timeline.of_order(session, order),
        "next": following,
        "states": STATES,
        "reasons": REASONS,
        "country": house().country_name(order.country),
        "vat_check": vat_checks.of_order(session, order) if order.vat_id else None,
        "tax_rows": taxes.written(taxes.breakdown(order, lines)),
        "margin": sum(order.at_home(line.net) - line.quantity * line.unit_cost for line in lines),
        "house_currency": house().currency,
    }
    return show(request, staff, "order.html", context, title=f"Order {order.number}")
