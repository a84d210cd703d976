"""A backup while eight buyers order: restored elsewhere, its books add up and hold all that was acknowledged before."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.benchmarks.processes import ROOT, free_port
from tests.databases import PostgresTemplates, SqliteTemplates
from tests.trials.test_kills import BUYERS, SLUG, Ledger, buy, served

pytestmark = pytest.mark.trial

SECONDS = 10 if os.environ.get("QUICK") else 40
BOOKS = """
    SELECT o.id, o.number, o.total, o.tax, o.seal,
           (SELECT sum(amount - discount) FROM order_line WHERE order_id = o.id) + o.shipping AS lines,
           (SELECT sum(amount) FROM payment_part WHERE order_id = o.id) AS parts
    FROM shop_order o ORDER BY o.id
"""


def run(command: str, file: Path, data_dir: Path, database_url: str) -> None:
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": database_url}
    subprocess.run([sys.executable, "main.py", command, str(file)], cwd=ROOT, env=environment, check=True, timeout=120)


def books(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(BOOKS))]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_under_load_restores_with_equal_books(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{kind}_templates")
    ledger, port, file = Ledger(), free_port(), tmp_path / "copy.zip"
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with templates.fresh() as database_url:
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE stock SET on_hand = 100000 WHERE slug = :slug"), {"slug": SLUG})
        with served(tmp_path, port, database_url):
            until = time.monotonic() + SECONDS
            buyers = [
                threading.Thread(target=buy, args=(f"http://127.0.0.1:{port}", ledger, until)) for _ in range(BUYERS)
            ]
            for buyer in buyers:
                buyer.start()
            time.sleep(SECONDS / 3)
            before = set(ledger.acknowledged.values())
            run("backup", file, tmp_path, database_url)
            for buyer in buyers:
                buyer.join(timeout=120)
        original = books(engine)
        engine.dispose()
    run("restore", file, tmp_path / "elsewhere", elsewhere)
    copy = create_engine(elsewhere)
    restored = books(copy)
    with copy.connect() as connection:
        reserved = connection.execute(
            text("SELECT reserved FROM stock WHERE slug = :slug"), {"slug": SLUG}
        ).scalar_one()
    copy.dispose()
    assert ledger.server_errors == []
    assert before <= {row[1] for row in restored}
    assert 0 < len(before) <= len(restored) <= len(original)
    assert len(before) < len(original), "no order came after the backup began"
    assert [row for row in original if row in restored] == restored
    assert reserved == len(restored)
    assert all(total == lines == parts for _, _, total, _, _, lines, parts in restored)
