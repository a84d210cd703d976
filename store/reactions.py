"""The one table "when X, then Y": handlers run in the event's own transaction and only write rows."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from store import mail, tasks
from store.accounts import claim_link
from store.crm import insight, offer_mail, offers
from store.events import Event, Handler
from store.people import Customer
from store.shop import order_links, orders, payments, suggestions
from store.shop.orders import Order


def _order_mail(session: Session, event: Event, kind: str, **context: Any) -> None:
    order = session.get_one(Order, event.subject)
    customer = session.get_one(Customer, order.customer_id)
    # The link that makes a guest a customer goes to the address the order was placed with, and proves it.
    claim = claim_link(customer) if customer.verified_at is None and customer.email == order.email else None
    mail.queue(
        session,
        kind,
        order.email,
        {
            "order": order,
            "lines": orders.lines_of(session, [order])[order.id],
            **_links(order),
            "claim_url": claim,
            **context,
        },
        dedupe_key=f"{kind}:{event.id}",
        customer_id=order.customer_id,
    )


def _links(order: Order) -> dict[str, str]:
    return {"order_url": order_links.page(order.number), "payment_url": order_links.payment(order.number)}


def tell_placed(session: Session, event: Event) -> None:
    """The order is written down: confirm it, with the way to pay."""
    if event.facts["total"] > 0:
        _order_mail(session, event, "order-placed")


def hold_for_payment(session: Session, event: Event) -> None:
    """What an order holds is given back when it is not paid in time."""
    order = session.get_one(Order, event.subject)
    tasks.enqueue(
        session,
        payments.RELEASE,
        {"order": order.id},
        dedupe_key=f"{payments.RELEASE}:{order.id}",
        run_at=order.placed_at + orders.UNPAID_FOR,
    )


def tell_paid(session: Session, event: Event) -> None:
    """The money is here: thank, and say what happens next."""
    _order_mail(session, event, "order-paid")


def tell_released(session: Session, event: Event) -> None:
    """The order was not paid in time: say that nothing is owed."""
    _order_mail(session, event, "order-released")


def restore_offers(session: Session, event: Event) -> None:
    """An order that ended unpaid has not used its offers."""
    offers.restore(session, event.subject or "")


def tell_refund(session: Session, event: Event) -> None:
    """Money goes back: apologise, and say how much."""
    facts = event.facts
    _order_mail(session, event, "refund", amount=facts["amount"], currency=facts["currency"], reason=facts["reason"])


REACTIONS: Mapping[str, tuple[Handler, ...]] = {
    "order-placed": (tell_placed, hold_for_payment),
    "order-paid": (tell_paid, suggestions.note_bought, insight.ask_for_training),
    "cart-line-added": (suggestions.note_added,),
    "order-released": (restore_offers, tell_released),
    "order-cancelled": (restore_offers,),
    "refund-made": (tell_refund,),
    "offer-sent": (offer_mail.write_mail,),
}
