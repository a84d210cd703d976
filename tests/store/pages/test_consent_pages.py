"""Saying yes and no: the banner, the choices, the way out of messages."""

import re

import pytest
from sqlmodel import select

from store import db, mail, people
from store.events import Visitor
from store.people import Consent
from tests.browsers import PageBrowser
from tests.store.pages.door import (
    account,
    sign_in,
    token_of,
)

pytestmark = pytest.mark.usefixtures("door_open")


# -- consent -----------------------------------------------------------------------------------------------------------


def test_the_banner_asks_once_and_its_answers_weigh_the_same(visitor: PageBrowser) -> None:
    page = visitor.get("/").text
    banner = page[page.index('class="consent"') : page.index("</section>", page.index('class="consent"'))]
    buttons = re.findall(r'<(?:button|a) class="([^"]+)"', banner)
    assert len(buttons) == 3
    assert len(set(buttons)) == 1, "no answer is dressed up"
    visitor.submit("/consent", {"answer": "necessary", "next": "/products"})
    assert "Noted: only what is necessary." in visitor.text()
    assert "May we remember you?" not in visitor.text()
    with db.transaction(read_only=True) as session:
        rows = session.exec(select(Consent)).all()
        assert {(row.purpose, row.granted, row.source) for row in rows} == {
            ("personalisation", False, "banner"),
            ("messages", False, "banner"),
        }


def test_the_browsers_signal_is_honoured_and_said(visitor: PageBrowser) -> None:
    signal = {"Sec-GPC": "1"}
    visitor.get("/", headers=signal)
    assert "Global Privacy Control" in visitor.text()
    assert "Accept all" not in visitor.text()
    visitor.get("/consent", headers=signal)
    assert "personalisation stays off" in visitor.text()
    visitor._client.headers.update(signal)
    visitor.submit("/consent", {"answer": "all", "next": "/consent"})
    assert "personalisation stays off" in visitor.text()
    with db.transaction(read_only=True) as session:
        rows = {row.purpose: (row.granted, row.source) for row in session.exec(select(Consent))}
    assert rows == {"personalisation": (False, "browser signal"), "messages": (True, "banner")}


def test_choices_are_changed_at_once_and_their_history_stays(visitor: PageBrowser) -> None:
    customer_id = account()
    sign_in(visitor)
    visitor.get("/consent")
    visitor.submit("/consent", {"answer": "choice", "personalisation": "yes", "messages": "yes", "next": "/consent"})
    assert "you allow personalisation and messages" in visitor.text()
    visitor.submit("/consent", {"answer": "choice", "personalisation": "yes", "next": "/consent"})
    with db.transaction(read_only=True) as session:
        assert people.consents_of(session, customer_id) == {"personalisation"}
        assert len(people.history_of(session, customer_id)) == 3
    visitor.get("/account/privacy")
    assert "privacy choices" in visitor.text()


def test_consent_leads_to_no_other_site(visitor: PageBrowser) -> None:
    visitor.get("/")
    answer = visitor.submit("/consent", {"answer": "all", "next": "//evil.example"}, follow=False)
    assert answer.headers["location"] == "/"


# -- unsubscribing -----------------------------------------------------------------------------------------------------


def unsubscribe_path(customer_id: str) -> str:
    """The path in a mail to this customer, who allows messages."""
    with db.transaction() as session:
        people.answer_consent(session, Visitor(), ["messages"], "account", customer_id=customer_id)
        return mail.unsubscribe_address(customer_id, "messages").partition("://")[2].partition("/")[2]


def allows_messages(customer_id: str) -> bool:
    with db.transaction(read_only=True) as session:
        return "messages" in people.consents_of(session, customer_id)


def test_opening_the_unsubscribe_link_changes_nothing_and_one_click_does(visitor: PageBrowser) -> None:
    customer_id = account()
    path = unsubscribe_path(customer_id)
    assert visitor.get(f"/{path}").status_code == 200
    assert "Nothing has changed yet." in visitor.text()
    assert allows_messages(customer_id)
    assert visitor.submit("/unsubscribe", {"token": token_of(path)}).status_code == 200
    assert "No more messages" in visitor.text()
    assert not allows_messages(customer_id)


def test_a_mail_programs_one_click_needs_neither_cookie_nor_page(visitor: PageBrowser) -> None:
    customer_id = account()
    path = unsubscribe_path(customer_id)
    body = {"List-Unsubscribe": "One-Click"}
    answer = visitor._client.post(f"/{path}", data=body)
    assert (answer.status_code, answer.text) == (200, "You will get no more messages.")
    assert not allows_messages(customer_id)
    assert visitor._client.post(f"/{path}", data=body).status_code == 200, "twice is once"
    with db.transaction(read_only=True) as session:
        assert people.history_of(session, customer_id)[0].source == "unsubscribe"


def test_a_forged_unsubscribe_link_is_refused(visitor: PageBrowser) -> None:
    customer_id = account()
    path = unsubscribe_path(customer_id)
    assert visitor._client.post(f"/{path[:-3]}xyz", data={"List-Unsubscribe": "One-Click"}).status_code == 403
    assert visitor._client.post("/unsubscribe", data={}).status_code == 403
    assert allows_messages(customer_id)
