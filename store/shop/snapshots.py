"""The seal on an order's snapshot, and recomputing an order from it: equal, or what was altered."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from configurator import ModelError
from store.errors import ShopError
from store.shop import catalog, orders, price_lists, schedule, taxes
from store.shop.appraisal import appraise
from store.shop.orders import Order, OrderDiscount, OrderLine
from store.shop.schedule import PaymentPart

AGREED = (
    "number",
    "cart_id",
    "country",
    "currency",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "tax_basis_points",
    "shipping_tax",
)
SOLD = (
    "id",
    "position",
    "slug",
    "name",
    "sentence",
    "choices",
    "texts",
    "described",
    "price_lines",
    "model_version",
    "design_code",
    "quantity",
    "unit_price",
    "unit_cost",
    "amount",
    "discount",
    "tax",
    "tax_basis_points",
    "lead_min_days",
    "lead_max_days",
    "final_sale",
    "suggestion_id",
    "offer_id",
)
# Members of later days stand under the seal where they say something, so that earlier seals hold.
AGREED_LATER: dict[str, Any] = {
    "tax_treatment": "domestic",
    "tax_note": "",
    "company": "",
    "vat_id": "",
    "home_units": 1,
    "order_units": 1,
}
SOLD_LATER: dict[str, Any] = {"tax_category": "standard", "tax_treatment": "domestic", "pricing": {}}
PAID_BY = ("position", "label", "amount", "due", "due_words")
TAKEN_OFF = ("order_line_id", "offer_id", "label", "amount")


def seal(
    order: Order,
    lines: Sequence[OrderLine],
    discounts: Sequence[OrderDiscount],
    parts: Sequence[PaymentPart] = (),
) -> str:
    """A hash over everything that was agreed; one altered byte gives another."""
    agreed: dict[str, Any] = {
        "order": _members(order, AGREED) | _said(order, AGREED_LATER),
        "dates": [order.promised_from.isoformat(), order.promised_by.isoformat()],
        "lines": [_members(line, SOLD) | _said(line, SOLD_LATER) for line in lines],
        "discounts": sorted((_members(discount, TAKEN_OFF) for discount in discounts), key=_canonical),
    }
    if order.plan != schedule.FULL:  # paid at once, there is nothing to agree on beyond the total
        agreed |= {"plan": order.plan, "parts": [_members(part, PAID_BY) for part in parts]}
    return _hash(agreed)


def contact_seal(order: Order) -> str:
    """A hash over whom the order goes to; apart, so that erasing a person need not break the books."""
    return _hash({"email": order.email, "name": order.name, "address": order.address})


def replay(session: Session, order: Order) -> list[str]:
    """Recompute an order from its snapshot and the model version it was sold on.

    Returns:
        What differs, in words; empty when everything is as it was agreed.
    """
    lines = orders.lines_of(session, [order])[order.id]
    discounts = orders.discounts_of(session, order)
    parts = schedule.of_orders(session, [order])[order.id]
    differences = [difference for line in lines for difference in _line_differences(session, line)]
    sums = {
        "subtotal": sum(line.amount for line in lines),
        "discount": sum(line.discount for line in lines),
        "total": order.subtotal - order.discount + order.shipping,
        "tax": sum(line.tax for line in lines) + order.shipping_tax,
    }
    differences += [f"order: {name} is not {value}" for name, value in sums.items() if getattr(order, name) != value]
    if not taxes.rounded_as_agreed(order, lines):
        differences.append("order: the tax is not the tax contained in the total")
    if order.discount != sum(discount.amount for discount in discounts):
        differences.append("order: the discounts do not add up")
    if order.total != sum(part.amount for part in parts):
        differences.append("order: the parts of its payment do not add up")
    if order.seal != seal(order, lines, discounts, parts):
        differences.append("order: the seal is broken, something that was agreed has been altered")
    if order.contact_seal is not None and order.contact_seal != contact_seal(order):
        differences.append("order: name, e-mail or address have been altered")
    return differences


def _line_differences(session: Session, line: OrderLine) -> list[str]:
    where = f"line {line.position} ({line.name})"
    try:
        item = catalog.version(session, line.model_version)
        if item.version != line.model_version:
            return [f"{where}: the published version {line.model_version} has been altered"]
        listed = price_lists.as_kept(item, line.pricing)
        worth = taxes.charged(appraise(listed, line.choices, line.texts), _factor(line))
    except (ShopError, ModelError) as error:
        return [f"{where}: cannot be recomputed: {error}"]
    now: dict[str, Any] = {
        "name": item.name,
        "sentence": worth.sentence,
        "described": worth.description,
        "price_lines": worth.price_lines,
        "unit_price": worth.price.amount,
        "unit_cost": worth.unit_cost,
        "lead_min_days": worth.lead_time.min_days,
        "lead_max_days": worth.lead_time.max_days,
        "amount": worth.amount(line.quantity),
    }
    return [f"{where}: {name} differs" for name, value in now.items() if getattr(line, name) != value]


def _factor(line: OrderLine) -> tuple[int, int]:
    numerator, denominator = line.pricing.get("tax", taxes.AS_LISTED)
    return numerator, denominator


def _members(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _said(row: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name, default in defaults.items() if getattr(row, name) != default}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(value: Any) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
