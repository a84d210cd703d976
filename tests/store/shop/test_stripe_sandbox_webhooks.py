"""The sandbox's webhooks: signed, repeated until taken, out of order, and never lost with the process."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from store.shop.payment_provider import PaymentUnavailable
from tests.store.shop.payment_rig import Rig, checkout_of, eventually

SUCCEEDED, COMPLETED = "payment_intent.succeeded", "checkout.session.completed"


def _arrived(rig: Rig, checkout: str) -> list[str]:
    """Kinds of the events about a checkout and its payment, in the order of arrival."""
    payment = rig.provider.read_checkout(checkout).payment_reference or checkout
    return [
        letter.event["type"]
        for letter in list(rig.slot.letters)
        if {checkout, payment} & {letter.event["data"]["object"]["id"]}
    ]


def test_a_payment_is_told_by_signed_events_that_the_shop_can_read(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)

    eventually(lambda: len(_arrived(rig, checkout.reference)) == 2)

    events = [rig.provider.parse_event(letter.body, letter.signature) for letter in rig.slot.letters]
    payment = rig.provider.read_checkout(checkout.reference).payment_reference
    assert {(event.kind, event.reference) for event in events} == {
        ("payment_succeeded", payment),
        ("checkout_completed", checkout.reference),
    }


def test_declines_expiry_and_refunds_are_told_too(rig: Rig, order: str) -> None:
    closed = rig.provider.open_checkout(checkout_of(order))
    rig.pay(closed, "4000 0000 0000 9995")
    rig.provider.expire_checkout(closed.reference)
    paid = rig.provider.open_checkout(checkout_of(order, idempotency_key=f"again-{order}"))
    rig.pay(paid)
    payment = rig.provider.read_checkout(paid.reference).payment_reference or ""
    rig.provider.refund(payment, 50, "EUR", "goodwill", f"refund-{order}")

    eventually(lambda: len(rig.slot.letters) == 5)

    events = [rig.provider.parse_event(letter.body, letter.signature) for letter in rig.slot.letters]
    assert sorted((event.kind, event.reference) for event in events) == sorted(
        [
            ("payment_failed", rig.provider.read_checkout(closed.reference).payment_reference),
            ("checkout_expired", closed.reference),
            ("payment_succeeded", payment),
            ("checkout_completed", paid.reference),
            ("refunded", payment),
        ]
    )


def test_a_page_that_nobody_looks_at_is_told_to_have_closed(rig: Rig, order: str) -> None:
    checkout = rig.provider.open_checkout(checkout_of(order))

    rig.knobs(clock_ahead=24 * 3_600 + 1)

    eventually(lambda: rig.slot.about(checkout.reference) == ["checkout.session.expired"])


def test_an_event_that_the_shop_did_not_take_comes_again_and_therefore_late(rig: Rig, order: str) -> None:
    rig.knobs(webhook_retry=0.3)
    rig.slot.answers[:] = [500, 302]
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)

    eventually(lambda: len(rig.slot.letters) >= 3)
    eventually(lambda: all(one["state"] == "delivered" for one in rig.control("GET", "deliveries")))

    by_event: dict[str, list[str]] = {}
    for letter in rig.slot.letters:
        rig.provider.parse_event(letter.body, letter.signature)
        by_event.setdefault(letter.event["id"], []).append(letter.event["type"])
    assert sorted(len(copies) for copies in by_event.values()) in ([1, 3], [2, 2])


def test_an_event_is_pending_until_it_was_taken(rig: Rig, order: str) -> None:
    rig.knobs(webhook_hold=True)
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)

    (event,) = rig.events(COMPLETED, checkout.reference)
    assert event.pending_webhooks == 1
    assert rig.slot.letters == []

    rig.knobs(webhook_hold=False)
    eventually(lambda: rig.stripe.v1.events.retrieve(event.id).pending_webhooks == 0)


def test_knobs_double_and_turn_the_order_of_events(rig: Rig, order: str) -> None:
    rig.knobs(webhook_hold=True, webhook_duplicates=1, webhook_reorder=True)
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)

    rig.knobs(webhook_hold=False)

    eventually(lambda: len(_arrived(rig, checkout.reference)) == 4)
    due = [one["event"] for one in rig.control("GET", "deliveries")][-4:]
    assert due[0] == due[1] != due[2] == due[3]
    assert sorted(_arrived(rig, checkout.reference)) == [COMPLETED, COMPLETED, SUCCEEDED, SUCCEEDED]


def test_a_knob_delays_events(rig: Rig, order: str) -> None:
    rig.knobs(webhook_delay=0.6)
    checkout = rig.provider.open_checkout(checkout_of(order))
    paid = time.monotonic()
    rig.pay(checkout)

    eventually(lambda: len(rig.slot.letters) == 2)

    assert time.monotonic() - paid >= 0.6


def test_a_payment_whose_sandbox_was_killed_before_it_told_is_told_after_the_restart(rig: Rig, order: str) -> None:
    rig.knobs(webhook_hold=True)
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)
    url = rig.process.url

    rig.kill()

    assert rig.process.url == url
    assert rig.provider.read_checkout(checkout.reference).status == "paid"
    assert rig.provider.open_checkout(checkout_of(order)) == checkout  # the key is remembered too
    assert rig.slot.letters == []
    rig.knobs(webhook_hold=False)
    eventually(lambda: sorted(_arrived(rig, checkout.reference)) == [COMPLETED, SUCCEEDED])
    for letter in rig.slot.letters:
        rig.provider.parse_event(letter.body, letter.signature)


def test_an_event_under_way_when_the_sandbox_was_killed_comes_again(rig: Rig, order: str) -> None:
    rig.knobs(webhook_retry=3_600)
    rig.slot.answers[:] = [500, 500]
    checkout = rig.provider.open_checkout(checkout_of(order))
    rig.pay(checkout)
    eventually(lambda: len(rig.slot.letters) == 2)

    rig.kill()

    eventually(lambda: sorted(_arrived(rig, checkout.reference)) == [COMPLETED, COMPLETED, SUCCEEDED, SUCCEEDED])


def _buy(rig: Rig, order: str) -> str:
    """Open and pay, insisting until both were acknowledged, as a customer with a bad line does."""
    while True:
        try:
            checkout = rig.provider.open_checkout(checkout_of(order))
            answer = rig.pay(checkout)
        except (PaymentUnavailable, httpx2.TransportError):
            time.sleep(0.02)
            continue
        assert answer.status_code == 303
        return checkout.reference


@pytest.mark.trial
def test_twenty_kills_under_load_lose_no_payment_and_double_none(rig: Rig) -> None:
    orders = [f"KILL-{number}" for number in range(400)]
    chance = random.Random(7)
    with ThreadPoolExecutor(8) as crowd:
        buying = [crowd.submit(_buy, rig, order) for order in orders]
        for _ in range(20):
            time.sleep(chance.uniform(0.05, 0.3))
            rig.kill()
        bought = [one.result(timeout=120) for one in buying]

    assert len(set(bought)) == len(orders)
    sessions = list(rig.stripe.v1.checkout.sessions.list({"limit": 100}).auto_paging_iter())
    mine = [one for one in sessions if (one.client_reference_id or "").startswith("KILL-")]
    assert sorted(one.id for one in mine) == sorted(bought)
    assert {one.payment_status for one in mine} == {"paid"}
    told = rig.stripe.v1.events.list({"type": "charge.succeeded", "limit": 100}).auto_paging_iter()
    charges = [event.data.object.to_dict() for event in told]
    paid = sorted(one["payment_intent"] for one in charges if one["description"].startswith("Deposit for order KILL-"))
    assert paid == sorted(str(one.payment_intent) for one in mine)
    eventually(lambda: {letter.event["data"]["object"]["id"] for letter in list(rig.slot.letters)} >= set(bought), 60)
