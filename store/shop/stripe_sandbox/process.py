"""Starts the sandbox as a child of the shop, sees to it that it lives as long as the shop and no longer."""

import http.client
import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from store.errors import SettingsError
from store.settings import ROOT
from store.shop.stripe_sandbox.keys import HOST, PORT_NOTE, SandboxKeys, sandbox_keys

READY = "ready "
START_TIMEOUT = 30.0  # seconds


class SandboxFailed(SettingsError):  # noqa: N818 — the name says what happened
    """The sandbox did not come up; the message says what it wrote last."""


@dataclass(frozen=True)
class _Order:
    """How the child was asked for, so that it can be asked for again."""

    data_dir: Path
    webhook_url: str
    merchant: str


def running(data_dir: Path) -> str | None:
    """The address of the sandbox that runs over this data directory, if one answers to our key."""
    note = data_dir / PORT_NOTE
    if not note.exists():
        return None
    port = json.loads(note.read_text())[0]
    line = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        line.request("GET", "/v1/events?limit=1", headers={"Authorization": f"Bearer {sandbox_keys(data_dir).api_key}"})
        answers = line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        answers = False
    finally:
        line.close()
    return f"http://{HOST}:{port}" if answers else None


class SandboxProcess:
    """The running child. A child that dies unasked is started again on the same port."""

    def __init__(self, order: _Order, port: int) -> None:
        self._order = order
        self._stopping = threading.Event()
        self._child, self.url = _launch(order, port)
        self._watcher = threading.Thread(target=self._watch, name="stripe-sandbox", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        """The child's process id; another one after it had to be started again."""
        return self._child.pid

    @property
    def keys(self) -> SandboxKeys:
        """The keys of its data directory."""
        return sandbox_keys(self._order.data_dir)

    def stop(self) -> None:
        """End the child and wait for it."""
        self._stopping.set()
        _let_go(self._child)
        self._watcher.join(timeout=10)

    def _watch(self) -> None:
        wait = 0.1
        while True:
            self._child.wait()
            _let_go(self._child)
            if self._stopping.wait(wait):
                return
            wait = min(wait * 2, 10.0)
            try:
                self._child, _ = _launch(self._order, urlsplit(self.url).port or 0)
            except SandboxFailed as error:
                sys.stderr.write(f"{error}\n")
                continue
            if self._stopping.is_set():
                _let_go(self._child)
                return
            wait = 0.1


def start(data_dir: Path, webhook_url: str, *, port: int = 0, merchant: str = "Atelier") -> SandboxProcess:
    """Start the sandbox and wait until it answers.

    Args:
        data_dir: where it keeps its state and its keys.
        webhook_url: the shop's own `/webhooks/stripe`.
        port: on loopback; 0 takes the last one used on this data directory, or a free one.
        merchant: the house's name on the pay page.

    Returns:
        The running child; hand `.url` to the shop's workers as `STRIPE_SANDBOX_URL`.

    Raises:
        SandboxFailed: it did not come up.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    return SandboxProcess(_Order(data_dir, webhook_url, merchant), port)


def _launch(order: _Order, port: int) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "store.shop.stripe_sandbox", "--data-dir", str(order.data_dir)]
    command += ["--port", str(port), "--webhook-url", order.webhook_url, "--merchant", order.merchant, "--with-parent"]
    child = subprocess.Popen(  # noqa: S603 — our own interpreter and module
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is the parent's to handle: the child follows when the parent is done
    )
    first = _first_line(child)
    if not first.startswith(READY):
        child.kill()
        child.wait()
        _let_go(child)
        raise SandboxFailed(f"The payment sandbox did not start (it said {first!r}).")
    return child, first.removeprefix(READY).strip()


def _first_line(child: subprocess.Popen[str]) -> str:
    """The child's first line, or nothing when it dies or takes too long."""
    heard: queue.Queue[str] = queue.Queue()
    output: IO[str] | None = child.stdout
    if output is None:
        return ""
    threading.Thread(target=lambda: heard.put(output.readline()), daemon=True).start()
    try:
        return heard.get(timeout=START_TIMEOUT)
    except queue.Empty:
        return ""


def _let_go(child: subprocess.Popen[str]) -> None:
    """Close our ends of the pipes, which tells the child to stop, and wait for its end."""
    if child.stdin and not child.stdin.closed:
        child.stdin.close()
    deadline = time.monotonic() + 5
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if child.poll() is None:
        child.kill()
        child.wait()
    if child.stdout and not child.stdout.closed:
        child.stdout.close()
