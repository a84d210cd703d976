"""Addresses of our own pages as they stand in mails, signed where the link alone must open something."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from store.auth import Signer


@dataclass(frozen=True)
class _Links:
    public_url: str
    signer: Signer


_links: _Links | None = None


def use_links(public_url: str, signer: Signer) -> None:
    """Say once where the shop is reached and whose key signs its links."""
    global _links
    _links = _Links(public_url, signer)


def absolute(path: str, **query: str) -> str:
    """The whole address of one of our paths."""
    return _known().public_url + path + (f"?{urlencode(query)}" if query else "")


def signed(path: str, purpose: str, value: Any) -> str:
    """The whole address of a path with a signed value in `token`; only the same purpose reads it."""
    return absolute(path, token=_known().signer.sign(purpose, value))


def read(purpose: str, token: str, life: timedelta) -> Any:
    """The value of a signed link.

    Raises:
        ShopError: 403, the token is forged, of another purpose, or too old.
    """
    return _known().signer.read(purpose, token, life)


def digest(purpose: str, text: str) -> str:
    """A keyed hash of the text, by the key that signs the links."""
    return _known().signer.digest(purpose, text)


def _known() -> _Links:
    if _links is None:
        raise RuntimeError("the shop's address is not set; call links.use_links first")
    return _links
