"""The knobs for tests: faulty answers, webhooks held back, doubled or shuffled, and the sandbox's clock."""

import asyncio
import fnmatch
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import Sandbox

TRANSPORT = "sandbox.transport"  # where server.py leaves the connection in the scope
# knob → its type; all are kept in the ledger, so that they outlive a restart
WEBHOOK_KNOBS = {
    "webhook_hold": bool,  # send nothing
    "webhook_delay": float,  # seconds before the first attempt
    "webhook_duplicates": int,  # further copies of each event
    "webhook_reorder": bool,  # newest first
    "webhook_retry": float,  # seconds before the first repetition; doubled each time
}


@dataclass
class Fault:
    """What shall go wrong with the next calls that match."""

    match: str  # "POST /v1/checkout/sessions*"
    kind: Literal["delay", "error", "cut"]
    times: int
    seconds: float

    async def before(self) -> Response | None:
        """Wait, or answer 500 without having done anything; cutting comes after the call was carried out."""
        if self.kind == "delay":
            await asyncio.sleep(self.seconds)
        if self.kind == "error":
            problem = StripeProblem(500, "An unknown error occurred (asked for by a test).", kind="api_error")
            return JSONResponse(problem.body, problem.status)
        return None


class Faults:
    """The faults still to come; they end with the process."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault happen."""
        self._coming.append(fault)

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._coming.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, used up once."""
        for fault in self._coming:
            if fnmatch.fnmatchcase(f"{method} {path}", fault.match):
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                return fault
        return None


class CutConnection(Response):
    """No answer at all: the connection is dropped after the call was carried out and committed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 — the ASGI signature
        """Drop the connection and wait until the server has noticed."""
        scope[TRANSPORT].abort()
        await asyncio.sleep(0.01)


async def _faults(request: Request) -> Response:
    faults: Faults = request.app.state.faults
    if request.method == "DELETE":
        faults.clear()
    else:
        wanted = await request.json()
        kind = wanted["kind"]
        if kind not in ("delay", "error", "cut"):
            raise StripeProblem(400, f"Unknown fault: {kind}")
        faults.add(Fault(wanted["match"], kind, int(wanted.get("times", 1)), float(wanted.get("seconds", 0))))
    return JSONResponse({})


async def _knobs(request: Request) -> Response:
    box: Sandbox = request.app.state.box
    wanted: dict[str, Any] = await request.json()
    unknown = sorted(set(wanted) - set(WEBHOOK_KNOBS) - {"clock_ahead"})
    if unknown:
        raise StripeProblem(400, f"Unknown knob: {', '.join(unknown)}")

    def turn() -> None:
        with box.ledger.transaction():
            for name, value in wanted.items():
                box.ledger.set(name, WEBHOOK_KNOBS.get(name, int)(value))

    await run_in_threadpool(turn)
    return JSONResponse({})


async def _deliveries(request: Request) -> Response:
    box: Sandbox = request.app.state.box
    return JSONResponse(await run_in_threadpool(box.ledger.deliveries))


def routes() -> list[Route]:
    """The control path; it asks for the API key like everything else."""
    return [
        Route("/faults", _faults, methods=["POST", "DELETE"]),
        Route("/knobs", _knobs, methods=["POST"]),
        Route("/deliveries", _deliveries, methods=["GET"]),
    ]
