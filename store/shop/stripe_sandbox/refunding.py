"""Gives the sandbox's money back: refunds of payments, and those that the card's bank turns away later."""

from collections.abc import Mapping

from store.shop.stripe_sandbox import disputing
from store.shop.stripe_sandbox.cards import TestCard
from store.shop.stripe_sandbox.charging import card_of
from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import Sandbox

FAILS_AFTER = 1  # seconds until a refund to such a card is turned away


def refund(box: Sandbox, intent: Body, amount: int | None, reason: str | None, notes: Mapping[str, str]) -> Body:
    """Pay back part or all of a payment.

    Raises:
        StripeProblem: nothing was paid, or less is left than asked for.
    """
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise StripeProblem(400, message, code="payment_intent_unexpected_state", param="payment_intent")
    charge = box.get("charge", intent["latest_charge"])
    if charge["disputed"] and not disputing.was_won(box, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeProblem(400, message, code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    if left == 0:
        raise StripeProblem(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if wanted <= 0:
        raise StripeProblem(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if wanted > left:
        message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
        raise StripeProblem(400, message, param="amount")
    charge["amount_refunded"] += wanted
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    box.ledger.save(charge)
    done = box.ledger.new(
        "re",
        "refund",
        {
            "amount": wanted,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": box.ledger.now(),
            "currency": charge["currency"],
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": dict(notes),
            "payment_intent": intent["id"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
            "_fails_at": box.ledger.now() + FAILS_AFTER if _card_of(box, charge).afterwards == "refund_fails" else None,
        },
    )
    box.tell("refund.created", done)
    box.tell("charge.refunded", charge)
    return done


def fail_overdue(box: Sandbox) -> None:
    """Turn away the refunds whose card's bank does not take them: the money is the shop's again."""
    for reference in box.ledger.failing(box.ledger.now()):
        with box.ledger.transaction():
            done = box.get("refund", reference)
            if done["status"] == "failed":
                continue
            charge = box.get("charge", done["charge"])
            charge["amount_refunded"] -= done["amount"]
            charge["refunded"] = False
            box.ledger.save(charge)
            done |= {"status": "failed", "failure_reason": "expired_or_canceled_card", "_fails_at": None}
            box.ledger.save(done)
            box.tell("refund.failed", done)


def _card_of(box: Sandbox, charge: Body) -> TestCard:
    return card_of(box.get("payment_method", charge["payment_method"]))
