"""What comes along at sign-in, and what the next person at the browser does not inherit."""

import re

import pytest
from sqlmodel import col, select

from store import auth, db
from store.accounts import registration
from store.auth import Credential, WebSession
from store.events import Event, Visitor
from store.people import Customer
from store.shop import designs
from store.shop.carts import Cart, CartLine
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.pages.door import NAME, PASSWORD, account, sign_in, token_of

pytestmark = pytest.mark.usefixtures("door_open")


def test_designs_bag_and_guest_orders_come_along(visitor: PageBrowser) -> None:
    customer_id = account(selling.form().email)
    visitor.get("/sign-in")
    here = auth.Signer("test").digest("session", visitor.cookies["atelier"])[:40]
    with db.transaction() as session:
        ordered = selling.order(session, selling.guest(f"ses_{here}"), "strap")
        elsewhere = selling.order(session, selling.guest("ses_another"), "strap")
        selling.fill(session, selling.guest(f"ses_{here}"), "watch", {"case": "gold"})
    assert sign_in(visitor, selling.form().email) == 303
    visitor.get("/account")
    assert "We have put your 3 designs and your 2 orders into your account." in visitor.text()
    assert {ordered.number, elsewhere.number} <= set(re.findall(r"/orders/(\w+)", visitor.page))
    with db.transaction(read_only=True) as session:
        assert len(designs.of_customer(session, customer_id)) >= 2
        carts = session.exec(select(Cart).where(Cart.customer_id == customer_id, col(Cart.ordered).is_(None))).all()
        assert [line.slug for line in session.exec(select(CartLine).where(CartLine.cart_id == carts[0].id))] == [
            "watch"
        ]
        joined = session.exec(select(Event).where(Event.kind == "customers-joined")).one()
        assert elsewhere.id in joined.facts["moved"]["shop_order"]


def test_the_bags_of_two_browsers_become_one(visitor: PageBrowser, another: PageBrowser) -> None:
    account()
    for browser, slug in ((visitor, "strap"), (another, "watch")):
        browser.get("/sign-in")
        session_id = "ses_" + auth.Signer("test").digest("session", browser.cookies["atelier"])[:40]
        with db.transaction() as session:
            selling.fill(session, selling.guest(session_id), slug)
        assert sign_in(browser) == 303
    another.get("/account")
    assert "What lay in your bag before lies in it again." in another.text()
    assert 'id="bag-count">2<' in another.page


def test_the_next_person_at_this_browser_inherits_nothing(visitor: PageBrowser) -> None:
    account()
    blanche = account("blanche@example.com", "Blanche")
    sign_in(visitor)
    session_id = "ses_" + auth.Signer("test").digest("session", visitor.cookies["atelier"])[:40]
    with db.transaction() as session:
        customer_id = session.get_one(WebSession, session_id).customer_id
        selling.fill(session, Visitor(session_id=session_id, customer_id=customer_id), "watch")
    visitor.get("/account")
    visitor.submit("/sign-out")
    assert 'id="bag-count">0<' in visitor.page
    assert "May we remember you?" in visitor.text(), "the next person is asked anew"
    sign_in(visitor, "blanche@example.com")
    with db.transaction(read_only=True) as session:
        assert designs.of_customer(session, blanche) == []
        assert session.exec(select(Cart).where(Cart.customer_id == blanche)).all() == []


def test_a_guest_keeps_what_was_ordered_by_the_link_in_the_mail(visitor: PageBrowser) -> None:
    with db.transaction() as session:
        order = selling.order(session, selling.guest("ses_elsewhere"), "strap")
        guest = session.get_one(Customer, order.customer_id)
        path = registration.claim_link(guest).partition("://")[2].partition("/")[2]
    assert visitor.get(f"/{path}").status_code == 200
    assert order.email in visitor.text()
    form = {"token": token_of(path), "name": NAME, "password": PASSWORD, "email": "somebody-else@example.com"}
    assert visitor.submit("/claim", {**form, "password": "short"}).status_code == 422
    assert visitor.submit("/claim", form).status_code == 200
    assert order.number in visitor.text()
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Credential)).one().email == order.email, "the link's address, whatever the form says"
    visitor.submit("/sign-out")
    assert visitor.get(f"/{path}").status_code == 409
