"""Kept cards, refunds and disputes, through the real SDK over HTTP at the sandbox."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.shop.payment_provider import ChargeState, PaymentRefused, SavedCharge
from tests.store.shop import stripe_openapi
from tests.store.shop.payment_rig import DECLINED, EVERY_TIME, PAID, Rig, checkout_of, eventually
from tests.store.shop.stripe_openapi import answer_schema, faults

LATER, DISPUTED, TURNED_AWAY = "4000 0000 0000 0341", "4000 0000 0000 0259", "4000 0000 0000 5126"


def kept(rig: Rig, order: str, number: str) -> tuple[str, str]:
    """The payer and the card that a deposit kept."""
    opened = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(opened, number)
    rig.answer(opened, "confirm")
    state = rig.provider.read_checkout(opened.reference)
    assert (state.status, bool(state.customer_reference), bool(state.method_reference)) == ("paid", True, True)
    return str(state.customer_reference), str(state.method_reference)


def balance(order: str, customer: str, method: str, **changed: Any) -> SavedCharge:
    values: dict[str, Any] = {
        "order_number": order,
        "order_id": f"ord_{order.lower()}",
        "amount": 900_000,
        "currency": "EUR",
        "customer_reference": customer,
        "method_reference": method,
        "description": f"Balance of order {order}",
        "idempotency_key": f"pay_{order}",
        "metadata": {"payment_id": f"pay_{order}"},
    }
    return SavedCharge(**(values | changed))


def paid_with(rig: Rig, order: str, number: str) -> str:
    opened = rig.provider.open_checkout(checkout_of(order, metadata={"payment_id": f"pay_page_{order}"}))
    rig.pay(opened, number)
    return str(rig.provider.read_checkout(opened.reference).payment_reference)


def get(rig: Rig, path: str, **query: Any) -> Any:
    headers = {"authorization": f"Bearer {rig.process.keys.api_key}"}
    return rig.web.get(f"{rig.process.url}{path}", params=query, headers=headers).json()


def test_a_page_that_keeps_no_card_names_none(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order))
    rig.pay(opened, PAID)
    assert rig.provider.read_checkout(opened.reference).method_reference is None


def test_a_balance_is_charged_once_and_found_by_our_id(rig: Rig, order: str) -> None:
    customer, method = kept(rig, order, PAID)
    assert rig.provider.find_payment(customer, f"pay_{order}") is None
    first = rig.provider.charge_saved(balance(order, customer, method))
    again = rig.provider.charge_saved(balance(order, customer, method))
    assert (first.status, first.amount, first.currency, first.payment_id) == ("paid", 900_000, "EUR", f"pay_{order}")
    assert first.payment_reference == again.payment_reference
    assert rig.provider.read_payment(str(first.payment_reference)) == rig.provider.find_payment(
        customer, f"pay_{order}"
    )


def test_a_charge_whose_answer_was_cut_is_charged_once(rig: Rig, order: str) -> None:
    customer, method = kept(rig, order, PAID)
    rig.fault("cut", "POST /v1/payment_intents")
    state = rig.provider.charge_saved(balance(order, customer, method))
    assert state.status == "paid"
    assert len(rig.events("payment_intent.succeeded", f"pay_{order}")) == 1


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(EVERY_TIME, "needs_customer", "authentication_required"), (LATER, "declined", "generic_decline")],
)
def test_a_refused_charge_is_an_answer_that_can_be_read_again(
    rig: Rig, order: str, number: str, status: str, code: str
) -> None:
    customer, method = kept(rig, order, number)
    state = rig.provider.charge_saved(balance(order, customer, method))
    assert (state.status, state.code) == (status, code)
    assert rig.provider.charge_saved(balance(order, customer, method)) == state
    read = rig.provider.read_payment(str(state.payment_reference))
    assert (read.status, read.code, read.payment_id) == (status, code, f"pay_{order}")


def test_a_declined_page_tells_our_id_and_the_reason(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order, metadata={"payment_id": f"pay_{order}"}))
    rig.pay(opened, DECLINED)
    eventually(lambda: "payment_intent.payment_failed" in rig.slot.about(f"pay_{order}"))
    (letter,) = [one for one in rig.slot.letters if one.event["type"] == "payment_intent.payment_failed"]
    event = rig.provider.parse_event(letter.body, letter.signature)
    assert (event.kind, event.payment_id, event.code) == ("payment_failed", f"pay_{order}", "generic_decline")


def test_refunds_are_listed_with_our_ids(rig: Rig, order: str) -> None:
    payment = paid_with(rig, order, PAID)
    rig.provider.refund(payment, 100, "EUR", "goodwill", f"ref_{order}_1")
    rig.provider.refund(payment, 200, "EUR", "goodwill", f"ref_{order}_2")
    rig.stripe.v1.refunds.create({"payment_intent": payment, "amount": 50})
    known = {(one.amount, one.status, one.refund_id) for one in rig.provider.refunds_of(payment)}
    ours = {(100, "succeeded", f"ref_{order}_1"), (200, "succeeded", f"ref_{order}_2")}
    assert known == {*ours, (50, "succeeded", None)}
    assert rig.provider.read_payment(payment).refunded == 350


def test_what_was_taken_since_a_moment_is_listed(rig: Rig, order: str) -> None:
    payment = paid_with(rig, order, PAID)
    rig.provider.refund(payment, 100, "EUR", "goodwill", f"ref_{order}")

    def mine(since: datetime) -> list[ChargeState]:
        return [state for state in rig.provider.taken_since(since) if state.payment_id == f"pay_page_{order}"]

    now = datetime.now(UTC)
    (state,) = mine(now - timedelta(hours=1))
    assert (state.payment_reference, state.amount, state.refunded) == (payment, 384_050, 100)
    assert mine(now + timedelta(hours=1)) == []


def test_a_refund_that_the_bank_turns_away_fails_later(rig: Rig, order: str) -> None:
    payment = paid_with(rig, order, TURNED_AWAY)
    assert rig.provider.refund(payment, 100, "EUR", "goodwill", f"ref_{order}").status == "succeeded"
    eventually(lambda: rig.provider.refunds_of(payment)[0].status == "failed")
    assert rig.provider.read_payment(payment).refunded == 0
    eventually(lambda: "refund.failed" in rig.slot.about(payment))
    (letter,) = [one for one in rig.slot.letters if one.event["type"] == "refund.failed"]
    event = rig.provider.parse_event(letter.body, letter.signature)
    assert (event.kind, event.reference) == ("refunded", payment)


@pytest.mark.parametrize(("evidence", "outcome"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute_is_told_of_and_decided(rig: Rig, order: str, evidence: str, outcome: str) -> None:
    payment = paid_with(rig, order, DISPUTED)
    (opened,) = rig.provider.disputes_of(payment)
    assert (opened.amount, opened.currency, opened.reason, opened.status) == (384_050, "EUR", "fraudulent", "open")
    with pytest.raises(PaymentRefused):
        rig.provider.refund(payment, 100, "EUR", "goodwill", f"ref_{order}")
    rig.stripe.v1.disputes.update(opened.reference, {"evidence": {"uncategorized_text": evidence}})
    (decided,) = rig.provider.disputes_of(payment)
    assert decided.status == outcome
    eventually(lambda: "charge.dispute.closed" in rig.slot.about(payment))
    kinds = [one for one in rig.slot.about(payment) if one.startswith("charge.dispute")]
    assert kinds == ["charge.dispute.created", "charge.dispute.closed"]
    letter = rig.slot.letters[-1]
    event = rig.provider.parse_event(letter.body, letter.signature)
    assert (event.kind, event.reference) == ("disputed", payment)


def test_a_dispute_that_is_given_in_is_lost(rig: Rig, order: str) -> None:
    payment = paid_with(rig, order, DISPUTED)
    (opened,) = rig.provider.disputes_of(payment)
    rig.stripe.v1.disputes.close(opened.reference)
    assert [one.status for one in rig.provider.disputes_of(payment)] == ["lost"]


def test_disputes_and_failed_refunds_are_described(rig: Rig, order: str) -> None:
    if stripe_openapi.document() is None:
        pytest.skip("Stripe's OpenAPI document cannot be had: no package registry answers")
    payment = paid_with(rig, order, DISPUTED)
    other = paid_with(rig, f"{order}b", TURNED_AWAY)
    refund = rig.provider.refund(other, 100, "EUR", "goodwill", f"ref_{order}").reference
    eventually(lambda: rig.provider.refunds_of(other)[0].status == "failed")
    (dispute,) = get(rig, "/v1/disputes", payment_intent=payment)["data"]
    listed = faults(get(rig, "/v1/disputes"), answer_schema("get", "/v1/disputes"))
    single = faults(get(rig, f"/v1/disputes/{dispute['id']}"), answer_schema("get", "/v1/disputes/{dispute}"))
    failed = faults(get(rig, f"/v1/refunds/{refund}"), answer_schema("get", "/v1/refunds/{refund}"))
    assert (listed, single, failed) == ([], [], [])
