"""Sixty-four buyers at once: an offer is used once."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from store import db, events, links, people, reactions
from store.auth import Signer
from store.crm import drafts, offers, sending
from store.crm.offers import Offer
from store.errors import ShopError
from store.events import Event, Visitor
from tests.store.crm.cast import STRAP, House, customer, wish

TRIES = 64
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def opened(engine: Engine) -> Iterator[tuple[str, list[str]]]:
    """An offer that was sent, and sixty-four orders of its customer that did not use it; all committed."""
    links.use_links("http://127.0.0.1:8160", Signer("test"))
    events.use_reactions(reactions.REACTIONS)
    with db.transaction() as session, db.world(lambda: AT, seed=3):
        staff = people.new_staff(session, "Aurèle", "owner@example.com", "owner")
        owner = Visitor(staff_id=staff.id, role="owner")
        iris = customer(session, "Iris", "iris@example.com")
        house = House(session, iris, iris, owner)
        placed = [house.orders(iris, ("care-kit-leather", {}), paid=False).id for _ in range(8)]
        draft = drafts.draft(session, owner, iris.customer_id or "", wish(expires_at=AT + timedelta(days=21)))
        offer_id = sending.send(session, owner, draft.id, "site").id
    yield offer_id, placed
    events.use_reactions({})


def in_parallel(work: Callable[[Session, int], None], count: int = TRIES) -> Counter[int]:
    """How `count` threads, begun together, fared: 200, or the status of the refusal."""
    gate = Barrier(count)

    def one(number: int) -> int:
        gate.wait()
        with db.world(lambda: AT + timedelta(hours=1), seed=number):
            try:
                with db.transaction() as session:
                    work(session, number)
            except ShopError as error:
                return error.status
            return 200

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def test_sixty_four_parallel_tries_redeem_one(opened: tuple[str, list[str]]) -> None:
    offer_id, placed = opened

    def redeem(session: Session, number: int) -> None:
        offers.redeem(session, offer_id, placed[number % len(placed)])

    assert in_parallel(redeem) == {200: 1, 409: TRIES - 1}
    with db.transaction(read_only=True) as session:
        assert session.get_one(Offer, offer_id).state == "redeemed"
        assert session.exec(select(func.count()).where(col(Event.kind) == "offer-redeemed")).one() == 1


def test_an_offer_that_is_sent_from_many_windows_is_sent_once(opened: tuple[str, list[str]]) -> None:
    with db.transaction() as session, db.world(lambda: AT, seed=4):
        customer_id = session.get_one(Offer, opened[0]).customer_id
        second = drafts.draft(
            session, Visitor(), customer_id, wish(slug="strap-calf-navy", expires_at=AT + timedelta(21))
        )

    def send(session: Session, number: int) -> None:
        sending.send(session, Visitor(), second.id, "site")

    assert in_parallel(send, 16) == {200: 16}
    with db.transaction(read_only=True) as session:
        sent = select(func.count()).where(col(Event.kind) == "offer-sent", col(Event.subject) == second.id)
        assert session.exec(sent).one() == 1


def test_of_two_offers_sent_by_mail_at_the_same_moment_one_keeps_the_pause(opened: tuple[str, list[str]]) -> None:
    with db.transaction() as session, db.world(lambda: AT, seed=5):
        customer_id = session.get_one(Offer, opened[0]).customer_id
        people.answer_consent(session, Visitor(), ["messages"], "account", customer_id=customer_id)
        waiting = [
            drafts.draft(session, Visitor(), customer_id, wish(slug=STRAP, expires_at=AT + timedelta(days=20))).id
            for _ in range(8)
        ]

    def send(session: Session, number: int) -> None:
        sending.send(session, Visitor(), waiting[number], "mail")

    assert in_parallel(send, 8) == {200: 1, 409: 7}
