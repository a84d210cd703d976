"""The one place where bag, offers, stock and order meet: what an order would cost, and placing it exactly once."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from configurator import codes
from store import db, events, people
from store.crm import offers
from store.crm.benefits import LineValue
from store.crm.offers import Offer
from store.currencies import PriceList
from store.errors import ShopError, invalid
from store.events import Visitor
from store.people import Customer
from store.settings import PaymentPlan, house
from store.shop import carts, catalog, order_lines, orders, schedule, snapshots, stock, taxes, totals, transfers
from store.shop.carts import Cart, CartView, LineView
from store.shop.delivery import PlaceForm
from store.shop.orders import Order, OrderDiscount, OrderLine
from store.shop.schedule import PaymentPart
from store.shop.taxes import Destination
from store.shop.totals import Discount, Totals
from store.vat import Treatment


@dataclass(frozen=True)
class Quote:
    """What the bag would cost this customer, delivered there."""

    cart_view: CartView
    destination: Destination
    discounts: tuple[Discount, ...]
    totals: Totals
    offers: tuple[Offer, ...]
    notes: tuple[str, ...] = ()  # why an offer does nothing here

    @property
    def country(self) -> str:
        """The country it goes to."""
        return self.destination.country

    @property
    def treatment(self) -> Treatment:
        """How the tax of the whole is treated: at home where every piece is."""
        return self.totals.delivery.treatment if self.totals.delivery else "domestic"

    @property
    def tax_sentence(self) -> str:
        """What is different about the tax of this order, for its customer; empty at home."""
        return taxes.sentence(self.cart_view.terms, self.treatment)

    @property
    def plan(self) -> PaymentPlan | None:
        """The payment plan that the house offers for this bag, or asks for."""
        held = [line.published.model.category for line in self.cart_view.lines if line.published]
        return schedule.plan_for(held, self.totals.total, self.cart_view.prices)


@dataclass(frozen=True)
class Placed:
    """An order, and whether this request (or an earlier one with its key) is the one that placed it."""

    order: Order
    by_this_key: bool


@dataclass(frozen=True)
class _Draft:
    """An order about to be written."""

    order: Order
    lines: list[OrderLine]
    discounts: list[OrderDiscount]
    parts: list[PaymentPart]


# -- what it would cost ----------------------------------------------------------------------------------------------


def quote(session: Session, visitor: Visitor, cart: Cart, to: Destination | str | None = None) -> Quote:
    """The bag with the customer's offers and delivery to a place or country (the shop's own, if none is named).

    Raises:
        ShopError: 422, the VAT ID is not of that place.
    """
    to = to if isinstance(to, Destination) else Destination(to or house().country)
    view = carts.view(session, cart, visitor, to=to)
    mine: list[Offer] = []
    applied: list[Discount] = []
    notes: list[str] = []
    if visitor.customer_id is not None and view.lines:
        mine = offers.for_customer(session, visitor.customer_id)
        if mine:
            values = [_value(line, view.prices) for line in view.lines]
            result = offers.applied(session, visitor.customer_id, values, view.prices)
            applied, notes = result.discounts, result.notes
    sums = totals.compute(view.priced, applied, view.terms, view.prices) if applied else view.totals
    return Quote(view, to, sums.discounts, sums, tuple(mine), tuple(notes))


def _value(line: LineView, prices: PriceList) -> LineValue:
    return LineValue(
        line_id=line.line.id,
        slug=line.line.slug,
        design_id=line.line.design_id,
        quantity=line.line.quantity,
        unit_price=line.unit_price,
        unit_cost=prices.converted(line.worth.unit_cost) if line.worth else 0,
        tax_basis_points=line.charge.rate,
    )


# -- placing it exactly once -----------------------------------------------------------------------------------------


def place(
    session: Session,
    visitor: Visitor,
    cart: Cart,
    form: PlaceForm,
    idempotency_key: str,
    *,
    at: datetime | None = None,
) -> Placed:
    """Place the order of a bag, exactly once however often and from wherever it is asked for.

    Args:
        form: checked input, see `delivery.check_form`.
        idempotency_key: the caller's; the same key with the same request is answered by the same order.
        at: when it was placed, if not now.

    Raises:
        ShopError: 422 the key was used for another request, or the bag is empty; 409 the price rose above the total
            seen, something is sold out or cannot be made any more, or an offer was used elsewhere.
    """
    digest = request_hash(cart.id, form)
    earlier = _earlier(session, cart, idempotency_key, digest)
    if earlier is not None:
        return earlier
    # From here on this transaction holds the bag's row: whoever else orders or changes it waits, and looks again.
    if not carts.claim(session, visitor, cart):
        earlier = _earlier(session, cart, idempotency_key, digest)
        if earlier is None:
            raise ShopError(409, "Already ordered", "This bag was ordered already.")
        return earlier
    catalog.refresh(session)
    bill = quote(session, visitor, cart, form.destination)
    _refuse(bill, form)
    draft = _draft(session, visitor, cart, form, bill, idempotency_key, digest, at or db.now())
    if not _insert(session, draft.order):
        raise _other_request()
    order = db.attach(session, draft.order)
    session.add_all(draft.lines)
    session.flush()
    orders.reserve(session, draft.lines)
    session.add_all(draft.parts)
    session.add_all(draft.discounts)
    for offer_id in dict.fromkeys(discount.offer_id for discount in draft.discounts):
        offers.redeem(session, offer_id, order.id)
    _bind(session, visitor, cart, order)
    events.record(
        session,
        visitor,
        "order-placed",
        subject=order.id,
        customer_id=order.customer_id,
        at=at,
        facts={"number": order.number, "total": order.total, "currency": order.currency, "cart": cart.id},
    )
    if order.total == 0:
        orders.mark_paid(session, order, None)
    return Placed(order, True)


def request_hash(cart_id: str, form: PlaceForm) -> str:
    """What makes two requests the same."""
    body = {"cart": cart_id, "email": form.email, "address": form.address, "seen_total": form.seen_total}
    body |= {name: value for name in ("plan", "company", "vat_id", "currency") if (value := getattr(form, name))}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def price_trace(bill: Quote) -> dict[str, Any]:
    """The whole reckoning as JSON tells it, when it is not what was seen."""
    sums = bill.totals
    return {
        "currency": bill.cart_view.currency,
        "totals": {name: getattr(sums, name) for name in ("subtotal", "discount", "shipping", "tax", "total")},
        "taxes": [asdict(row) for row in sums.taxes],
        "tax_note": bill.tax_sentence,
        "lines": [
            {
                "id": line.line.id,
                "slug": line.line.slug,
                "name": line.label,
                "quantity": line.line.quantity,
                "unit_price": line.unit_price,
                "amount": line.amount,
                "trace": line.worth.price_lines if line.worth else [],
            }
            for line in bill.cart_view.lines
        ],
    }


def _earlier(session: Session, cart: Cart, key: str, digest: str) -> Placed | None:
    """The order that this request, or another for the same bag, has already placed."""
    by_key = orders.of_key(session, key)
    if by_key is not None:
        if by_key.request_hash != digest or by_key.cart_id != cart.id:
            raise _other_request()
        return Placed(by_key, True)
    by_cart = orders.of_cart(session, cart.id)
    return Placed(by_cart, False) if by_cart is not None else None


def _other_request() -> ShopError:
    return invalid("This Idempotency-Key was used for another request. Please use a new one.", field="Idempotency-Key")


def _refuse(bill: Quote, form: PlaceForm) -> None:
    view = bill.cart_view
    if not view.lines:
        raise invalid("Your bag is empty.", field="cart")
    if view.problems:
        title = stock.SOLD_OUT if any(line.short for line in view.lines) else "Please look at your bag"
        raise ShopError(409, title, " ".join(view.problems), price_trace(bill) | {"problems": list(view.problems)})
    if form.currency not in ("", view.currency):
        detail = f"Your bag is reckoned in {view.currency} now. Nothing was ordered; please look at the new total."
        raise ShopError(409, "Price has changed", detail, price_trace(bill) | {"seen_total": form.seen_total})
    if bill.totals.total > form.seen_total:
        detail = "The total has risen since you saw it. Nothing was ordered; please look at the new total."
        raise ShopError(409, "Price has changed", detail, price_trace(bill) | {"seen_total": form.seen_total})


def _draft(
    session: Session,
    visitor: Visitor,
    cart: Cart,
    form: PlaceForm,
    bill: Quote,
    key: str,
    digest: str,
    placed_at: datetime,
) -> _Draft:
    customer = _customer(session, visitor, form)
    sums = bill.totals
    order_id = db.new_id("ord")
    lines = order_lines.sold(session, order_id, bill.cart_view.lines, sums)
    first, last = order_lines.promised(lines, placed_at)
    plan = schedule.chosen_plan(bill.plan, form.plan)
    planned = schedule.planned(plan, sums.total)
    order = Order(
        id=order_id,
        number=codes.new_code(db.chance()),
        cart_id=cart.id,
        customer_id=customer.id,
        session_id=visitor.session_id,
        email=form.email,
        name=form.name,
        address=form.address,
        country=form.country,
        currency=bill.cart_view.currency,
        home_units=bill.cart_view.prices.home_units,
        order_units=bill.cart_view.prices.here_units,
        subtotal=sums.subtotal,
        discount=sums.discount,
        shipping=sums.shipping,
        tax=sums.tax,
        total=sums.total,
        tax_basis_points=sums.delivery.rate if sums.delivery else 0,
        shipping_tax=sums.shipping_tax,
        tax_treatment=bill.treatment,
        tax_note=taxes.note(bill.cart_view.terms, bill.treatment),
        company=form.company,
        vat_id=form.vat_id,
        placed_at=placed_at,
        promised_from=first,
        promised_by=last,
        terms_at=placed_at,
        idempotency_key=key,
        request_hash=digest,
        seen_total=form.seen_total,
        plan=plan.id if plan else schedule.FULL,
        hold_until=transfers.hold_until(planned, placed_at),
        synthetic=customer.synthetic,
    )
    of_line = {view.line.id: line.id for view, line in zip(bill.cart_view.lines, lines, strict=True)}
    taken_off = [
        OrderDiscount(
            id=db.new_id("dsc"),
            order_id=order_id,
            order_line_id=of_line.get(discount.line_id or ""),
            offer_id=discount.offer_id,
            label=discount.label,
            amount=discount.amount,
        )
        for discount in sums.discounts
    ]
    to_pay = schedule.parts_of(order, planned)
    order.seal = snapshots.seal(order, lines, taken_off, to_pay)
    order.contact_seal = snapshots.contact_seal(order)
    return _Draft(order, lines, taken_off, to_pay)


def _insert(session: Session, order: Order) -> bool:
    """Write the order unless its key was taken in the meantime; the unique keys decide, not a look before."""
    return db.insert_once(session, Order, order.model_dump(), unique=("idempotency_key",)) is not None


def _bind(session: Session, visitor: Visitor, cart: Cart, order: Order) -> None:
    """The bag is ordered: nothing changes in it any more, and the next piece begins a new one."""
    cart.ordered = order.id
    session.add(cart)
    carts.close(session, visitor, cart)


_GUEST = (
    select(Customer)
    .join(Order, col(Order.customer_id) == col(Customer.id))
    .where(
        Order.session_id == bindparam("session"),
        Customer.email == bindparam("email"),
        col(Customer.verified_at).is_(None),
        col(Customer.merged_into_id).is_(None),
    )
    .limit(1)
)


def _customer(session: Session, visitor: Visitor, form: PlaceForm) -> Customer:
    """Whose order it is: the account's, or a guest's; a guest who ordered before from this browser is the same one."""
    if visitor.customer_id is not None:
        return session.get_one(Customer, visitor.customer_id)
    if visitor.session_id is not None:
        before = session.scalars(_GUEST, {"session": visitor.session_id, "email": form.email}).first()
        if before is not None:
            return before
    return people.new_customer(session, form.email, form.name)


def confirm(session: Session, order: Order) -> None:
    """Before money is asked for: every line validated and priced once more, on the version that it was agreed on.

    A placed order is an agreement: a version that went on sale since changes neither its price nor its pieces.

    Raises:
        ShopError: 409, the order is not what was agreed; nothing is charged.
    """
    if snapshots.replay(session, order):
        detail = "Something about this order does not match what was agreed, so nothing is charged. Please write to us."
        raise ShopError(409, "Order to be checked", detail)


def revive(session: Session, order: Order) -> bool:
    """Take a released order up again after a late payment, if its pieces and its offers are still free."""
    try:
        with db.savepoint(session):
            if not orders.revive(session, order):
                return False
            promised: Sequence[OrderDiscount] = orders.discounts_of(session, order)
            for offer_id in dict.fromkeys(discount.offer_id for discount in promised):
                offers.redeem(session, offer_id, order.id)
            return True
    except ShopError:
        session.refresh(order)  # what was undone by the savepoint is undone in memory too
        return False
