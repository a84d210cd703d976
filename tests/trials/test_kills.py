"""kill −9 under load: every order that was acknowledged is there afterwards, none twice, and the stock adds up."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text

from tests.benchmarks.processes import ROOT, free_port
from tests.databases import PostgresTemplates, SqliteTemplates

pytestmark = pytest.mark.trial

KILLS = 3 if os.environ.get("QUICK") else 10
BUYERS = 8
ADDRESS = {"name": "Ada", "line1": "1 rue", "city": "Paris", "postal_code": "75001", "country": "FR"}
SLUG = "strap-calf-navy"


@dataclass
class Ledger:
    """What the buyers were told: order numbers by idempotency key."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    server_errors: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def served(data_dir: Path, port: int, database_url: str, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": database_url, "DEMO": "off"}
    command = [sys.executable, "main.py", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def buy(url: str, ledger: Ledger, until: float) -> None:
    """Order again and again; what the server does not answer is not counted."""
    with httpx2.Client(base_url=url, timeout=10) as client:
        while time.monotonic() < until:
            key = uuid.uuid4().hex
            try:
                cart = client.post("/api/carts").json()["id"]
                client.post(f"/api/carts/{cart}/lines", json={"slug": SLUG, "quantity": 1})
                total = client.get(f"/api/carts/{cart}").json()["totals"]["total"]
                body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
                answer = client.post("/api/orders", json=body, headers={"Idempotency-Key": key})
            except (httpx2.TransportError, ValueError, KeyError):
                return  # the server was killed under this buyer
            with ledger.lock:
                if answer.status_code == 201:
                    ledger.acknowledged[key] = answer.json()["number"]
                elif answer.status_code >= 500:
                    ledger.server_errors.append(answer.status_code)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_server_loses_no_acknowledged_order(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{kind}_templates")
    chance, ledger, port = random.Random(11), Ledger(), free_port()
    with templates.fresh() as database_url:
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE stock SET on_hand = 100000 WHERE slug = :slug"), {"slug": SLUG})
        for _ in range(KILLS):
            with served(tmp_path, port, database_url) as process:
                until = time.monotonic() + 30
                buyers = [
                    threading.Thread(target=buy, args=(f"http://127.0.0.1:{port}", ledger, until))
                    for _ in range(BUYERS)
                ]
                for buyer in buyers:
                    buyer.start()
                time.sleep(chance.uniform(1.0, 3.0))
                process.kill()
                process.wait(timeout=10)
                for buyer in buyers:
                    buyer.join(timeout=30)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT idempotency_key, number FROM shop_order")).all()
            carts = connection.execute(text("SELECT count(DISTINCT cart_id) FROM shop_order")).scalar_one()
            reserved = connection.execute(
                text("SELECT reserved FROM stock WHERE slug = :slug"), {"slug": SLUG}
            ).scalar_one()
        engine.dispose()
    stored = {row.idempotency_key: row.number for row in rows}
    assert len(ledger.acknowledged) > KILLS * BUYERS
    assert ledger.server_errors == []
    missing = {key: number for key, number in ledger.acknowledged.items() if stored.get(key) != number}
    assert missing == {}
    assert carts == len(stored)
    assert reserved == len(stored)
