"""The sandbox's API, driven by the real SDK: saved cards, refusals, lists, idempotency keys and what is kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import stripe

from store.shop.stripe_sandbox.params import decode
from store.shop.stripe_sandbox.problems import StripeProblem
from tests.store.shop.payment_rig import DECLINED, EVERY_TIME, PAID, SECURE, Rig, checkout_of


def _kept_card(rig: Rig, order: str, number: str) -> tuple[str, str]:
    """Customer and card of an order that was paid with the card kept."""
    checkout = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(checkout, number)
    if number != PAID:
        rig.answer(checkout, "confirm")
    customer = rig.provider.read_checkout(checkout.reference).customer_reference
    assert customer
    (card,) = rig.stripe.v1.payment_methods.list({"customer": customer, "type": "card"}).data
    return customer, card.id


def _charge(rig: Rig, customer: str, card: str, key: str) -> stripe.PaymentIntent:
    """A balance charged while the customer is away."""
    return rig.stripe.v1.payment_intents.create(
        {
            "amount": 900_000,
            "currency": "eur",
            "customer": customer,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
            "metadata": {"order_number": "MA-1"},
        },
        {"idempotency_key": key},
    )


# Balances on a kept card


@pytest.mark.parametrize("number", [PAID, SECURE])
def test_a_balance_is_charged_to_the_kept_card(rig: Rig, order: str, number: str) -> None:
    customer, card = _kept_card(rig, order, number)

    intent = _charge(rig, customer, card, f"balance-{order}")

    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 900_000, "eur")
    assert _charge(rig, customer, card, f"balance-{order}").id == intent.id
    assert rig.stripe.v1.payment_intents.retrieve(intent.id).metadata["order_number"] == "MA-1"
    assert len(rig.events("charge.succeeded", intent.id)) == 1


def test_a_card_that_always_asks_cannot_be_charged_alone(rig: Rig, order: str) -> None:
    customer, card = _kept_card(rig, order, EVERY_TIME)

    with pytest.raises(stripe.CardError) as refusal:
        _charge(rig, customer, card, f"balance-{order}")

    assert (refusal.value.code, refusal.value.http_status) == ("authentication_required", 402)
    assert refusal.value.error
    intent: Any = refusal.value.error.payment_intent
    assert rig.stripe.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    with pytest.raises(stripe.CardError):  # the refusal was the answer: its repetition is the same
        _charge(rig, customer, card, f"balance-{order}")
    assert [event.data.object["id"] for event in rig.events("payment_intent.payment_failed", intent.id)] == [intent.id]


def test_a_card_that_was_not_kept_or_is_anothers_cannot_be_charged(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)
    payment = rig.provider.read_checkout(checkout.reference).payment_reference or ""
    unkept = str(rig.stripe.v1.payment_intents.retrieve(payment).payment_method)
    customer = rig.stripe.v1.customers.create({"email": "grace@example.com"})
    _, anothers = _kept_card(rig, f"{order}-B", PAID)

    with pytest.raises(stripe.InvalidRequestError, match="not set up for future use"):
        _charge(rig, customer.id, unkept, f"one-{order}")
    with pytest.raises(stripe.InvalidRequestError, match="belongs to another Customer"):
        _charge(rig, customer.id, anothers, f"two-{order}")

    assert rig.stripe.v1.payment_intents.list({"customer": customer.id}).data == []


# Refusals in Stripe's shape

Call = Callable[[stripe.StripeClient], object]


@pytest.mark.parametrize(
    ("call", "code", "param"),
    [
        (lambda s: s.v1.payment_intents.create({"amount": 49, "currency": "eur"}), "amount_too_small", "amount"),
        (lambda s: s.v1.payment_intents.create({"amount": 10**8, "currency": "eur"}), "amount_too_large", "amount"),
        (lambda s: s.v1.payment_intents.create({"amount": 500, "currency": "euro"}), "invalid_currency", "currency"),
        (lambda s: s.v1.payment_intents.create({"currency": "eur"}), "parameter_missing", "amount"),
        (
            lambda s: s.v1.payment_intents.create({"amount": "5.5", "currency": "eur"}),
            "parameter_invalid_integer",
            "amount",
        ),
        (
            lambda s: s.v1.payment_intents.create({"amount": 500, "currency": "eur", "colour": "red"}),
            "parameter_unknown",
            "colour",
        ),
        (lambda s: s.v1.payment_intents.retrieve("pi_none"), "resource_missing", "id"),
        (lambda s: s.v1.refunds.create({"payment_intent": "pi_none"}), "resource_missing", "payment_intent"),
        (lambda s: s.v1.refunds.create({}), "parameter_missing", None),
        (lambda s: s.v1.checkout.sessions.create({"mode": "payment"}), "parameter_missing", "line_items"),
        (lambda s: s.v1.checkout.sessions.create({}), "parameter_missing", "mode"),
    ],
)
def test_a_wrong_call_is_refused_as_stripe_refuses_it(rig: Rig, call: Call, code: str, param: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        call(rig.stripe)

    assert (refusal.value.code, refusal.value.param) == (code, param)
    assert refusal.value.error
    assert refusal.value.error.type == "invalid_request_error"


def test_a_refused_call_leaves_its_key_free_and_nothing_behind(rig: Rig, order: str) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        rig.stripe.v1.payment_intents.create({"amount": 1, "currency": "eur"}, {"idempotency_key": order})

    intent = rig.stripe.v1.payment_intents.create({"amount": 5_000, "currency": "eur"}, {"idempotency_key": order})

    assert (intent.amount, intent.status) == (5_000, "requires_payment_method")


def test_what_stripe_no_longer_takes_the_sandbox_refuses_too(rig: Rig) -> None:
    params: Any = {"mode": "payment", "payment_method_types": ["card"]}
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: payment_method_types"):
        rig.stripe.v1.checkout.sessions.create(params)


def test_only_the_keys_holder_may_ask(rig: Rig) -> None:
    for headers in ({}, {"authorization": "Bearer sk_test_wrong"}, {"authorization": "Basic eDp5"}):
        for path in ("/v1/customers", "/v1/events", "/_sandbox/deliveries", "/_sandbox/faults"):
            answer = rig.web.get(f"{rig.process.url}{path}", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["type"] == "invalid_request_error"
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_wrong", base_addresses={"api": rig.process.url}).v1.customers.list()


def test_a_call_that_the_sandbox_does_not_know_says_so(rig: Rig) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="the sandbox does not know this call"):
        rig.stripe.v1.payouts.list()


# Idempotency keys and lists


def test_one_key_sent_sixteen_times_at_once_opens_one_page(rig: Rig, order: str) -> None:
    with ThreadPoolExecutor(16) as crowd:
        opened = set(crowd.map(rig.provider.open_checkout, [checkout_of(order)] * 16))

    assert len(opened) == 1
    sessions = rig.stripe.v1.checkout.sessions.list({"limit": 100}).data
    assert len([one for one in sessions if one.client_reference_id == order]) == 1


def test_one_page_paid_sixteen_times_at_once_is_charged_once(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: rig.pay(checkout).status_code, range(16)))

    payment = rig.provider.read_checkout(checkout.reference).payment_reference or ""
    assert answers == [303] * 16
    assert len(rig.events("charge.succeeded", payment)) == 1
    assert len(rig.events("checkout.session.completed", checkout.reference)) == 1


def test_a_key_is_forgotten_after_a_day(rig: Rig, order: str) -> None:
    first = rig.provider.open_checkout(checkout_of(order))

    rig.knobs(clock_ahead=86_401)

    assert rig.provider.open_checkout(checkout_of(order)).reference != first.reference


def test_lists_are_read_page_by_page_in_both_directions(rig: Rig, order: str) -> None:
    email = f"{order}@example.com"
    made = [rig.stripe.v1.customers.create({"email": email, "name": str(number)}).id for number in range(5)]

    forward = [one.id for one in rig.stripe.v1.customers.list({"email": email, "limit": 2}).auto_paging_iter()]
    page = rig.stripe.v1.customers.list({"email": email, "limit": 2, "ending_before": made[1]})

    assert forward == made[::-1]
    assert [one.id for one in page.data] == [made[3], made[2]]
    assert page.has_more


def test_whole_objects_stand_where_they_were_asked_for(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)

    session = rig.stripe.v1.checkout.sessions.retrieve(
        checkout.reference, {"expand": ["line_items", "payment_intent.latest_charge"]}
    )

    assert session.line_items
    lines = [(line.description, line.amount_total, line.quantity) for line in session.line_items.data]
    assert lines == [("Méridien watch, deposit of 30 %", 380_000, 1), ("Delivery", 4_050, 1)]
    intent: Any = session.payment_intent
    assert (intent.latest_charge.amount, intent.latest_charge.payment_method_details.card.last4) == (384_050, "4242")
    assert session.metadata
    assert session.metadata["order_id"] == f"ord_{order.lower()}"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        rig.stripe.v1.checkout.sessions.retrieve(checkout.reference, {"expand": ["amount_total"]})


@pytest.mark.parametrize(
    ("encoded", "params"),
    [
        ("a=1&b[c]=2&b[d][0]=x&b[d][1]=y", {"a": "1", "b": {"c": "2", "d": ["x", "y"]}}),
        ("l[10][n]=k&l[9][n]=j", {"l": [{"n": "j"}, {"n": "k"}]}),
        ("e[]=x&e[]=y", {"e": ["x", "y"]}),
        ("a=%C3%A9%26&b=", {"a": "é&", "b": ""}),
        ("", {}),
    ],
)
def test_nested_forms_are_read(encoded: str, params: dict[str, Any]) -> None:
    assert decode(encoded) == params


@pytest.mark.parametrize("encoded", ["a=1&a[b]=2", "a[b]=1&a=2", "[]=1", "&".join(f"p{n}=1" for n in range(2_001))])
def test_forms_that_contradict_themselves_are_refused(encoded: str) -> None:
    with pytest.raises(StripeProblem):
        decode(encoded)


# The pay page


def test_a_card_number_is_kept_nowhere(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order, keep_card=True))
    rig.pay(checkout, DECLINED)
    rig.pay(checkout, SECURE)
    rig.answer(checkout, "confirm")

    kept = b"".join(path.read_bytes() for path in rig.data_dir.iterdir() if path.is_file())

    for number in (DECLINED, SECURE):
        assert number.encode() not in kept
        assert number.replace(" ", "").encode() not in kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"number": "4242"}, "This card number is not complete or has a typing error."),
        ({"number": "4242 4242 4242 4241"}, "This card number is not complete or has a typing error."),
        ({"number": "4012 8888 8888 1881"}, "This is a test page: please use one of the test cards listed below."),
        ({"exp": "13/34"}, "Write month and year, such as 12/34."),
        ({"exp": "soon"}, "Write month and year, such as 12/34."),
        ({"exp": "01/20"}, "This card has expired."),
        ({"cvc": "12"}, "Write three or four digits; any will do."),
        ({"cvc": "²³¹"}, "Write three or four digits; any will do."),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_tried(
    rig: Rig, order: str, typed: dict[str, str], sentence: str
) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    answer = rig.pay(checkout, **({"number": PAID} | typed))

    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert "4012 8888 8888 1881" not in answer.text
    assert rig.provider.read_checkout(checkout.reference).payment_reference is None


@pytest.mark.parametrize("exp", ["12/34", "12 / 34", "12/2034", "1234", "2034-12", "2-34"])
def test_an_expiry_may_be_written_as_people_write_it(rig: Rig, order: str, exp: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    assert rig.pay(checkout, exp=exp).status_code == 303


def test_the_page_shows_house_lines_sum_and_test_cards_and_allows_nothing_foreign(rig: Rig, order: str) -> None:
    label = "<b>Méridien</b> & strap"
    checkout = rig.provider.open_checkout(checkout_of(order, amount=123_456, lines=((label, 123_456),)))

    page = rig.web.get(checkout.url)

    for said in (
        "TEST",
        "Maison Aurèle",
        "€1,234.56",
        "&lt;b&gt;Méridien&lt;/b&gt; &amp; strap",
        PAID,
        DECLINED,
        SECURE,
        f"http://127.0.0.1:8119/orders/{order}",
    ):
        assert said in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self' http://127.0.0.1:8119"
    )
    assert page.headers["cache-control"] == "no-store"


def test_an_unknown_page_or_an_oversized_form_is_answered_kindly(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    unknown: httpx2.Response = rig.web.get(f"{rig.process.url}/pay/cs_test_none")
    oversized = rig.pay(checkout, number="4" * 20_000)

    assert (unknown.status_code, "There is no such payment page" in unknown.text) == (404, True)
    assert (oversized.status_code, "Please fill in the form again" in oversized.text) == (413, True)


def test_a_confirmation_that_nobody_asked_for_leads_back_to_the_page(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    for answer in (rig.answer(checkout, "confirm"), rig.web.get(f"{checkout.url}/confirmation")):
        assert (answer.status_code, answer.headers["location"]) == (303, f"/pay/{checkout.reference}")
    assert rig.provider.read_checkout(checkout.reference).status == "open"
