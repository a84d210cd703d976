"""An order abroad in a real browser: what changes is said before paying, in every size, and is what is charged."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_accessibility import SIZES, faults
from tests.live import LiveShop, new_page

GERMAN = {"Street and number": "Linienstr. 3", "Postal code": "10115", "City": "Berlin", "Country": "Germany"}
SWISS = {"Street and number": "Limmatquai 1", "Postal code": "8001", "City": "Zürich", "Country": "Switzerland"}


@pytest.fixture(params=list(SIZES))
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def size(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["context"])


def at_checkout(page: Page, shop: LiveShop, where: dict[str, str]) -> None:
    """A watch and a strap in the bag, and the address typed."""
    page.goto(f"{shop.url}/products/strap-calf-navy")
    page.get_by_role("button", name="Only necessary").click()
    page.get_by_role("button", name="Add to bag").first.click()
    page.goto(f"{shop.url}/checkout")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Full name").fill("Ada Roth")
    for label, text in where.items():
        field = page.get_by_label(label, exact=True)
        if label == "Country":
            field.select_option(label=text)
        else:
            field.fill(text)


def shoot(page: Page, pictures: Path, name: str) -> None:
    assert faults(page) == []
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0
    page.screenshot(path=pictures / f"abroad-{name}.png", full_page=True)


def summary(page: Page, words: str) -> None:
    expect(page.locator("#order-summary")).to_contain_text(words)


def pays(page: Page, shop: LiveShop, pictures: Path, name: str) -> None:
    page.locator("#continue").click()
    page.locator('[name="number"]').fill("4242 4242 4242 4242")
    page.locator('[name="exp"]').fill("12 / 30")
    page.locator('[name="cvc"]').fill("123")
    page.screenshot(path=pictures / f"abroad-{name}-pay.png", full_page=True)
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url(re.compile(f"{re.escape(shop.url)}/orders/"))
    expect(page.get_by_text("Paid").first).to_be_visible()
    shoot(page, pictures, f"{name}-paid")


def test_germany(live: LiveShop, context: BrowserContext, pictures: Path, size: str) -> None:
    page = new_page(context)
    at_checkout(page, live, GERMAN)
    summary(page, "Delivery to Germany: 19 % VAT included instead of 20 %; the prices stay as they are.")
    summary(page, "VAT 19 % contained")
    shoot(page, pictures, f"germany-{size}")


def test_a_business_types_its_vat_id_and_pays_without_vat(
    live: LiveShop, context: BrowserContext, pictures: Path, size: str
) -> None:
    page = new_page(context)
    at_checkout(page, live, GERMAN)
    page.get_by_text("Buying for a company").click()
    page.get_by_label("Company").fill("Roth & Söhne GmbH")
    page.get_by_label("VAT ID").fill("DE 136 695 976")
    page.get_by_label("VAT ID").blur()
    summary(page, "without VAT, which your company accounts for itself")
    summary(page, "Without VAT: reverse charge")
    shoot(page, pictures, f"business-{size}")
    pays(page, live, pictures, f"business-{size}")
    expect(page.get_by_text("Reverse charge: VAT is accounted for by the recipient")).to_be_visible()


def test_a_territory_is_told_by_its_postal_code(live: LiveShop, context: BrowserContext) -> None:
    page = new_page(context)
    at_checkout(page, live, {**GERMAN, "Country": "Spain", "Postal code": "28001", "City": "Madrid"})
    summary(page, "VAT 21 % contained")
    page.get_by_label("Postal code").fill("35001")
    page.get_by_label("Postal code").blur()
    summary(page, "Delivery to the Canary Islands: the VAT of France is taken off")


def test_switzerland_in_francs(live: LiveShop, context: BrowserContext, pictures: Path, size: str) -> None:
    page = new_page(context)
    at_checkout(page, live, SWISS)
    summary(page, "Delivery to Switzerland: the VAT of France is taken off")
    shoot(page, pictures, f"switzerland-{size}")
    page.get_by_label("Prices in").select_option("CHF")
    page.get_by_role("button", name="Show", exact=True).click()
    page.goto(f"{live.url}/products/meridien")
    expect(page.locator("#price")).to_contain_text("CHF")
    page.locator('button[name="choose"][value="case:rose-gold"]').click()
    expect(page.locator("#price")).to_contain_text("CHF")
    shoot(page, pictures, f"francs-configurator-{size}")
    at_checkout_again(page, live)
    summary(page, "CHF")
    shoot(page, pictures, f"francs-{size}")
    pays(page, live, pictures, f"francs-{size}")


def at_checkout_again(page: Page, shop: LiveShop) -> None:
    """The address anew: what was typed is kept by the forms of the checkout only."""
    page.goto(f"{shop.url}/checkout")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Full name").fill("Ada Roth")
    for label, text in list(SWISS.items())[:3]:
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Country", exact=True).select_option(label=SWISS["Country"])
    summary(page, "taken off")
