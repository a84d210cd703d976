"""Who is who, and what they consented to: proof joins, nothing else does, and a refusal wins."""

import pytest
from sqlmodel import Session, select

from store import auth, db, links, people
from store.auth import Signer, WebSession
from store.errors import ShopError
from store.events import Event, Visitor
from store.people import Consent, Customer, Identity
from tests.conftest import Clock


@pytest.fixture(autouse=True)
def _links() -> None:
    links.use_links("http://testserver", Signer("test"))


def proved(session: Session, email: str, name: str = "") -> Customer:
    """A customer with a proved address."""
    customer = people.new_customer(session, email, name)
    people.verify_email(session, customer, email)
    return customer


def answers(session: Session) -> list[tuple[str, bool, str]]:
    """Every stored answer in order of time; those of one moment by purpose."""
    rows = sorted(session.exec(select(Consent)), key=lambda row: (row.at, row.purpose))
    return [(row.purpose, row.granted, row.source) for row in rows]


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Camille@Example.COM ", "camille@example.com"),
        ("o'hara+x@sub.example.org", "o'hara+x@sub.example.org"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert people.normalise_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "camille", "@example.com", "a@", "a@b", "a@b..com", "a b@example.com", "a@example.com\nBcc: b@example.com",
     "<a@example.com>", "a@b@example.com", "a,b@example.com", f"{'a' * 65}@example.com", f"a@{'b' * 250}.com",
     "a\x00@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ShopError) as refusal:
        people.normalise_email(typed)
    assert refusal.value.status == 422


# -- identity --------------------------------------------------------------------------------------------------------


def test_proving_an_address_joins_the_guests_who_gave_it(session: Session) -> None:
    guests = [people.new_customer(session, "camille@example.com") for _ in range(2)]
    stranger = people.new_customer(session, "somebody@example.com")
    customer = people.new_customer(session, "camille@example.com", "Camille")
    verified = people.verify_email(session, customer, "camille@example.com")
    session.expire_all()
    assert verified.joined == tuple(sorted(guest.id for guest in guests))
    assert {guest.merged_into_id for guest in guests} == {customer.id}
    assert stranger.merged_into_id is None
    assert customer.verified_at is not None


def test_two_people_who_proved_an_address_never_become_one(session: Session) -> None:
    first = proved(session, "camille@example.com")
    second = people.new_customer(session, "camille@example.com")
    with pytest.raises(ShopError) as refusal:
        people.verify_email(session, second, "camille@example.com")
    assert refusal.value.status == 409
    assert [row.customer_id for row in session.exec(select(Identity))] == [first.id]
    assert second.verified_at is None


def test_proving_the_same_address_again_changes_nothing(session: Session) -> None:
    customer = proved(session, "camille@example.com")
    assert people.verify_email(session, customer, "camille@example.com").joined == ()
    assert len(session.exec(select(Identity)).all()) == 1


def test_a_guests_refusal_wins_over_the_accounts_consent(session: Session) -> None:
    customer = proved(session, "camille@example.com")
    people.answer_consent(session, Visitor(), people.PURPOSES, "account", customer_id=customer.id)
    guest = people.new_customer(session, "camille@example.com")
    people.answer_consent(session, Visitor(), ["personalisation"], "account", customer_id=guest.id)
    assert people.join_guests(session, customer.id, "camille@example.com") == (guest.id,)
    assert people.consents_of(session, customer.id) == {"personalisation"}


# -- consent ---------------------------------------------------------------------------------------------------------


def test_answers_are_appended_where_they_are_new_with_text_and_source(session: Session, clock: Clock) -> None:
    customer = proved(session, "camille@example.com")
    visitor = Visitor(session_id="ses_1", customer_id=customer.id)
    people.answer_consent(session, visitor, ["messages"], "privacy choices")
    clock.forward(days=1)
    people.answer_consent(session, visitor, ["messages"], "privacy choices")
    clock.forward(days=1)
    people.answer_consent(session, visitor, [], "privacy choices")
    assert answers(session) == [
        ("messages", True, "privacy choices"),
        ("personalisation", False, "privacy choices"),
        ("messages", False, "privacy choices"),
    ]
    assert {row.text_version for row in session.exec(select(Consent))} == {people.CONSENT_TEXT_VERSION}
    told = session.exec(select(Event).where(Event.customer_id == customer.id))
    assert sorted(row.kind for row in told) == ["consent-given"] + ["consent-withdrawn"] * 2


def test_a_visitors_answer_is_kept_by_the_browsers_session(session: Session) -> None:
    assert people.answer_consent(session, Visitor(session_id="ses_1"), ["messages"], "banner") == {"messages"}
    row = session.get_one(WebSession, "ses_1")
    assert (row.purposes, row.consent_asked) == (["messages"], True)
    assert all(
        consent.session_id == "ses_1" and consent.customer_id is None for consent in session.exec(select(Consent))
    )


def test_the_browsers_signal_stands_above_a_click(session: Session) -> None:
    visitor = Visitor(session_id="ses_1", opted_out=True)
    assert people.answer_consent(session, visitor, people.PURPOSES, "banner") == {"messages"}
    assert sorted(answers(session)) == [("messages", True, "banner"), ("personalisation", False, "browser signal")]


def test_an_unknown_purpose_is_never_granted(session: Session) -> None:
    assert people.answer_consent(session, Visitor(session_id="ses_1"), ["everything"], "banner") == frozenset()


def test_what_the_browser_refused_ends_for_the_account_at_sign_in(session: Session) -> None:
    customer = proved(session, "camille@example.com")
    people.answer_consent(session, Visitor(), people.PURPOSES, "account", customer_id=customer.id)
    unasked = Visitor(session_id="ses_1")
    assert people.carry_refusals(session, unasked, customer.id) == []
    declined = Visitor(session_id="ses_1", consents=frozenset({"messages"}), consent_asked=True)
    assert people.carry_refusals(session, declined, customer.id) == ["personalisation"]
    assert people.consents_of(session, customer.id) == {"messages"}


def test_the_signal_ends_personalisation_for_the_account_and_nothing_else(session: Session) -> None:
    customer = proved(session, "camille@example.com")
    people.answer_consent(session, Visitor(), people.PURPOSES, "account", customer_id=customer.id)
    assert people.carry_refusals(session, Visitor(opted_out=True), customer.id) == ["personalisation"]
    assert people.consents_of(session, customer.id) == {"messages"}


def test_messages_leave_only_with_consent_and_never_to_a_suppressed_address(session: Session) -> None:
    customer = proved(session, "camille@example.com")
    assert not people.may_write(session, customer.id, "messages")
    people.answer_consent(session, Visitor(), ["messages"], "account", customer_id=customer.id)
    assert people.may_write(session, customer.id, "messages")
    people.suppress(session, "camille@example.com", "account closed")
    people.suppress(session, "camille@example.com", "account closed")
    assert not people.may_write(session, customer.id, "messages")
    people.lift_suppression(session, "camille@example.com")
    assert people.may_write(session, customer.id, "messages")
    people.end_consent(session, customer.id, "messages", "unsubscribe")
    people.end_consent(session, customer.id, "messages", "unsubscribe")
    assert not people.may_write(session, customer.id, "messages")
    assert answers(session)[-1] == ("messages", False, "unsubscribe")
    assert len(answers(session)) == 3, "a second click changes nothing"


# -- staff -----------------------------------------------------------------------------------------------------------


def test_staff_have_one_of_the_roles(session: Session) -> None:
    with pytest.raises(ShopError) as refusal:
        people.new_staff(session, "Eve", "eve@example.com", "king")
    assert refusal.value.status == 422
    assert people.new_staff(session, "Ada", "Ada@Example.com", "advisor").email == "ada@example.com"


def test_a_session_needs_no_customer_to_answer(session: Session) -> None:
    people.answer_consent(session, Visitor(session_id="ses_9"), [], "banner")
    assert auth.ensure_session(session, "ses_9").consent_asked
    assert db.now() < session.get_one(WebSession, "ses_9").expires_at
