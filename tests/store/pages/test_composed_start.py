"""The start composed for a returning customer: each value says why, can be cleared and forgotten; nobody's choice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import db, people
from store.auth import WebSession
from store.crm import insight
from store.events import Event, Visitor
from store.settings import Settings
from store.shop import curation, designs, taste
from store.shop.designs import Design
from store.shop.taste import Whose
from tests.browsers import PageBrowser

WATCH = "/products/meridien"
WHY = "Filled in because you chose Rose gold before."
PRESSED = 'value="case:rose-gold" id="o-case-rose-gold" aria-pressed="true"'
SIZES = ("mm38", "mm40", "mm42")


def _returning(visitor: PageBrowser, settings: Settings, hers: str, others: str) -> str:
    """A customer whose three watches had one case, another's the other; signed in at this browser."""
    with db.transaction() as session:
        iris, blanche = (people.new_customer(session, f"{name}@example.com", name) for name in ("iris", "blanche"))
        for customer, case in ((iris, hers), (blanche, others)):
            people.answer_consent(session, Visitor(), ["personalisation"], "account", customer_id=customer.id)
            for size in SIZES:
                designs.save(session, Visitor(customer_id=customer.id), "meridien", {"case": case, "size": size}, {})
    insight.train(settings)
    visitor.get("/products/voyageur")
    visitor.submit("/products/voyageur", {"act": "restart"})
    with db.transaction() as session:
        row = session.exec(select(WebSession)).one()
        row.customer_id = iris.id
        session.add(row)
    return iris.id


@pytest.fixture
def returning(visitor: PageBrowser, settings: Settings) -> Iterator[str]:
    """A customer who chose rose gold before; returns their id."""
    yield _returning(visitor, settings, "rose-gold", "black-titanium")
    taste.use_models(Path("/nowhere"))


def choices_recorded() -> list[Event]:
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(Event).where(Event.kind == "choice")).all())


def test_a_returning_customer_begins_where_their_taste_leads(visitor: PageBrowser, returning: str) -> None:
    page = visitor.get(WATCH).text
    assert WHY in page
    assert PRESSED in page
    assert "Begin with ours instead" in page
    work = visitor.call("GET", "/api/products/meridien/work").json()
    assert (work["choices"]["case"], work["undo"], work["revision"]) == ("rose-gold", 1, 0)
    likely = visitor.call("POST", "/api/products/meridien/completion", {"choices": {}, "objective": "taste"}).json()
    assert work["choices"].items() <= likely["choices"].items()


def test_other_planted_tastes_make_another_start(visitor: PageBrowser, settings: Settings) -> None:
    _returning(visitor, settings, "black-titanium", "rose-gold")
    page = visitor.get(WATCH).text
    assert "Filled in because you chose Black titanium before." in page
    assert PRESSED not in page
    taste.use_models(Path("/nowhere"))


def test_what_is_filled_in_can_be_cleared_and_stays_so(visitor: PageBrowser, returning: str) -> None:
    visitor.get(WATCH)
    cleared = visitor.submit(WATCH, {"choose": "case:"}).text
    assert WHY not in cleared
    assert PRESSED not in cleared
    assert WHY not in visitor.get(WATCH).text
    assert choices_recorded() == []


def test_undo_and_starting_again_lead_to_the_houses_own(visitor: PageBrowser, returning: str) -> None:
    visitor.get(WATCH)
    assert WHY not in visitor.submit(WATCH, {"act": "undo"}).text
    assert WHY in visitor.submit(WATCH, {"act": "redo"}).text
    assert WHY not in visitor.submit(WATCH, {"act": "restart"}).text
    assert WHY not in visitor.get(WATCH).text
    begun = visitor.submit(WATCH, {"act": "composed"}).text
    assert WHY in begun
    assert choices_recorded() == []


def test_with_script_the_same_page_is_swapped_in(visitor: PageBrowser, returning: str) -> None:
    swapped = visitor.get(WATCH, headers={"X-Partial": "1"})
    assert "<html" not in swapped.text
    assert WHY in swapped.text
    assert PRESSED in swapped.text


def test_only_ones_own_choices_of_a_filled_in_design_are_learned_from(
    visitor: PageBrowser, returning: str, settings: Settings
) -> None:
    visitor.get(WATCH)
    visitor.submit(WATCH, {"choose": "dial:silver"})
    visitor.submit(WATCH, {"act": "save"})
    with db.transaction(read_only=True) as session:
        (saved,) = [one for one in session.exec(select(Design)).all() if one.choices.get("dial") == "silver"]
        assert (saved.own, "case" in saved.filled) == (frozenset({"dial"}), True)
    before = taste.chosen_before(Whose(returning), "meridien")
    insight.train(settings)
    after = taste.chosen_before(Whose(returning), "meridien")
    assert after.keys() - before.keys() == {("dial", "silver")}
    assert after["case", "rose-gold"] == pytest.approx(before["case", "rose-gold"], abs=0.01)


def test_forget_this_takes_the_value_out_of_the_next_page_and_of_the_next_model(
    visitor: PageBrowser, returning: str, settings: Settings
) -> None:
    visitor.get(WATCH)
    assert "Forgotten" in visitor.submit(WATCH, {"act": "forget:case"}).text
    visitor.submit(WATCH, {"act": "restart"})
    assert WHY not in visitor.submit(WATCH, {"act": "composed"}).text
    assert ("case", "rose-gold") not in taste.chosen_before(_whose(returning), "meridien")
    insight.train(settings)
    fitted = taste.fitted()
    assert fitted is not None
    kept = [key for part in (fitted.taste.own, fitted.taste.values, fitted.taste.own_attributes) for key in part]
    assert not [key for key in kept if "rose-gold" in key]
    assert ("meridien", "size", "mm38") in fitted.taste.values
    page = visitor.get("/account/privacy").text
    assert "that you chose Rose gold for the Méridien" in page


def test_only_what_is_filled_in_can_be_forgotten_there(visitor: PageBrowser, returning: str) -> None:
    visitor.get(WATCH)
    assert visitor.submit(WATCH, {"act": "forget:dial"}).status_code == 404
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Event).where(Event.kind == "taste-forgotten")).all() == []


def test_taste_completes_as_the_customer_leans(visitor: PageBrowser, returning: str) -> None:
    body = {"choices": {}, "objective": "taste"}
    answer = visitor.call("POST", "/api/products/meridien/completion", body).json()
    assert answer["choices"]["case"] == "rose-gold"
    assert answer["complete"]


@pytest.mark.parametrize("by", ["customer", "owner"])
def test_switched_off_nothing_is_filled_in(visitor: PageBrowser, returning: str, by: str) -> None:
    with db.transaction() as session:
        if by == "customer":
            customer = session.get_one(people.Customer, returning)
            customer.suggestions_off = True
            session.add(customer)
        else:
            curation.rule_house(session, _owner(session), curation.OFF, 0)
    page = visitor.get(WATCH).text
    assert "Filled in" not in page
    assert "Composed for you" not in page


@pytest.mark.usefixtures("returning")
def test_a_stranger_is_offered_no_such_start(another: PageBrowser) -> None:
    assert "Composed for you" not in another.get(WATCH).text
    assert another.submit(WATCH, {"act": "composed"}).status_code == 404


def _whose(customer_id: str) -> Whose:
    with db.transaction(read_only=True) as session:
        found = taste.whose(session, Visitor(customer_id=customer_id, consents=frozenset({"personalisation"})))
    assert found is not None
    return found


def _owner(session: Session) -> Visitor:
    return Visitor(staff_id=people.new_staff(session, "Aurèle", "aurele@example.com", "owner").id, role="owner")
