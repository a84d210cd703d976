"""The page of an order: what was agreed, where it stands, and what can still be done about it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from store.db import Db
from store.errors import ShopError
from store.pages.paying import seen_order
from store.settings import house
from store.shop import (
    carts,
    designs,
    invoices,
    milestones,
    order_links,
    orders,
    refunds,
    schedule,
    stock,
    taxes,
    transfers,
)
from store.shop.designs import Design
from store.shop.orders import Order, OrderDiscount, OrderLine
from store.shop.payment_provider import LARGEST_CHARGE
from store.web import OurForm, Who, redirect, render, writable_session

router = APIRouter(include_in_schema=False)


@router.get("/orders/{number}")
def order_page(request: Request, number: str, session: Db, who: Who, key: str | None = None) -> Response:
    """The order, for its session, its customer, staff, or whoever holds its signed link."""
    order = seen_order(session, number, who, key)
    lines = orders.lines_of(session, [order])[order.id]
    standing = schedule.standing(session, order)
    by_link = key if order_links.opens(order.number, key) else None
    context = {
        "order": order,
        "lines": lines,
        "rows": _rows(order, lines, orders.discounts_of(session, order)),
        "stages": milestones.stages(session, order, lines),
        "numbers": stock.numbers_of(session, [line.id for line in lines if line.numbered]),
        "kept_until": order.kept_until,
        "standing": standing,
        "transfer": transfers.instructions(order, standing),
        "largest_charge": LARGEST_CHARGE,
        "link": f"?key={by_link}" if by_link else "",
        "key": by_link,
        "mine": orders.may_see(order, who),
        "refunds": [refund for refund in refunds.of_order(session, order) if refund.state != "failed"],
        "papers": [] if who.is_staff else invoices.of_order(session, order.id),
        "country": house().country_name(order.country),
    }
    return render(request, "checkout/order.html", context, title=f"Order {order.number}")


@router.post("/orders/{number}/cancellation", dependencies=[OurForm])
def cancel(request: Request, number: str, session: Db, who: Who) -> Response:
    """Cancel an order that is not paid yet."""
    order = seen_order(session, number, who, None)
    orders.cancel(session, who, order, "cancelled by the customer")
    return redirect(request, f"/orders/{order.number}", "Your order is cancelled. Nothing is owed.")


@router.post("/orders/{number}/again", dependencies=[OurForm])
def again(request: Request, number: str, session: Db, who: Who) -> Response:
    """Put the designs of an order into the bag once more, as they can be made today."""
    order = seen_order(session, number, who, None)
    writable_session(session, request)
    cart = carts.open_cart(session, who)
    left_out = []
    for line in orders.lines_of(session, [order])[order.id]:
        design = session.get_one(Design, line.design_id)
        try:
            now = designs.renewed(session, design, who)
        except ShopError:
            left_out.append(line.name)
            continue
        if now.changes:
            design = designs.save(session, who, design.slug, now.choices, now.texts, parent=design.code)
        carts.add(session, who, cart, design, line.quantity)
    sentence = f"No longer made, and left out: {', '.join(left_out)}." if left_out else "Your pieces are in the bag."
    return redirect(request, "/cart", sentence)


def _rows(order: Order, lines: list[OrderLine], discounts: list[OrderDiscount]) -> list[tuple[str, int | str, str]]:
    rows: list[tuple[str, int | str, str]] = [
        (f"{line.name} × {line.quantity}" if line.quantity > 1 else line.name, line.amount, "") for line in lines
    ]
    rows += [(discount.label, -discount.amount or "Included", "off") for discount in discounts]
    rows.append(("Insured delivery", order.shipping or "Included", ""))
    return rows + taxes.written(taxes.breakdown(order, lines))
