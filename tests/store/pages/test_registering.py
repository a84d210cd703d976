"""Opening an account: nothing is known before the address is proved, and nothing is told to anybody else."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from store import db, people
from store.accounts import registration
from store.accounts.registration import Registration
from store.auth import Credential
from store.errors import ShopError
from store.events import Event, Visitor
from store.mail import Message
from store.people import Customer
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.pages.door import EMAIL, NAME, PASSWORD, account, count, link_in, mails, register, token_of

pytestmark = pytest.mark.usefixtures("door_open")


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


def test_a_link_pressed_many_times_at_once_makes_one_account(visitor: PageBrowser) -> None:
    register(visitor)
    with db.transaction(read_only=True) as session:
        wish_id = session.exec(select(Registration)).one().id

    def press(_number: int) -> str:
        try:
            with db.transaction() as session:
                wish = session.get_one(Registration, wish_id)
                return registration.confirm(session, Visitor(session_id="ses_1"), wish).email
        except ShopError as refusal:
            return str(refusal.status)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(press, range(6))) == ["403"] * 5 + [EMAIL]
    assert (count(Customer), count(Credential), len(mails("welcome"))) == (1, 1, 1)
