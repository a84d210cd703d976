"""Proving who somebody is: sessions, passwords, signed links, second factor, and limits on trying."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import pyotp
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import and_, case, delete, or_, update
from sqlmodel import Field, Session, SQLModel, col

from store import db
from store.errors import ShopError

SESSION_LIFE = timedelta(days=30)
STAFF_SESSION_LIFE = timedelta(hours=12)
LOCK_AFTER = 8
LOCK_FOR = timedelta(minutes=15)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
RECOVERY_CODES = 8

# An Argon2 hash takes 0.1 s and 64 MB: at most two at once, so that a storm of sign-ins cannot stop the shop.
_hashing = threading.Semaphore(2)
_passwords = PasswordHash((Argon2Hasher(),))


class WebSession(SQLModel, table=True):
    """A browser's session; the row is made by the first thing worth keeping, never by a page view."""

    __tablename__ = "web_session"

    id: str = Field(primary_key=True)  # keyed hash of the cookie's token: a stolen table opens nothing
    created_at: datetime
    expires_at: datetime
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    purposes: list[str] = Field(default_factory=list, sa_type=db.Document)  # consent given by this browser
    consent_asked: bool = False
    state: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)  # work in progress: designs, cart id


class Credential(SQLModel, table=True):
    """How a customer or a member of staff signs in; one per e-mail address."""

    __tablename__ = "credential"

    email: str = Field(primary_key=True)
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    staff_id: str | None = Field(default=None, foreign_key="staff.id")
    password_hash: str
    second_factor: str | None = None  # TOTP secret
    second_factor_last: int | None = None  # the last time step used, so that a code works once
    recovery: list[str] = Field(default_factory=list, sa_type=db.Document)  # hashes of the unused recovery codes
    changed_at: datetime


class Attempt(SQLModel, table=True):
    """Tries to prove a secret, counted alike for addresses that exist and for those that do not."""

    __tablename__ = "attempt"

    key: str = Field(primary_key=True)  # keyed hash of what was tried: no address is kept
    tries: int
    at: datetime  # of the last try that was counted


# -- passwords -------------------------------------------------------------------------------------------------------


def hash_password(password: str) -> str:
    """Argon2id hash of a password."""
    with _hashing:
        return _passwords.hash(password[:LONGEST_PASSWORD])


def check_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed; takes as long when there is no hash, so that nobody learns which."""
    with _hashing:
        right = _passwords.verify(password[:LONGEST_PASSWORD], password_hash or _nobody_hash())
    return right and password_hash is not None


@lru_cache(maxsize=1)
def _nobody_hash() -> str:
    return _passwords.hash(db.new_secret())


# -- second factor ---------------------------------------------------------------------------------------------------


def new_second_factor() -> str:
    """A new TOTP secret."""
    return pyotp.random_base32()


def second_factor_uri(secret: str, account: str, issuer: str) -> str:
    """The address that an authenticator app reads from the QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))


def matching_step(secret: str, code: str) -> int | None:
    """The time step whose six digits these are: the present one or the one before."""
    step = int(db.now().timestamp()) // 30
    totp = pyotp.TOTP(secret)
    for candidate in (step, step - 1):
        if hmac.compare_digest(totp.at(candidate * 30).encode(), code.strip().replace(" ", "").encode()):
            return candidate
    return None


def use_second_factor(session: Session, credential: Credential, code: str) -> bool:
    """Whether the six digits are right now; each works once, also when two requests bring it together."""
    step = matching_step(credential.second_factor, code) if credential.second_factor else None
    if step is None:
        return False
    unused = or_(col(Credential.second_factor_last).is_(None), col(Credential.second_factor_last) < step)
    statement = update(Credential).where(col(Credential.email) == credential.email, unused)
    used = session.execute(statement.values(second_factor_last=step).returning(col(Credential.email))).first()
    return used is not None


def new_recovery_codes(credential: Credential) -> list[str]:
    """Fresh single-use codes for a lost device, replacing older ones; shown once, kept as hashes."""
    codes = ["".join(secrets.choice(db.ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    credential.recovery = [_recovery_hash(credential, code) for code in codes]
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def use_recovery_code(session: Session, credential: Credential, code: str) -> bool:
    """Whether this is an unused recovery code; it is used up."""
    session.refresh(credential, with_for_update=True)
    wanted = _recovery_hash(credential, code)
    if wanted not in credential.recovery:
        return False
    credential.recovery = [kept for kept in credential.recovery if kept != wanted]
    session.add(credential)
    session.flush()
    return True


def _recovery_hash(credential: Credential, code: str) -> str:
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"{credential.staff_id}:{plain}".encode()).hexdigest()


# -- signed links ----------------------------------------------------------------------------------------------------


class _ClockSigner(TimestampSigner):
    """Stamps by the shop's clock, so that a link ages with it."""

    def get_timestamp(self) -> int:
        return int(db.now().timestamp())


class Signer:
    """Signs values into links and cookies with the key of this shop; one purpose cannot serve another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, purpose: str, value: Any) -> str:
        """A URL-safe token for the value."""
        return str(self._serializer(purpose).dumps(value))

    def read(self, purpose: str, token: str, life: timedelta) -> Any:
        """The value of a token.

        Raises:
            ShopError: 403, the token is forged, of another purpose, or too old.
        """
        try:
            return self._serializer(purpose).loads(token, max_age=int(life.total_seconds()))
        except SignatureExpired as error:
            raise ShopError(403, "Link expired", "This link has expired. Please ask for a new one.") from error
        except BadSignature as error:
            raise ShopError(403, "Link not valid", "This link is not valid.") from error

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=purpose, signer=_ClockSigner)

    def digest(self, purpose: str, text: str) -> str:
        """A keyed hash: the same text gives the same digest, and nobody without the key can make it."""
        return hmac.new(self._secret.encode(), f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


# -- sessions --------------------------------------------------------------------------------------------------------


def ensure_session(session: Session, session_id: str) -> WebSession:
    """The session's row, made if it is not there; safe when two requests ask at once."""
    moment = db.now()
    known = session.get(WebSession, session_id)
    if known is None:
        fresh = WebSession(id=session_id, created_at=moment, expires_at=moment + SESSION_LIFE)
        if db.insert_once(session, WebSession, fresh.model_dump(), unique=("id",)) is not None:
            return db.attach(session, fresh)
        known = session.get_one(WebSession, session_id)
    if known.expires_at <= moment:  # ended: the same cookie begins anew, with nothing of what it was
        known.customer_id, known.staff_id, known.purposes, known.consent_asked, known.state = None, None, [], False, {}
        known.created_at, known.expires_at = moment, moment + SESSION_LIFE
        session.add(known)
    return known


def end_sessions(
    session: Session, *, customer_id: str | None = None, staff_id: str | None = None, but: str | None = None
) -> None:
    """Sign a person out everywhere, except in the session `but`."""
    owner = col(WebSession.customer_id) == customer_id if customer_id else col(WebSession.staff_id) == staff_id
    session.execute(delete(WebSession).where(owner, col(WebSession.id) != (but or "")))


def locked_session(session: Session, session_id: str) -> WebSession:
    """The session's row, made if needed and locked against the browser's other tabs."""
    row = ensure_session(session, session_id)
    db.lock(session, row)
    return row


# -- limits on trying ------------------------------------------------------------------------------------------------

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_SWEPT_EVERY = 60.0  # seconds after which counts that are over are forgotten


class _Counts:
    """When each key was tried within its window, in this process's memory.

    (The library for this starts a thread with every try, which costs more than all the rest of a small request.)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: dict[tuple[str, ...], deque[float]] = {}
        self._swept = 0.0

    def left(self, rate: str, key: tuple[str, ...], *, count: bool) -> bool:
        """Whether a rate is not used up; the try counts if it is one, and not when it is refused."""
        most, window = _rate(rate)
        now = time.monotonic()
        with self._lock:
            self._sweep(now)
            tries = self._tries.setdefault((rate, *key), deque())
            while tries and tries[0] <= now - window:
                tries.popleft()
            if len(tries) >= most:
                return False
            if count:
                tries.append(now)
            return True

    def forget(self) -> None:
        """Count from nought."""
        with self._lock:
            self._tries.clear()

    def _sweep(self, now: float) -> None:
        if now - self._swept >= _SWEPT_EVERY:
            self._swept = now
            over = [key for key, tries in self._tries.items() if not tries or tries[-1] <= now - _rate(key[0])[1]]
            for key in over:
                del self._tries[key]


@lru_cache(maxsize=256)
def _rate(text: str) -> tuple[int, int]:
    """How many tries in how many seconds: "10/minute"."""
    most, _, unit = text.partition("/")
    return int(most), _SECONDS[unit]


_counts = _Counts()


def limit(rate: str, *key: str) -> None:
    """Count a try against a rate such as "10/minute".

    Raises:
        ShopError: 429 when the rate is used up.
    """
    if not within(rate, *key):
        raise ShopError(429, "Too many tries", "Too many tries. Please wait a minute and try again.")


def within(rate: str, *key: str) -> bool:
    """Count a try against a rate; False when the rate is used up."""
    return _counts.left(rate, key, count=True)


def spent(rate: str, *key: str) -> bool:
    """Whether a rate is used up; does not count as a try."""
    return not _counts.left(rate, key, count=False)


def forget_limits() -> None:
    """Start all counts anew (tests)."""
    _counts.forget()


def count_try(session: Session, key: str) -> bool:
    """Count a try at a secret before it is checked; False while the key is locked.

    One statement, so that a hundred tries at once are a hundred counted tries. A locked key opens `LOCK_FOR` after its
    last counted try; tries in between do not prolong that.
    """
    moment = db.now()
    old = col(Attempt.at) < moment - LOCK_FOR
    locked = and_(col(Attempt.tries) >= LOCK_AFTER, ~old)
    statement = db.insert(session, Attempt).values(key=key, tries=1, at=moment)
    counted = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "tries": case((old, 1), else_=col(Attempt.tries) + 1),
            "at": case((locked, col(Attempt.at)), else_=moment),
        },
    ).returning(col(Attempt.tries))
    tries: int = session.execute(counted).scalar_one()
    return tries <= LOCK_AFTER


def forget_tries(session: Session, key: str) -> None:
    """The secret was right (or newly set): count from nought again."""
    session.execute(delete(Attempt).where(col(Attempt.key) == key))
