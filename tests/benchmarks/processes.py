"""Starts servers as processes of their own and reads what they cost."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A running server; `ready_seconds` is from its start to its first good answer."""

    url: str
    pid: int
    ready_seconds: float

    def web_pids(self) -> list[int]:
        """The process and its uvicorn workers, without the payment sandbox."""
        return [pid for pid in (self.pid, *_descendants(self.pid)) if b"stripe_sandbox" not in _command(pid)]

    def cpu_seconds(self) -> float:
        """CPU spent so far by the web processes."""
        return sum(_ticks(pid) for pid in self.web_pids()) / TICKS

    def memory_megabytes(self) -> float:
        """Memory of the web processes; shared pages are counted once, in shares (PSS)."""
        return sum(_pss_kilobytes(pid) for pid in self.web_pids()) / 1024


@contextmanager
def shop(workers: int = 1, demo: bool = False, data_dir: Path | None = None) -> Iterator[Server]:
    """The shop, served on a free port from a data directory of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        port = free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "DATA_DIR": str(data_dir or scratch),
            "DEMO": "on" if demo else "off",
        }
        command = [sys.executable, "main.py", "serve", "--port", str(port), "--workers", str(workers)]
        with running(command, environment, f"http://127.0.0.1:{port}", "/healthz") as server:
            yield server


@contextmanager
def running(command: list[str], environment: dict[str, str], url: str, ready_path: str) -> Iterator[Server]:
    """A process until the block ends; waits for its first good answer."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                if httpx2.get(url + ready_path, timeout=5).status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            if process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.02)
        yield Server(url, process.pid, time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
