"""The rooms of an account, what the house knows, leaving, and the mailbox."""

import json
from datetime import timedelta
from html import unescape

import pytest
from fastapi import FastAPI
from sqlmodel import Session

from store import auth, db
from store.crm.offers import Offer
from store.events import Visitor
from store.people import Customer
from store.shop import catalog, designs
from tests.browsers import PageBrowser
from tests.store.pages.door import (
    EMAIL,
    PASSWORD,
    account,
    link_in,
    mails,
    register,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("door_open")


# -- my things ---------------------------------------------------------------------------------------------------------


def test_the_account_shows_designs_with_todays_price(visitor: PageBrowser, session: Session) -> None:
    customer_id = account()
    with db.transaction() as writing:
        designs.save(writing, Visitor(customer_id=customer_id), "watch", {"case": "gold"}, {})
    sign_in(visitor)
    visitor.get("/account/designs")
    assert "€24,000" in visitor.text()
    assert "Add to bag" in visitor.text()
    assert catalog.published(session, "watch").from_price == 980_000
    visitor.submit("/currency", {"currency": "CHF", "next": "/account/designs"})
    assert "CHF 23,520" in visitor.text()


def test_a_visitors_designs_are_kept_in_the_browser_and_shown(visitor: PageBrowser, another: PageBrowser) -> None:
    visitor.get("/sign-in")
    session_id = "ses_" + auth.Signer("test").digest("session", visitor.cookies["atelier"])[:40]
    with db.transaction() as writing:
        code = designs.save(writing, Visitor(session_id=session_id), "watch", {"case": "gold"}, {}).code
    visitor.get("/account/designs")
    assert code in visitor.page
    assert "With an account you find them on every device." in visitor.text()
    another.get("/account/designs")
    assert code not in another.page


def offer(customer_id: str, state: str = "sent") -> str:
    """An offer to one customer."""
    with db.transaction() as session:
        row = Offer(
            id=db.new_id("off"), customer_id=customer_id, kind="percent", basis_points=1_000, currency="EUR",
            slug="strap", piece_name="Calf strap", message="We thought of you.", reason="It fits your watch.",
            margin_floor_basis_points=3_000, state=state, created_at=db.now(), sent_at=db.now(),
            expires_at=db.now() + timedelta(days=14),
        )  # fmt: skip
        session.add(row)
        return row.id


def test_an_offer_is_seen_kept_and_declined_by_its_customer_only(visitor: PageBrowser, another: PageBrowser) -> None:
    hers = offer(account())
    draft = offer(account("blanche@example.com", "Blanche"), "draft")
    sign_in(visitor)
    sign_in(another, "blanche@example.com")
    visitor.get("/account/offers")
    assert "10 % off, Calf strap" in visitor.text()
    assert "It fits your watch." in visitor.text()
    another.get("/account/offers")
    assert "Calf strap" not in another.text()
    for offer_id in (hers, draft, "off_none"):
        assert another.submit(f"/account/offers/{offer_id}/acceptance").status_code == 404
        another.get("/account/offers")
    visitor.submit(f"/account/offers/{hers}/acceptance")
    assert "It lies in your bag as it was made for you" in visitor.text()
    visitor.get("/account/offers")
    assert "Kept for you" in visitor.text()
    visitor.submit(f"/account/offers/{hers}/refusal")
    with db.transaction(read_only=True) as session:
        assert session.get_one(Offer, hers).state == "declined"
        assert session.get_one(Offer, hers).seen_at is not None


def test_rooms_of_an_account_open_for_nobody_else(visitor: PageBrowser) -> None:
    for room in ("orders", "offers", "details", "privacy", "data.json", "close", "address"):
        answer = visitor.get(f"/account/{room}", follow=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next=/account/{room}")


# -- what the house knows, and leaving ---------------------------------------------------------------------------------


def test_a_customer_takes_everything_along(visitor: PageBrowser) -> None:
    customer_id = account()
    account("blanche@example.com", "Blanche")
    sign_in(visitor)
    visitor.get("/account/privacy")
    assert "as long as the account exists" in visitor.text()
    answer = visitor.get("/account/data.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    data = json.loads(answer.text)
    assert data["customer"] == customer_id
    assert data["tables"]["customer"]["rows"][0]["email"] == EMAIL
    assert "blanche" not in answer.text
    assert "argon2" not in answer.text


def test_closing_asks_for_the_password_and_forgets(visitor: PageBrowser, another: PageBrowser) -> None:
    customer_id = account()
    offer_id = offer(customer_id)
    sign_in(visitor)
    sign_in(another)
    visitor.get("/account/close")
    assert visitor.submit("/account/close", {"password": "not mine at all"}).status_code == 422
    assert visitor.submit("/account/close", {"password": PASSWORD}).status_code == 200
    assert "Your account is closed" in visitor.text()
    assert another.get("/account", follow=False).status_code == 303
    assert sign_in(visitor) == 401
    with db.transaction(read_only=True) as session:
        customer = session.get_one(Customer, customer_id)
        assert (customer.email, customer.name) == ("", "")
        assert session.get_one(Offer, offer_id).state == "withdrawn"


# -- the mailbox -------------------------------------------------------------------------------------------------------


def test_mails_are_read_under_a_policy_of_their_own(visitor: PageBrowser) -> None:
    register(visitor, name="<script>alert(1)</script>")
    visitor.get("/dev/mailbox")
    assert "Please confirm your address" in visitor.text()
    message = mails("verify")[0]
    visitor.get(f"/dev/mailbox/{message.id}")
    assert link_in(message) in unescape(visitor.page)
    shown = visitor.get(f"/dev/mailbox/{message.id}/html")
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "<script>" not in shown.text
    assert visitor.get("/dev/mailbox/msg_none").status_code == 404
    visitor.get("/dev/mailbox?to=nobody@example.com")
    assert "No mail to this address." in visitor.text()


def test_with_a_mail_server_there_is_no_mailbox(visitor: PageBrowser, app: FastAPI) -> None:
    register(visitor)
    object.__setattr__(app.state.settings, "mail_url", "smtp://127.0.0.1:25")
    for path in ("/dev/mailbox", f"/dev/mailbox/{mails()[0].id}", f"/dev/mailbox/{mails()[0].id}/html"):
        assert visitor.get(path).status_code == 404
