"""Stripe as the shop's payment provider: the only module that knows the stripe library."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import stripe

from store.errors import SettingsError
from store.settings import Settings
from store.shop.payment_provider import (
    BadSignature,
    ChargeState,
    ChargeStatus,
    CheckoutRequest,
    CheckoutState,
    CheckoutStatus,
    DisputeState,
    DisputeStatus,
    EventKind,
    HostedCheckout,
    PaymentRefused,
    PaymentUnavailable,
    ProviderEvent,
    RefundState,
    RefundStatus,
    SavedCharge,
)
from store.shop.stripe_sandbox.keys import sandbox_keys

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

STRIPE = "https://api.stripe.com"
CONNECT_TIMEOUT, READ_TIMEOUT = 2.0, 8.0  # seconds
RETRIES = 2  # of one call, under the same idempotency key
SIGNATURE_LIFE = 300  # seconds for which a webhook's signature is believed
LONGEST_LABEL = 250  # characters of a line that Stripe shows
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KINDS: dict[str, EventKind] = {
    "checkout.session.completed": "checkout_completed",
    "checkout.session.expired": "checkout_expired",
    "payment_intent.succeeded": "payment_succeeded",
    "payment_intent.payment_failed": "payment_failed",
    "charge.refunded": "refunded",
    "refund.updated": "refunded",
    "refund.failed": "refunded",
    "charge.dispute.created": "disputed",
    "charge.dispute.updated": "disputed",
    "charge.dispute.closed": "disputed",
}
_OF_A_PAYMENT = ("refunded", "disputed")  # events whose object points to its payment
_DISPUTE_STATUS: dict[str, DisputeStatus] = {"won": "won", "warning_closed": "won", "prevented": "won", "lost": "lost"}
_ASKS_CUSTOMER = ("authentication_required", "payment_intent_authentication_failure")
_REFUND_STATUS: dict[str | None, RefundStatus] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


class StripeProvider:
    """Takes payments on Stripe's hosted page, or on the sandbox's: the same code talks to both."""

    name = "stripe"

    def __init__(
        self,
        api_key: str,
        webhook_secret: str,
        base: str = STRIPE,
        *,
        timeouts: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        retries: int = RETRIES,
    ) -> None:
        self.test_mode = not _is_live(api_key)
        self._webhook_secret = webhook_secret
        # The sandbox is on this machine: no proxy of the environment stands between (an empty one means none).
        proxy = {"http": "", "https": ""} if base != STRIPE else None
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeouts, proxy=proxy),  # type: ignore[arg-type] # it takes a dict
        )

    def open_checkout(self, request: CheckoutRequest) -> HostedCheckout:
        """Open a Checkout Session; the same idempotency key opens the same one."""
        with _asking():
            session = self._client.v1.checkout.sessions.create(
                _session_params(request), {"idempotency_key": request.idempotency_key}
            )
        if not session.url:
            raise PaymentUnavailable("Stripe opened a payment page without an address.")
        return HostedCheckout(session.id, session.url, _moment(session.expires_at))

    def read_checkout(self, reference: str) -> CheckoutState:
        """Read a Checkout Session with its payment."""
        with _asking():
            session = self._client.v1.checkout.sessions.retrieve(
                reference, {"expand": ["payment_intent.latest_charge"]}
            )
        return _state(session)

    def expire_checkout(self, reference: str) -> CheckoutState:
        """Close an unpaid session; one that was paid or had already closed is answered as it stands."""
        try:
            with _asking():
                self._client.v1.checkout.sessions.expire(reference)
        except PaymentRefused:
            state = self.read_checkout(reference)
            if state.status == "open":
                raise
            return state
        return self.read_checkout(reference)

    def charge_saved(self, charge: SavedCharge) -> ChargeState:
        """Charge a kept card off-session; a decline is an answer, repeated under the same key."""
        params: PaymentIntentCreateParams = {
            "amount": charge.amount,
            "currency": charge.currency.lower(),
            "customer": charge.customer_reference,
            "payment_method": charge.method_reference,
            "allowed_payment_method_types": ["card"],
            "off_session": True,
            "confirm": True,
            "description": charge.description,
            "metadata": {**charge.metadata, "order_id": charge.order_id, "order_number": charge.order_number},
        }
        with _asking():
            try:
                intent = self._client.v1.payment_intents.create(params, {"idempotency_key": charge.idempotency_key})
            except stripe.CardError as error:
                return _declined(charge, error)
        return _charge_state(intent)

    def read_payment(self, payment_reference: str) -> ChargeState:
        """Read a payment intent."""
        with _asking():
            intent = self._client.v1.payment_intents.retrieve(payment_reference, {"expand": ["latest_charge"]})
        return _charge_state(intent)

    def find_payment(self, customer_reference: str, payment_id: str) -> ChargeState | None:
        """The customer's payment intent that carries our payment's id."""
        with _asking():
            listed = self._client.v1.payment_intents.list({"customer": customer_reference, "limit": 100})
            for intent in listed.auto_paging_iter():
                if intent.metadata and intent.metadata.to_dict().get("payment_id") == payment_id:
                    return self.read_payment(intent.id)
        return None

    def taken_since(self, moment: datetime) -> Iterator[ChargeState]:
        """Every payment intent since then that succeeded and carries an id of ours."""
        with _asking():
            listed = self._client.v1.payment_intents.list(
                {"created": {"gte": int(moment.timestamp())}, "limit": 100, "expand": ["data.latest_charge"]}
            )
            for intent in listed.auto_paging_iter():
                state = _charge_state(intent)
                if state.status == "paid" and state.payment_id:
                    yield state

    def refunds_of(self, payment_reference: str) -> list[RefundState]:
        """The refunds of a payment intent."""
        with _asking():
            listed = self._client.v1.refunds.list({"payment_intent": payment_reference, "limit": 100})
            return [_refund_state(refund, payment_reference) for refund in listed.auto_paging_iter()]

    def disputes_of(self, payment_reference: str) -> list[DisputeState]:
        """The disputes about a payment intent."""
        with _asking():
            listed = self._client.v1.disputes.list({"payment_intent": payment_reference, "limit": 100})
            return [
                DisputeState(
                    reference=dispute.id,
                    payment_reference=payment_reference,
                    amount=dispute.amount,
                    currency=dispute.currency.upper(),
                    reason=dispute.reason,
                    status=_DISPUTE_STATUS.get(dispute.status, "open"),
                    opened_at=_moment(dispute.created),
                )
                for dispute in listed.auto_paging_iter()
            ]

    def refund(
        self, payment_reference: str, amount: int, currency: str, reason: str, idempotency_key: str
    ) -> RefundState:
        """Pay back part or all of a payment intent, in its own currency only."""
        params: RefundCreateParams = {
            "payment_intent": payment_reference,
            "amount": amount,
            "reason": "requested_by_customer",
            "metadata": {"reason": reason[:500], "refund_id": idempotency_key},
        }
        with _asking():
            intent = self._client.v1.payment_intents.retrieve(payment_reference)
            if intent.currency.upper() != currency.upper():
                raise PaymentRefused(f"The payment was made in {intent.currency.upper()}, not in {currency.upper()}.")
            refund = self._client.v1.refunds.create(params, {"idempotency_key": idempotency_key})
        return _refund_state(refund, payment_reference)

    def parse_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Verify a webhook's raw body against its `Stripe-Signature`, or raise BadSignature."""
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret, SIGNATURE_LIFE)
            event = json.loads(body)
            subject = event["data"]["object"]
            kind = _KINDS.get(event["type"], "other")
            reference = subject.get("payment_intent" if kind in _OF_A_PAYMENT else "id")
            notes, failure = subject.get("metadata") or {}, subject.get("last_payment_error") or {}
            return ProviderEvent(
                event["id"],
                kind,
                str(reference or ""),
                _moment(event["created"]),
                payment_id=notes.get("payment_id"),
                code=str(failure.get("decline_code") or failure.get("code") or ""),
            )
        except stripe.SignatureVerificationError as error:
            raise BadSignature(str(error)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature("The webhook's body is not an event of Stripe's.") from error


def connect(settings: Settings, *, base: str = STRIPE) -> StripeProvider:
    """The provider that the settings ask for: Stripe with a key, the sandbox without.

    Args:
        settings: the shop's.
        base: Stripe's address; another one stands for a test double.

    Raises:
        SettingsError: a live key would be sent elsewhere than to Stripe, or the sandbox would run in production.
    """
    key, secret = settings.stripe_api_key, settings.stripe_webhook_secret
    if key:
        if not key.startswith(("sk_live_", "rk_live_", "sk_test_", "rk_test_")):
            raise SettingsError("STRIPE_API_KEY is no secret key of Stripe's (sk_live_…, sk_test_…).")
        if not secret:
            raise SettingsError("STRIPE_API_KEY is set without STRIPE_WEBHOOK_SECRET; payments could not be confirmed.")
        if base != STRIPE and (_is_live(key) or settings.production):
            raise SettingsError(f"Payments go to {STRIPE} only, not to {base}.")
        return StripeProvider(key, secret, base)
    if settings.production:
        raise SettingsError("APP_ENV=production refuses the payment sandbox: set STRIPE_API_KEY.")
    if not settings.stripe_sandbox_url:
        raise SettingsError("There is neither STRIPE_API_KEY nor a running sandbox (STRIPE_SANDBOX_URL).")
    if urlsplit(settings.stripe_sandbox_url).hostname not in _LOOPBACK:
        raise SettingsError("STRIPE_SANDBOX_URL must be an address on this machine.")
    keys = sandbox_keys(settings.data_dir)
    return StripeProvider(keys.api_key, keys.webhook_secret, settings.stripe_sandbox_url.rstrip("/"))


def _is_live(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@contextmanager
def _asking() -> Iterator[None]:
    """Turn the library's exceptions into the shop's: not known, or no."""
    try:
        yield
    except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise PaymentRefused(error.user_message or "Stripe refused the call.") from error
    except stripe.StripeError as error:
        raise PaymentUnavailable(error.user_message or "Stripe cannot be reached.") from error


def _session_params(request: CheckoutRequest) -> "SessionCreateParams":
    """The request in Stripe's words; nothing in it may depend on the moment, or its key could not be repeated."""
    notes = {**request.metadata, "order_id": request.order_id, "order_number": request.order_number}
    lines: list[SessionCreateParamsLineItem] = [
        {
            "quantity": 1,
            "price_data": {
                "currency": request.currency.lower(),
                "unit_amount": amount,
                "product_data": {"name": label[:LONGEST_LABEL]},
            },
        }
        for label, amount in request.lines
    ]
    params: SessionCreateParams = {
        "mode": "payment",
        "allowed_payment_method_types": ["card"],  # wallets come with it; methods that pay days later do not
        "client_reference_id": request.order_number,
        "customer_email": request.email,
        "line_items": lines,
        "metadata": notes,
        "payment_intent_data": {"description": request.description, "metadata": notes},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
    if request.keep_card:
        params["customer_creation"] = "always"
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
    if request.expires_at:
        params["expires_at"] = int(request.expires_at.timestamp())
    return params


def _state(session: stripe.checkout.Session) -> CheckoutState:
    intent: Any = session.payment_intent
    paid = session.payment_status == "paid"
    status: CheckoutStatus = "paid" if paid else "expired" if session.status == "expired" else "open"
    charge = intent.latest_charge if intent else None
    customer: Any = session.customer
    return CheckoutState(
        reference=session.id,
        status=status,
        payment_reference=intent.id if intent else None,
        amount=session.amount_total or 0,
        currency=(session.currency or "").upper(),
        paid_at=_moment(charge.created) if paid and charge else None,
        customer_reference=customer if isinstance(customer, str) or customer is None else customer.id,
        method_reference=_id_of(intent.payment_method) if intent and intent.setup_future_usage else None,
    )


def _id_of(found: Any) -> str | None:
    return found if isinstance(found, str) or found is None else str(found.id)


def _declined(charge: SavedCharge, error: stripe.CardError) -> ChargeState:
    """What a refused charge of a kept card answers: its payment intent, and why."""
    detail: Any = error.error
    intent = getattr(detail, "payment_intent", None)
    return ChargeState(
        status="needs_customer" if error.code in _ASKS_CUSTOMER else "declined",
        payment_reference=_id_of(intent),
        amount=charge.amount,
        currency=charge.currency,
        code=str(getattr(detail, "decline_code", None) or error.code or ""),
        payment_id=charge.metadata.get("payment_id"),
    )


def _charge_state(intent: stripe.PaymentIntent) -> ChargeState:
    charge: Any = intent.latest_charge
    failure = intent.last_payment_error
    paid = intent.status == "succeeded"
    code = str((failure and (failure.decline_code or failure.code)) or "")
    decided: ChargeStatus = "needs_customer" if code in _ASKS_CUSTOMER else "declined"
    waits = intent.status in ("processing", "requires_confirmation")
    whole = charge is not None and not isinstance(charge, str)
    return ChargeState(
        status="paid" if paid else "pending" if waits else decided,
        payment_reference=intent.id,
        amount=intent.amount_received if paid else intent.amount,
        currency=intent.currency.upper(),
        paid_at=_moment(charge.created if whole else intent.created) if paid else None,
        code=code,
        payment_id=intent.metadata.to_dict().get("payment_id") if intent.metadata else None,
        refunded=charge.amount_refunded if whole else 0,
    )


def _refund_state(refund: stripe.Refund, payment_reference: str) -> RefundState:
    return RefundState(
        reference=refund.id,
        payment_reference=payment_reference,
        amount=refund.amount,
        currency=refund.currency.upper(),
        status=_REFUND_STATUS.get(refund.status, "pending"),
        refund_id=refund.metadata.to_dict().get("refund_id") if refund.metadata else None,
    )
