"""The front page's "Next for you": for those who allow it; one click adds the design, one forgets the reason."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from store import db, experiments, people
from store.events import Visitor
from store.shop import carts, taste
from store.shop.bags import CartLine
from store.shop.designs import Design
from store.shop.forgetting import Forgotten
from tests.browsers import PageBrowser
from tests.store.crm.cast import House, customer
from tests.store.office.conftest import enter

ADD = re.compile(r'action="/next/([\w-]+)/addition"')
FORGET = re.compile(r'action="/next/([\w-]+)/oblivion"')
WHY = "Rose gold, like the Méridien you own."


@pytest.fixture
def hers(app: FastAPI, visitor: PageBrowser) -> str:
    """The browser of somebody who owns a watch in rose gold and allows personalisation; her id."""
    taste.use_models(Path("/nowhere"))
    with db.transaction() as session:
        found = customer(session, "Ida", "ida@example.com")
        while experiments.draw(experiments.CHECKOUT_SUGGESTIONS, found.customer_id or "") == "control":
            found = customer(session, "Ida", f"{db.new_id('ida')}@example.com")
        house = House(session, found, found, found)
        house.consents(found, "personalisation")
        house.orders(found, ("meridien", {"case": "rose-gold"}))
    assert found.customer_id
    enter(app, visitor, customer_id=found.customer_id)
    return found.customer_id


def test_one_click_adds_exactly_the_design(visitor: PageBrowser, hers: str) -> None:
    page = visitor.get("/").text
    assert "Next for you" in page
    slugs = ADD.findall(page)
    assert len(slugs) == 3
    answer = visitor.submit(f"/next/{slugs[0]}/addition")
    assert "as it was made ready for you" in answer.text
    with db.transaction(read_only=True) as session:
        (line,) = session.exec(select(CartLine).order_by(col(CartLine.added_at).desc()).limit(1)).all()
        design = session.get_one(Design, line.design_id)
        assert (line.slug, design.source) == (slugs[0], "suggestion")
    assert visitor.submit(f"/next/{slugs[0]}/addition", csrf="forged").status_code == 403
    assert visitor.submit("/next/edition-01/addition").status_code == 404


def test_forget_this_changes_the_page_and_can_be_taken_back(visitor: PageBrowser, hers: str) -> None:
    assert WHY in visitor.get("/").text
    slug = FORGET.findall(visitor.page)[0]
    assert WHY not in visitor.submit(f"/next/{slug}/oblivion").text
    assert "that you chose Rose gold for the Méridien" in visitor.get("/account/privacy").text
    with db.transaction(read_only=True) as session:
        (row,) = session.exec(select(Forgotten)).all()
    visitor.submit(f"/account/forgotten/{row.id}/return")
    assert WHY in visitor.get("/").text
    assert visitor.submit(f"/account/forgotten/{row.id}/return").status_code == 404


def test_without_consent_nothing_is_proposed(visitor: PageBrowser, hers: str, another: PageBrowser) -> None:
    with db.transaction() as session:
        people.answer_consent(session, Visitor(), (), "account", customer_id=hers)
    assert "Next for you" not in visitor.get("/").text
    assert "Next for you" not in another.get("/").text
    visitor.get("/sign-in")
    visitor.get("/consent")
    assert visitor.submit("/next/winder-walnut/addition").status_code == 404
    with db.transaction(read_only=True) as session:
        cart = carts.current(session, Visitor(customer_id=hers))
        assert cart is None or carts.view(session, cart, Visitor(customer_id=hers)).lines == ()
