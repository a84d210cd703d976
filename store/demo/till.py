"""A till for the demo history only: whoever orders has paid, and no provider is asked."""

from datetime import timedelta

from store import db
from store.shop.payment_provider import (
    BadSignature,
    CheckoutRequest,
    CheckoutState,
    HostedCheckout,
    PaymentRefused,
    ProviderEvent,
    RefundState,
)
from store.shop.payments import Till


class _Remembered:
    """A provider that remembers what was asked for and calls it paid."""

    name = "demo"
    test_mode = True

    def __init__(self) -> None:
        self._asked: dict[str, CheckoutRequest] = {}

    def open_checkout(self, request: CheckoutRequest) -> HostedCheckout:
        reference = f"demo_{request.idempotency_key}"
        self._asked[reference] = request
        return HostedCheckout(reference, request.success_url, db.now() + timedelta(days=1))

    def read_checkout(self, reference: str) -> CheckoutState:
        request = self._asked.pop(reference)
        charge = reference.replace("demo_", "demo_charge_")
        return CheckoutState(reference, "paid", charge, request.amount, request.currency, db.now(), None)

    def expire_checkout(self, reference: str) -> CheckoutState:
        raise PaymentRefused(f"The demo till keeps no open page {reference}.")

    def refund(
        self, payment_reference: str, amount: int, currency: str, reason: str, idempotency_key: str
    ) -> RefundState:
        asked = f"{payment_reference}, {amount} {currency}, {reason}, {idempotency_key}"
        raise PaymentRefused(f"The demo till pays nothing back ({asked}).")

    def parse_event(self, body: bytes, signature: str) -> ProviderEvent:
        raise BadSignature(f"The demo till sends no notices ({len(body)} bytes, {signature[:8]}).")


def demo_till() -> Till:
    """The till of the demo history; an order of it is never taken up again once released."""
    return Till(_Remembered(), revive=lambda _session, _order: False)
