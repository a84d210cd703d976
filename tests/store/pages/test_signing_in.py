"""Signing in: alike for known and unknown addresses, limited, back to where one was, with everything brought along."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from store import auth, db
from store.accounts.registration import Registration
from store.auth import WebSession
from store.mail import Message
from store.people import Consent, Customer
from tests.browsers import PageBrowser
from tests.store.pages.door import (
    EMAIL,
    NAME,
    PASSWORD,
    account,
    count,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("door_open")


# -- signing in --------------------------------------------------------------------------------------------------------


def test_a_customer_signs_in_with_a_fresh_session_and_out_with_an_empty_one(visitor: PageBrowser) -> None:
    account()
    visitor.get("/sign-in")
    before = visitor.cookies["atelier"]
    assert sign_in(visitor) == 303
    inside = visitor.cookies["atelier"]
    assert inside != before
    visitor.get("/account")
    assert visitor.submit("/sign-out").status_code == 200
    assert visitor.cookies["atelier"] not in (before, inside)
    assert "You are signed out." in visitor.text()
    assert visitor.get("/account", follow=False).headers["location"] == "/sign-in?next=/account"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(visitor: PageBrowser) -> None:
    account()
    answers = []
    for email, password in ((EMAIL, "not my sentence"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD)):
        assert sign_in(visitor, email, password) == 401
        answers.append(re.sub(r'value="[^"]*"', "", visitor.page))
    assert len(set(answers)) == 1
    assert "do not belong together" in visitor.text()
    assert count(WebSession) == 0


def test_a_known_and_an_unknown_address_take_the_same_steps(
    visitor: PageBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    account()
    hashed: list[bool] = []
    check = auth.check_password

    def counting(password: str, password_hash: str | None) -> bool:
        hashed.append(password_hash is not None)
        return check(password, password_hash)

    monkeypatch.setattr(auth, "check_password", counting)
    sign_in(visitor, EMAIL, "not my sentence")
    sign_in(visitor, "nobody@example.com", "not my sentence")
    assert hashed == [True, False], "the hash is computed for both"


def test_after_eight_tries_even_the_right_password_waits(visitor: PageBrowser) -> None:
    account()
    for email in (EMAIL, "nobody@example.com"):
        assert [sign_in(visitor, email, "not my sentence") for _ in range(9)] == [401] * 8 + [429]
        auth.forget_limits()
    assert sign_in(visitor) == 429
    assert "Too many tries" in visitor.text()
    db.shift_clock(timedelta(minutes=15, seconds=1))
    assert sign_in(visitor) == 303


def test_one_place_cannot_try_without_end(visitor: PageBrowser) -> None:
    answers = [sign_in(visitor, f"{number}@example.com", "x") for number in range(61)]
    assert answers == [401] * 60 + [429]


@pytest.mark.parametrize(
    ("next_path", "target"),
    [
        ("/account/orders?page=2", "/account/orders?page=2"),
        ("/cart", "/cart"),
        ("https://evil.example/", "/account"),
        ("//evil.example", "/account"),
        ("/\\evil.example", "/account"),
        ("/\t/evil.example", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/office", "/account"),
        ("/sign-in", "/account"),
        ("", "/account"),
    ],
)
def test_signing_in_leads_back_and_never_to_another_site(visitor: PageBrowser, next_path: str, target: str) -> None:
    account()
    visitor.get("/sign-in")
    answer = visitor.submit("/sign-in", {"email": EMAIL.upper(), "password": PASSWORD, "next": next_path}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_forms_without_the_sessions_token_or_from_elsewhere_are_refused(visitor: PageBrowser) -> None:
    account()
    visitor.get("/sign-in")
    data = {"email": EMAIL, "password": PASSWORD}
    assert visitor.submit("/sign-in", data, csrf="0" * 64).status_code == 403
    assert "too old to be sent" in visitor.text()
    for path in ("/register", "/reset-password", "/consent", "/sign-out", "/account/close", "/account/name", "/verify"):
        visitor.get("/sign-in")
        assert visitor.submit(path, {"name": "x"}, csrf="").status_code == 403, path
    foreign = visitor.call("POST", "/sign-in", None, origin="https://evil.example")
    assert foreign.status_code == 403
    assert (count(Registration), count(Message), count(Consent), count(WebSession)) == (0, 0, 0, 0)


# -- expired sessions --------------------------------------------------------------------------------------------------


def test_an_ended_session_is_told_and_leads_back(visitor: PageBrowser) -> None:
    account()
    sign_in(visitor)
    visitor.get("/account/details")
    db.shift_clock(timedelta(days=30, minutes=1))
    answer = visitor.submit("/account/name", {"name": "Somebody"}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")
    visitor.get(answer.headers["location"])
    assert "Your session has ended and nothing was changed." in visitor.text()
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Customer)).one().name == NAME
    assert visitor.get("/account/orders", follow=False).headers["location"] == "/sign-in?next=/account/orders"
