"""From the lines of a bag to those of an order: what was sold, written down as it stands when it is placed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from store import db
from store.errors import invalid
from store.shop import price_lists, stock, taxes
from store.shop.bags import LineView
from store.shop.orders import OrderLine
from store.shop.totals import Totals


def sold(session: Session, order_id: str, views: Sequence[LineView], sums: Totals) -> list[OrderLine]:
    """The lines of an order.

    Raises:
        ShopError: 422, something of it cannot be ordered.
    """
    # Parts that the house counts are promised; the others are bought as they are needed.
    parts = {stock.part_key(part) for view in views if view.worth for part, _ in view.worth.parts}
    counted = frozenset(stock.available(session, parts))
    return [_line(order_id, position, view, sums, counted) for position, view in enumerate(views)]


def promised(lines: Sequence[OrderLine], placed_at: datetime) -> tuple[date, date]:
    """From when to when everything is ready: the slowest line says."""
    first = max((line.lead_min_days for line in lines), default=0)
    last = max((line.lead_max_days for line in lines), default=0)
    return (placed_at + timedelta(days=first)).date(), (placed_at + timedelta(days=last)).date()


def _line(order_id: str, position: int, view: LineView, sums: Totals, counted: frozenset[str]) -> OrderLine:
    worth, item, line = view.worth, view.published, view.line
    if worth is None or item is None:
        raise invalid(f"{view.label} cannot be ordered.")
    counts = {item.slug: line.quantity} if item.counted else {}
    needed = {stock.part_key(part): quantity * line.quantity for part, quantity in worth.parts}
    counts |= {key: quantity for key, quantity in needed.items() if key in counted}
    return OrderLine(
        id=db.new_id("itm"),
        order_id=order_id,
        position=position,
        slug=item.slug,
        name=item.name,
        sentence=worth.sentence,
        choices=worth.choices,
        texts=worth.texts,
        described=worth.description,
        price_lines=worth.price_lines,
        pictures=list(view.picture_layers),
        model_version=item.version,
        design_id=view.design.id,
        design_code=view.design.code,
        quantity=line.quantity,
        unit_price=worth.price.amount,
        unit_cost=worth.unit_cost,
        amount=view.amount,
        discount=sums.line_discounts[position],
        tax=sums.line_taxes[position],
        tax_basis_points=view.charge.rate,
        tax_category=view.charge.category,
        tax_treatment=view.charge.treatment,
        pricing=_pricing(view),
        lead_min_days=worth.lead_time.min_days,
        lead_max_days=worth.lead_time.max_days,
        final_sale=worth.personal,
        counts=counts,
        numbered=item.model.supply.numbered,
        suggestion_id=line.suggestion_id,
        offer_id=line.offer_id,
    )


def _pricing(view: LineView) -> dict[str, Any]:
    """How the price of the product's file became this one; nothing when it is that price."""
    tax = {"tax": list(view.charge.factor)} if view.charge.factor != taxes.AS_LISTED else {}
    return {**(price_lists.kept(view.published) if view.published else {}), **tax}
