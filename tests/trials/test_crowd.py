"""Forty buyers at once on a stock of five: exactly five sold, the others told kindly, on both databases."""

import os
import threading
import uuid
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text

from tests.benchmarks.processes import free_port
from tests.databases import PostgresTemplates, SqliteTemplates
from tests.trials.test_kills import ADDRESS, served

pytestmark = pytest.mark.trial

ROUNDS = 2 if os.environ.get("QUICK") else 10
BUYERS, STOCK = 40, 5


def order(url: str, slug: str, gate: threading.Barrier, answers: list[httpx2.Response]) -> None:
    with httpx2.Client(base_url=url, timeout=90) as client:
        cart = client.post("/api/carts").json()["id"]
        client.post(f"/api/carts/{cart}/lines", json={"slug": slug, "quantity": 1}).raise_for_status()
        total = client.get(f"/api/carts/{cart}").json()["totals"]["total"]
        body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
        gate.wait(timeout=120)
        answers.append(client.post("/api/orders", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_forty_buyers_get_exactly_five_pieces(
    kind: str, workers: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{kind}_templates")
    port = free_port()
    with templates.fresh() as database_url, served(tmp_path, port, database_url, workers):
        url = f"http://127.0.0.1:{port}"
        for number in range(1, ROUNDS + 1):
            slug = f"edition-{number:02d}"
            answers: list[httpx2.Response] = []
            gate = threading.Barrier(BUYERS)
            buyers = [threading.Thread(target=order, args=(url, slug, gate, answers)) for _ in range(BUYERS)]
            for buyer in buyers:
                buyer.start()
            for buyer in buyers:
                buyer.join(timeout=180)
            assert Counter(answer.status_code for answer in answers) == {201: STOCK, 409: BUYERS - STOCK}
            refusal = next(answer.json() for answer in answers if answer.status_code == 409)
            assert refusal["title"] == "Sold out"
        engine = create_engine(database_url)
        with engine.connect() as connection:
            pieces = connection.execute(text("SELECT slug, number FROM piece WHERE order_line_id IS NOT NULL")).all()
        engine.dispose()
    assert Counter(slug for slug, _ in pieces) == {f"edition-{n:02d}": STOCK for n in range(1, ROUNDS + 1)}
    assert {number for _, number in pieces} == set(range(1, STOCK + 1))
