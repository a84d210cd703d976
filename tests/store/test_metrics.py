"""Figures for operators: counted by the pattern of an address, and told to the bearer of the token only."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from main import create_app
from store import db, tasks
from store.settings import read_settings
from tests.browsers import PageBrowser

TOKEN = {"Authorization": "Bearer letmein"}


def _shop() -> PageBrowser:
    return PageBrowser(create_app(read_settings({"SECRET_KEY": "test", "METRICS_TOKEN": "letmein"})))


def _figure(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_answers_are_counted_by_pattern_and_never_by_address(engine: Engine) -> None:
    with _shop() as visitor:
        page = 'atelier_requests_total{method="GET",route="/products/{slug}",status="200"}'
        before = _figure(visitor.get("/metrics", headers=TOKEN).text, page)
        visitor.get("/products/strap-calf-navy")
        visitor.get("/nowhere/ada@example.com")
        text = visitor.get("/metrics", headers=TOKEN).text
    assert _figure(text, page) == before + 1
    assert _figure(text, 'atelier_request_seconds_count{route="/products/{slug}"}') >= 1
    assert 'route="other",status="404"' in text
    assert "ada" not in text


def test_what_waits_is_told(engine: Engine) -> None:
    with _shop() as visitor:
        with Session(engine) as session:
            tasks.enqueue(session, "send-mail", {}, run_at=db.now() - timedelta(seconds=90))
            session.commit()
        text = visitor.get("/metrics", headers=TOKEN).text
    assert _figure(text, 'atelier_tasks{state="queued"}') >= 1
    assert _figure(text, "atelier_task_lateness_seconds") >= 90


ONE_OF_SEVERAL = """
from sqlmodel import Session, SQLModel, create_engine
from main import create_app
from store import metrics
engine = create_engine("sqlite://")
SQLModel.metadata.create_all(engine)
with Session(engine) as session:
    metrics.exposition(session)
    print(metrics.exposition(session).decode())
"""


def test_several_processes_tell_what_waits_once(tmp_path: Path) -> None:
    """What waits stands in the database: no process keeps a figure of its own for it."""
    shared = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    text = subprocess.run(
        [sys.executable, "-c", ONE_OF_SEVERAL], env=shared, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^atelier_mails_queued.*$", text, re.MULTILINE) == ["atelier_mails_queued 0.0"]
    assert re.findall(r"^# TYPE atelier_tasks .*$", text, re.MULTILINE) == ["# TYPE atelier_tasks gauge"]


def test_without_the_token_there_is_no_such_page(engine: Engine, visitor: PageBrowser) -> None:
    assert visitor.get("/metrics", headers=TOKEN).status_code == 404  # a shop without a token has no figures
    with _shop() as another:
        assert another.get("/metrics").status_code == 404
        assert another.get("/metrics", headers={"Authorization": "Bearer guess"}).status_code == 404
