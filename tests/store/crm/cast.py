"""A small house with its people, built through the shop's own functions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from store import checkout, db, people
from store.crm.drafts import Draft
from store.events import Visitor
from store.shop import carts, designs, orders
from store.shop.delivery import PlaceForm
from store.shop.designs import Design
from store.shop.orders import Order

STRAP = "strap-alligator-havana"


@dataclass
class House:
    """The people of the tests, and what they do."""

    session: Session
    iris: Visitor
    blanche: Visitor
    owner: Visitor

    def consents(self, visitor: Visitor, *purposes: str) -> None:
        """She answers what she may be asked."""
        people.answer_consent(self.session, NO_SESSION, purposes, "account", customer_id=visitor.customer_id)

    def saves(self, visitor: Visitor, slug: str, **choices: Any) -> Design:
        """She saves a design."""
        return designs.save(self.session, visitor, slug, choices, {})

    def orders(self, visitor: Visitor, *wanted: tuple[str, dict[str, Any]], paid: bool = True) -> Order:
        """She orders designs and pays."""
        cart = carts.create(self.session, visitor)
        for slug, choices in wanted:
            carts.add(self.session, visitor, cart, designs.save(self.session, visitor, slug, choices, {}))
        total = checkout.quote(self.session, visitor, cart, "FR").totals.total
        form = PlaceForm(
            email="x@example.com",
            name="X",
            line1="1 rue",
            city="Paris",
            postal_code="75001",
            country="FR",
            seen_total=total,
        )
        order = checkout.place(self.session, visitor, cart, form, db.new_id("key")).order
        if paid:
            orders.mark_paid(self.session, order, None)
        return order


NO_SESSION = Visitor()


def customer(session: Session, name: str, email: str) -> Visitor:
    """A customer with a proved address, as a visitor."""
    made = people.new_customer(session, email, name)
    people.verify_email(session, made, email)
    return Visitor(customer_id=made.id, name=name)


def wish(**changes: Any) -> Draft:
    """A draft of 15 % off the strap, ending in three weeks."""
    values: dict[str, Any] = {
        "kind": "percent",
        "basis_points": 1_500,
        "message": "We thought of you.",
        "reason": "It fits the Méridien you own.",
        "expires_at": db.now() + timedelta(days=21),
        "slug": STRAP,
        "choices": {},
    }
    return Draft(**{**values, **changes})
