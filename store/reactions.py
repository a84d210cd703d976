"""The one table "when X, then Y": handlers run in the event's own transaction and only write rows."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from store import mail
from store.accounts import claim_link
from store.crm import insight, offer_mail, offers
from store.events import Event, Handler, Visitor
from store.people import Customer
from store.shop import order_links, orders, payment_tasks, saved_cards, schedule, suggestions, transfers
from store.shop.orders import Order


def _order_mail(session: Session, event: Event, kind: str, **context: Any) -> None:
    order = session.get_one(Order, event.subject)
    customer = session.get_one(Customer, order.customer_id)
    # The link that makes a guest a customer goes to the address the order was placed with, and proves it.
    claim = claim_link(customer) if customer.verified_at is None and customer.email == order.email else None
    standing = schedule.standing(session, order)
    mail.queue(
        session,
        kind,
        order.email,
        {
            "order": order,
            "lines": orders.lines_of(session, [order])[order.id],
            **_links(order),
            "claim_url": claim,
            "standing": standing,
            "transfer": transfers.instructions(order, standing),
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
    """What an order holds is given back when it is not paid in time; parts with a day of their own come by then."""
    order = session.get_one(Order, event.subject)
    payment_tasks.plan_release(session, order)
    payment_tasks.plan_agreed_days(session, order)


def ask_for_balance(session: Session, event: Event) -> None:
    """The order is finished: what was to be paid then is asked for."""
    if event.facts["stage"] == "ready":
        visitor = Visitor(staff_id=event.staff_id)
        schedule.ask_when_ready(session, visitor, session.get_one(Order, event.subject))


def collect(session: Session, event: Event) -> None:
    """A later part is asked for: from the kept card if there is one, else by a link."""
    order = session.get_one(Order, event.subject)
    if saved_cards.chargeable(session, order, event.facts["amount"]):
        saved_cards.ask(session, event.facts["part"])
    else:
        _order_mail(session, event, "payment-requested", label=event.facts["label"])


def tell_received(session: Session, event: Event) -> None:
    """A further part is here: thank, and say what is left."""
    _order_mail(session, event, "payment-received", amount=event.facts["amount"])


def tell_declined(session: Session, event: Event) -> None:
    """The kept card could not be charged: a kind word and a new link; on the payment page the customer knows."""
    if event.facts["method"] == "saved":
        _order_mail(session, event, "payment-declined", asks_customer=event.facts["asks_customer"])


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
    """Money goes back: say how much, and apologise where we could not keep our side."""
    facts = event.facts
    _order_mail(session, event, "refund", amount=facts["amount"], currency=facts["currency"], reason=facts["reason"])


REACTIONS: Mapping[str, tuple[Handler, ...]] = {
    "order-placed": (tell_placed, hold_for_payment),
    "order-paid": (tell_paid, suggestions.note_bought, insight.ask_for_training),
    "cart-line-added": (suggestions.note_added,),
    "order-released": (restore_offers, tell_released),
    "order-cancelled": (restore_offers,),
    "order-stage": (ask_for_balance,),
    "payment-requested": (collect,),
    "payment-received": (tell_received,),
    "payment-failed": (tell_declined,),
    "refund-made": (tell_refund,),
    "consent-withdrawn": (insight.ask_for_unlearning,),
    "customer-erased": (insight.ask_for_unlearning,),
    "taste-forgotten": (insight.ask_for_unlearning,),
    "offer-sent": (offer_mail.write_mail,),
}
