"""The sandbox as a child of the shop: it lives exactly as long as its parent."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from store.shop.stripe_sandbox import start
from store.shop.stripe_sandbox.process import SandboxFailed
from tests.store.shop.payment_rig import eventually

NOWHERE = "http://127.0.0.1:9/webhooks/stripe"
PARENT = """
import sys, time
from pathlib import Path
from store.shop.stripe_sandbox import start
sandbox = start(Path(sys.argv[1]), "http://127.0.0.1:9/webhooks/stripe")
print(sandbox.pid, flush=True)
time.sleep(60)
"""


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look at processes")
def test_the_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert _alive(child)

        os.kill(parent.pid, signal.SIGKILL)

        parent.wait()
        eventually(lambda: not _alive(child))


def test_a_restart_keeps_the_address_so_that_open_pay_pages_stay_good(tmp_path: Path) -> None:
    first = start(tmp_path, NOWHERE)
    first.stop()

    second = start(tmp_path, NOWHERE)

    assert second.url == first.url
    second.stop()


def test_a_port_taken_meanwhile_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    first = start(tmp_path, NOWHERE)
    first.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(first.url.rsplit(":", 1)[1])))
        other.listen()

        second = start(tmp_path, NOWHERE)

        assert second.url != first.url
        assert httpx2.get(f"{second.url}/style.css", trust_env=False).status_code == 200
        second.stop()


def test_a_port_asked_for_that_is_taken_is_said_in_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(SandboxFailed, match="did not start"):
            start(tmp_path, NOWHERE, port=port)

    assert f"The payment sandbox cannot use port {port} of 127.0.0.1: Address already in use." in capfd.readouterr().err


def test_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    sandbox = start(tmp_path, NOWHERE)
    pid = sandbox.pid

    sandbox.stop()

    assert not _alive(pid)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{sandbox.url}/style.css", trust_env=False)


def test_it_never_runs_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_ENV", "production")

    with pytest.raises(SandboxFailed):
        start(tmp_path, NOWHERE)

    assert "never runs with APP_ENV=production" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
