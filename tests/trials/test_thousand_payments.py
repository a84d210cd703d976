"""A thousand payments with every notice tripled, shuffled and late: our books equal the sandbox's to the cent."""

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stripe
from sqlalchemy import create_engine, text

from store.shop import stripe_sandbox
from tests.benchmarks.processes import ROOT, free_port
from tests.databases import PostgresTemplates, SqliteTemplates
from tests.trials.test_kills import ADDRESS, SLUG, served

pytestmark = pytest.mark.trial

PAYMENTS = {"sqlite": 60, "postgresql": 60} if os.environ.get("QUICK") else {"sqlite": 1_000, "postgresql": 200}
AT_ONCE = 8
PAYS, DECLINES, SECURE, DISPUTED = "4242424242424242", "4000000000000002", "4000002500003155", "4000000000000259"
# What a customer does on the page: the cards she tries, in their order; none is a page left open.
HABITS = ((PAYS,), (PAYS,), (PAYS,), (DECLINES, PAYS), (SECURE,), (DISPUTED,), (DECLINES,), ())


class Sandbox:
    """The shop's own sandbox, from outside: its knobs, its pay pages, its books."""

    def __init__(self, data_dir: Path) -> None:
        url = stripe_sandbox.running(data_dir)
        assert url
        self.url, self.key = url, stripe_sandbox.sandbox_keys(data_dir).api_key
        proxy: Any = {"http": "", "https": ""}
        client = stripe.RequestsClient(timeout=30, proxy=proxy)
        self.stripe = stripe.StripeClient(self.key, base_addresses={"api": url}, http_client=client)

    def knobs(self, **values: Any) -> None:
        """Turn knobs."""
        headers = {"authorization": f"Bearer {self.key}"}
        httpx2.post(f"{self.url}/_sandbox/knobs", json=values, headers=headers).raise_for_status()

    def waiting(self) -> int:
        """How many notices are still to be delivered."""
        headers = {"authorization": f"Bearer {self.key}"}
        rows = httpx2.get(f"{self.url}/_sandbox/deliveries", headers=headers, timeout=60).json()
        return sum(row["state"] == "waiting" for row in rows)

    def books(self) -> Counter[str]:
        """What was taken, went back and is disputed, in sums and numbers."""
        sums: Counter[str] = Counter()
        for intent in self.stripe.v1.payment_intents.list({"limit": 100}).auto_paging_iter():
            if intent.status == "succeeded":
                sums.update(payments=1, taken=intent.amount_received)
        for refund in self.stripe.v1.refunds.list({"limit": 100}).auto_paging_iter():
            sums.update(refunds=1, back=refund.amount)
        for dispute in self.stripe.v1.disputes.list({"limit": 100}).auto_paging_iter():
            sums.update(disputes=1, held=dispute.amount)
        return sums


def buy(url: str, sandbox: Sandbox, habit: tuple[str, ...]) -> str | None:
    """Order, go to the pay page, and do there what one does; the pay page's address."""
    with httpx2.Client(base_url=url, timeout=90, trust_env=False) as client:
        cart = client.post("/api/carts").json()["id"]
        client.post(f"/api/carts/{cart}/lines", json={"slug": SLUG, "quantity": 1}).raise_for_status()
        total = client.get(f"/api/carts/{cart}").json()["totals"]["total"]
        body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
        placed = client.post("/api/orders", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert placed.status_code == 201, placed.text
        page = client.get(placed.json()["payment_url"]).headers["location"]
    assert page.startswith(sandbox.url)
    for number in habit:
        answer = httpx2.post(page, data={"number": number, "exp": "12/34", "cvc": "123"}, timeout=60)
        if number == SECURE:
            answer = httpx2.post(f"{page}/confirmation", data={"answer": "confirm"}, timeout=60)
        assert answer.status_code < 500
    return page


def refund_some(sandbox: Sandbox, chance: random.Random) -> None:
    """Somebody at the provider's own desk sends parts of payments back."""
    listed: Any = {"limit": 100, "expand": ["data.latest_charge"]}
    for intent in sandbox.stripe.v1.payment_intents.list(listed).auto_paging_iter():
        charge: Any = intent.latest_charge
        if intent.status == "succeeded" and not charge.disputed and chance.random() < 0.1:
            params: Any = {"payment_intent": intent.id, "amount": chance.randint(1, intent.amount // 2)}
            sandbox.stripe.v1.refunds.create(params)


def ours(database_url: str) -> Counter[str]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        taken = connection.execute(
            text("SELECT count(*), coalesce(sum(amount), 0) FROM payment WHERE state IN ('paid', 'refunded')")
        ).one()
        back = connection.execute(
            text("SELECT count(*), coalesce(sum(amount), 0) FROM refund WHERE state = 'made'")
        ).one()
        held = connection.execute(text("SELECT count(*), coalesce(sum(amount), 0) FROM dispute")).one()
        kept = connection.execute(text("SELECT coalesce(sum(received), 0) FROM shop_order")).scalar_one()
        orders = connection.execute(text("SELECT coalesce(sum(total), 0) FROM shop_order WHERE state = 'paid'"))
        assert int(kept) == int(orders.scalar_one())
    engine.dispose()
    found = {"payments": taken[0], "taken": int(taken[1]), "refunds": back[0], "back": int(back[1])}
    return Counter({**found, "disputes": held[0], "held": int(held[1])})


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_thousand_payments_come_out_even(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{kind}_templates")
    chance, port = random.Random(4), free_port()
    with templates.fresh() as database_url:
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE stock SET on_hand = 100000 WHERE slug = :slug"), {"slug": SLUG})
        engine.dispose()
        with served(tmp_path, port, database_url):
            sandbox, url = Sandbox(tmp_path), f"http://127.0.0.1:{port}"
            sandbox.knobs(webhook_duplicates=2, webhook_reorder=True, webhook_delay=0.5)
            habits = [chance.choice(HABITS) for _ in range(PAYMENTS[kind])]
            shaking = threading.Event()
            shaker = threading.Thread(target=shake, args=(sandbox, shaking, random.Random(5)))
            shaker.start()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda habit: buy(url, sandbox, habit), habits))
            refund_some(sandbox, chance)
            shaking.set()
            shaker.join()
            sandbox.knobs(webhook_hold=False, webhook_delay=0)
            deadline = time.monotonic() + 300
            while sandbox.waiting():
                assert time.monotonic() < deadline, f"{sandbox.waiting()} notices were not taken"
                time.sleep(0.5)
            # What no notice could settle (a task does it after a quarter of a minute) is there before we compare.
            environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": database_url, "DEMO": "off"}
            command = [sys.executable, "main.py", "reconcile"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout.strip()) == (0, "the books are equal"), done.stdout + done.stderr
            theirs = sandbox.books()
        books = ours(database_url)
    paid = sum(bool(set(habit) & {PAYS, SECURE, DISPUTED}) for habit in habits)
    assert theirs["payments"] == paid
    assert books == theirs


def shake(sandbox: Sandbox, enough: threading.Event, chance: random.Random) -> None:
    """Hold notices back and let them go, over and over, so that they come in heaps and out of turn."""
    while not enough.wait(chance.uniform(0.5, 2)):
        sandbox.knobs(webhook_hold=chance.random() < 0.5, webhook_delay=chance.uniform(0, 1.5))
