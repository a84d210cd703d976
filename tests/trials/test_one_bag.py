"""Five and fifty submissions of one bag at once, one and two workers: one order, and every answer names it."""

import threading
import uuid
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text

from tests.benchmarks.processes import free_port
from tests.databases import PostgresTemplates, SqliteTemplates
from tests.trials.test_kills import ADDRESS, SLUG, served

pytestmark = pytest.mark.trial


def submit(
    url: str, body: dict[str, object], key: str, gate: threading.Barrier, answers: list[httpx2.Response]
) -> None:
    with httpx2.Client(base_url=url, timeout=90) as client:
        gate.wait(timeout=120)
        answers.append(client.post("/api/orders", json=body, headers={"Idempotency-Key": key}))


def at_once(url: str, times: int) -> list[httpx2.Response]:
    """One bag, submitted so many times at the same moment: half under one key (a double click), half each its own."""
    with httpx2.Client(base_url=url, timeout=90) as client:
        cart = client.post("/api/carts").json()["id"]
        client.post(f"/api/carts/{cart}/lines", json={"slug": SLUG, "quantity": 1}).raise_for_status()
        total = client.get(f"/api/carts/{cart}").json()["totals"]["total"]
    body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
    answers: list[httpx2.Response] = []
    gate, shared = threading.Barrier(times), uuid.uuid4().hex
    keys = [shared if number % 2 else uuid.uuid4().hex for number in range(times)]
    threads = [threading.Thread(target=submit, args=(url, body, key, gate, answers)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    return answers


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_one_bag_is_one_order(kind: str, workers: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{kind}_templates")
    port = free_port()
    with templates.fresh() as database_url, served(tmp_path, port, database_url, workers):
        for times in (5, 50):
            answers = at_once(f"http://127.0.0.1:{port}", times)
            assert len(answers) == times
            assert set(Counter(answer.status_code for answer in answers)) <= {200, 201}
            assert len({answer.json()["number"] for answer in answers}) == 1
        engine = create_engine(database_url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM shop_order")).scalar_one() == 2
        engine.dispose()
