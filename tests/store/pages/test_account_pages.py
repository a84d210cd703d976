"""Accounts as a person meets them: opening, signing in, losing a password, saying no, looking, leaving."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pyotp
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Session, col, select

from store import accounts, auth, db, mail, people
from store.accounts import registration
from store.accounts.registration import Registration
from store.auth import Credential, WebSession
from store.crm.offers import Offer
from store.events import Event, Visitor
from store.mail import Message
from store.people import Consent, Customer
from store.shop import catalog, designs
from store.shop.carts import Cart, CartLine
from tests.browsers import PageBrowser
from tests.store import selling

EMAIL, PASSWORD, NAME = "camille@example.com", "a quiet sentence of mine", "Camille Arnaud"


@pytest.fixture(autouse=True)
def _light_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 as in the shop, at the cheapest setting: these tests are about who gets in, not about its cost."""
    hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(auth, "_passwords", PasswordHash((hasher,)))
    auth._nobody_hash.cache_clear()
    yield
    auth._nobody_hash.cache_clear()


@pytest.fixture(autouse=True)
def _house(app: FastAPI, tmp_path: Path) -> Iterator[None]:
    """A small catalogue; limits begin anew, and the clock is set right again afterwards."""
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "products")
    auth.forget_limits()
    yield
    db._offset = timedelta()


def mails(kind: str = "") -> list[Message]:
    """The mails of a kind, the oldest first."""
    with db.transaction(read_only=True) as session:
        found = mail.mailbox(session)
    return [message for message in reversed(found) if message.kind == kind or not kind]


def link_in(message: Message) -> str:
    """The path of the first link with a token in a mail."""
    found = re.search(r"https?://[^/\s]+(/\S*\?token=\S+)", message.text)
    assert found, message.text
    return found[1]


def token_of(path: str) -> str:
    return path.partition("token=")[2]


def account(email: str = EMAIL, name: str = NAME) -> str:
    """An account with a password, as it is after registration."""
    with db.transaction() as session:
        customer = people.new_customer(session, email, name)
        people.verify_email(session, customer, email)
        accounts.set_password(session, email, auth.hash_password(PASSWORD), customer_id=customer.id)
        return customer.id


def staff(second_factor: str | None = None) -> str:
    """A member of staff."""
    with db.transaction() as session:
        person = people.new_staff(session, "Aurèle", "owner@example.com", "owner")
        credential = accounts.set_password(session, person.email, auth.hash_password(PASSWORD), staff_id=person.id)
        credential.second_factor = second_factor
        session.add(credential)
        return person.id


def sign_in(browser: PageBrowser, email: str = EMAIL, password: str = PASSWORD, next_path: str = "") -> int:
    """Fill in the sign-in form; returns the status of the answer."""
    browser.get("/sign-in")
    return browser.submit(
        "/sign-in", {"email": email, "password": password, "next": next_path}, follow=False
    ).status_code


def register(browser: PageBrowser, **fields: str) -> int:
    """Fill in the form for a new account; returns the status of the answer."""
    browser.get("/register")
    form = {"name": NAME, "email": EMAIL, "password": PASSWORD, **fields}
    return browser.submit("/register", form, follow=False).status_code


def count(table: type) -> int:
    """How many rows a table has."""
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(table)).all())


# -- opening an account ----------------------------------------------------------------------------------------------


def test_from_registration_to_the_account(visitor: PageBrowser) -> None:
    assert register(visitor, messages="yes") == 303
    assert count(Customer) == 0, "nothing is known of a person before the address is proved"
    path = link_in(mails("verify")[0])
    assert visitor.get(path).status_code == 200
    assert count(Customer) == 0, "opening the link changes nothing: programs open every link"
    answer = visitor.submit("/verify", {"token": token_of(path)}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    visitor.get("/account")
    assert f"Good to see you, {NAME}" in visitor.text()
    assert "Your account is open." in visitor.text()
    with db.transaction(read_only=True) as session:
        customer = session.exec(select(Customer)).one()
        assert (customer.email, customer.name, customer.verified_at is not None) == (EMAIL, NAME, True)
        assert people.consents_of(session, customer.id) == {"messages"}
        kinds = {event.kind for event in session.exec(select(Event).where(Event.customer_id == customer.id))}
        assert {"customer-registered", "customer-verified", "consent-given", "consent-withdrawn", "signed-in"} <= kinds
        assert session.exec(select(Registration)).one().password_hash == ""
    assert [message.kind for message in mails()] == ["verify", "welcome"]


def test_a_link_opens_an_account_once(visitor: PageBrowser, another: PageBrowser) -> None:
    register(visitor)
    path = link_in(mails("verify")[0])
    visitor.get(path)
    visitor.submit("/verify", {"token": token_of(path)})
    assert another.get(path).status_code == 403
    assert "used already" in another.text()
    another.get("/sign-in")
    assert another.submit("/verify", {"token": token_of(path)}).status_code == 403
    assert count(Customer) == 1


def test_in_another_browser_the_password_shows_that_the_same_person_asked(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    register(visitor)
    path = link_in(mails("verify")[0])
    another.get(path)
    assert "The password you chose" in another.text()
    assert another.submit("/verify", {"token": token_of(path)}).status_code == 401
    assert another.submit("/verify", {"token": token_of(path), "password": "of somebody else"}).status_code == 401
    assert count(Customer) == 0
    assert another.submit("/verify", {"token": token_of(path), "password": PASSWORD}).status_code == 200
    assert count(Customer) == 1


def test_who_only_knows_an_address_cannot_take_what_its_owner_ordered(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    with db.transaction() as session:
        order = selling.order(session, selling.guest("ses_elsewhere"), "strap")
    register(another, email=order.email, password="the thief's own sentence")
    path = link_in(mails("verify")[0])
    visitor.get(path)  # the owner clicks without having asked
    visitor.submit("/verify", {"token": token_of(path)})
    with db.transaction(read_only=True) as session:
        assert session.get_one(type(order), order.id).customer_id == order.customer_id
        assert session.exec(select(Credential)).all() == []


def test_registering_a_known_address_looks_the_same_and_tells_its_owner_only(
    visitor: PageBrowser, another: PageBrowser
) -> None:
    account()
    assert register(visitor) == 303
    known = visitor.get("/register/sent").text
    assert register(another, email="new@example.com") == 303
    unknown = another.get("/register/sent").text
    strip = re.compile(r'value="[0-9a-f]{64}"|nonce="[^"]*"')
    assert strip.sub("", known) == strip.sub("", unknown)
    assert [(message.kind, message.to_address) for message in mails()] == [
        ("account-exists", EMAIL),
        ("verify", "new@example.com"),
    ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "  "}, "Please tell us your name."),
        ({"email": "camille"}, "That does not look like an e-mail address."),
        ({"password": "too short"}, "at least 10 characters"),
        ({"password": "aaaaaaaaaaaa"}, "too easy to guess"),
        ({"password": EMAIL}, "too easy to guess"),
        ({"password": "x1y2" * 60}, "at most 200 characters"),
    ],
)
def test_what_is_wrong_in_a_registration_is_said_at_its_field(
    visitor: PageBrowser, wrong: dict[str, str], sentence: str
) -> None:
    assert register(visitor, **wrong) == 422
    assert sentence in visitor.text()
    assert (count(Registration), count(Message)) == (0, 0)


def test_the_form_ticks_nothing_for_anybody(visitor: PageBrowser) -> None:
    page = visitor.get("/register").text
    assert page.count('type="checkbox"') == 2
    assert " checked" not in page


def test_what_the_banner_was_allowed_goes_with_the_account(visitor: PageBrowser) -> None:
    visitor.get("/")
    visitor.submit("/consent", {"answer": "all", "next": "/"})
    register(visitor)
    path = link_in(mails("verify")[0])
    visitor.get(path)
    visitor.submit("/verify", {"token": token_of(path)})
    with db.transaction(read_only=True) as session:
        customer = session.exec(select(Customer)).one()
        assert people.consents_of(session, customer.id) == {"personalisation", "messages"}


def test_an_old_link_says_so(visitor: PageBrowser) -> None:
    register(visitor)
    db.shift_clock(timedelta(days=3, minutes=1))
    assert visitor.get(link_in(mails("verify")[0])).status_code == 403
    assert "expired" in visitor.text()


# -- signing in ------------------------------------------------------------------------------------------------------


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
    answers = [sign_in(visitor, f"{number}@example.com", "x") for number in range(31)]
    assert answers == [401] * 30 + [429]


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


# -- what comes along ------------------------------------------------------------------------------------------------


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


# -- staff -----------------------------------------------------------------------------------------------------------


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


# -- a forgotten password --------------------------------------------------------------------------------------------


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


# -- expired sessions ------------------------------------------------------------------------------------------------


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


# -- consent ---------------------------------------------------------------------------------------------------------


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


# -- unsubscribing ---------------------------------------------------------------------------------------------------


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


# -- details ---------------------------------------------------------------------------------------------------------


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


# -- my things -------------------------------------------------------------------------------------------------------


def test_the_account_shows_designs_with_todays_price(visitor: PageBrowser, session: Session) -> None:
    customer_id = account()
    with db.transaction() as writing:
        designs.save(writing, Visitor(customer_id=customer_id), "watch", {"case": "gold"}, {})
    sign_in(visitor)
    visitor.get("/account/designs")
    assert "€24,000" in visitor.text()
    assert "Add to bag" in visitor.text()
    assert catalog.published(session, "watch").from_price == 980_000


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


# -- what the house knows, and leaving -------------------------------------------------------------------------------


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


# -- the mailbox -----------------------------------------------------------------------------------------------------


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
