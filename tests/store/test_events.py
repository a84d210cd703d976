"""The append-only history: recorded as far as consent allows, reacted to in the same transaction."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from store import db, events, people, privacy
from store.events import NOBODY, Event, ViewQueue, Visitor

WILLING = Visitor(session_id="ses_1", consents=frozenset({"personalisation"}), consent_asked=True)
UNWILLING = Visitor(session_id="ses_2", consent_asked=True)


@pytest.fixture(autouse=True)
def no_reactions() -> Iterator[None]:
    """Nothing follows from these events but what a test asks for."""
    kept = events._reactions.handlers
    events.use_reactions({})
    yield
    events.use_reactions(kept)


HOUSE = ("model-published", "product-published")  # the template's products were published


def _events(session: Session) -> list[Event]:
    return [event for event in session.exec(select(Event)).all() if event.kind not in HOUSE]


def _kinds() -> list[str]:
    with db.transaction(read_only=True) as session:
        return [event.kind for event in _events(session)]


def test_a_choice_without_consent_is_not_recorded(session: Session) -> None:
    assert events.record(session, UNWILLING, "choice", facts={"group": "case", "value": "steel"}) is None
    assert _events(session) == []


def test_an_order_is_recorded_without_any_consent(session: Session) -> None:
    event = events.record(session, UNWILLING, "order-placed", subject="ord_1")
    assert event is not None
    assert (event.kind, event.subject, event.session_id) == ("order-placed", "ord_1", "ses_2")


def test_global_privacy_control_overrules_an_earlier_consent_to_personalisation(session: Session) -> None:
    opted_out = Visitor(session_id="ses_1", consents=frozenset({"personalisation", "messages"}), opted_out=True)
    assert events.record(session, opted_out, "view") is None
    assert opted_out.allows("messages")


def test_an_unknown_kind_is_a_mistake(session: Session) -> None:
    with pytest.raises(KeyError):
        events.record(session, WILLING, "ordered")


def test_a_reaction_that_fails_takes_its_event_with_it(engine: Engine) -> None:
    def refuse(_session: Session, _event: Event) -> None:
        raise ValueError("no")

    events.use_reactions({"order-placed": (refuse,)})
    with pytest.raises(ValueError, match="no"), db.transaction() as session:
        events.record(session, NOBODY, "order-placed", subject="ord_1")
    assert _kinds() == []


def test_reactions_to_unknown_events_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="order-plcaed"):
        events.use_reactions({"order-plcaed": ()})


def test_views_write_nothing_until_the_batch_is_flushed(engine: Engine) -> None:
    queue = ViewQueue()
    queue.note(WILLING, product="meridien")
    queue.note(UNWILLING, product="meridien")
    assert _kinds() == []
    assert queue.flush() == 1
    assert _kinds() == ["view"]


def test_a_full_queue_drops_views_rather_than_block_a_page(engine: Engine) -> None:
    queue = ViewQueue(most=2)
    for _ in range(3):
        queue.note(WILLING, page="/")
    assert queue.flush() == 2


def test_what_follows_within_a_millisecond_sorts_behind() -> None:
    ids = [db.new_id("evt") for _ in range(2000)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event",
        "DELETE FROM event WHERE staff_id = 'stf_1'",
        "UPDATE event SET facts = '{}'",
        "UPDATE event SET kind = 'view'",
        "UPDATE event SET at = received_at",
        "UPDATE event SET staff_id = NULL",
        "UPDATE event SET subject = 'ord_2'",
    ],
)
def test_what_staff_did_is_appended_never_changed_or_deleted(engine: Engine, statement: str) -> None:
    with db.transaction() as session:
        deed = events.record(
            session, Visitor(staff_id="stf_1"), "staff-action", subject="ord_1", facts={"action": "refunded"}
        )
        assert deed is not None
        before = deed.model_dump()
    with pytest.raises(DBAPIError, match="What staff did is appended, never changed or deleted"), engine.begin() as raw:
        raw.execute(text(statement))
    with db.transaction(read_only=True) as session:
        assert session.get_one(Event, before["id"]).model_dump() == before


def test_what_customers_did_follows_them_and_what_staff_did_stays(app: FastAPI) -> None:
    with db.transaction() as session:
        guest, joined = people.new_customer(session, "a@example.com"), people.new_customer(session, "b@example.com")
        events.record(session, Visitor(staff_id="stf_1"), "staff-action", customer_id=guest.id)
        events.record(session, Visitor(), "contact", customer_id=guest.id)
        session.flush()
        assert len(privacy.move(session, [guest.id], joined.id)["event"]) >= 2
        privacy.erase(session, joined.id)
    with db.transaction(read_only=True) as session:
        kinds = session.exec(select(Event.kind).where(Event.staff_id == "stf_1")).all()
        assert list(kinds) == ["staff-action"]
