"""The `/v1` calls that the sandbox answers: who may ask, idempotency keys, the endpoints, and what is expanded."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from store.shop.stripe_sandbox import endpoints
from store.shop.stripe_sandbox.endpoints import Answer, Endpoint
from store.shop.stripe_sandbox.expand import expanded
from store.shop.stripe_sandbox.faults import CutConnection, Faults
from store.shop.stripe_sandbox.params import LARGEST_REQUEST, decode
from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import API_VERSION, Sandbox


@dataclass(frozen=True)
class Call:
    """One request to the API, read completely."""

    method: str
    path: str
    path_params: Mapping[str, str]
    encoded: str
    authorization: str
    idempotency_key: str

    @property
    def fingerprint(self) -> str:
        """The same for a repeated call only."""
        return hashlib.sha256(f"{self.method} {self.path} {self.encoded}".encode()).hexdigest()


def check_key(box: Sandbox, authorization: str) -> None:
    """Refuse a caller without the sandbox's own key."""
    given = authorization.removeprefix("Bearer ").strip()
    if not given:
        raise StripeProblem(401, "You did not provide an API key.")
    if not hmac.compare_digest(given.encode(), box.api_key.encode()):
        shown = f"{given[:8]}{'*' * 8}{given[-4:]}"
        raise StripeProblem(401, f"Invalid API Key provided: {shown}")


def answer(box: Sandbox, call: Call, endpoint: Endpoint) -> tuple[int, str, bool]:
    """Carry out one call in one transaction: status, JSON body, and whether it is a repetition's."""
    try:
        check_key(box, call.authorization)
        if len(call.encoded) > LARGEST_REQUEST:
            raise StripeProblem(413, "The request is too large.")
        params = decode(call.encoded)
        with box.ledger.transaction():
            return _answer_once(box, call, endpoint, params)
    except StripeProblem as problem:
        return problem.status, _json(problem.body), False


def _answer_once(box: Sandbox, call: Call, endpoint: Endpoint, params: dict[str, Any]) -> tuple[int, str, bool]:
    key = call.idempotency_key if call.method == "POST" else ""
    if len(key) > 255:
        raise StripeProblem(400, "Idempotency keys can have at most 255 characters.", kind="idempotency_error")
    first = box.ledger.remembered(key) if key else None
    if first and first[0] != call.fingerprint:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise StripeProblem(400, message, kind="idempotency_error")
    if first:
        return first[1], first[2], True
    done: Answer = endpoint(box, params, call.path_params)
    body = _json(expanded(box, done.body, params.get("expand", [])) if done.status == 200 else done.body)
    if key:
        box.ledger.remember(key, call.fingerprint, done.status, body)
    return done.status, body, False


def _json(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        box: Sandbox = request.app.state.box
        faults: Faults = request.app.state.faults
        call = Call(
            method=request.method,
            path=request.url.path,
            path_params=request.path_params,
            encoded=(await request.body()).decode("utf-8", "replace") if method == "POST" else request.url.query,
            authorization=request.headers.get("authorization", ""),
            idempotency_key=request.headers.get("idempotency-key", ""),
        )
        fault = faults.take(call.method, call.path)
        if fault and (broken := await fault.before()):
            return broken
        status, body, replayed = await run_in_threadpool(answer, box, call, endpoint)
        if fault and fault.kind == "cut":
            return CutConnection()
        headers = {
            "request-id": f"req_{secrets.token_hex(7)}",
            "stripe-version": request.headers.get("stripe-version", API_VERSION),
        }
        if call.idempotency_key:
            headers["idempotency-key"] = call.idempotency_key
        if replayed:
            headers |= {"idempotent-replayed": "true"}
        return Response(body, status, headers, "application/json")

    handler: Callable[[Request], Awaitable[Response]] = respond
    return Route(path, handler, methods=[method])


def _unknown(_box: Sandbox, _params: dict[str, Any], path: Mapping[str, str]) -> Answer:
    raise StripeProblem(404, f"Unrecognized request URL (/v1/{path['rest']}): the sandbox does not know this call.")


def routes() -> list[Route]:
    """Every call of the API, the unknown ones last."""
    known = [_route(method, path, endpoint) for method, path, endpoint in endpoints.ALL]
    return [*known, *(_route(method, "/v1/{rest:path}", _unknown) for method in ("GET", "POST", "DELETE"))]
