"""The start composed for a returning customer: each value says why, can be cleared, and is nobody's choice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from store import db, people
from store.auth import WebSession
from store.crm import insight
from store.events import Event, Visitor
from store.settings import Settings
from store.shop import designs, taste
from store.shop.designs import Design
from tests.browsers import PageBrowser

WATCH = "/products/meridien"
WHY = "Filled in because you chose Rose gold before."


@pytest.fixture
def returning(visitor: PageBrowser, settings: Settings) -> Iterator[str]:
    """A customer who chose rose gold before, signed in at this browser; returns their id."""
    with db.transaction() as session:
        iris, blanche = (people.new_customer(session, f"{name}@example.com", name) for name in ("iris", "blanche"))
        for customer, case in ((iris, "rose-gold"), (blanche, "black-titanium")):
            people.answer_consent(session, Visitor(), ["personalisation"], "account", customer_id=customer.id)
            for size in ("mm38", "mm40", "mm42"):
                designs.save(session, Visitor(customer_id=customer.id), "meridien", {"case": case, "size": size}, {})
    insight.train(settings)
    visitor.get(WATCH)
    visitor.submit(WATCH, {"act": "restart"})
    with db.transaction() as session:
        row = session.exec(select(WebSession)).one()
        row.customer_id = iris.id
        session.add(row)
    yield iris.id
    taste.use_models(Path("/nowhere"))


def test_a_composed_start_says_why_and_can_be_cleared(visitor: PageBrowser, returning: str) -> None:
    assert "Composed for you" in visitor.get(WATCH).text
    begun = visitor.submit(WATCH, {"act": "composed"}).text
    assert WHY in begun
    assert 'value="case:rose-gold" id="o-case-rose-gold" aria-pressed="true"' in begun
    cleared = visitor.submit(WATCH, {"choose": "case:"}).text
    assert WHY not in cleared
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Event).where(Event.kind == "choice")).all() == []


def test_a_design_with_filled_in_values_is_not_learned_from(
    visitor: PageBrowser, returning: str, settings: Settings
) -> None:
    visitor.get(WATCH)
    visitor.submit(WATCH, {"act": "composed"})
    visitor.submit(WATCH, {"choose": "dial:silver"})
    visitor.submit(WATCH, {"act": "save"})
    with db.transaction(read_only=True) as session:
        saved = session.exec(select(Design).where(Design.customer_id == returning)).all()
        assert [design.source for design in saved if design.choices.get("dial") == "silver"] == ["suggestion"]
    before = taste.chosen_before(returning, "meridien")
    insight.train(settings)
    assert taste.chosen_before(returning, "meridien").keys() == before.keys()


def test_taste_completes_as_the_customer_leans(visitor: PageBrowser, returning: str) -> None:
    body = {"choices": {}, "objective": "taste"}
    answer = visitor.call("POST", "/api/products/meridien/completion", body).json()
    assert answer["choices"]["case"] == "rose-gold"
    assert answer["complete"]


@pytest.mark.usefixtures("returning")
def test_a_stranger_is_offered_no_such_start(another: PageBrowser) -> None:
    assert "Composed for you" not in another.get(WATCH).text
    assert another.submit(WATCH, {"act": "composed"}).status_code == 404
