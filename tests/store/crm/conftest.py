"""Fixtures of the customer's side: a house with two customers and its owner."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session

from store import events, links, people, reactions
from store.auth import Signer
from store.events import Visitor
from tests.store.crm.cast import House, customer


@pytest.fixture
def house(session: Session, clock: Any) -> Iterator[House]:
    """The house with two customers and its owner; reactions and links as in the running shop."""
    links.use_links("http://127.0.0.1:8160", Signer("test"))
    staff = people.new_staff(session, "Aurèle", "owner@example.com", "owner")
    owner = Visitor(staff_id=staff.id, role="owner", name="Aurèle")
    events.use_reactions(reactions.REACTIONS)
    yield House(
        session,
        customer(session, "Iris Vallier", "iris@example.com"),
        customer(session, "Blanche Roy", "blanche@example.com"),
        owner,
    )
    events.use_reactions({})
