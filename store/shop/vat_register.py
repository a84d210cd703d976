"""The Union's register of VAT IDs over HTTP: valid, invalid, or it could not be reached."""

from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from store.settings import Settings

TIMEOUT = 20.0  # seconds; it asks the member state in turn
ANSWERED = ("", "VALID", "INVALID")  # what it calls an enquiry that the member state answered


@dataclass(frozen=True)
class Answer:
    """What the register says; `reference` is its own, the proof that it was asked."""

    valid: bool
    reference: str = ""


class RegisterUnavailableError(Exception):
    """The register, or the member state behind it, did not answer; why stands in its one argument."""


class Register(Protocol):
    """Who knows which VAT IDs are valid."""

    def check(self, vat_id: str) -> Answer:
        """Ask about a VAT ID with its prefix.

        Raises:
            RegisterUnavailableError: there is no answer now; ask again later.
        """
        ...


class UnionRegister:
    """The register over its REST address; one address for tests and one for production, one way to read it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def check(self, vat_id: str) -> Answer:
        """As `Register.check`; whatever is not a clear yes or no is no answer."""
        body = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        try:
            with httpx2.Client(timeout=TIMEOUT, follow_redirects=False) as client:
                response = client.post(self._url, json=body)
                said: Any = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise RegisterUnavailableError(type(error).__name__) from error
        if not isinstance(said, dict) or response.status_code != httpx2.codes.OK:
            raise RegisterUnavailableError(_problem(said) or f"HTTP {response.status_code}")
        if not isinstance(said.get("valid"), bool) or str(said.get("userError") or "") not in ANSWERED:
            raise RegisterUnavailableError(_problem(said) or str(said.get("userError") or "no clear answer")[:60])
        return Answer(said["valid"], str(said.get("requestIdentifier") or "")[:60])


def _problem(said: Any) -> str:
    """The register's own word for what went wrong, such as MS_UNAVAILABLE."""
    try:
        return str(said["errorWrappers"][0]["error"])[:60]
    except (KeyError, IndexError, TypeError):
        return ""


def register_of(settings: Settings) -> Register | None:
    """The register that this shop asks; none in test mode, unless one on loopback is named."""
    return UnionRegister(settings.vat_register_url) if settings.vat_register_url else None
