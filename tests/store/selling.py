"""A small house for tests: a watch to configure, a strap in stock, a numbered edition, and people who buy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from configurator import parse
from store import checkout, db, events, links, reactions
from store.auth import Signer
from store.events import Visitor
from store.shop import carts, catalog, designs, payments
from store.shop.carts import Cart
from store.shop.catalog import PublishedModel
from store.shop.delivery import PlaceForm
from store.shop.orders import Order
from store.shop.payment_provider import (
    BadSignature,
    ChargeState,
    CheckoutRequest,
    CheckoutState,
    DisputeState,
    HostedCheckout,
    PaymentUnavailable,
    ProviderEvent,
    RefundState,
    SavedCharge,
)

WATCH = """\
product: watch
name: Watch
sentence: A watch.
category: timepieces
currency: EUR
base: {price: 980000, cost: 410000, lead_days: 56, margin_days: 14}
groups:
  - id: case
    label: Case
    step: Case
    options:
      - {id: steel, label: Steel, default: true}
      - {id: gold, label: Gold, price: 1420000, cost: 860000, lead_days: 14}
  - id: strap
    label: Strap
    step: Strap
    options:
      - {id: calf, label: Calf, default: true}
      - {id: rubber, label: Rubber}
  - id: engraving
    label: Engraving
    step: Engraving
    text: {max_length: 24, characters: "letters digits space . & -"}
rules:
  - {id: rubber-clasp, if: {strap: rubber}, then: {case: steel}, reason: Rubber straps close with a steel clasp only.}
prices:
  - {id: engraving, each_character_of: engraving, free: 3, add: 1500, label: Engraving}
parts:
  - {part: calf-hide, when: {strap: calf}, quantity: 1}
"""
STRAP = """\
product: strap
name: Calf strap
sentence: Soft calf.
category: straps
currency: EUR
base: {price: 29000, cost: 9200, lead_days: 2}
supply: {stock: 24}
"""
EDITION = """\
product: print-one
name: Edition one
sentence: The first of twelve.
category: editions
currency: EUR
base: {price: 150000, cost: 40000, lead_days: 3}
supply: {stock: 5, numbered: true}
"""
PRODUCTS = "---\n".join((WATCH, STRAP, EDITION))


def open_house(session: Session, folder: Path, text: str = PRODUCTS) -> None:
    """Publish the products, and take those of the real house off the shelves."""
    mine = {model.slug for model in parse(text, "products.yaml")}
    session.execute(update(PublishedModel).where(col(PublishedModel.slug).not_in(mine)).values(current=False))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products.yaml").write_text(text)
    catalog.import_products(session, folder)
    catalog.refresh(session)


def use_reactions() -> None:
    """Install the shop's table of reactions, and the address its mails speak of."""
    links.use_links("http://testserver", Signer("test"))
    events.use_reactions(reactions.REACTIONS)


def guest(session_id: str = "ses_guest") -> Visitor:
    """Somebody without an account."""
    return Visitor(session_id=session_id)


def fill(session: Session, visitor: Visitor, slug: str, choices: Mapping[str, Any] | None = None, **more: Any) -> Cart:
    """A bag with one design in it."""
    cart = carts.open_cart(session, visitor)
    design = designs.save(session, visitor, slug, choices or {}, more.get("texts", {}))
    carts.add(session, visitor, cart, design, more.get("quantity", 1))
    return cart


def form(seen_total: int = 100_000_000, **changed: Any) -> PlaceForm:
    """A right form."""
    fields = {
        "email": "camille@example.com",
        "name": "Camille Arnaud",
        "line1": "3 rue des Lilas",
        "city": "Nantes",
        "postal_code": "44000",
        "country": "FR",
    }
    return PlaceForm(**{**fields, **changed}, seen_total=seen_total)


def placed(plan: str = "full", slug: str = "watch", **choices: Any) -> str:
    """The id of a guest's order of one design, placed and committed."""
    with db.transaction() as session:
        cart = fill(session, guest(), slug, choices)
        return checkout.place(session, guest(), cart, form(plan=plan), db.new_id("key")).order.id


def order(
    session: Session, visitor: Visitor, slug: str, choices: Mapping[str, Any] | None = None, **more: Any
) -> Order:
    """A placed order of one design."""
    cart = fill(session, visitor, slug, choices, **more)
    return checkout.place(session, visitor, cart, form(), db.new_id("key")).order


@dataclass
class HandProvider:
    """A payment provider whose customers pay when the test says so; it keeps what it was asked."""

    name: str = "hand"
    test_mode: bool = True
    down: bool = False
    opened: dict[str, CheckoutRequest] = field(default_factory=dict)
    states: dict[str, CheckoutState] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    kept_cards: str = "pays"  # what becomes of charges on kept cards: pays, declined, needs_customer, pending
    charges: dict[str, ChargeState] = field(default_factory=dict)  # by idempotency key
    charged: list[SavedCharge] = field(default_factory=list)
    disputes: list[DisputeState] = field(default_factory=list)

    def _answer(self) -> None:
        if self.down:
            raise PaymentUnavailable("no answer")

    def open_checkout(self, request: CheckoutRequest) -> HostedCheckout:
        self._answer()
        reference = f"cs_{request.idempotency_key}"
        known = self.opened.setdefault(reference, request)
        assert known == request, "the same key must repeat every field"
        self.states.setdefault(
            reference, CheckoutState(reference, "open", None, request.amount, request.currency, None, None)
        )
        return HostedCheckout(reference, f"https://pay.example/{reference}", datetime(2030, 1, 1, tzinfo=UTC))

    def read_checkout(self, reference: str) -> CheckoutState:
        self._answer()
        return self.states[reference]

    def expire_checkout(self, reference: str) -> CheckoutState:
        self._answer()
        if self.states[reference].status == "open":
            self._become(reference, "expired", None)
        return self.states[reference]

    def charge_saved(self, charge: SavedCharge) -> ChargeState:
        self._answer()
        known = self.charges.get(charge.idempotency_key)
        if known is None or known.status == "pending":
            self.charged.append(charge)
            reference, code = f"pi_{charge.idempotency_key}", ""
            if self.kept_cards in ("declined", "needs_customer"):
                code = "generic_decline" if self.kept_cards == "declined" else "authentication_required"
            status: Any = "paid" if self.kept_cards == "pays" else self.kept_cards
            paid_at = db.now() if status == "paid" else None
            known = ChargeState(
                status,
                reference,
                charge.amount,
                charge.currency,
                paid_at,
                code,
                payment_id=charge.metadata["payment_id"],
            )
            self.charges[charge.idempotency_key] = known
        return known

    def read_payment(self, payment_reference: str) -> ChargeState:
        self._answer()
        return next(state for state in self.charges.values() if state.payment_reference == payment_reference)

    def find_payment(self, customer_reference: str, payment_id: str) -> ChargeState | None:
        self._answer()
        assert customer_reference
        return self.charges.get(payment_id)

    def taken_since(self, moment: datetime) -> Iterator[ChargeState]:
        self._answer()
        pages = [
            ChargeState(
                "paid",
                state.payment_reference,
                state.amount,
                state.currency,
                state.paid_at,
                payment_id=self.opened[reference].metadata["payment_id"],
            )
            for reference, state in self.states.items()
            if state.status == "paid"
        ]
        for state in [*pages, *(one for one in self.charges.values() if one.status == "paid")]:
            back = self.refunds_of(state.payment_reference or "")
            refunded = sum(refund.amount for refund in back if refund.status != "failed")
            if state.paid_at is not None and state.paid_at >= moment:
                yield replace(state, refunded=refunded)

    def refunds_of(self, payment_reference: str) -> list[RefundState]:
        self._answer()
        return [one for one in self.refunds.values() if one.payment_reference == payment_reference]

    def disputes_of(self, payment_reference: str) -> list[DisputeState]:
        self._answer()
        return [one for one in self.disputes if one.payment_reference == payment_reference]

    def refund(
        self, payment_reference: str, amount: int, currency: str, reason: str, idempotency_key: str
    ) -> RefundState:
        self._answer()
        made = RefundState(
            f"re_{idempotency_key}", payment_reference, amount, currency, "succeeded", refund_id=idempotency_key
        )
        return self.refunds.setdefault(idempotency_key, made)

    def parse_event(self, body: bytes, signature: str) -> ProviderEvent:
        if signature != "right":
            raise BadSignature("not ours")
        event_id, kind, reference, *more = body.decode().split()
        return ProviderEvent(event_id, kind, reference, db.now(), *more)  # type: ignore[arg-type]

    def pay(self, reference: str) -> None:
        """The customer pays, whatever the shop thinks of it meanwhile."""
        self._become(reference, "paid", f"pi_{reference}")

    def _become(self, reference: str, status: Any, payment: str | None) -> None:
        request = self.opened[reference]
        paid_at = db.now() if status == "paid" else None
        kept = ("cus_1", f"pm_{reference}") if request.keep_card and payment else (None, None)
        self.states[reference] = CheckoutState(
            reference, status, payment, request.amount, request.currency, paid_at, *kept
        )


def till_of(provider: HandProvider) -> payments.Till:
    """A till over the hand-operated provider."""
    return payments.Till(provider, checkout.revive)
