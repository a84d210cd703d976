"""The running sandbox: its memory, its address and merchant, what it shows of its objects, and the events it tells."""

import time
from dataclasses import dataclass
from typing import Any

from store.shop.stripe_sandbox.ledger import Body, Ledger
from store.shop.stripe_sandbox.problems import no_such

API_VERSION = "2026-10-28.endive"
# What the shop's endpoint is subscribed to; every other event can be listed but is not sent.
SUBSCRIBED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "charge.refunded",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    }
)


@dataclass(frozen=True)
class Sandbox:
    """One sandbox: handlers take it first, as the shop's functions take their session."""

    ledger: Ledger
    base_url: str
    merchant: str
    api_key: str

    def get(self, kind: str, reference: str, param: str = "id") -> Body:
        """The object of this kind and id.

        Raises:
            StripeProblem: there is none.
        """
        found = self.ledger.find(kind, reference)
        if found is None:
            raise no_such(kind.replace("checkout.session", "checkout session"), reference, param)
        return found

    def shown(self, body: Body) -> Body:
        """An object as Stripe would answer it: without inner fields, with what depends on the moment."""
        outside = {name: value for name, value in body.items() if not name.startswith("_")}
        if body["object"] == "checkout.session" and body["status"] == "open":
            outside["url"] = f"{self.base_url}/pay/{body['id']}"
        if body["object"] == "event":
            outside["pending_webhooks"] = self.ledger.pending(body["id"])
        return outside

    def tell(self, kind: str, subject: Body) -> None:
        """Record an event about an object as it is now, and ask for its delivery if the shop is subscribed."""
        data: dict[str, Any] = {"object": self.shown(subject)}
        event = self.ledger.new(
            "evt",
            "event",
            {
                "api_version": API_VERSION,
                "created": self.ledger.now(),
                "data": data,
                "livemode": False,
                "pending_webhooks": 0,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            },
        )
        if kind in SUBSCRIBED:
            due = time.time() + float(self.ledger.setting("webhook_delay", 0))
            self.ledger.deliver(event["id"], due, copies=1 + int(self.ledger.setting("webhook_duplicates", 0)))
