"""The one table "when X, then Y": handlers run in the event's own transaction and only write rows."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from store import mail
from store.accounts import claim_link
from store.crm import insight, offer_mail, offers
from store.events import Event, Handler, Visitor
from store.people import Customer
from store.shop import (
    invoices,
    order_links,
    orders,
    payment_tasks,
    saved_cards,
    schedule,
    suggestions,
    taxes,
    transfers,
    vat_checks,
)
from store.shop.orders import Order
from store.shop.refunds import Refund


def _order_mail(session: Session, event: Event, kind: str, **context: Any) -> None:
    order = session.get_one(Order, event.subject)
    customer = session.get_one(Customer, order.customer_id)
    # The link that makes a guest a customer goes to the address the order was placed with, and proves it.
    claim = claim_link(customer) if customer.verified_at is None and customer.email == order.email else None
    standing = schedule.standing(session, order)
    lines = orders.lines_of(session, [order])[order.id]
    mail.queue(
        session,
        kind,
        order.email,
        {
            "order": order,
            "lines": lines,
            "tax_rows": taxes.written(taxes.breakdown(order, lines)),
            **_links(order),
            "claim_url": claim,
            "standing": standing,
            "transfer": transfers.instructions(order, standing),
            "invoice": _invoice_of(session, order, event),
            **context,
        },
        dedupe_key=f"{kind}:{event.id}",
        customer_id=order.customer_id,
    )


def _invoice_of(session: Session, order: Order, event: Event) -> dict[str, str] | None:
    """The invoice or credit note that this event has brought, by its title, number and address."""
    facts = event.facts
    cause = invoices.for_the_refund(facts["refund"]) if "refund" in facts else None
    if cause is None and facts.get("payment"):
        cause = invoices.for_the_payment(facts["payment"])
    issued = invoices.of_cause(session, cause) if cause else None
    if issued is None:
        return None
    url = order_links.invoice(order.number, issued.number)
    return {"title": issued.title, "number": issued.number, "url": url}


def issue_invoice(session: Session, event: Event) -> None:
    """Money came in: its invoice is issued in the same transaction, so that neither is there without the other."""
    if event.facts["payment"] is not None:
        order = session.get_one(Order, event.subject)
        invoices.issue_for_payment(session, order, event.facts["payment"])


def issue_credit_note(session: Session, event: Event) -> None:
    """Money went back: its credit note."""
    order, refund = session.get_one(Order, event.subject), session.get_one(Refund, event.facts["refund"])
    invoices.issue_for_refund(session, order, refund)


def take_credit_note_back(session: Session, event: Event) -> None:
    """Money did not go back after all: a credit note that says so is taken back."""
    order, refund = session.get_one(Order, event.subject), session.get_one(Refund, event.facts["refund"])
    invoices.take_back(session, order, refund)


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


def check_vat_id(session: Session, event: Event) -> None:
    """An order goes out without VAT to a business: its VAT ID is looked up, afterwards and elsewhere."""
    order = session.get_one(Order, event.subject)
    if order.tax_treatment == "reverse-charge":
        vat_checks.ask(session, order)


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
    "order-placed": (tell_placed, hold_for_payment, check_vat_id),
    # The number of an invoice is taken late: whoever waits for it holds up nobody with something else.
    "order-paid": (suggestions.note_bought, insight.ask_for_training, issue_invoice, tell_paid),
    "cart-line-added": (suggestions.note_added,),
    "order-released": (restore_offers, tell_released),
    "order-cancelled": (restore_offers,),
    "order-stage": (ask_for_balance,),
    "payment-requested": (collect,),
    "payment-received": (issue_invoice, tell_received),
    "payment-failed": (tell_declined,),
    "refund-made": (issue_credit_note, tell_refund),
    "refund-failed": (take_credit_note_back,),
    "offer-sent": (offer_mail.write_mail,),
}
