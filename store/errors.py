"""The shop's own errors: each carries the sentence a person will read."""

from collections.abc import Mapping
from typing import Any


class SettingsError(Exception):
    """The shop cannot start with these settings; the message says what to change."""


class ShopError(Exception):
    """An expected refusal, rendered as a page, a partial or an RFC 9457 problem.

    Args:
        status: HTTP status.
        title: a short name of the problem, the same for every occurrence.
        detail: one sentence for the person who meets it.
        extra: further members of the JSON problem (facts, never personal data).
    """

    def __init__(self, status: int, title: str, detail: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.extra = dict(extra or {})


class SignInNeededError(ShopError):
    """The page belongs to somebody who is signed in; the asker is brought to the sign-in page and back."""

    def __init__(self, detail: str = "Please sign in; you will then be back where you were.") -> None:
        super().__init__(401, "Please sign in", detail)


def not_found(what: str) -> ShopError:
    """The 404 for a thing that is not there or is not the asker's to see."""
    return ShopError(404, "Not found", f"We could not find that {what}.")


def refused(detail: str, title: str = "Not possible") -> ShopError:
    """The 409 for a request that is well formed and cannot be carried out now."""
    return ShopError(409, title, detail)


def invalid(detail: str, **extra: Any) -> ShopError:
    """The 422 for input that does not have the form asked for."""
    return ShopError(422, "Please check what you entered", detail, extra)


def forbidden(detail: str) -> ShopError:
    """The 403 for somebody else's thing or a request from elsewhere."""
    return ShopError(403, "Not allowed", detail)
