"""Moves the sandbox's money: payment intents, charges, saved cards and refunds."""

from collections.abc import Mapping
from typing import Any

from store.shop.stripe_sandbox import disputing
from store.shop.stripe_sandbox.cards import BY_FINGERPRINT, TestCard, TypedCard
from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.problems import card_error
from store.shop.stripe_sandbox.sandbox import Sandbox

DECLINED = {
    "insufficient_funds": "Your card has insufficient funds.",
    "generic_decline": "Your card was declined.",
}


def new_customer(box: Sandbox, fields: Mapping[str, Any]) -> Body:
    """Keep a customer and tell of it."""
    customer = box.ledger.new(
        "cus",
        "customer",
        {
            "address": None,
            "balance": 0,
            "created": box.ledger.now(),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "email": None,
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": {},
            "name": None,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            **fields,
        },
    )
    box.tell("customer.created", customer)
    return customer


def new_intent(box: Sandbox, amount: int, currency: str, fields: Mapping[str, Any]) -> Body:
    """Keep a payment intent that nothing has been tried on yet."""
    intent = box.ledger.new(
        "pi",
        "payment_intent",
        {
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "application": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": None,
            "confirmation_method": "automatic",
            "created": box.ledger.now(),
            "currency": currency,
            "customer": None,
            "description": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "setup_future_usage": None,
            "shipping": None,
            "statement_descriptor": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
            **fields,
        },
    )
    box.tell("payment_intent.created", intent)
    return intent


def new_method(box: Sandbox, typed: TypedCard, email: str | None) -> Body:
    """Keep what may be known of a card: brand, last four digits and expiry."""
    card = typed.card
    return box.ledger.new(
        "pm",
        "payment_method",
        {
            "allow_redisplay": "limited",
            "billing_details": {"address": None, "email": email, "name": None, "phone": None, "tax_id": None},
            "card": {
                "brand": card.brand,
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "country": "FR",
                "display_brand": card.brand,
                "exp_month": typed.exp_month,
                "exp_year": typed.exp_year,
                "fingerprint": card.fingerprint,
                "funding": "credit",
                "generated_from": None,
                "last4": card.number[-4:],
                "networks": {"available": [card.brand], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": box.ledger.now(),
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": "card",
        },
    )


def card_of(method: Body) -> TestCard:
    """The test card behind a saved payment method."""
    return BY_FINGERPRINT[method["card"]["fingerprint"]]


def succeed(box: Sandbox, intent: Body, method: Body) -> None:
    """Take the money: a charge that succeeded, an intent that is done, and their events."""
    charge = _charge(box, intent, method, paid=True)
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=method["id"],
        next_action=None,
        last_payment_error=None,
    )
    box.ledger.save(intent)
    box.tell("charge.succeeded", charge)
    box.tell("payment_intent.succeeded", intent)
    if card_of(method).afterwards == "disputed":
        disputing.open_dispute(box, charge)


def fail(box: Sandbox, intent: Body, method: Body, code: str, message: str, decline_code: str = "") -> None:
    """Take nothing: the intent waits for another card and says why."""
    if code == "card_declined":
        charge = _charge(box, intent, method, paid=False, failure=(code, message))
        intent["latest_charge"] = charge["id"]
        box.tell("charge.failed", charge)
    error = card_error(code, message, decline_code)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=error | {"payment_method": box.shown(method)},
    )
    box.ledger.save(intent)
    box.tell("payment_intent.payment_failed", intent)


def decline(box: Sandbox, intent: Body, method: Body) -> None:
    """Let the card's bank say no."""
    decline_code = card_of(method).decline_code
    fail(box, intent, method, "card_declined", DECLINED[decline_code], decline_code)


def _charge(
    box: Sandbox, intent: Body, method: Body, *, paid: bool, failure: tuple[str | None, str | None] = (None, None)
) -> Body:
    """Keep one attempt on a card."""
    card = method["card"]
    shown = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    details = {name: card[name] for name in shown} | {
        "checks": card["checks"],
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "three_d_secure": None,
    }
    return box.ledger.new(
        "ch",
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if paid else 0,
            "amount_refunded": 0,
            "billing_details": method["billing_details"],
            "captured": paid,
            "created": box.ledger.now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": failure[0],
            "failure_message": failure[1],
            "livemode": False,
            "metadata": intent["metadata"],
            "outcome": None,
            "paid": paid,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"card": details, "type": "card"},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "status": "succeeded" if paid else "failed",
        },
    )
