"""Figures for whoever operates the shop: requests, their time, and how much waits; in Prometheus' text form.

Counters are kept by each process. With several web processes they meet in files under the data directory.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func
from sqlmodel import Session, col, select

from store import db
from store.mail import Message
from store.tasks import Task

MEDIA_TYPE = CONTENT_TYPE_LATEST
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the name that prometheus_client looks for
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

_own = CollectorRegistry()
_requests = Counter("atelier_requests", "Answers given.", ("method", "route", "status"), registry=_own)
_seconds = Histogram("atelier_request_seconds", "Time to an answer.", ("route",), buckets=SECONDS, registry=_own)


def note_request(method: str, route: str, status: int, began: float) -> None:
    """Count an answer; `route` is the pattern of its address, never the address itself; `began` by perf_counter."""
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(route).observe(time.perf_counter() - began)


def share_files(data_dir: Path) -> None:
    """Let the web processes that are started next add up their counters; before they import this module."""
    directory = data_dir / "metrics"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    os.environ[SHARED] = str(directory)


def exposition(session: Session) -> bytes:
    """All figures: those of the web processes, and what waits in the database now."""
    waiting = CollectorRegistry()
    waiting.register(_Waiting(session))
    counted = _own
    if os.environ.get(SHARED):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(waiting)


class _Waiting(Collector):
    """What waits now: read from the database at every look, so that no process keeps it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures, one after the other."""
        tasks = GaugeMetricFamily("atelier_tasks", "Tasks by state; done ones are left out.", labels=["state"])
        for state, number in self._session.exec(
            select(Task.state, func.count()).where(Task.state != "done").group_by(Task.state)
        ).all():
            tasks.add_metric([state], number)
        yield tasks
        oldest = self._session.exec(select(func.min(Task.run_at)).where(Task.state == "queued")).one()
        late = max(0.0, (db.now() - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("atelier_task_lateness_seconds", "How long the oldest due task has waited.", late)
        queued = self._session.exec(select(func.count()).where(col(Message.state) == "queued")).one()
        yield GaugeMetricFamily("atelier_mails_queued", "Mails that are not sent yet.", queued)
