"""A till for the demo history only: whoever orders has paid, and no provider is asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from store import db
from store.shop.payment_provider import (
    BadSignature,
    ChargeState,
    CheckoutRequest,
    CheckoutState,
    DisputeState,
    HostedCheckout,
    PaymentRefused,
    ProviderEvent,
    RefundState,
    SavedCharge,
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

    def charge_saved(self, charge: SavedCharge) -> ChargeState:
        raise PaymentRefused(f"The demo till keeps no card for {charge.order_number}.")

    def read_payment(self, payment_reference: str) -> ChargeState:
        raise PaymentRefused(f"The demo till remembers no charge {payment_reference}.")

    def find_payment(self, customer_reference: str, payment_id: str) -> ChargeState | None:
        raise PaymentRefused(f"The demo till remembers no charge {payment_id} of {customer_reference}.")

    def taken_since(self, moment: datetime) -> Iterator[ChargeState]:
        raise PaymentRefused(f"The demo till remembers nothing since {moment}.")

    def refunds_of(self, payment_reference: str) -> list[RefundState]:
        raise PaymentRefused(f"The demo till pays nothing back of {payment_reference}.")

    def disputes_of(self, payment_reference: str) -> list[DisputeState]:
        raise PaymentRefused(f"Nobody disputes {payment_reference} at the demo till.")

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
