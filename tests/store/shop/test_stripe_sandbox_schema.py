"""What the sandbox answers and takes is what Stripe's OpenAPI document describes."""

from typing import Any

import pytest

from store.shop.stripe_sandbox import checkout, endpoints
from tests.store.shop import stripe_openapi
from tests.store.shop.payment_rig import DECLINED, EVERY_TIME, PAID, SECURE, Rig, checkout_of
from tests.store.shop.stripe_openapi import answer_schema, faults, parameters

SESSION = "/v1/checkout/sessions/{session}"


@pytest.fixture(autouse=True)
def _oracle() -> None:
    if stripe_openapi.document() is None:
        pytest.skip("Stripe's OpenAPI document cannot be had: no package registry answers")


def _get(rig: Rig, path: str, **query: Any) -> Any:
    headers = {"authorization": f"Bearer {rig.process.keys.api_key}"}
    return rig.web.get(f"{rig.process.url}{path}", params=query, headers=headers).json()


def _post(rig: Rig, path: str, **form: str) -> Any:
    headers = {"authorization": f"Bearer {rig.process.keys.api_key}"}
    return rig.web.post(f"{rig.process.url}{path}", data=form, headers=headers).json()


def test_a_checkout_is_described_in_every_state(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    path = f"/v1/checkout/sessions/{opened.reference}"
    answers = [_get(rig, path)]
    rig.pay(opened, DECLINED)
    answers.append(_get(rig, path, **{"expand[]": "payment_intent"}))
    rig.pay(opened, SECURE)
    answers.append(_get(rig, path, **{"expand[]": "payment_intent.payment_method"}))
    rig.answer(opened, "confirm")
    answers.append(_get(rig, path, **{"expand[0]": "payment_intent.latest_charge", "expand[1]": "line_items"}))
    answers.append(_get(rig, path, **{"expand[]": "customer"}))
    closed = rig.provider.open_checkout(checkout_of(order, idempotency_key=f"b-{order}"))
    rig.provider.expire_checkout(closed.reference)
    answers.append(_get(rig, f"/v1/checkout/sessions/{closed.reference}"))

    states = [(one["status"], one["payment_status"]) for one in answers]
    assert states == [("open", "unpaid")] * 3 + [("complete", "paid")] * 2 + [("expired", "unpaid")]
    assert [fault for one in answers for fault in faults(one, answer_schema("get", SESSION))] == []


def test_every_object_behind_a_payment_is_described(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(opened, PAID)
    state = rig.provider.read_checkout(opened.reference)
    assert state.payment_reference
    rig.provider.refund(state.payment_reference, 100, "EUR", "goodwill", f"refund-{order}")
    intent = _get(rig, f"/v1/payment_intents/{state.payment_reference}")
    single = {
        ("/v1/payment_intents/{intent}", intent["id"]),
        ("/v1/charges/{charge}", intent["latest_charge"]),
        ("/v1/payment_methods/{payment_method}", intent["payment_method"]),
        ("/v1/customers/{customer}", state.customer_reference),
    }
    lists: dict[str, dict[str, Any]] = {
        "/v1/customers": {},
        "/v1/checkout/sessions": {},
        "/v1/checkout/sessions/{session}/line_items": {},
        "/v1/payment_intents": {},
        "/v1/payment_methods": {"customer": state.customer_reference},
        "/v1/customers/{customer}/payment_methods": {},
        "/v1/refunds": {},
        "/v1/events": {"limit": 100},
    }

    found = {}
    for path, reference in single:
        address = path[: path.index("{")] + str(reference)
        found[path] = faults(_get(rig, address), answer_schema("get", path))
    for path, query in lists.items():
        address = path.replace("{session}", opened.reference).replace("{customer}", str(state.customer_reference))
        answer = _get(rig, address, **query)
        assert answer["data"], path
        found[path] = faults(answer, answer_schema("get", path))

    assert {path: list_of for path, list_of in found.items() if list_of} == {}


def test_every_event_carries_an_object_as_described(rig: Rig, order: str) -> None:
    for number in (PAID, DECLINED, SECURE):
        opened = rig.provider.open_checkout(checkout_of(order, idempotency_key=f"{number}-{order}"))
        rig.pay(opened, number)
        rig.answer(opened, "fail")
        rig.provider.expire_checkout(opened.reference)
    spec = stripe_openapi.document()
    assert spec is not None

    seen = set()
    for event in _get(rig, "/v1/events", limit=100)["data"]:
        subject = event["data"]["object"]
        seen.add(event["type"])
        assert faults(subject, spec["components"]["schemas"][subject["object"]] | {"x-name": subject["object"]}) == []
    assert seen >= {
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.canceled",
        "charge.succeeded",
        "charge.failed",
    }


def test_refusals_are_described(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(opened, EVERY_TIME)
    rig.answer(opened, "confirm")
    customer = rig.provider.read_checkout(opened.reference).customer_reference
    (card,) = rig.stripe.v1.payment_methods.list({"customer": str(customer)}).data
    balance = {"amount": "5000", "currency": "eur", "off_session": "true", "confirm": "true"}
    refusals = [
        _get(rig, "/v1/payment_intents/pi_none"),
        _post(rig, "/v1/payment_intents", amount="1"),
        _post(rig, "/v1/nothing"),
        _post(rig, "/v1/payment_intents", customer=str(customer), payment_method=card.id, **balance),
    ]

    schema = {"$ref": "#/components/schemas/error"}
    assert [one["error"]["type"] for one in refusals] == ["invalid_request_error"] * 3 + ["card_error"]
    assert [fault for one in refusals for fault in faults(one, schema)] == []


def test_the_sandbox_takes_no_parameter_that_stripe_does_not_know() -> None:
    newer = {"allowed_payment_method_types"}  # of a version later than the document's

    assert set(checkout.ACCEPTED) - newer <= parameters("post", "/v1/checkout/sessions")
    assert set(endpoints.INTENT_ACCEPTS) - newer <= parameters("post", "/v1/payment_intents")


def test_the_oracle_finds_what_is_wrong(rig: Rig, order: str) -> None:
    opened = rig.provider.open_checkout(checkout_of(order))
    session = _get(rig, f"/v1/checkout/sessions/{opened.reference}")
    del session["created"]

    wrong = session | {"status": "half-open", "amount_total": "384050", "colour": "red", "livemode": None}

    assert sorted(faults(wrong, answer_schema("get", SESSION))) == [
        ".amount_total: '384050' is no integer",
        ".colour: unknown",
        ".created: missing",
        ".livemode: null",
        ".status: 'half-open' is none of ['complete', 'expired', 'open']",
    ]
