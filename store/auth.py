"""Proving who somebody is: sessions, passwords, signed links, second factor, and limits on trying."""

import hashlib
import hmac
import threading
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import pyotp
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Field, Session, SQLModel

from store import db
from store.errors import ShopError

SESSION_LIFE = timedelta(days=30)
LOCK_AFTER = 8
LOCK_FOR = timedelta(minutes=15)
LONGEST_PASSWORD = 200

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
    failures: int = 0
    locked_until: datetime | None = None
    changed_at: datetime


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


def check_second_factor(credential: Credential, code: str) -> bool:
    """Whether the six digits are right now (one step of grace) and were not used before; marks them used."""
    if not credential.second_factor:
        return False
    step = int(db.now().timestamp()) // 30
    totp = pyotp.TOTP(credential.second_factor)
    for candidate in (step, step - 1):
        if candidate <= (credential.second_factor_last or 0):
            continue
        if hmac.compare_digest(totp.at(candidate * 30), code.strip()):
            credential.second_factor_last = candidate
            return True
    return False


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
    row = {
        "id": session_id,
        "created_at": moment,
        "expires_at": moment + SESSION_LIFE,
        "purposes": [],
        "consent_asked": False,
        "state": {},
    }
    session.execute(db.insert(session, WebSession).values(**row).on_conflict_do_nothing(index_elements=["id"]))
    return session.get_one(WebSession, session_id)


# -- limits on trying ------------------------------------------------------------------------------------------------

_limiter = MovingWindowRateLimiter(MemoryStorage())


def limit(rate: str, *key: str) -> None:
    """Count a try against a rate such as "10/minute".

    Raises:
        ShopError: 429 when the rate is used up.
    """
    if not _limiter.hit(parse(rate), *key):
        raise ShopError(429, "Too many tries", "Too many tries. Please wait a minute and try again.")


def forget_limits() -> None:
    """Start all counts anew (tests)."""
    _limiter.storage.reset()
