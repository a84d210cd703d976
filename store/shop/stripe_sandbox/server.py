"""Puts the sandbox together as one HTTP server on loopback and runs it until it is told to stop."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from store.shop.stripe_sandbox import api, faults, pay_page
from store.shop.stripe_sandbox.keys import HOST, PORT_NOTE
from store.shop.stripe_sandbox.ledger import FILE_NAME, Ledger
from store.shop.stripe_sandbox.problems import StripeProblem
from store.shop.stripe_sandbox.sandbox import Sandbox
from store.shop.stripe_sandbox.webhooks import Address, Courier

READY = "ready "  # what the process writes, with its address, once it answers


class _ControlKey:
    """Asks for the API key on the control path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        box: Sandbox = scope["app"].state.box
        api.check_key(box, Request(scope).headers.get("authorization", ""))
        await self.app(scope, receive, send)


class _Transport:
    """Leaves the connection in the scope, so that a test can have it cut."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # uvicorn hands the bound method of its request cycle, which alone knows the connection
            scope[faults.TRANSPORT] = send.__self__.transport  # type: ignore[attr-defined]
        await self.app(scope, receive, send)


async def _problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, StripeProblem):
        raise error
    return JSONResponse(error.body, error.status)


def _end_with_courier(delivering: asyncio.Task[None]) -> None:
    """A sandbox that tells nothing is worse than none: let the process end, so that it is started afresh."""
    if not delivering.cancelled() and (error := delivering.exception()):
        traceback.print_exception(error)
        os._exit(1)


def build(box: Sandbox, courier: Courier) -> ASGIApp:
    """The whole application: API, pay page and knobs."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        delivering = asyncio.create_task(courier.run())
        delivering.add_done_callback(_end_with_courier)
        sys.stdout.write(f"{READY}{box.base_url}\n")
        sys.stdout.flush()
        yield
        delivering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await delivering

    control = Mount("/_sandbox", routes=faults.routes(), middleware=[])
    app = Starlette(
        routes=[*api.routes(), *pay_page.routes(), Mount("/_sandbox", app=_ControlKey(control.app))],
        exception_handlers={StripeProblem: _problem},
        lifespan=lifespan,
    )
    app.state.box = box
    app.state.faults = faults.Faults()
    return _Transport(app)


def _listen(data_dir: Path, port: int) -> socket.socket:
    """The port asked for; for 0 the one used last on this data directory, else any free one.

    Keeping the port keeps the pay pages' addresses good over a restart.
    """
    note = data_dir / PORT_NOTE
    wishes = [port] if port else [*(json.loads(note.read_text()) if note.exists() else []), 0]
    for wish in wishes:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wish))
        except OSError:
            listener.close()
            if wish == wishes[-1]:
                raise
            continue
        listener.listen(128)
        note.write_text(json.dumps([listener.getsockname()[1]]))
        return listener
    raise AssertionError("the last wish is bound or raised")


def _die_with_parent(server: uvicorn.Server) -> None:
    """Stop when standard input ends: the parent holds its other end and cannot die without letting go of it."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1_024):
            pass
        server.should_exit = True

    threading.Thread(target=watch, name="parent", daemon=True).start()


def serve(
    data_dir: Path,
    port: int,
    webhook_url: str,
    webhook_secret: str,
    api_key: str,
    *,
    merchant: str = "Atelier",
    with_parent: bool = False,
) -> None:
    """Run the sandbox in this process until it is told to stop.

    Args:
        data_dir: where its state lives.
        port: on loopback; 0 takes the last one used here, or a free one.
        webhook_url: where the shop takes events.
        webhook_secret: signs them.
        api_key: what the shop must show.
        merchant: the house's name on the pay page.
        with_parent: stop as soon as standard input ends.

    Raises:
        OSError: the port asked for is taken.
    """
    listener = _listen(data_dir, port)
    ledger = Ledger(data_dir / FILE_NAME)
    box = Sandbox(ledger, f"http://{HOST}:{listener.getsockname()[1]}", merchant, api_key)
    app = build(box, Courier(box, Address(webhook_url, webhook_secret)))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    if with_parent:
        _die_with_parent(server)
    try:
        server.run(sockets=[listener])
    finally:
        ledger.close()
