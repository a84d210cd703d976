"""The payment adapter keeps the provider's contract, over real HTTP against the sandbox."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.errors import SettingsError
from store.settings import Settings, read_settings
from store.shop.payment_provider import (
    BadSignature,
    PaymentProvider,
    PaymentRefused,
    PaymentUnavailable,
)
from store.shop.payments_stripe import STRIPE, StripeProvider, connect
from store.shop.stripe_sandbox import sandbox_keys
from store.shop.stripe_sandbox.webhooks import sign
from tests.store.shop.payment_rig import DECLINED, PAID, SECURE, Rig, checkout_of

LIVE_KEY = "_".join(("sk", "live", "0" * 24))  # joined here so that no scanner takes it for a leaked one
TEST_KEY = "_".join(("sk", "test", "0" * 24))


# Opening a page


def test_an_opened_page_waits_for_the_exact_amount(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    state = rig.provider.read_checkout(checkout.reference)

    assert checkout.url == f"{rig.process.url}/pay/{checkout.reference}"
    assert (state.status, state.amount, state.currency) == ("open", 384_050, "EUR")
    assert (state.payment_reference, state.paid_at, state.customer_reference) == (None, None, None)


def test_the_page_closes_when_the_shop_wants_it_to(rig: Rig, order: str) -> None:
    closes = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=45)

    checkout = rig.provider.open_checkout(checkout_of(order, expires_at=closes))

    assert checkout.expires_at == closes


def test_the_same_key_opens_the_same_page(rig: Rig, order: str) -> None:
    first = rig.provider.open_checkout(checkout_of(order))

    assert rig.provider.open_checkout(checkout_of(order)) == first


def test_a_key_with_another_amount_is_refused_and_the_page_stays(rig: Rig, order: str) -> None:
    first = rig.provider.open_checkout(checkout_of(order))

    with pytest.raises(PaymentRefused, match="same parameters"):
        rig.provider.open_checkout(checkout_of(order, amount=1_000, lines=(("Strap", 1_000),)))

    assert rig.provider.read_checkout(first.reference).amount == 384_050


def test_lines_that_do_not_add_up_never_reach_the_provider(order: str) -> None:
    with pytest.raises(ValueError, match="add up to 384050, not to 384051"):
        checkout_of(order, amount=384_051)
    with pytest.raises(ValueError, match="cannot be negative"):
        checkout_of(order, amount=900, lines=(("Strap", 1_000), ("Discount", -100)))
    with pytest.raises(ValueError, match="nothing to pay"):
        checkout_of(order, amount=0, lines=())


def test_more_than_one_card_charge_can_carry_is_refused(rig: Rig, order: str) -> None:
    with pytest.raises(PaymentRefused, match="no more than 99999999"):
        rig.provider.open_checkout(checkout_of(order, amount=100_000_000, lines=(("Voyageur boat", 100_000_000),)))


# Paying


def test_a_good_card_pays_once_however_often_the_form_is_sent(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    first, again = rig.pay(checkout), rig.pay(checkout)

    target = f"http://127.0.0.1:8119/orders/{order}?paid={checkout.reference}"
    assert (first.status_code, first.headers["location"]) == (303, target)
    assert (again.status_code, again.headers["location"]) == (303, target)
    state = rig.provider.read_checkout(checkout.reference)
    assert (state.status, state.amount, state.currency) == ("paid", 384_050, "EUR")
    assert state.paid_at is not None
    assert abs((state.paid_at - datetime.now(UTC)).total_seconds()) < 30
    assert state.payment_reference is not None
    assert len(rig.events("charge.succeeded", state.payment_reference)) == 1


def test_a_declined_card_takes_nothing_and_another_may_be_tried(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    declined = rig.pay(checkout, DECLINED)

    assert (declined.status_code, declined.headers["location"]) == (303, f"/pay/{checkout.reference}")
    said = "Your card was declined. Nothing was charged: please try again or use another card."
    assert said in rig.web.get(checkout.url).text
    assert rig.provider.read_checkout(checkout.reference).status == "open"
    assert rig.pay(checkout, PAID).headers["location"].endswith(f"?paid={checkout.reference}")
    assert rig.provider.read_checkout(checkout.reference).status == "paid"


def test_a_secure_card_pays_after_its_holder_confirms(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    asked = rig.pay(checkout, SECURE)

    assert (asked.status_code, asked.headers["location"]) == (303, f"/pay/{checkout.reference}/confirmation")
    assert "card ending in 3155" in rig.web.get(f"{checkout.url}/confirmation").text
    assert rig.provider.read_checkout(checkout.reference).status == "open"
    assert rig.answer(checkout, "confirm").status_code == 303
    assert rig.answer(checkout, "confirm").headers["location"].endswith(f"?paid={checkout.reference}")
    assert rig.provider.read_checkout(checkout.reference).status == "paid"


def test_a_failed_confirmation_takes_nothing_and_another_card_may_be_tried(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout, SECURE)

    failed = rig.answer(checkout, "fail")

    assert (failed.status_code, failed.headers["location"]) == (303, f"/pay/{checkout.reference}")
    assert "The payment was not confirmed. Nothing was charged" in rig.web.get(checkout.url).text
    assert rig.provider.read_checkout(checkout.reference).status == "open"
    assert rig.answer(checkout, "confirm").headers["location"] == f"/pay/{checkout.reference}"  # no second chance
    assert rig.provider.read_checkout(checkout.reference).status == "open"
    assert rig.pay(checkout).status_code == 303
    assert rig.provider.read_checkout(checkout.reference).status == "paid"


def test_a_kept_card_belongs_to_a_customer(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(checkout)

    customer = rig.provider.read_checkout(checkout.reference).customer_reference

    assert customer is not None
    cards = rig.stripe.v1.customers.payment_methods.list(customer).data
    assert [card.card.last4 for card in cards if card.card] == ["4242"]


# Closing


def test_a_page_closed_by_the_shop_cannot_be_paid(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    assert rig.provider.expire_checkout(checkout.reference).status == "expired"

    refused = rig.pay(checkout)
    assert (refused.status_code, "This payment page has closed" in refused.text) == (410, True)
    state = rig.provider.read_checkout(checkout.reference)
    assert (state.status, state.payment_reference) == ("expired", None)


def test_closing_twice_or_after_payment_answers_what_is(rig: Rig, order: str) -> None:
    closed = rig.provider.open_checkout(checkout_of(order))
    paid = rig.provider.open_checkout(checkout_of(order, idempotency_key=f"second-{order}"))
    rig.provider.expire_checkout(closed.reference)
    rig.pay(paid)

    assert rig.provider.expire_checkout(closed.reference).status == "expired"
    assert rig.provider.expire_checkout(paid.reference).status == "paid"


def test_a_page_closes_by_itself_when_its_time_is_over(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    rig.knobs(clock_ahead=24 * 3_600 + 1)

    assert rig.pay(checkout).status_code == 410
    assert rig.provider.read_checkout(checkout.reference).status == "expired"


def test_an_unknown_page_is_refused(rig: Rig) -> None:
    with pytest.raises(PaymentRefused, match="No such checkout session: 'cs_test_none'"):
        rig.provider.read_checkout("cs_test_none")


# Refunds


def _paid(rig: Rig, order: str) -> str:
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)
    reference = rig.provider.read_checkout(checkout.reference).payment_reference
    assert reference is not None
    return reference


def _refunded(rig: Rig, payment: str) -> list[int]:
    return [refund.amount for refund in rig.stripe.v1.refunds.list({"payment_intent": payment}).data]


def test_parts_are_paid_back_to_the_last_cent_and_not_one_more(rig: Rig, order: str) -> None:
    payment = _paid(rig, order)

    first = rig.provider.refund(payment, 84_050, "EUR", "late delivery", f"one-{order}")
    rest = rig.provider.refund(payment, 300_000, "EUR", "cancelled", f"two-{order}")

    assert (first.amount, first.currency, first.status, first.payment_reference) == (
        84_050,
        "EUR",
        "succeeded",
        payment,
    )
    assert rest.amount == 300_000
    with pytest.raises(PaymentRefused, match="already been refunded"):
        rig.provider.refund(payment, 1, "EUR", "one more", f"three-{order}")
    assert _refunded(rig, payment) == [300_000, 84_050]


def test_more_than_was_paid_is_not_paid_back(rig: Rig, order: str) -> None:
    payment = _paid(rig, order)

    with pytest.raises(PaymentRefused, match=r"\(384051\) is greater than unrefunded amount on charge \(384050\)"):
        rig.provider.refund(payment, 384_051, "EUR", "too much", f"one-{order}")

    assert _refunded(rig, payment) == []


def test_a_refund_asked_for_twice_under_one_key_is_made_once(rig: Rig, order: str) -> None:
    payment = _paid(rig, order)

    first = rig.provider.refund(payment, 1_000, "EUR", "goodwill", f"one-{order}")

    assert rig.provider.refund(payment, 1_000, "EUR", "goodwill", f"one-{order}") == first
    with pytest.raises(PaymentRefused, match="same parameters"):
        rig.provider.refund(payment, 2_000, "EUR", "goodwill", f"one-{order}")
    assert _refunded(rig, payment) == [1_000]


def test_a_refund_in_another_currency_is_refused(rig: Rig, order: str) -> None:
    payment = _paid(rig, order)

    with pytest.raises(PaymentRefused, match="made in EUR, not in CHF"):
        rig.provider.refund(payment, 1_000, "CHF", "goodwill", f"one-{order}")

    assert _refunded(rig, payment) == []


# When the provider does not answer

OPEN = "POST /v1/checkout/sessions"


@pytest.mark.parametrize(("kind", "seconds"), [("delay", 0.8), ("error", 0), ("cut", 0)])
def test_an_answer_that_never_came_is_unknown_and_the_repetition_opens_one_page(
    rig: Rig, order: str, kind: str, seconds: float
) -> None:
    rig.fault(kind, OPEN, seconds=seconds)

    with pytest.raises(PaymentUnavailable):
        rig.impatient.open_checkout(checkout_of(order))

    checkout = rig.provider.open_checkout(checkout_of(order))
    time.sleep(seconds)  # a delayed call is carried out late: it must find its key taken
    assert rig.provider.open_checkout(checkout_of(order)) == checkout
    sessions = rig.stripe.v1.checkout.sessions.list({"limit": 100}).data
    assert [one.id for one in sessions if one.client_reference_id == order] == [checkout.reference]


@pytest.mark.parametrize("kind", ["error", "cut"])
def test_a_short_trouble_is_overcome_without_the_shop_noticing(rig: Rig, order: str, kind: str) -> None:
    rig.fault(kind, OPEN, times=2)

    checkout = rig.provider.open_checkout(checkout_of(order))

    assert rig.provider.read_checkout(checkout.reference).status == "open"


def test_a_refund_whose_answer_was_lost_is_made_once(rig: Rig, order: str) -> None:
    payment = _paid(rig, order)
    rig.fault("cut", "POST /v1/refunds")

    with pytest.raises(PaymentUnavailable):
        rig.impatient.refund(payment, 1_000, "EUR", "goodwill", f"one-{order}")

    assert rig.provider.refund(payment, 1_000, "EUR", "goodwill", f"one-{order}").amount == 1_000
    assert _refunded(rig, payment) == [1_000]


def test_nobody_listening_is_unavailable(order: str) -> None:
    nowhere = StripeProvider(TEST_KEY, "whsec_x", "http://127.0.0.1:9", timeouts=(0.5, 0.5), retries=0)

    with pytest.raises(PaymentUnavailable):
        nowhere.open_checkout(checkout_of(order))


def test_a_wrong_key_is_unavailable_and_is_not_shown(rig: Rig, order: str) -> None:
    stranger = StripeProvider(TEST_KEY, "whsec_x", rig.process.url, retries=0)

    with pytest.raises(PaymentUnavailable, match="Invalid API Key") as refusal:
        stranger.open_checkout(checkout_of(order))
    assert TEST_KEY not in str(refusal.value)


# Webhooks

EVENT = {
    "id": "evt_1",
    "object": "event",
    "created": 1_790_000_000,
    "type": "checkout.session.completed",
    "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
}


def _signed(rig: Rig, event: dict[str, Any], age: int = 0) -> tuple[bytes, str]:
    body = json.dumps(event).encode()
    return body, sign(body, rig.process.keys.webhook_secret, int(time.time()) - age)


def test_a_signed_event_says_what_to_read_again(rig: Rig) -> None:
    event = rig.provider.parse_event(*_signed(rig, EVENT))

    assert (event.id, event.kind, event.reference) == ("evt_1", "checkout_completed", "cs_test_1")
    assert event.created_at == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


def test_a_refund_names_its_payment_and_an_unknown_event_is_other(rig: Rig) -> None:
    charge = EVENT | {
        "type": "charge.refunded",
        "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}},
    }

    refunded = rig.provider.parse_event(*_signed(rig, charge))
    other = rig.provider.parse_event(*_signed(rig, EVENT | {"type": "payout.paid"}))

    assert (refunded.kind, refunded.reference) == ("refunded", "pi_1")
    assert other.kind == "other"


def test_what_the_provider_did_not_sign_is_refused(rig: Rig) -> None:
    body, signature = _signed(rig, EVENT)
    old_body, old_signature = _signed(rig, EVENT, age=301)
    forged = sign(body, "whsec_other", int(time.time()))

    for bad_body, bad_signature in [
        (body, ""),
        (body, "t=1,v1=00"),
        (body, "nonsense"),
        (body, forged),
        (body.replace(b"cs_test_1", b"cs_test_2"), signature),
        (old_body, old_signature),
    ]:
        with pytest.raises(BadSignature):
            rig.provider.parse_event(bad_body, bad_signature)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"data": 1}', b"\xff\xfe"])
def test_a_signed_body_that_is_no_event_is_refused(rig: Rig, body: bytes) -> None:
    with pytest.raises(BadSignature):
        rig.provider.parse_event(body, sign(body, rig.process.keys.webhook_secret, int(time.time())))


# Which provider the settings ask for


def _settings(data_dir: Path, **changed: Any) -> Settings:
    return replace(read_settings({"DATA_DIR": str(data_dir), "SECRET_KEY": "test"}), **changed)


def test_without_a_key_the_sandbox_takes_the_payments(rig: Rig, order: str) -> None:
    provider: PaymentProvider = connect(_settings(rig.data_dir, stripe_sandbox_url=rig.process.url))

    assert (provider.name, provider.test_mode) == ("stripe", True)
    assert provider.open_checkout(checkout_of(order)).url.startswith(f"{rig.process.url}/pay/")


@pytest.mark.parametrize(("key", "test_mode"), [(TEST_KEY, True), (LIVE_KEY, False)])
def test_with_a_key_stripe_takes_the_payments(tmp_path: Path, key: str, test_mode: bool) -> None:
    wanted = _settings(
        tmp_path,
        production=True,
        stripe_api_key=key,
        stripe_webhook_secret="whsec_x",
        stripe_sandbox_url="http://127.0.0.1:8110",
    )

    assert connect(wanted).test_mode is test_mode


@pytest.mark.parametrize(
    ("changed", "base", "reason"),
    [
        ({"production": True, "stripe_sandbox_url": "http://127.0.0.1:8110"}, STRIPE, "refuses the payment sandbox"),
        ({}, STRIPE, "neither STRIPE_API_KEY nor a running sandbox"),
        ({"stripe_sandbox_url": "http://pay.example"}, STRIPE, "an address on this machine"),
        ({"stripe_api_key": LIVE_KEY, "stripe_webhook_secret": "w"}, "http://127.0.0.1:1", "go to .* only"),
        (
            {"production": True, "stripe_api_key": TEST_KEY, "stripe_webhook_secret": "w"},
            "http://127.0.0.1:1",
            "go to .* only",
        ),
        ({"stripe_api_key": LIVE_KEY}, STRIPE, "without STRIPE_WEBHOOK_SECRET"),
        ({"stripe_api_key": "pk_test_1", "stripe_webhook_secret": "w"}, STRIPE, "no secret key"),
    ],
)
def test_settings_that_would_misdirect_money_are_refused(
    tmp_path: Path, changed: dict[str, Any], base: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason):
        connect(_settings(tmp_path, **changed), base=base)


def test_every_data_directory_has_keys_of_its_own_that_only_its_owner_reads(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()

    keys = sandbox_keys(first)

    assert sandbox_keys(first) == keys
    assert sandbox_keys(second) != keys
    assert (first / "stripe-sandbox.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in first.iterdir()] == ["stripe-sandbox.json"]
