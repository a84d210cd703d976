"""The whole mission in one story: she configures, saves, returns, registers, pays; the owner makes her an offer."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from store import auth, db, people
from store.accounts import credentials
from tests.live import DESKTOP, LiveShop, new_page

Person = tuple[str, str, str]
HER: Person = ("Élise Moreau", "elise@example.com", "noon on the quay 12")
OWNER: Person = ("Aurèle Vasseur", "owner@example.com", "the lamp is lit at six")
SOMEBODY: Person = ("Paul Renard", "paul@example.com", "rain over the harbour 7")
HER_WATCH = ("case:rose-gold", "dial:salmon", "strap:alligator", "leather:cognac")


@pytest.fixture(scope="module", autouse=True)
def staff(live: LiveShop) -> None:
    name, email, password = OWNER
    with db.transaction() as session:
        owner = people.new_staff(session, name, email, "owner")
        credentials.set_password(session, email, auth.hash_password(password), staff_id=owner.id)


@pytest.fixture
def hers(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def desks(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def others(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


def shoot(page: Page, pictures: Path, name: str, *, whole: bool = True) -> None:
    page.screenshot(path=pictures / f"story-{name}.png", full_page=whole)


def choose(page: Page, key: str) -> None:
    page.locator(f'button[name="choose"][value="{key}"]').click()
    expect(page.locator(f'button[name="choose"][value="{key}"]')).to_have_attribute("aria-pressed", "true")


def designs_a_watch(page: Page, shop: LiveShop) -> str:
    """Without an account; returns the design's code."""
    page.goto(f"{shop.url}/products/meridien")
    page.get_by_role("button", name="Accept all").click()
    for key in HER_WATCH:
        choose(page, key)
    page.locator("#save").click()
    return page.locator("#saved .code").inner_text()


def registers(page: Page, shop: LiveShop, who: Person) -> None:
    name, email, password = who
    page.goto(f"{shop.url}/register")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Create the account").click()
    page.goto(link_in_mail(page, shop, email, "/verify"))
    page.get_by_role("button", name="Confirm and sign in").click()
    expect(page).to_have_url(re.compile("/account"))


def link_in_mail(page: Page, shop: LiveShop, email: str, path: str) -> str:
    """The link to a path in the newest mail to that address."""
    page.goto(f"{shop.url}/dev/mailbox?to={email}")
    page.locator("tbody a").first.click()
    link = page.frame_locator("iframe").locator(f'a[href*="{path}"]').first.get_attribute("href")
    assert link is not None
    return link


def orders_and_pays(page: Page, shop: LiveShop, who: Person, pictures: Path, name: str) -> None:
    page.goto(f"{shop.url}/checkout")
    page.get_by_label("E-mail").fill(who[1])
    page.get_by_label("Full name").fill(who[0])
    page.get_by_label("Street and number").fill("4 rue de Tournon")
    page.get_by_label("Postal code").fill("75006")
    page.get_by_label("City").fill("Paris")
    shoot(page, pictures, f"{name}-checkout")
    page.locator("#continue").click()
    page.locator('[name="number"]').fill("4242 4242 4242 4242")
    page.locator('[name="exp"]').fill("12 / 30")
    page.locator('[name="cvc"]').fill("123")
    shoot(page, pictures, f"{name}-pay-page")
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url(re.compile(f"{re.escape(shop.url)}/orders/"))
    expect(page.get_by_text("Paid").first).to_be_visible()
    shoot(page, pictures, f"{name}-paid")
    shop.worker.run_due()


def owner_opens_her_page(desk: Page, shop: LiveShop) -> None:
    desk.goto(f"{shop.url}/sign-in")
    desk.get_by_label("E-mail").fill(OWNER[1])
    desk.get_by_label("Password").fill(OWNER[2])
    desk.get_by_role("button", name="Sign in").click()
    desk.goto(f"{shop.url}/office/customers?q=Moreau")
    desk.get_by_role("link", name=HER[0]).click()


def figures(desk: Page) -> dict[str, str]:
    """The lines of "What they bring" on a customer's page in the office."""
    lines = desk.locator('section[aria-labelledby="worth"] dl.lines')
    return dict(zip(lines.locator("dt").all_inner_texts(), lines.locator("dd").all_inner_texts(), strict=True))


# The watch: 26,000.00 with 20 % VAT is 21,666.67 net; it costs 13,350.00. No mail of an order counts as reaching her.
BEFORE = {
    "Sold, before offers": "€21,666.67",
    "Offers used": "€0",
    "Sent back": "€0",
    "Cost of the pieces": "−€13,350",
    "Margin": "€8,316.67",
    "Privileges granted": "€0",
    "Mails and contacts": "€0",
    "Profit": "€8,316.67",
}
# And the strap: 1,840.00 less 10 % is 1,656.00, net 1,380.00 (153.33 given); it costs 875.00, the mail 0.02.
AFTER = {
    "Sold, before offers": "€23,200",
    "Offers used": "−€153.33",
    "Sent back": "€0",
    "Cost of the pieces": "−€14,225",
    "Margin": "€8,821.67",
    "Privileges granted": "€0",
    "Mails and contacts": "−€0.02",
    "Profit": "€8,821.65",
}


def owner_sends_an_offer(desk: Page, pictures: Path) -> str:
    """The first strap that the office proposes, ten percent off; returns the piece's name."""
    proposal = desk.locator("article.proposal").filter(has_text="strap").first
    expect(proposal).to_contain_text("20 mm")
    expect(proposal).to_contain_text("the Méridien you own")
    piece = proposal.get_by_role("heading").inner_text()
    proposal.get_by_role("link", name="Offer this").click()
    desk.locator('input[name="kind"][value="percent"]').check()
    desk.locator('input[name="percent"]').fill("10")
    desk.get_by_role("button", name="See it as it will be met").click()
    shoot(desk, pictures, "07-preview")
    desk.get_by_role("button", name="Send by mail and on the site").click()
    expect(desk.get_by_text("Sent by mail and on the site").first).to_be_visible()
    return piece


def she_finds_it(page: Page, shop: LiveShop, piece: str, pictures: Path) -> None:
    page.goto(link_in_mail(page, shop, HER[1], "/account/offers"))
    expect(page.get_by_text(piece).first).to_be_visible()
    shoot(page, pictures, "08-her-offer")
    page.goto(f"{shop.url}/")
    expect(page.locator(".offer-strip")).to_be_visible()
    shoot(page, pictures, "09-notice", whole=False)


def nobody_else_does(stranger: Page, shop: LiveShop, piece: str) -> None:
    registers(stranger, shop, SOMEBODY)
    stranger.goto(f"{shop.url}/account/offers")
    expect(stranger.get_by_text(piece)).to_have_count(0)
    expect(stranger.locator(".offer-strip")).to_have_count(0)
    stranger.goto(f"{shop.url}/dev/mailbox?to={SOMEBODY[1]}")
    expect(stranger.get_by_text(piece)).to_have_count(0)


def test_the_story(
    live: LiveShop, hers: BrowserContext, desks: BrowserContext, others: BrowserContext, pictures: Path
) -> None:
    page, desk, stranger = new_page(hers), new_page(desks), new_page(others)

    # A visitor configures a watch without an account, saves it, comes back.
    code = designs_a_watch(page, live)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{8}", code)
    price = page.locator("#price").inner_text()
    shoot(page, pictures, "01-configured", whole=False)
    page.goto("about:blank")
    page.goto(f"{live.url}/products/meridien")
    expect(page.locator("#price")).to_have_text(price)

    # She creates an account, and the design comes along; she orders and pays.
    registers(page, live, HER)
    page.goto(f"{live.url}/account/designs")
    expect(page.get_by_text(code).first).to_be_visible()
    shoot(page, pictures, "02-designs")
    page.goto(f"{live.url}/products/meridien")
    page.locator("#bag").click()
    expect(page.locator("#bar-note")).to_contain_text("bag")
    orders_and_pays(page, live, HER, pictures, "03-watch")

    # Weeks later the owner opens her page, sees what she chose and owns, and sends her an offer.
    live.live_on(timedelta(weeks=3))
    owner_opens_her_page(desk, live)
    her_page = desk.url
    assert figures(desk) == BEFORE
    expect(desk.locator('section[aria-labelledby="owns"]')).to_contain_text("Méridien")
    shoot(desk, pictures, "06-her-page")
    piece = owner_sends_an_offer(desk, pictures)
    offer_page = desk.url
    live.worker.run_due()

    # She, and nobody else, finds it in her mail, on the site and at checkout.
    she_finds_it(page, live, piece, pictures)
    nobody_else_does(stranger, live, piece)

    # She redeems it once.
    page.goto(f"{live.url}/account/offers")
    page.get_by_role("button", name="Put it in my bag").click()
    page.goto(f"{live.url}/cart")
    expect(page.get_by_text("A private offer").first).to_be_visible()
    orders_and_pays(page, live, HER, pictures, "10-strap")
    page.goto(f"{live.url}/account/offers")
    expect(page.get_by_role("button", name="Put it in my bag")).to_have_count(0)
    expect(page.get_by_text("Redeemed").first).to_be_visible()

    # Her profit row and the offer's result change by the exact cent.
    desk.goto(her_page)
    assert figures(desk) == AFTER
    shoot(desk, pictures, "13-her-page-after")
    desk.goto(offer_page)
    expect(desk.get_by_text("Redeemed").first).to_be_visible()
    expect(desk.get_by_text("€1,656").first).to_be_visible()
    shoot(desk, pictures, "14-result")
