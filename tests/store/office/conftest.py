"""Fixtures of the office: the shop with a customer who ordered, and browsers of its staff."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from store import auth, db, people
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store.crm.cast import STRAP, House, customer


@dataclass(frozen=True)
class Known:
    """Ids of the customers and the order that the tests speak of."""

    iris: str
    blanche: str
    order: Order


@pytest.fixture
def known(app: FastAPI) -> Known:
    """Iris, who owns a Méridien in rose gold, and Blanche, who owns nothing; all committed."""
    with db.transaction() as session:
        iris = customer(session, "Iris Vallier", "iris@example.com")
        blanche = customer(session, "Blanche Roy", "blanche@example.com")
        house = House(session, iris, blanche, blanche)
        house.consents(iris, "messages")
        order = house.orders(iris, ("meridien", {"case": "rose-gold"}), (STRAP, {"buckle": "rose-gold"}))
        assert iris.customer_id
        assert blanche.customer_id
        return Known(iris.customer_id, blanche.customer_id, order)


def enter(app: FastAPI, browser: PageBrowser, *, staff_id: str | None = None, customer_id: str | None = None) -> None:
    """Sign this browser in, without the sign-in page."""
    browser.get("/sign-in")
    session_id = "ses_" + app.state.signer.digest("session", browser.cookies["atelier"])[:40]
    with db.transaction() as session:
        row = auth.ensure_session(session, session_id)
        row.staff_id, row.customer_id = staff_id, customer_id
        session.add(row)


@pytest.fixture
def as_role(app: FastAPI) -> Iterator[Callable[[str], PageBrowser]]:
    """Makes a browser in which a member of staff of that role is signed in."""
    with ExitStack() as stack:

        def signed_in(role: str) -> PageBrowser:
            with db.transaction() as session:
                staff = people.new_staff(session, f"The {role}", f"{role}@example.com", role)
            browser = stack.enter_context(PageBrowser(app))
            enter(app, browser, staff_id=staff.id)
            return browser

        yield signed_in


@pytest.fixture
def owner(as_role: Callable[[str], PageBrowser]) -> PageBrowser:
    """The owner's browser."""
    return as_role("owner")


@pytest.fixture
def iris(app: FastAPI, known: Known) -> Iterator[PageBrowser]:
    """The browser of the customer whom offers are made to."""
    with PageBrowser(app) as browser:
        enter(app, browser, customer_id=known.iris)
        yield browser


@pytest.fixture
def blanche(app: FastAPI, known: Known) -> Iterator[PageBrowser]:
    """The browser of another customer."""
    with PageBrowser(app) as browser:
        enter(app, browser, customer_id=known.blanche)
        yield browser
