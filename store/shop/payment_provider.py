"""What the shop asks of whoever takes the money: the provider's protocol, its values and its refusals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

CheckoutStatus = Literal["open", "paid", "expired"]
RefundStatus = Literal["pending", "succeeded", "failed"]
EventKind = Literal[
    "checkout_completed",
    "checkout_expired",
    "payment_succeeded",
    "payment_failed",
    "refunded",
    "disputed",
    "other",
]
ChargeStatus = Literal["paid", "declined", "needs_customer", "pending"]
DisputeStatus = Literal["open", "won", "lost"]

# Minor units that one card charge can carry: eight digits, whatever the currency (999,999.99 where a unit has a
# hundred of them). What is more goes by transfer.
LARGEST_CHARGE = 99_999_999


class PaymentError(Exception):
    """Anything a provider could not do."""


class PaymentUnavailable(PaymentError):  # noqa: N818 — the name says what happened
    """The provider did not answer in time, or failed: the outcome is unknown, so ask again with the same key."""


class PaymentRefused(PaymentError):  # noqa: N818 — the name says what happened
    """The provider understood and said no; `message` may be shown to staff."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadSignature(PaymentError):  # noqa: N818 — the name says what happened
    """A webhook that the provider did not sign, or signed too long ago."""


@dataclass(frozen=True)
class CheckoutRequest:
    """One amount to be paid on the provider's own page.

    The lines are shown to the customer and must add up to `amount` exactly. Repeating a request under its idempotency
    key must repeat every field, `expires_at` too: it comes from the caller's rows, never from the clock of the moment.
    """

    order_number: str
    order_id: str
    amount: int
    currency: str
    email: str
    description: str
    lines: tuple[tuple[str, int], ...]
    success_url: str
    cancel_url: str
    idempotency_key: str
    keep_card: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    """When the page closes; the provider's own term (a day) when none. Stripe takes 30 minutes to 24 hours."""

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"a checkout of {self.amount} {self.currency} has nothing to pay")
        total = sum(amount for _, amount in self.lines)
        if total != self.amount:
            raise ValueError(f"the lines add up to {total}, not to {self.amount} {self.currency}")
        if any(amount < 0 for _, amount in self.lines):
            raise ValueError("a line of a checkout cannot be negative: take discounts off the lines before")


@dataclass(frozen=True)
class HostedCheckout:
    """The provider's page that waits for the customer."""

    reference: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutState:
    """How a checkout stands at the provider now; the truth that a webhook only hints at."""

    reference: str
    status: CheckoutStatus
    payment_reference: str | None
    amount: int
    currency: str
    paid_at: datetime | None
    customer_reference: str | None
    method_reference: str | None = None
    """The card that was kept for later, if it was asked for."""


@dataclass(frozen=True)
class SavedCharge:
    """One amount to be charged on a kept card while its holder is away."""

    order_number: str
    order_id: str
    amount: int
    currency: str
    customer_reference: str
    method_reference: str
    description: str
    idempotency_key: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChargeState:
    """How a charge stands at the provider now; `needs_customer`: its holder has to confirm it on a payment page."""

    status: ChargeStatus
    payment_reference: str | None
    amount: int
    currency: str
    paid_at: datetime | None = None
    code: str = ""
    payment_id: str | None = None
    refunded: int = 0


@dataclass(frozen=True)
class DisputeState:
    """A payer who went to the bank, as it stands at the provider."""

    reference: str
    payment_reference: str
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    opened_at: datetime


@dataclass(frozen=True)
class RefundState:
    """Money on its way back to the customer."""

    reference: str
    payment_reference: str
    amount: int
    currency: str
    status: RefundStatus
    refund_id: str | None = None
    """Ours, when we asked for it."""


@dataclass(frozen=True)
class ProviderEvent:
    """A verified notice: `kind` and `reference` say what to read again, nothing else in it is believed.

    `reference` is a checkout's for the checkout kinds and a payment's for the others; `payment_id` is ours, if we gave
    it along, and `code` the reason of a decline: both for the record only.
    """

    id: str
    kind: EventKind
    reference: str
    created_at: datetime
    payment_id: str | None = None
    code: str = ""


class PaymentProvider(Protocol):
    """Takes payments on its own page; every call may raise PaymentUnavailable or PaymentRefused."""

    @property
    def name(self) -> str:
        """The provider's name, as stored with every payment."""
        ...

    @property
    def test_mode(self) -> bool:
        """Whether no real money moves, so that every page says TEST."""
        ...

    def open_checkout(self, request: CheckoutRequest) -> HostedCheckout:
        """Open a payment page; the same idempotency key opens the same one."""
        ...

    def read_checkout(self, reference: str) -> CheckoutState:
        """Read how a checkout stands."""
        ...

    def expire_checkout(self, reference: str) -> CheckoutState:
        """Close an unpaid page; one that was paid or had already closed is answered as it stands."""
        ...

    def charge_saved(self, charge: SavedCharge) -> ChargeState:
        """Charge a kept card; the same idempotency key charges once. A decline is an answer, not an exception."""
        ...

    def read_payment(self, payment_reference: str) -> ChargeState:
        """Read how a charge stands."""
        ...

    def find_payment(self, customer_reference: str, payment_id: str) -> ChargeState | None:
        """The charge of this customer that carries our payment's id, if there is one."""
        ...

    def taken_since(self, moment: datetime) -> Iterator[ChargeState]:
        """Every charge of ours since then that was paid, with what of it went back."""
        ...

    def refunds_of(self, payment_reference: str) -> list[RefundState]:
        """Read the refunds of a payment."""
        ...

    def disputes_of(self, payment_reference: str) -> list[DisputeState]:
        """Read the disputes about a payment."""
        ...

    def refund(
        self, payment_reference: str, amount: int, currency: str, reason: str, idempotency_key: str
    ) -> RefundState:
        """Pay back part or all of a payment; more than what is left of it is refused."""
        ...

    def parse_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Verify a webhook's raw body against its signature, or raise BadSignature."""
        ...
