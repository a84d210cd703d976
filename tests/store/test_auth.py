"""Secrets: what proves a person, how often it may be tried, and that nothing works twice that should work once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from store import auth, db, people
from store.auth import LOCK_AFTER, Attempt, Credential, Signer, WebSession
from store.errors import ShopError
from tests.conftest import Clock

LIFE = timedelta(hours=1)


def staff_credential(session: Session) -> Credential:
    """A member of staff with a second factor."""
    staff = people.new_staff(session, "Aurèle", "aurele@example.com", "owner")
    credential = Credential(
        email=staff.email,
        staff_id=staff.id,
        password_hash="x",
        second_factor=auth.new_second_factor(),
        changed_at=db.now(),
    )
    session.add(credential)
    session.flush()
    return credential


# -- passwords -------------------------------------------------------------------------------------------------------


def test_a_password_is_checked_against_its_hash_only() -> None:
    kept = auth.hash_password("a quiet sentence")
    assert "quiet" not in kept
    assert auth.check_password("a quiet sentence", kept)
    assert not auth.check_password("a loud sentence", kept)


def test_no_hash_is_as_wrong_as_a_wrong_password() -> None:
    assert not auth.check_password("a quiet sentence", None)


# -- limits on trying ------------------------------------------------------------------------------------------------


def test_after_eight_tries_the_key_is_locked_and_opens_after_a_quarter_of_an_hour(
    session: Session, clock: Clock
) -> None:
    assert [auth.count_try(session, "k") for _ in range(LOCK_AFTER + 2)] == [True] * LOCK_AFTER + [False, False]
    clock.forward(minutes=14)
    assert not auth.count_try(session, "k"), "a try in between does not prolong the lock either"
    clock.forward(minutes=1, seconds=1)
    assert auth.count_try(session, "k")


def test_another_key_is_not_locked_with_it(session: Session) -> None:
    for _ in range(LOCK_AFTER + 1):
        auth.count_try(session, "k")
    assert auth.count_try(session, "other")


def test_a_right_secret_begins_the_count_anew(session: Session) -> None:
    for _ in range(LOCK_AFTER):
        auth.count_try(session, "k")
    auth.forget_tries(session, "k")
    assert session.get(Attempt, "k") is None
    assert auth.count_try(session, "k")


@pytest.mark.usefixtures("engine")
def test_of_twenty_tries_at_once_eight_are_let_through() -> None:
    def one_try(_number: int) -> bool:
        with db.transaction() as session:
            return auth.count_try(session, "k")

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one_try, range(20))) == LOCK_AFTER


def test_a_rate_is_refused_with_a_sentence_once_it_is_used_up() -> None:
    auth.forget_limits()
    auth.limit("2/minute", "sign-in", "10.0.0.1")
    auth.limit("2/minute", "sign-in", "10.0.0.1")
    with pytest.raises(ShopError) as refusal:
        auth.limit("2/minute", "sign-in", "10.0.0.1")
    assert refusal.value.status == 429
    auth.limit("2/minute", "sign-in", "10.0.0.2")


# -- the second factor -----------------------------------------------------------------------------------------------


def test_six_digits_open_once_and_the_last_ones_within_a_step_of_grace(session: Session, clock: Clock) -> None:
    credential = staff_credential(session)
    totp = pyotp.TOTP(credential.second_factor or "")
    code = totp.at(clock.moment)
    clock.forward(seconds=30)
    assert auth.use_second_factor(session, credential, f"{code[:3]} {code[3:]}")
    assert not auth.use_second_factor(session, credential, code), "used"
    clock.forward(seconds=90)
    assert not auth.use_second_factor(session, credential, totp.at(clock.moment - timedelta(seconds=60))), "too old"
    assert auth.use_second_factor(session, credential, totp.at(clock.moment))


def test_wrong_or_strange_codes_do_not_open(session: Session) -> None:
    credential = staff_credential(session)
    for code in ("", "abcdef", "12345", "000000000", "１２３４５６"):
        assert not auth.use_second_factor(session, credential, code)


def test_the_same_digits_from_two_places_at_once_open_one(engine: Engine) -> None:
    with db.transaction() as session:
        email = staff_credential(session).email
        code = pyotp.TOTP(session.get_one(Credential, email).second_factor or "").at(db.now())

    def enter(_number: int) -> bool:
        with db.transaction() as session:
            return auth.use_second_factor(session, session.get_one(Credential, email), code)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(enter, range(6))) == 1


def test_each_recovery_code_opens_once_and_new_ones_end_the_old(session: Session) -> None:
    credential = staff_credential(session)
    codes = auth.new_recovery_codes(credential)
    session.flush()
    assert len(set(codes)) == 8
    assert not any(
        code in str(credential.recovery) or code.replace("-", "") in str(credential.recovery) for code in codes
    )
    assert auth.use_recovery_code(session, credential, codes[3].upper())
    assert not auth.use_recovery_code(session, credential, codes[3])
    assert len(credential.recovery) == 7
    auth.new_recovery_codes(credential)
    session.flush()
    assert not auth.use_recovery_code(session, credential, codes[0])


# -- signed links ----------------------------------------------------------------------------------------------------


def test_a_signed_value_is_read_by_its_purpose_and_key_only(clock: Clock) -> None:
    token = Signer("key").sign("verify", ["cus_1", "a@example.com"])
    assert Signer("key").read("verify", token, LIFE) == ["cus_1", "a@example.com"]
    for signer, purpose, text in (
        (Signer("key"), "reset", token),
        (Signer("other"), "verify", token),
        (Signer("key"), "verify", token[:-2] + "xx"),
        (Signer("key"), "verify", ""),
        (Signer("key"), "verify", "é" * 40),
    ):
        with pytest.raises(ShopError) as refusal:
            signer.read(purpose, text, LIFE)
        assert (refusal.value.status, refusal.value.title) == (403, "Link not valid")
    clock.forward(hours=1, seconds=1)
    with pytest.raises(ShopError) as refusal:
        Signer("key").read("verify", token, LIFE)
    assert refusal.value.title == "Link expired"


# -- sessions --------------------------------------------------------------------------------------------------------


def test_an_ended_session_begins_anew_with_nothing_of_what_it_was(session: Session, clock: Clock) -> None:
    customer = people.new_customer(session, "a@example.com")
    row = auth.ensure_session(session, "ses_1")
    row.customer_id, row.purposes, row.consent_asked, row.state = customer.id, ["messages"], True, {"cart": "car_1"}
    session.flush()
    clock.forward(days=31)
    again = auth.ensure_session(session, "ses_1")
    assert (again.customer_id, again.purposes, again.consent_asked, again.state) == (None, [], False, {})
    assert again.expires_at == clock.moment + auth.SESSION_LIFE


def test_signing_out_everywhere_spares_one_session_and_other_people(session: Session) -> None:
    one, two = (people.new_customer(session, f"{name}@example.com") for name in "ab")
    for name, customer in (("here", one), ("there", one), ("other", two)):
        auth.ensure_session(session, name).customer_id = customer.id
    session.flush()
    auth.end_sessions(session, customer_id=one.id, but="here")
    session.expire_all()
    assert {name for name in ("here", "there", "other") if session.get(WebSession, name)} == {"here", "other"}
