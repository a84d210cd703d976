"""What a person does at the shop's door, for the tests of accounts."""

import re

from sqlmodel import select

from store import accounts, auth, db, mail, people
from store.mail import Message
from tests.browsers import PageBrowser

EMAIL, PASSWORD, NAME = "camille@example.com", "a quiet sentence of mine", "Camille Arnaud"


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
