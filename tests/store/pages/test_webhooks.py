"""The provider's notices over HTTP: signed or refused, once, in any order."""

from sqlmodel import select

from store import db
from store.shop import notices, payment_pages
from store.shop.notices import WebhookEvent
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.selling import HandProvider


def opened(provider: HandProvider) -> tuple[str, str]:
    """An order with its payment page open: its id and the page's reference."""
    with db.transaction() as session:
        order_id = selling.order(session, selling.guest(), "print-one").id
    return order_id, payment_pages.open_checkout(selling.till_of(provider), order_id).rsplit("/", 1)[1]


def send(buyer: PageBrowser, body: str, signature: str = "right") -> int:
    return buyer.deliver("/webhooks/stripe", body.encode(), Stripe_Signature=signature).status_code


def state(order_id: str) -> str:
    with db.transaction(read_only=True) as session:
        return session.get_one(Order, order_id).state


def stored() -> int:
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(WebhookEvent)).all())


def test_a_signed_notice_makes_the_order_paid(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    provider.pay(reference)
    assert send(buyer, f"evt_1 checkout_completed {reference}") == 200
    assert state(order_id) == "paid"


def test_a_forged_or_unsigned_notice_is_refused_and_not_stored(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    provider.pay(reference)
    assert send(buyer, f"evt_1 checkout_completed {reference}", "forged") == 400
    assert send(buyer, f"evt_1 checkout_completed {reference}", "") == 400
    assert (state(order_id), stored()) == ("placed", 0)


def test_a_notice_alone_is_not_believed(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    assert send(buyer, f"evt_1 checkout_completed {reference}") == 200
    assert state(order_id) == "placed"


def test_repeated_and_reordered_notices_end_in_the_same_state(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    provider.pay(reference)
    for body in (
        f"evt_3 checkout_expired {reference}",
        f"evt_1 checkout_completed {reference}",
        f"evt_1 checkout_completed {reference}",
        "evt_2 payment_failed pi_unknown",
        f"evt_3 checkout_expired {reference}",
        "evt_4 other x",
    ):
        assert send(buyer, body) == 200
    assert (state(order_id), stored()) == ("paid", 4)


def test_a_notice_is_kept_while_the_provider_is_silent(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    provider.pay(reference)
    provider.down = True
    assert send(buyer, f"evt_1 checkout_completed {reference}") == 200
    assert (state(order_id), stored()) == ("placed", 1)
    provider.down = False
    notices.settle_notice(selling.till_of(provider), "evt_1")
    assert state(order_id) == "paid"


def test_a_notice_of_a_checkout_that_is_not_ours_changes_nothing(buyer: PageBrowser, provider: HandProvider) -> None:
    order_id, reference = opened(provider)
    provider.opened["cs_foreign"] = provider.opened[reference]
    provider.pay("cs_foreign")
    assert send(buyer, "evt_1 checkout_completed cs_foreign") == 200
    assert state(order_id) == "placed"
