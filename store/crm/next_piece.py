"""The next piece for one customer, ready configured, with its reason: on the front page, by mail, from the desk."""

from dataclasses import replace

from sqlmodel import Session

from store import db, events, experiments, mail
from store.crm import insight, proposals, sending
from store.crm.proposals import Proposal
from store.errors import not_found, refused
from store.events import Visitor
from store.people import Customer
from store.settings import house
from store.shop import carts, catalog, designs, forgetting, price_lists, suggestions
from store.shop.appraisal import appraise

MOST = 3
LOOKED_THROUGH = 24  # for the one that was clicked: another may have come before it meanwhile
PURPOSE = "messages"


def for_visitor(session: Session, visitor: Visitor, most: int = MOST) -> list[Proposal]:
    """What is proposed to whoever is signed in; nothing without their consent, when off, or in the control group."""
    customer_id = visitor.customer_id
    if customer_id is None or not visitor.allows("personalisation") or suggestions.are_off(session, visitor):
        return []
    if experiments.known_arm(session, experiments.CHECKOUT_SUGGESTIONS, customer_id) == suggestions.CONTROL:
        return []
    found = proposals.next_pieces(session, customer_id, most, insight.chances)
    return [_as_priced(session, visitor, one) for one in found]


def _as_priced(session: Session, visitor: Visitor, found: Proposal) -> Proposal:
    """The same at the prices that the visitor chose to see."""
    item = price_lists.shown(catalog.published(session, found.slug), visitor)
    if item.model.currency == found.currency:
        return found
    return replace(found, price=appraise(item, found.choices).price.amount, currency=item.model.currency)


def take(session: Session, visitor: Visitor, slug: str) -> Proposal:
    """Put exactly the proposed design into the bag.

    Raises:
        ShopError: 404, it is not proposed to them (any more).
    """
    found = _found(session, visitor, slug)
    design = designs.save(session, visitor, found.slug, found.choices, {}, source="suggestion")
    carts.add(session, visitor, carts.open_cart(session, visitor), design)
    events.record(session, visitor, "suggestion-added", product=slug, facts={"from": "front page"})
    return found


def forget(session: Session, visitor: Visitor, slug: str) -> None:
    """ "Forget this": what the proposal's reason says of the customer no longer counts.

    Raises:
        ShopError: 404, it is not proposed to them, or rests on nothing of theirs.
    """
    cites = _found(session, visitor, slug).cites
    if not cites:
        raise not_found("reason")
    forgetting.forget(session, visitor, *cites)


def _found(session: Session, visitor: Visitor, slug: str) -> Proposal:
    for item in for_visitor(session, visitor, LOOKED_THROUGH):
        if item.slug == slug:
            return item
    raise not_found("piece")


def write(session: Session, staff: Visitor, customer_id: str, slug: str) -> None:
    """Write to a customer about one piece that is proposed for them, ready configured.

    Raises:
        ShopError: 404 no such proposal, 409 without consent to messages or within the pause between two mails.
    """
    # Two letters to the same person must not both pass the cap: her row is the lock.
    customer = session.get_one(Customer, customer_id, with_for_update=True)
    refusal = sending.mail_refusal(session, customer_id)
    if refusal:
        raise refused(refusal, "Not by mail")
    found = next(
        (p for p in proposals.proposals(session, customer_id, LOOKED_THROUGH, insight.chances) if p.slug == slug), None
    )
    if found is None:
        raise not_found("proposal")
    code = found.design_code
    if code is None:
        made = designs.save(session, staff, slug, found.choices, {}, source="suggestion", customer_id=customer_id)
        code = made.code
    subject = f"{found.name}, with you in mind — {house().name}"
    greeting = f"Dear {customer.name}," if customer.name else "Good day,"
    context = {"subject": subject, "greeting": greeting, "piece": found, "page": f"/designs/{code}"}
    mail.queue(
        session,
        "next-piece",
        customer.email,
        context,
        dedupe_key=f"next-piece:{db.new_id('prp')}",
        customer_id=customer_id,
        purpose=PURPOSE,
        cost=mail.COST_PER_MAIL,
    )
    facts = {"action": "wrote about a piece"}
    events.record(
        session, staff, "staff-action", product=slug, customer_id=customer_id, subject=customer_id, facts=facts
    )
