"""Taking an offer: it is kept for her, and its ready designs lie in her bag, each once however often she presses."""

from sqlmodel import Session

from store.crm import drafts, offers
from store.crm.offers import Offer
from store.events import Visitor
from store.shop import carts


def take(session: Session, visitor: Visitor, offer_id: str) -> Offer:
    """Accept an offer and put what it is for into the bag.

    Raises:
        ShopError: 404 not hers; 409 used, ended or declined.
    """
    offer = offers.accept(session, visitor, offer_id)
    cart = carts.open_cart(session, visitor)
    held = {line.line.hash for line in carts.view(session, cart, visitor).lines}
    for design in drafts.ready_designs(session, offer):
        if design.hash not in held:
            carts.add(session, visitor, cart, design, offer_id=offer.id)
    return offer
