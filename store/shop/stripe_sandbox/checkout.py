"""Checkout Sessions: opened by the shop, paid by the customer on the hosted page, expired by either or by time."""

from collections.abc import Mapping
from typing import Any

from store.shop.stripe_sandbox import params as form
from store.shop.stripe_sandbox.cards import TypedCard
from store.shop.stripe_sandbox.charging import card_of, decline, fail, new_customer, new_intent, new_method, succeed
from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.params import Params
from store.shop.stripe_sandbox.problems import StripeProblem, missing, wrong
from store.shop.stripe_sandbox.sandbox import Sandbox

SHORTEST, LONGEST = 30 * 60, 24 * 60 * 60  # seconds a session may stay open
GRACE = 60  # a caller who asks for exactly 30 minutes has lost some seconds on the way

ACCEPTED = (
    "mode",
    "line_items",
    "metadata",
    "client_reference_id",
    "customer",
    "customer_email",
    "customer_creation",
    "success_url",
    "cancel_url",
    "expires_at",
    "locale",
    "payment_intent_data",
    "allowed_payment_method_types",
    "submit_type",
)

# What every new session answers, whatever was asked.
BLANK: Body = {
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "client_secret": None,
    "consent": None,
    "consent_collection": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_details": None,
    "invoice": None,
    "livemode": False,
    "mode": "payment",
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "payment_status": "unpaid",
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "subscription": None,
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
    "url": None,
}


def create(box: Sandbox, params: Params) -> Body:
    """Open a session."""
    form.only(params, (*ACCEPTED, "expand"))
    if form.one_of(params, "mode", ("payment",)) is None:
        raise missing("mode")
    _only_cards(params)
    lines, currency = _lines(box, params)
    total = form.charge_amount(sum(line["amount_total"] for line in lines), "line_items")
    now = box.ledger.now()
    expires_at = form.integer(params, "expires_at") or now + LONGEST
    if not now + SHORTEST - GRACE <= expires_at <= now + LONGEST + GRACE:
        raise wrong("expires_at", "The `expires_at` timestamp must be 30 minutes to 24 hours from now.")
    customer = form.text(params, "customer")
    if customer:
        box.get("customer", customer, "customer")
    asked = {
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": _address(params, "cancel_url", must=False),
        "client_reference_id": form.text(params, "client_reference_id", 200),
        "created": now,
        "currency": currency,
        "customer": customer,
        "customer_creation": form.one_of(params, "customer_creation", ("always", "if_required")) or "if_required",
        "customer_email": form.text(params, "customer_email", 800),
        "expires_at": expires_at,
        "locale": form.text(params, "locale"),
        "metadata": form.metadata(params),
        "submit_type": form.one_of(params, "submit_type", ("auto", "book", "donate", "pay")),
        "success_url": _address(params, "success_url", must=True),
        "_lines": lines,
        "_payment": _payment_data(params),
    }
    return box.ledger.new("cs_test", "checkout.session", BLANK | asked)


def _only_cards(params: Params) -> None:
    """The sandbox takes cards: a session that allows none could not be paid."""
    allowed = form.items(params, "allowed_payment_method_types")
    if allowed and "card" not in allowed:
        raise wrong("allowed_payment_method_types", "The sandbox takes cards only: allow `card`.")


def _payment_data(params: Params) -> dict[str, Any]:
    """What the session's payment intent will carry."""
    data = form.mapping(params, "payment_intent_data")
    form.only(data, ("description", "metadata", "receipt_email", "setup_future_usage"), "payment_intent_data")
    return {
        "description": form.text(data, "description"),
        "metadata": form.metadata(data),
        "receipt_email": form.text(data, "receipt_email"),
        "setup_future_usage": form.one_of(data, "setup_future_usage", ("off_session", "on_session")),
    }


def _address(params: Params, name: str, *, must: bool) -> str | None:
    value = form.text(params, name)
    if value is None and must:
        raise missing(name)
    if value is not None and not value.startswith(("https://", "http://")):
        raise wrong(name, "Not a valid URL", "url_invalid")
    return value


def _lines(box: Sandbox, params: Params) -> tuple[list[Body], str]:
    """The session's line items with their sums, and their one currency."""
    wanted = form.items(params, "line_items")
    if not wanted:
        raise missing("line_items")
    lines = [_line(box, index, item) for index, item in enumerate(wanted)]
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise wrong("line_items", "All prices of a session must have the same currency.")
    return lines, currencies.pop()


def _line(box: Sandbox, index: int, item: Any) -> Body:
    inside = f"line_items[{index}]"
    if not isinstance(item, dict):
        raise wrong(inside, "Invalid object")
    form.only(item, ("price_data", "quantity"), inside)
    data = form.mapping(item, "price_data")
    form.only(data, ("currency", "unit_amount", "product_data"), f"{inside}[price_data]")
    product = form.mapping(data, "product_data")
    form.only(product, ("name", "description", "metadata"), f"{inside}[price_data][product_data]")
    name = form.required(product, "name")
    quantity, unit = form.integer(item, "quantity"), form.integer(data, "unit_amount")
    if unit is None or unit < 0:
        raise wrong(f"{inside}[price_data][unit_amount]", "Invalid non-negative integer", "parameter_invalid_integer")
    if quantity is None or quantity < 1:
        raise wrong(f"{inside}[quantity]", "Quantity must be at least 1", "parameter_invalid_integer")
    currency = form.currency(data)
    price = box.ledger.new(
        "price",
        "price",
        {
            "active": False,
            "billing_scheme": "per_unit",
            "created": box.ledger.now(),
            "currency": currency,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": f"prod_{index}",
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": unit,
            "unit_amount_decimal": str(unit),
        },
    )
    return {
        "id": f"li_{price['id'].removeprefix('price_')}",
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": unit * quantity,
        "amount_tax": 0,
        "amount_total": unit * quantity,
        "currency": currency,
        "description": name,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def expire(box: Sandbox, session: Body) -> Body:
    """Close an open session; its payment intent, if a card was tried, is canceled with it."""
    if session["status"] != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.'  # noqa: E501 — Stripe's own sentence
        raise StripeProblem(400, message)
    if session["payment_intent"]:
        intent = box.get("payment_intent", session["payment_intent"])
        intent.update(status="canceled", canceled_at=box.ledger.now(), cancellation_reason="expired", next_action=None)
        box.ledger.save(intent)
        box.tell("payment_intent.canceled", intent)
    session.update(status="expired", url=None)
    box.ledger.save(session)
    box.tell("checkout.session.expired", session)
    return session


def expire_overdue(box: Sandbox) -> None:
    """Close every open session whose time is over."""
    for reference in box.ledger.overdue(box.ledger.now()):
        with box.ledger.transaction():
            current(box, reference)


def current(box: Sandbox, reference: str) -> Body:
    """The session as of this moment: one whose time is over is closed first."""
    session = box.get("checkout.session", reference)
    if session["status"] == "open" and session["expires_at"] <= box.ledger.now():
        return expire(box, session)
    return session


def pay(box: Sandbox, session: Body, typed: TypedCard) -> Body:
    """Try a card on an open session and answer its payment intent: succeeded, to be confirmed, or failed."""
    intent = _intent(box, session)
    method = new_method(box, typed, session["customer_email"])
    if typed.card.behaviour == "declines":
        decline(box, intent, method)
    elif typed.card.behaviour in ("pays", "declines_later"):
        _complete(box, session, intent, method)
    else:
        confirmation = f"{box.base_url}/pay/{session['id']}/confirmation"
        intent.update(
            status="requires_action",
            payment_method=method["id"],
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": session["success_url"], "url": confirmation},
            },
        )
        box.ledger.save(intent)
        box.tell("payment_intent.requires_action", intent)
    return intent


def confirm(box: Sandbox, session: Body, *, agreed: bool) -> Body | None:
    """End the 3-D Secure question of an open session; none when there is no such question (any more)."""
    if not session["payment_intent"]:
        return None
    intent = box.get("payment_intent", session["payment_intent"])
    if intent["status"] != "requires_action":
        return None
    method = box.get("payment_method", intent["payment_method"])
    if agreed:
        method["_authenticated"] = card_of(method).behaviour == "asks_once"
        _complete(box, session, intent, method)
    else:
        message = (
            "We are unable to authenticate your payment method. Please choose a different payment method and try again."
        )
        fail(box, intent, method, "payment_intent_authentication_failure", message)
    return intent


def _intent(box: Sandbox, session: Body) -> Body:
    """The session's payment intent, made when a card is first tried (as Stripe does)."""
    if session["payment_intent"]:
        return box.get("payment_intent", session["payment_intent"])
    fields: Mapping[str, Any] = session["_payment"] | {"customer": session["customer"]}
    intent = new_intent(box, session["amount_total"], session["currency"], fields)
    session["payment_intent"] = intent["id"]
    box.ledger.save(session)
    return intent


def _complete(box: Sandbox, session: Body, intent: Body, method: Body) -> None:
    """Take the money and close the session; a card to be kept is tied to a customer."""
    keep = bool(intent["setup_future_usage"])
    if not session["customer"] and (keep or session["customer_creation"] == "always"):
        session["customer"] = new_customer(box, {"email": session["customer_email"]})["id"]
    intent["customer"] = session["customer"]
    if keep:
        method["customer"] = session["customer"]
    box.ledger.save(method)
    succeed(box, intent, method)
    session.update(
        status="complete",
        payment_status="paid",
        url=None,
        customer_details={
            "address": None,
            "email": session["customer_email"],
            "name": None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    box.ledger.save(session)
    box.tell("checkout.session.completed", session)
