"""Who may do what in the office."""

from collections.abc import Callable

import pytest

from store.office.deps import RIGHTS
from store.people import ROLES
from tests.browsers import PageBrowser
from tests.store.office.conftest import Known

# The whole table once more, by role, so that a change of rights is made twice or not at all.
MAY: dict[str, set[str]] = {
    "owner": set(RIGHTS) - {"see invoices"},
    "advisor": {
        "see the office",
        "see customers",
        "log contacts",
        "see offers",
        "make offers",
        "see orders",
        "see payments",
        "see products",
        "invite customers",
    },
    "workshop": {"see the office", "see orders", "advance production", "record milestones", "see products"},
    "accountant": {
        "see the office",
        "see customers",
        "see profit",
        "see offers",
        "see orders",
        "see payments",
        "refund payments",
        "record transfers",
        "see books",
        "see invoices",
        "see performance",
    },
}
PAGES = {
    "/office": "see the office",
    "/office/customers": "see customers",
    "/office/customers/{iris}": "see customers",
    "/office/customers/{iris}/offer": "make offers",
    "/office/offers": "see offers",
    "/office/orders": "see orders",
    "/office/orders/{number}": "see orders",
    "/office/products": "see products",
    "/office/products/meridien": "see products",
    "/office/products/meridien/draft": "edit products",
    "/office/performance": "see performance",
    "/office/books": "see books",
    "/office/books/audit": "see books",
    "/office/books/orders.csv": "see books",
    "/office/books/payments.csv": "see books",
    "/office/invoices": "see invoices",
    "/office/invoices/invoices.csv": "see invoices",
}
FORMS = {
    "/office/customers/{iris}/invitations": "invite customers",
    "/office/customers/{iris}/invitations/withdrawal": "invite customers",
    "/office/products/meridien/draft": "edit products",
    "/office/products/meridien/draft/removal": "edit products",
    "/office/products/meridien/draft/rebase": "edit products",
    "/office/products/meridien/draft/publication": "edit products",
    "/office/customers/{iris}/contacts": "log contacts",
    "/office/customers/{iris}/offer": "make offers",
    "/office/offers/off_x/sending": "make offers",
    "/office/offers/off_x/withdrawal": "make offers",
    "/office/offers/off_x/edit": "make offers",
    "/office/orders/{number}/stage": "advance production",
    "/office/orders/{number}/refunds": "refund payments",
    "/office/orders/{number}/refunds/sent": "refund payments",
    "/office/orders/{number}/transfers": "record transfers",
    "/office/orders/{number}/milestones": "record milestones",
    "/office/orders/{number}/cancellation": "call off orders",
    "/office/books/reconciliation": "see books",
}


def filled(address: str, known: Known) -> str:
    return address.format(iris=known.iris, number=known.order.number)


def test_the_table_of_rights_is_what_the_house_agreed_on() -> None:
    assert {role: {right for right, roles in RIGHTS.items() if role in roles} for role in ROLES} == MAY


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_the_pages_it_may_and_no_others(
    role: str, known: Known, as_role: Callable[[str], PageBrowser]
) -> None:
    browser = as_role(role)
    for address, right in PAGES.items():
        expected = 200 if right in MAY[role] else 403
        assert browser.get(filled(address, known)).status_code == expected, address


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sends_the_forms_it_may_and_no_others(
    role: str, known: Known, as_role: Callable[[str], PageBrowser]
) -> None:
    browser = as_role(role)
    for address, right in FORMS.items():
        browser.get("/office")
        status = browser.submit(filled(address, known), {}, follow=False).status_code
        assert (status == 403) == (right not in MAY[role]), (address, status)


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_offers_what_the_role_may_open(role: str, known: Known, as_role: Callable[[str], PageBrowser]) -> None:
    browser = as_role(role)
    browser.get("/office")
    for address, right in PAGES.items():
        if address.count("/") == 2:
            assert (f'href="{address}"' in browser.page) == (right in MAY[role]), address


def test_profit_is_shown_to_those_who_may_see_it_only(known: Known, as_role: Callable[[str], PageBrowser]) -> None:
    for role, shown in (("owner", True), ("accountant", True), ("advisor", False)):
        browser = as_role(role)
        for address in ("/office/customers", f"/office/customers/{known.iris}"):
            browser.get(address)
            assert ("Profit" in browser.text()) == shown, (role, address)


def test_strangers_are_sent_to_the_door_and_customers_find_nothing(
    known: Known, visitor: PageBrowser, iris: PageBrowser
) -> None:
    for address in PAGES:
        answer = visitor.get(filled(address, known), follow=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), address
        assert iris.get(filled(address, known)).status_code == 404, address


def test_forms_without_our_token_are_refused(known: Known, owner: PageBrowser) -> None:
    owner.get("/office")
    for address in FORMS:
        assert owner.submit(filled(address, known), {}, follow=False, csrf="forged").status_code == 403, address
