"""Payers who went to their bank: disputes opened with the payment, and decided by evidence or by giving in."""

from typing import Any

from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.params import Params, flag, mapping, only, text
from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import Sandbox

ANSWER_WITHIN = 7 * 86_400  # seconds
# What the evidence must say for the outcome to be known, as in Stripe's own test mode.
OUTCOMES = {"winning_evidence": "won", "losing_evidence": "lost"}
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open_dispute(box: Sandbox, charge: Body) -> None:
    """The payer says that he knows nothing of it: the bank takes the money back until it is decided."""
    now = box.ledger.now()
    evidence: dict[str, Any] = dict.fromkeys(EVIDENCE)
    dispute = box.ledger.new(
        "du",
        "dispute",
        {
            "amount": charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": evidence | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": now + ANSWER_WITHIN,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": "fraudulent",
            "status": "needs_response",
        },
    )
    charge["disputed"] = True
    box.ledger.save(charge)
    box.tell("charge.dispute.created", dispute)


def was_won(box: Sandbox, charge: Body) -> bool:
    """Whether every dispute about a charge was decided for the shop."""
    return all(one["status"] == "won" for one in box.ledger.newest("dispute", {"charge": charge["id"]}, 100))


def answer(box: Sandbox, dispute: Body, params: Params) -> Body:
    """Take the shop's evidence; what it says decides."""
    only(params, ("evidence", "submit", "expand"))
    _refuse_decided(dispute)
    given = mapping(params, "evidence")
    only(given, EVIDENCE, "evidence")
    dispute["evidence"] |= {name: text(given, name, 20_000) for name in given}
    dispute["evidence_details"]["has_evidence"] = True
    if "submit" not in params or flag(params, "submit"):
        dispute["evidence_details"]["submission_count"] += 1
        said = str(dispute["evidence"]["uncategorized_text"])
        return _decide(box, dispute, OUTCOMES.get(said, "under_review"))
    box.ledger.save(dispute)
    return dispute


def close(box: Sandbox, dispute: Body) -> Body:
    """Give in: the dispute is lost."""
    _refuse_decided(dispute)
    return _decide(box, dispute, "lost")


def _decide(box: Sandbox, dispute: Body, status: str) -> Body:
    dispute["status"] = status
    box.ledger.save(dispute)
    box.tell("charge.dispute.updated" if status == "under_review" else "charge.dispute.closed", dispute)
    return dispute


def _refuse_decided(dispute: Body) -> None:
    if dispute["status"] in ("won", "lost"):
        raise StripeProblem(400, "This dispute is already closed", code="dispute_already_closed")
