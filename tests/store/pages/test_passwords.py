"""A forgotten password, and details changed with the password asked again."""

from datetime import timedelta

import pytest
from sqlmodel import select

from store import db
from store.people import Customer
from tests.browsers import PageBrowser
from tests.store.pages.door import EMAIL, PASSWORD, account, link_in, mails, sign_in, token_of

pytestmark = pytest.mark.usefixtures("door_open")


# -- a forgotten password ----------------------------------------------------------------------------------------------


def test_a_new_password_is_set_once_by_the_link_and_ends_all_sessions(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    account()
    sign_in(another)
    visitor.get("/reset-password")
    visitor.submit("/reset-password", {"email": EMAIL.upper()})
    assert "Look into your mail" in visitor.text()
    path = link_in(mails("reset")[0])
    visitor.get(path)
    token = token_of(path)
    assert visitor.submit("/reset-password/new", {"token": token, "password": "short"}).status_code == 422
    assert visitor.submit("/reset-password/new", {"token": token, "password": "my other sentence"}).status_code == 200
    assert "Please sign in with it." in visitor.text()
    assert another.get("/account", follow=False).status_code == 303, "signed out"
    assert visitor.get(path).status_code == 403
    visitor.get("/sign-in")
    assert visitor.submit("/reset-password/new", {"token": token, "password": "a third sentence"}).status_code == 403
    assert sign_in(visitor) == 401
    assert sign_in(visitor, password="my other sentence") == 303
    assert [message.kind for message in mails()] == ["reset", "password-changed"]


def test_a_reset_opens_a_locked_account(visitor: PageBrowser) -> None:
    account()
    for _ in range(9):
        sign_in(visitor, password="not my sentence")
    visitor.get("/reset-password")
    visitor.submit("/reset-password", {"email": EMAIL})
    visitor.submit(
        "/reset-password/new", {"token": token_of(link_in(mails("reset")[0])), "password": "my new sentence"}
    )
    assert sign_in(visitor, password="my new sentence") == 303


def test_asking_for_an_unknown_address_looks_the_same_and_tells_its_owner_only(visitor: PageBrowser) -> None:
    visitor.get("/reset-password")
    answer = visitor.submit("/reset-password", {"email": "nobody@example.com"}, follow=False)
    assert answer.headers["location"] == "/reset-password/sent"
    assert [(message.kind, message.to_address) for message in mails()] == [("no-account", "nobody@example.com")]


def test_nobodys_mailbox_is_filled_with_our_words(visitor: PageBrowser) -> None:
    account()
    for _ in range(8):
        visitor.get("/reset-password")
        visitor.submit("/reset-password", {"email": EMAIL})
    assert len(mails("reset")) == 6


def test_a_reset_link_is_old_after_an_hour(visitor: PageBrowser) -> None:
    account()
    visitor.get("/reset-password")
    visitor.submit("/reset-password", {"email": EMAIL})
    db.shift_clock(timedelta(hours=1, seconds=2))
    assert visitor.get(link_in(mails("reset")[0])).status_code == 403


# -- details -----------------------------------------------------------------------------------------------------------


def test_name_and_password_are_changed_with_the_password_asked_again(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    account()
    sign_in(visitor)
    sign_in(another)
    visitor.get("/account/details")
    visitor.submit("/account/name", {"name": "  Camille A.  "})
    assert "Your name is changed." in visitor.text()
    wrong = {"password": "not mine at all", "new_password": "my other sentence"}
    assert visitor.submit("/account/password", wrong).status_code == 422
    assert "This is not your password." in visitor.text()
    weak = {"password": PASSWORD, "new_password": "short"}
    assert visitor.submit("/account/password", weak).status_code == 422
    right = {"password": PASSWORD, "new_password": "my other sentence"}
    assert visitor.submit("/account/password", right).status_code == 200
    assert visitor.get("/account", follow=False).status_code == 200, "this session stays"
    assert another.get("/account", follow=False).status_code == 303, "the others end"
    assert sign_in(another, password="my other sentence") == 303


def test_a_new_address_counts_when_its_mail_was_answered(visitor: PageBrowser, another: PageBrowser) -> None:
    account()
    sign_in(visitor)
    visitor.get("/account/details")
    assert visitor.submit("/account/email", {"email": "new@example.com", "password": "no"}).status_code == 422
    assert visitor.submit("/account/email", {"email": "new@example.com", "password": PASSWORD}).status_code == 200
    path = link_in(mails("address")[0])
    assert mails("address")[0].to_address == "new@example.com"
    assert another.get(path, follow=False).status_code == 303, "only for who asked"
    assert visitor.get(path).status_code == 200
    assert "new@example.com" in visitor.text()
    visitor.submit("/account/address", {"token": token_of(path)})
    assert "You sign in with new@example.com from now on." in visitor.text()
    assert mails("address-changed")[0].to_address == EMAIL
    visitor.submit("/account/address", {"token": token_of(path)})
    assert "used" in visitor.text()
    assert sign_in(another) == 401
    assert sign_in(another, "new@example.com") == 303


def test_an_address_of_another_account_is_not_taken(visitor: PageBrowser) -> None:
    account()
    account("blanche@example.com", "Blanche")
    sign_in(visitor)
    visitor.get("/account/details")
    visitor.submit("/account/email", {"email": "blanche@example.com", "password": PASSWORD})
    path = link_in(mails("address")[0])
    visitor.get(path)
    assert visitor.submit("/account/address", {"token": token_of(path)}).status_code == 409
    with db.transaction(read_only=True) as session:
        assert {row.email for row in session.exec(select(Customer))} == {EMAIL, "blanche@example.com"}
