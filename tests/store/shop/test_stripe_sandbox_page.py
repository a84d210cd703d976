"""The pay page in a real browser, without JavaScript: paid, declined and 3-D Secure, on a desk and on a phone."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from store.shop.payment_provider import HostedCheckout
from tests.live import chromium
from tests.store.shop.payment_rig import DECLINED, PAID, SECURE, Rig, checkout_of

SIZES: tuple[ViewportSize, ...] = ({"width": 1440, "height": 900}, {"width": 390, "height": 844})

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=SIZES, ids=["desk", "phone"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport=request.param, java_script_enabled=False)
    yield context.new_page()
    context.close()


def _open(rig: Rig, order: str) -> HostedCheckout:
    shop = "http://" + urlsplit(rig.slot.url).netloc
    return rig.provider.open_checkout(
        checkout_of(order, success_url=f"{shop}/paid?checkout={{CHECKOUT_SESSION_ID}}", cancel_url=f"{shop}/order")
    )


def _type(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay €3,840.50").click()


def test_she_is_declined_then_pays_and_comes_back_to_the_shop(rig: Rig, order: str, page: Page) -> None:
    checkout = _open(rig, order)
    page.goto(checkout.url)
    assert page.title() == "Pay Maison Aurèle · TEST"
    box = page.get_by_role("main").bounding_box()
    assert box
    assert page.viewport_size
    assert box["x"] + box["width"] <= page.viewport_size["width"]

    _type(page, DECLINED)
    assert "Your card was declined" in page.get_by_role("alert").inner_text()
    _type(page, PAID)

    assert page.url.endswith(f"/paid?checkout={checkout.reference}")
    assert page.get_by_role("heading", name="Thank you").is_visible()
    page.go_back()  # to the form, which is closed by now
    assert page.url.endswith(f"/paid?checkout={checkout.reference}")


def test_she_fails_then_confirms_3_d_secure(rig: Rig, order: str, page: Page) -> None:
    checkout = _open(rig, order)
    page.goto(checkout.url)

    _type(page, SECURE)
    page.get_by_role("button", name="Fail the confirmation").click()
    assert "The payment was not confirmed" in page.get_by_role("alert").inner_text()
    _type(page, SECURE)
    page.get_by_role("button", name="Confirm the payment").click()

    assert page.url.endswith(f"/paid?checkout={checkout.reference}")
    assert rig.provider.read_checkout(checkout.reference).status == "paid"


def test_she_turns_back(rig: Rig, order: str, page: Page) -> None:
    page.goto(_open(rig, order).url)

    page.get_by_role("link", name="Back to Maison Aurèle").click()

    assert urlsplit(page.url).path == "/order"
