"""Grows the demo house visit by visit; killed and started again, it goes on where it stopped."""

import gc
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as hour

from sqlmodel import Session, select

from store import auth, db, people, tasks
from store.accounts import credentials
from store.crm import insight
from store.demo.errands import do_errands, live_the_day
from store.demo.plan import TEST_CUSTOMER, YEARS, Visit, visits
from store.demo.till import demo_till
from store.demo.visiting import live
from store.events import NOBODY
from store.people import Customer
from store.settings import Settings
from store.tasks import Task

TASK = "grow-demo"
CUSTOMERS = 300
SEED = 1901
RARELY = (50_000, 20, 50)  # garbage is looked for: rows make few circles, and looking is a seventh of the time
TRAINED_AFTER = (3, 6)  # tenths of the visits
PAUSE_SECONDS = 0.005  # between two visits, so that a customer of the shop that is open meanwhile can write, too

# TEST accounts: the only ones with a password; never made in production.
CUSTOMER = (*TEST_CUSTOMER, "camille-chooses-2026")
OWNER = ("Aurèle Vasseur", "owner@example.com", "owner-keeps-house-2026")
SIGN_INS = (("customer", *CUSTOMER[1:]), ("owner", *OWNER[1:]))


def ask_for_house(settings: Settings) -> None:
    """Make an empty shop the demo house: its TEST accounts now, its history as a task."""
    if not settings.demo:
        return
    with db.transaction() as session:
        if session.exec(select(Customer.id).limit(1)).first() is not None:
            tasks.take_back(session, TASK)  # a shop that was killed while it grew goes on growing
            return
        _make_accounts(session)
        _ask(session, CUSTOMERS, SEED)


def state(session: Session) -> str:
    """How far the demo house is: none, growing or ready."""
    task = tasks.of_key(session, TASK)
    if task is None or task.state == "failed":
        return "none"
    return "ready" if task.state == "done" else "growing"


def grow(settings: Settings, customers: int, seed: int, say: Callable[[str], None]) -> None:
    """Live all visits that were not lived yet, with progress in words."""
    if settings.production:
        say("The demo house is not for production.")
        return
    with db.transaction() as session:
        if session.exec(select(Customer.id).limit(1)).first() is None:
            _make_accounts(session)
        _ask(session, customers, seed)
        task = session.exec(select(Task).where(Task.dedupe_key == TASK)).one()
        if task.state == "done":
            say("The demo house has grown already.")
            return
        task.state, task.claimed_until = "running", datetime.now(UTC) + tasks.LEASE
        session.add(task)
        customers, seed = task.payload["customers"], task.payload["seed"]
        end = datetime.fromisoformat(task.payload["end"])
        lived = task.progress
    planned = visits(customers, seed, end)
    till = demo_till()
    often = gc.get_threshold()
    gc.set_threshold(*RARELY)
    lessons = {len(planned) * tenths // 10 for tenths in TRAINED_AFTER}
    for number, visit in enumerate(planned[lived:], start=lived + 1):
        if number - 1 in lessons:
            say(insight.train(settings))
        # A visit and its number are written together: killed in between, it is lived anew or not again.
        with db.world(_Walking(visit.at), _seed(visit)), db.together() as session:
            if number == 1 or planned[number - 2].at.date() != visit.at.date():
                live_the_day(session, till)
            live(session, visit, till)
            do_errands(session)
            tasks.note_progress(session, TASK, number)
        if number % 250 == 0 or number == len(planned):
            say(f"Demo house: {number} of {len(planned)} visits lived (synthetic)")
        time.sleep(PAUSE_SECONDS)
    gc.set_threshold(*often)
    with db.transaction() as session:
        task = session.exec(select(Task).where(Task.dedupe_key == TASK)).one()
        task.state, task.finished_at, task.claimed_until = "done", db.now(), None
        session.add(task)
        tasks.enqueue(session, "train", {}, dedupe_key="train-demo")


class _Walking:
    """A clock that begins at a moment and goes on a little with every look."""

    def __init__(self, start: datetime) -> None:
        self._moment = start

    def __call__(self) -> datetime:
        self._moment += timedelta(milliseconds=40)
        return self._moment


def _seed(visit: Visit) -> int:
    return random.Random(f"world:{visit.seed}").getrandbits(64)  # noqa: S311 - reproducible on purpose


def _ask(session: Session, customers: int, seed: int) -> None:
    payload = {"customers": customers, "seed": seed, "end": _end().isoformat()}
    tasks.enqueue(session, TASK, payload, dedupe_key=TASK)


def _end() -> datetime:
    """The history ends on the day before it is asked for, whatever the hour: the plan does not depend on seconds."""
    return datetime.combine(db.now().date(), hour(), tzinfo=UTC)


def _make_accounts(session: Session) -> None:
    """The TEST accounts, as old as the house; the customer allows everything, so that all can be tried with them."""
    with db.world(_Walking(_end() - YEARS), SEED):
        name, email, password = CUSTOMER
        customer = people.new_customer(session, email, name, synthetic=True)
        people.verify_email(session, customer, email)
        people.answer_consent(session, NOBODY, people.PURPOSES, "registration", customer_id=customer.id)
        credentials.set_password(session, email, auth.hash_password(password), customer_id=customer.id)
        name, email, password = OWNER
        staff = people.new_staff(session, name, email, "owner")
        credentials.set_password(session, email, auth.hash_password(password), staff_id=staff.id)
