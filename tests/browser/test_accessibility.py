"""axe finds nothing on any page, on a desktop and on a phone; and no page scrolls sideways."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from store import auth, db, people
from store.accounts import credentials
from store.demo.plan import TEST_CUSTOMER
from store.events import Visitor
from store.shop import transfers
from tests.live import DESKTOP, PHONE, LiveShop, new_page
from tests.store import selling

PASSWORD = "a lamp is lit at six"
OWNER = "owner@example.com"
ACCOUNTANT = "accountant@example.com"
SIZES = {"desktop": DESKTOP, "phone": PHONE}

OPEN_TO_ALL = (
    "/",
    "/products",
    "/products?category=straps",
    "/products/meridien",
    "/products/voyageur",
    "/products/sillage",
    "/products/echappee",
    "/products/strap-calf-navy",
    "/cart",
    "/checkout",
    "/sign-in",
    "/register",
    "/consent",
    "/nothing-here",
)
FOR_HER = ("/account", "/account/designs", "/account/orders", "/account/offers", "/account/details", "/account/privacy")
FOR_STAFF = (
    "/office",
    "/office/customers",
    "/office/orders",
    "/office/offers",
    "/office/products",
    "/office/performance",
)
"""Pages by who may open them; the office's detail pages are reached from their lists."""


@pytest.fixture(scope="module", autouse=True)
def people_of_the_house(live: LiveShop) -> None:
    with db.transaction() as session:
        name, email = TEST_CUSTOMER
        customer = people.new_customer(session, email, name)
        people.verify_email(session, customer, email)
        hashed = auth.hash_password(PASSWORD)
        credentials.set_password(session, email, hashed, customer_id=customer.id)
        owner = people.new_staff(session, "Aurèle Vasseur", OWNER, "owner")
        credentials.set_password(session, OWNER, hashed, staff_id=owner.id)
        accountant = people.new_staff(session, "Odile Ferrand", ACCOUNTANT, "accountant")
        credentials.set_password(session, ACCOUNTANT, hashed, staff_id=accountant.id)


@pytest.fixture(params=list(SIZES))
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=SIZES[request.param], reduced_motion="reduce")
    yield context
    context.close()


def faults(page: Page) -> list[dict[str, Any]]:
    """What axe objects to: rule and the elements."""
    found = Axe().run(page).response["violations"]
    return [{"rule": item["id"], "at": [node["html"][:160] for node in item["nodes"]]} for item in found]


def look_at(page: Page, url: str) -> None:
    page.goto(url)
    assert faults(page) == [], url
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, url


def sign_in(page: Page, shop: LiveShop, email: str) -> None:
    page.goto(f"{shop.url}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_pages_open_to_all_have_no_faults(live: LiveShop, context: BrowserContext) -> None:
    page = new_page(context)
    page.goto(f"{live.url}/products/strap-calf-navy")
    page.get_by_role("button", name="Add to bag").first.click()
    for path in OPEN_TO_ALL:
        look_at(page, live.url + path)


def test_her_pages_have_no_faults(live: LiveShop, context: BrowserContext) -> None:
    page = new_page(context)
    sign_in(page, live, TEST_CUSTOMER[1])
    for path in FOR_HER:
        look_at(page, live.url + path)


def test_the_office_has_no_faults(live: LiveShop, context: BrowserContext) -> None:
    page = new_page(context)
    sign_in(page, live, OWNER)
    for path in FOR_STAFF:
        look_at(page, live.url + path)
    page.goto(f"{live.url}/office/customers")
    page.get_by_role("link", name=TEST_CUSTOMER[0]).click()
    look_at(page, page.url)


def test_invoices_have_no_faults_where_they_are_listed(live: LiveShop, context: BrowserContext) -> None:
    with db.transaction() as session:
        her = people.find_by_email(session, TEST_CUSTOMER[1])
        assert her is not None
        visitor = Visitor(customer_id=her.id, name=her.name)
        order = selling.order(session, visitor, "strap-calf-navy")
        till = selling.till_of(selling.HandProvider())
        transfers.record(session, till, order, order.total, db.now().date(), "BANK-1")
    page = new_page(context)
    sign_in(page, live, TEST_CUSTOMER[1])
    for path in (f"/orders/{order.number}", "/account/orders"):
        look_at(page, live.url + path)
        page.get_by_role("link", name="Invoice MA-").first.wait_for()
    context.clear_cookies()
    sign_in(page, live, ACCOUNTANT)
    for path in ("/office/invoices", "/office/invoices?q=nothing", "/office/books/audit"):
        look_at(page, live.url + path)


def test_a_refused_choice_and_its_ways_out_have_no_faults(live: LiveShop, context: BrowserContext) -> None:
    page = new_page(context)
    page.goto(f"{live.url}/products/meridien")
    page.locator('button[name="choose"][value="case:rose-gold"]').click()
    page.locator('button[name="choose"][data-state="impossible"]').first.click()
    page.get_by_role("dialog").wait_for()
    assert faults(page) == []
