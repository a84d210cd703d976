"""A real sandbox process, a shop's end of its webhooks, and customers at its pay page."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import stripe

from store.shop.payment_provider import CheckoutRequest, HostedCheckout
from store.shop.payments_stripe import StripeProvider
from store.shop.stripe_sandbox import SandboxProcess

PAID, DECLINED, SECURE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
EVERY_TIME = "4000 0027 6000 3184"


@dataclass
class Letter:
    """One webhook as it arrived."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        """What it says, unverified."""
        read: dict[str, Any] = json.loads(self.body)
        return read


@dataclass
class Mailslot:
    """The shop's end: keeps the webhooks that arrive, answers as the test wants, and thanks whoever comes back."""

    letters: list[Letter] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # the next answers; 200 when there are no more

    def __post_init__(self) -> None:
        slot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender was killed while it wrote
                slot.letters.append(Letter(body, self.headers["stripe-signature"]))
                self.send_response(slot.answers.pop(0) if slot.answers else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                page = b"<!doctype html><title>The shop</title><h1>Thank you</h1>"
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/stripe"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Take it down."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def about(self, reference: str) -> list[str]:
        """The kinds of the events that arrived about an object, in the order of arrival."""
        return [letter.event["type"] for letter in list(self.letters) if reference in letter.body.decode()]


@dataclass
class Rig:
    """A sandbox with everything a test needs around it."""

    process: SandboxProcess
    slot: Mailslot
    data_dir: Path

    def __post_init__(self) -> None:
        keys = self.process.keys
        self.provider = StripeProvider(keys.api_key, keys.webhook_secret, self.process.url)
        # Without repetition and with little patience, so that a fault shows at once.
        self.impatient = StripeProvider(
            keys.api_key, keys.webhook_secret, self.process.url, timeouts=(0.5, 0.5), retries=0
        )
        self.stripe = stripe.StripeClient(
            keys.api_key, base_addresses={"api": self.process.url}, http_client=stripe.RequestsClient(timeout=5)
        )
        self.web = httpx2.Client(trust_env=False, timeout=10)

    def close(self) -> None:
        """End the process and close the connections."""
        self.web.close()
        self.process.stop()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Turn a knob of the sandbox, or read its deliveries."""
        headers = {"authorization": f"Bearer {self.process.keys.api_key}"}
        response = self.web.request(method, f"{self.process.url}/_sandbox/{path}", json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def knobs(self, **values: Any) -> None:
        """Set knobs."""
        self.control("POST", "knobs", values)

    def fault(self, kind: str, match: str = "*", times: int = 1, seconds: float = 0.0) -> None:
        """Let the next calls go wrong."""
        self.control("POST", "faults", {"kind": kind, "match": match, "times": times, "seconds": seconds})

    def reset(self) -> None:
        """Turn every knob back and let what is still to be delivered arrive."""
        self.control("DELETE", "faults")
        self.slot.answers.clear()
        self.knobs(
            clock_ahead=0,
            webhook_hold=False,
            webhook_delay=0,
            webhook_duplicates=0,
            webhook_reorder=False,
            webhook_retry=0.05,
        )
        eventually(lambda: all(one["state"] != "waiting" for one in self.control("GET", "deliveries")))
        self.slot.letters.clear()

    def pay(self, checkout: HostedCheckout, number: str = PAID, **changed: str) -> httpx2.Response:
        """Fill in the pay page's form and send it."""
        return self.web.post(checkout.url, data={"number": number, "exp": "12/34", "cvc": "123"} | changed)

    def answer(self, checkout: HostedCheckout, answer: str) -> httpx2.Response:
        """Answer the 3-D Secure question."""
        return self.web.post(f"{checkout.url}/confirmation", data={"answer": answer})

    def events(self, kind: str, reference: str) -> list[stripe.Event]:
        """The events of a kind that name an object, newest first."""
        found = self.stripe.v1.events.list({"type": kind, "limit": 100}).data
        return [event for event in found if reference in json.dumps(event.data.object.to_dict())]

    def kill(self) -> None:
        """End the sandbox at once, without a word; whoever watches over it starts it again."""
        pid = self.process.pid
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.process.pid != pid)
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            return self.web.get(f"{self.process.url}/style.css").status_code == 200
        except httpx2.TransportError:
            return False


def eventually(true: Callable[[], bool], within: float = 15.0) -> None:
    """Wait until something comes true."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def checkout_of(order: str, **changed: Any) -> CheckoutRequest:
    """A deposit on an order, as the shop asks for it."""
    values: dict[str, Any] = {
        "order_number": order,
        "order_id": f"ord_{order.lower()}",
        "amount": 384_050,
        "currency": "EUR",
        "email": "ada@example.com",
        "description": f"Deposit for order {order}",
        "lines": (("Méridien watch, deposit of 30 %", 380_000), ("Delivery", 4_050)),
        "success_url": "http://127.0.0.1:8119/orders/" + order + "?paid={CHECKOUT_SESSION_ID}",
        "cancel_url": f"http://127.0.0.1:8119/orders/{order}",
        "idempotency_key": f"open-{order}",
    }
    return CheckoutRequest(**(values | changed))
