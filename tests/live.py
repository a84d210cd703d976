"""The shop as a person meets it: a real server on loopback, the payment sandbox as its child, a worker, a browser."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from main import create_app, make_workers
from store import db
from store.settings import read_settings
from store.shop import stripe_sandbox
from store.tasks import Worker

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-3d-apis",  # pages show their stills; the viewer has tests of its own, which draw in software
)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 30_000  # milliseconds: two cores may be busy with the rest of the suite

expect.set_options(timeout=PATIENCE)


@dataclass
class LiveShop:
    """A shop that answers at `url`; its worker is driven by hand, so that nothing happens unasked."""

    url: str
    worker: Worker
    sandbox: stripe_sandbox.SandboxProcess
    sandbox_key: str
    ahead: timedelta = timedelta()

    def live_on(self, by: timedelta) -> None:
        """Move the clocks of the shop and of the payment sandbox forward together."""
        db.shift_clock(by)
        self.ahead += by
        knobs = {"clock_ahead": int(self.ahead.total_seconds())}
        headers = {"Authorization": f"Bearer {self.sandbox_key}"}
        httpx2.post(f"{self.sandbox.url}/_sandbox/knobs", json=knobs, headers=headers).raise_for_status()


@contextmanager
def live_shop(database_url: str, data_dir: Path) -> Iterator[LiveShop]:
    """Serve the shop on a free port in a thread of this process, so that its clock can be moved."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    data_dir.mkdir(parents=True, exist_ok=True)
    sandbox = stripe_sandbox.start(data_dir, f"{url}/webhooks/stripe", merchant="Maison Aurèle")
    environment = {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        "PUBLIC_URL": url,
        "STRIPE_SANDBOX_URL": sandbox.url,
    }
    settings = read_settings(environment)
    engine = db.make_engine(database_url)
    db.use_engine(engine)
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, name="live-shop")
    thread.start()
    shop = LiveShop(url, make_workers(settings)[0], sandbox, stripe_sandbox.sandbox_keys(data_dir).api_key)
    try:
        _wait_until(lambda: server.started)
        yield shop
    finally:
        db.shift_clock(-shop.ahead)  # the next shop of this process lives today again, as its sandbox does
        server.should_exit = True
        thread.join(timeout=20)
        sandbox.stop()
        engine.dispose()


@contextmanager
def chromium(switches: Sequence[str] = SWITCHES) -> Iterator[Browser]:
    """Debian's Chromium, headless; the test is skipped where there is none, unless REQUIRE_BROWSER is set."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        reason = "no Chromium on this machine (apt-get install chromium)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(switches))
        yield browser
        browser.close()


def new_page(context: BrowserContext) -> Page:
    """A page that fails its test when a script fails or something is loaded from elsewhere."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"script error on {page.url}: {error}"))
    return page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the shop did not start")
        time.sleep(0.02)
