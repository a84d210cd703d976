"""Sends the sandbox's events to the shop: signed as Stripe signs them, repeated until the shop answers 2xx."""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

import httpx2
from starlette.concurrency import run_in_threadpool

from store.shop.stripe_sandbox import checkout, refunding
from store.shop.stripe_sandbox.sandbox import Sandbox

TIMEOUT = 10.0  # seconds the shop has for an answer
AT_ONCE = 8
FIRST_RETRY, LAST_RETRY = 1.0, 3_600.0  # seconds between attempts, doubled each time
MOST_ATTEMPTS = 80  # about three days
GLANCE = 1.0  # seconds between looks at what time alone brings about


def sign(body: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header of a body sent at this moment."""
    signed = f"{moment}.".encode() + body
    return f"t={moment},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Address:
    """Where events go, and the secret they are signed with."""

    url: str
    secret: str


class Courier:
    """Carries deliveries from the ledger to the shop, a few at a time, for as long as the sandbox lives."""

    def __init__(self, box: Sandbox, address: Address) -> None:
        self._box = box
        self._address = address
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        loop = asyncio.get_running_loop()
        ledger = self._box.ledger
        ledger.on_delivery = lambda: loop.call_soon_threadsafe(self._woken.set)
        await run_in_threadpool(ledger.resume, time.time())
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client:
            try:
                while True:
                    await run_in_threadpool(checkout.expire_overdue, self._box)
                    await run_in_threadpool(refunding.fail_overdue, self._box)
                    self._woken.clear()
                    sent = await self._send_due(client)
                    if not sent:
                        await self._rest()
            finally:
                ledger.on_delivery = lambda: None
                for task in self._under_way:
                    task.cancel()

    async def _rest(self) -> None:
        """Wait until something is committed, an attempt ends, or a glance at the clock is due."""
        try:
            async with asyncio.timeout(min(GLANCE, float(self._box.ledger.setting("webhook_retry", GLANCE)) / 2)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _send_due(self, client: httpx2.AsyncClient) -> int:
        """Start the attempts that are due and for which there is room."""
        ledger = self._box.ledger
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or ledger.setting("webhook_hold", False):
            return 0
        due = await run_in_threadpool(ledger.due, time.time(), bool(ledger.setting("webhook_reorder", False)), room)
        for row, event, attempts in due:
            # While the attempt lasts the row is not due; if this process dies, resume() finds it.
            if ledger.claim(row, attempts, time.time() + TIMEOUT + FIRST_RETRY):
                task = asyncio.create_task(self._attempt(client, row, event, attempts))
                self._under_way.add(task)
                task.add_done_callback(self._ended)
        return len(due)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()

    async def _attempt(self, client: httpx2.AsyncClient, row: int, event: str, attempts: int) -> None:
        """Send one event once and note what came of it."""
        box = self._box
        body = json.dumps(box.shown(box.get("event", event)), indent=2, ensure_ascii=False).encode()
        moment = int(time.time())  # the receiver's SDK compares with the real time, whatever the sandbox's clock says
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Stripe/1.0 (sandbox)",
            "stripe-signature": sign(body, self._address.secret, moment),
        }
        try:
            response = await client.post(self._address.url, content=body, headers=headers)
            taken, said = response.is_success, str(response.status_code)
        except httpx2.HTTPError as error:
            taken, said = False, type(error).__name__
        if taken:
            box.ledger.settle(row, "delivered", said, 0)
            return
        first = float(box.ledger.setting("webhook_retry", FIRST_RETRY))
        wait = min(first * 2 ** min(attempts, 20), LAST_RETRY)
        box.ledger.settle(row, "waiting" if attempts + 1 < MOST_ATTEMPTS else "abandoned", said, time.time() + wait)
