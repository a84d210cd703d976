"""Staff prove themselves twice."""

import re
from datetime import timedelta

import pyotp
import pytest
from fastapi import FastAPI
from sqlmodel import select

from store import auth, db
from store.auth import WebSession
from tests.browsers import PageBrowser
from tests.store.pages.door import (
    PASSWORD,
    sign_in,
    staff,
)

pytestmark = pytest.mark.usefixtures("door_open")


def test_staff_land_in_the_office_without_a_second_factor_where_it_is_not_required(visitor: PageBrowser) -> None:
    staff()
    visitor.get("/sign-in")
    answer = visitor.submit("/sign-in", {"email": "owner@example.com", "password": PASSWORD}, follow=False)
    assert answer.headers["location"] == "/office"
    assert visitor.get("/account", follow=False).headers["location"] == "/office"
    assert visitor.get("/sign-in/second-factor").status_code == 200


def test_a_second_factor_once_set_is_asked_for_and_each_code_works_once(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    secret = auth.new_second_factor()
    staff(secret)
    assert sign_in(visitor, "owner@example.com") == 303
    assert visitor.get("/account/orders", follow=False).status_code == 303, "not in yet"
    visitor.get("/sign-in/code")
    code = pyotp.TOTP(secret).at(db.now())
    assert visitor.submit("/sign-in/code", {"code": "000000" if code != "000000" else "000001"}).status_code == 401
    answer = visitor.submit("/sign-in/code", {"code": code}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/office")
    sign_in(another, "owner@example.com")
    another.get("/sign-in/code")
    assert another.submit("/sign-in/code", {"code": code}).status_code == 401
    assert "used already" in another.text()


def test_the_code_page_belongs_to_whoever_just_showed_the_password(visitor: PageBrowser, another: PageBrowser) -> None:
    staff(auth.new_second_factor())
    sign_in(visitor, "owner@example.com")
    assert another.get("/sign-in/code", follow=False).headers["location"].startswith("/sign-in")
    db.shift_clock(timedelta(minutes=11))
    assert visitor.get("/sign-in/code", follow=False).headers["location"].startswith("/sign-in")


def test_staff_set_up_a_second_factor_and_keep_recovery_codes(visitor: PageBrowser, another: PageBrowser) -> None:
    staff()
    sign_in(visitor, "owner@example.com")
    page = visitor.get("/sign-in/second-factor").text
    found = re.search(r'class="code">([A-Z2-7 ]+)<', page)
    assert found
    secret = found[1].replace(" ", "")
    picture = visitor.get("/sign-in/second-factor/qr.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-security-policy"] == "default-src 'none'"
    assert another.get("/sign-in/second-factor/qr.svg", follow=False).status_code == 303
    visitor.get("/sign-in/second-factor")
    assert visitor.submit("/sign-in/second-factor", {"code": "123"}).status_code == 422
    assert visitor.submit("/sign-in/second-factor", {"code": pyotp.TOTP(secret).at(db.now())}).status_code == 200
    codes = re.findall(r'class="code">([0-9a-z-]{19})<', visitor.page)
    assert len(codes) == 8
    sign_in(another, "owner@example.com")
    another.get("/sign-in/code")
    answer = another.submit("/sign-in/code", {"code": codes[0]}, follow=False)
    assert answer.headers["location"] == "/office"


def test_production_lets_no_staff_in_without_a_second_factor(
    visitor: PageBrowser, app: FastAPI, settings: object
) -> None:
    staff()
    object.__setattr__(app.state.settings, "production", True)
    visitor.get("/sign-in")
    answer = visitor.submit("/sign-in", {"email": "owner@example.com", "password": PASSWORD}, follow=False)
    assert answer.headers["location"] == "/sign-in/second-factor"
    with db.transaction(read_only=True) as session:
        assert [row.staff_id for row in session.exec(select(WebSession))] == [None]
    found = re.search(r'class="code">([A-Z2-7 ]+)<', visitor.get("/sign-in/second-factor").text)
    assert found
    code = pyotp.TOTP(found[1].replace(" ", "")).at(db.now())
    assert visitor.submit("/sign-in/second-factor", {"code": code}).status_code == 200
    with db.transaction(read_only=True) as session:
        assert [row.staff_id is not None for row in session.exec(select(WebSession))] == [True]
    assert visitor.get("/dev/mailbox").status_code == 404
