"""Work for later: rows asked for in the transaction of the change, claimed and run by a worker.

A task function takes its payload and opens its own transactions, so that no network call lies inside one. A task may
run twice (a worker killed in between); what it does must bear that.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Index, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # after this, a claimed task counts as abandoned
RETRY_SECONDS = (5, 30, 120, 600, 3600)  # then the task has failed and waits for a person

TaskFunction = Callable[[dict[str, Any]], None]


class Task(SQLModel, table=True):
    """One piece of work; `dedupe_key` makes asking twice ask once."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_state_run_at", "state", "run_at"),)

    id: str = Field(primary_key=True)
    kind: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=db.Document)
    state: str = "queued"  # queued, running, done, failed
    run_at: datetime
    claimed_until: datetime | None = None
    attempts: int = 0
    progress: int = 0  # how far a long task has come; begun again, it goes on from there
    dedupe_key: str | None = Field(default=None, unique=True)
    last_error: str | None = None
    created_at: datetime
    finished_at: datetime | None = None


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    dedupe_key: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """Ask for a task in this transaction; a second call with the same `dedupe_key` changes nothing."""
    moment = db.now()
    row = {
        "id": db.new_id("tsk"),
        "kind": kind,
        "payload": dict(payload),
        "state": "queued",
        "run_at": run_at or moment,
        "attempts": 0,
        "dedupe_key": dedupe_key,
        "created_at": moment,
    }
    db.insert_once(session, Task, row, unique=("dedupe_key",))


def of_key(session: Session, dedupe_key: str) -> Task | None:
    """The task asked for under that key."""
    return db.find(session, Task, dedupe_key=dedupe_key)


def take_back(session: Session, dedupe_key: str) -> None:
    """Queue a task again whose worker is known to be gone, without waiting for its lease to end."""
    session.execute(
        update(Task)
        .where(col(Task.dedupe_key) == dedupe_key, col(Task.state) == "running")
        .values(state="queued", claimed_until=None)
    )


def note_progress(session: Session, dedupe_key: str, progress: int) -> None:
    """Note how far a long task has come, in the transaction of the work itself, and keep its lease alive."""
    session.execute(
        update(Task)
        .where(col(Task.dedupe_key) == dedupe_key)
        .values(progress=progress, claimed_until=datetime.now(UTC) + LEASE)
    )


class Worker:
    """Runs due tasks of the kinds it knows, one after the other; several workers may run side by side."""

    def __init__(self, functions: Mapping[str, TaskFunction], idle_seconds: float = 0.5) -> None:
        self._functions = functions
        self._idle = idle_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def run_due(self, most: int = 1_000) -> int:
        """Run what is due now; returns how many tasks ran."""
        ran = 0
        while ran < most and not self._stop.is_set():
            task = self._claim()
            if task is None:
                break
            self._run(task)
            ran += 1
        return ran

    def run_forever(self) -> None:
        """Run tasks until `stop` is called."""
        while not self._stop.is_set():
            try:
                ran = self.run_due(50)
            except Exception:
                log.exception("the worker could not reach its tasks")
                ran = 0
            if not ran:
                self._stop.wait(self._idle)

    def start(self) -> None:
        """Run in a thread of its own."""
        self._stop.clear()
        self._thread = threading.Thread(target=self.run_forever, name="tasks", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Begin no further task."""
        self._stop.set()

    def stop(self, wait_seconds: float = 10) -> None:
        """Finish the task at hand and stop."""
        self.ask_to_stop()
        if self._thread:
            self._thread.join(timeout=wait_seconds)

    def _claim(self) -> Task | None:
        """Take the oldest due task; the conditional update lets exactly one worker win."""
        moment = db.now()
        known = col(Task.kind).in_(list(self._functions))
        due = known & or_(
            col(Task.state) == "queued",
            (col(Task.state) == "running") & (col(Task.claimed_until) < moment),
        )
        with db.transaction(read_only=True) as session:
            candidates = session.exec(
                select(Task.id).where(due, col(Task.run_at) <= moment).order_by(col(Task.run_at), col(Task.id)).limit(5)
            ).all()
        for task_id in candidates:
            with db.transaction() as session:
                claimed = session.execute(
                    update(Task)
                    .where(col(Task.id) == task_id, due)
                    .values(state="running", claimed_until=moment + LEASE, attempts=Task.attempts + 1)
                    .returning(col(Task.id))
                ).first()
                if claimed:
                    return session.get(Task, task_id)
        return None

    def _run(self, task: Task) -> None:
        error: str | None = None
        try:
            self._functions[task.kind](task.payload)
        except Exception as problem:
            # The type and the place only: messages of outside libraries can hold addresses and names.
            error = type(problem).__name__
            if not self._stop.is_set():
                place = "".join(traceback.format_tb(problem.__traceback__))
                log.error("task %s (%s) failed at attempt %d: %s\n%s", task.kind, task.id, task.attempts, error, place)
        with db.transaction() as session:
            row = session.get_one(Task, task.id)
            if error is None:
                row.state, row.finished_at, row.last_error = "done", db.now(), None
            elif task.attempts > len(RETRY_SECONDS):
                row.state, row.finished_at, row.last_error = "failed", db.now(), error
            else:
                row.state, row.last_error = "queued", error
                row.run_at = db.now() + timedelta(seconds=RETRY_SECONDS[task.attempts - 1])
            row.claimed_until = None
            session.add(row)
