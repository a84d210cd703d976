"""Tasks: asked for once, run once, retried, never lost."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from store import db, tasks
from store.tasks import Task, Worker
from tests.conftest import Clock


def _ask(key: str | None = None, **payload: Any) -> None:
    with db.transaction() as session:
        tasks.enqueue(session, "note", payload, dedupe_key=key)


def _states() -> list[str]:
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(Task.state)).all())


def test_a_task_asked_for_twice_under_one_key_runs_once(engine: Engine) -> None:
    seen: list[Any] = []
    _ask("k", n=1)
    _ask("k", n=2)
    assert Worker({"note": seen.append}).run_due() == 1
    assert seen == [{"n": 1}]
    assert _states() == ["done"]


def test_tasks_without_a_key_all_run(engine: Engine) -> None:
    seen: list[Any] = []
    _ask(n=1)
    _ask(n=2)
    Worker({"note": seen.append}).run_due()
    assert sorted(item["n"] for item in seen) == [1, 2]


def test_a_rolled_back_change_leaves_no_task(engine: Engine) -> None:
    try:
        with db.transaction() as session:
            tasks.enqueue(session, "note", {})
            raise RuntimeError
    except RuntimeError:
        pass
    assert _states() == []


def test_a_failing_task_is_tried_again_later_and_fails_for_good_after_six_tries(engine: Engine, clock: Clock) -> None:
    tries: list[Any] = []

    def fail(payload: dict[str, Any]) -> None:
        tries.append(payload)
        raise ValueError("a name that must not reach the row")

    worker = Worker({"note": fail})
    _ask(n=1)
    worker.run_due()
    assert _states() == ["queued"]
    assert worker.run_due() == 0  # not due yet
    for _ in range(5):
        clock.forward(hours=2)
        worker.run_due()
    assert len(tries) == 6
    assert _states() == ["failed"]
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Task.last_error)).one() == "ValueError"


def test_a_task_abandoned_by_a_killed_worker_is_taken_again_after_its_lease(engine: Engine, clock: Clock) -> None:
    _ask(n=1)
    with db.transaction() as session:
        task = session.exec(select(Task)).one()
        task.state, task.claimed_until = "running", db.now() + timedelta(minutes=1)
        session.add(task)
    seen: list[Any] = []
    worker = Worker({"note": seen.append})
    assert worker.run_due() == 0
    clock.forward(minutes=2)
    assert worker.run_due() == 1
    assert seen == [{"n": 1}]
