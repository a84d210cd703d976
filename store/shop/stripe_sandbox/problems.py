"""Refusals in the shape that Stripe gives them, so that the real SDK raises its own exceptions."""

from typing import Any


class StripeProblem(Exception):  # noqa: N818 — Stripe's side of a refusal, not an error of ours
    """A refused call: nothing of it is kept, and its idempotency key stays free."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code:
            self.error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param:
            self.error["param"] = param

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": self.error}


def missing(param: str) -> StripeProblem:
    """The refusal for a required parameter that was not sent."""
    return StripeProblem(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def wrong(param: str, message: str, code: str | None = None) -> StripeProblem:
    """The refusal for a parameter whose value cannot be used."""
    return StripeProblem(400, message, code=code, param=param)


def no_such(kind: str, reference: str, param: str = "id") -> StripeProblem:
    """The refusal for an object that does not exist."""
    return StripeProblem(404, f"No such {kind}: '{reference}'", code="resource_missing", param=param)


def card_error(code: str, message: str, decline_code: str | None = None) -> dict[str, Any]:
    """The error object of a payment that the card's bank or its holder did not let through."""
    error: dict[str, Any] = {"type": "card_error", "code": code, "message": message}
    error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    if decline_code:
        error["decline_code"] = decline_code
    return error
