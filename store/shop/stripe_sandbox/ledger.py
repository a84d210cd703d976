"""The sandbox's memory: one SQLite file of objects, events, deliveries, idempotency keys and settings."""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE_NAME = "stripe-sandbox.db"
KEY_LIFE = 86_400  # seconds for which an idempotency key is remembered

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_open ON object (kind, json_extract(body, '$.status'));
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting', answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    made INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

Body = dict[str, Any]


class Ledger:
    """Everything the sandbox remembers; one transaction at a time, on disk before anything is answered."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._rows.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        self.on_delivery: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rows.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that happens inside, or nothing of it; whoever waits for deliveries is woken afterwards."""
        with self._lock:
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._rows.execute("ROLLBACK")
                raise
            self._rows.execute("COMMIT")
        self.on_delivery()

    def now(self) -> int:
        """Seconds since the epoch on the sandbox's own clock, which a test may set ahead."""
        return int(time.time()) + int(self.setting("clock_ahead", 0))

    # Objects

    def new(self, prefix: str, kind: str, body: Mapping[str, Any]) -> Body:
        """Keep a new object under a fresh id and answer it."""
        fresh = {"id": f"{prefix}_{secrets.token_hex(12)}", "object": kind, **body}
        self._rows.execute("INSERT INTO object (id, kind, body) VALUES (?, ?, ?)", (fresh["id"], kind, _json(fresh)))
        return fresh

    def save(self, body: Body) -> None:
        """Keep an object's changed state."""
        self._rows.execute("UPDATE object SET body = ? WHERE id = ?", (_json(body), body["id"]))

    def find(self, kind: str, reference: str) -> Body | None:
        """The object of this kind and id, with its inner fields, or none."""
        with self._lock:
            row = self._rows.execute("SELECT body FROM object WHERE id = ? AND kind = ?", (reference, kind)).fetchone()
        return None if row is None else json.loads(row[0])

    def newest(
        self, kind: str, where: Mapping[str, str], limit: int, after: str | None = None, before: str | None = None
    ) -> list[Body]:
        """Objects of a kind whose fields are as `where` says (equal, or `name[gte]`), newest first.

        `after` and `before` are ids of the list.
        """
        conditions, values = ["kind = ?"], [kind]
        for name, value in where.items():
            if name.endswith("[gte]"):
                conditions.append(f"json_extract(body, '$.{name.removesuffix('[gte]')}') >= CAST(? AS INTEGER)")
            else:
                conditions.append(f"json_extract(body, '$.{name}') = ?")
            values.append(value)
        if after:
            conditions.append("seq < (SELECT seq FROM object WHERE id = ?)")
            values.append(after)
        if before:
            conditions.append("seq > (SELECT seq FROM object WHERE id = ?)")
            values.append(before)
        order = "ASC" if before else "DESC"
        query = f"SELECT body FROM object WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT ?"  # noqa: S608 — names come from the code
        with self._lock:
            found = [json.loads(row[0]) for row in self._rows.execute(query, (*values, limit))]
        return found[::-1] if before else found

    def overdue(self, moment: int) -> list[str]:
        """Ids of the open checkout sessions whose time is over."""
        query = """SELECT id FROM object WHERE kind = 'checkout.session'
            AND json_extract(body, '$.status') = 'open' AND json_extract(body, '$.expires_at') <= ?"""
        with self._lock:
            return [row[0] for row in self._rows.execute(query, (moment,))]

    def failing(self, moment: int) -> list[str]:
        """Ids of the refunds that are to be turned away by now."""
        query = """SELECT id FROM object WHERE kind = 'refund' AND json_extract(body, '$.status') = 'succeeded'
            AND json_extract(body, '$._fails_at') <= ?"""
        with self._lock:
            return [row[0] for row in self._rows.execute(query, (moment,))]

    # Deliveries

    def deliver(self, event: str, due: float, copies: int) -> None:
        """Ask for an event to be sent; committed together with what it tells of."""
        for _ in range(copies):
            self._rows.execute("INSERT INTO delivery (event, due) VALUES (?, ?)", (event, due))

    def due(self, moment: float, newest_first: bool, limit: int) -> list[tuple[int, str, int]]:
        """Deliveries whose time has come: row, event id, attempts so far."""
        order = "DESC" if newest_first else "ASC"
        query = f"""SELECT seq, event, attempts FROM delivery WHERE state = 'waiting' AND due <= ?
            ORDER BY due {order}, seq {order} LIMIT ?"""  # noqa: S608 — the order is a constant
        with self._lock:
            return self._rows.execute(query, (moment, limit)).fetchall()

    def claim(self, row: int, attempts: int, due_again: float) -> bool:
        """Take one attempt of a delivery; if this process dies during it, the delivery is due again by itself."""
        with self._lock:
            changed = self._rows.execute(
                "UPDATE delivery SET attempts = attempts + 1, due = ? WHERE seq = ? AND attempts = ?",
                (due_again, row, attempts),
            )
            return changed.rowcount == 1

    def settle(self, row: int, state: str, answer: str, due: float) -> None:
        """Note how an attempt ended and, if it has to be repeated, when."""
        with self._lock:
            self._rows.execute(
                "UPDATE delivery SET state = ?, answer = ?, due = ? WHERE seq = ?", (state, answer, due, row)
            )

    def resume(self, moment: float) -> None:
        """Make what was under way when the process ended due at once."""
        with self._lock:
            self._rows.execute(
                "UPDATE delivery SET due = ? WHERE state = 'waiting' AND attempts > 0 AND due > ?", (moment, moment)
            )

    def pending(self, event: str) -> int:
        """Whether the shop has still to take this event: 1 or 0, as Stripe counts endpoints."""
        with self._lock:
            row = self._rows.execute(
                "SELECT 1 FROM delivery WHERE event = ? AND state = 'waiting'", (event,)
            ).fetchone()
        return 0 if row is None else 1

    def deliveries(self) -> list[Body]:
        """Every delivery and how it stands, for tests and the curious."""
        names = ("row", "event", "due", "attempts", "state", "answer")
        with self._lock:
            rows = self._rows.execute("SELECT seq, event, due, attempts, state, answer FROM delivery ORDER BY seq")
            return [dict(zip(names, row, strict=True)) for row in rows]

    # Idempotency keys and settings

    def remembered(self, key: str) -> tuple[str, int, str] | None:
        """Fingerprint, status and body of the first answer under this key, while it is remembered."""
        row = self._rows.execute(
            "SELECT fingerprint, status, body FROM idempotency WHERE key = ? AND made > ?", (key, self.now() - KEY_LIFE)
        ).fetchone()
        return None if row is None else (str(row[0]), int(row[1]), str(row[2]))

    def remember(self, key: str, fingerprint: str, status: int, body: str) -> None:
        """Keep the answer of a call for its repetition."""
        self._rows.execute(
            "INSERT OR REPLACE INTO idempotency (key, fingerprint, status, body, made) VALUES (?, ?, ?, ?, ?)",
            (key, fingerprint, status, body, self.now()),
        )

    def setting(self, name: str, default: Any) -> Any:
        """A knob's value."""
        with self._lock:
            row = self._rows.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        """Turn a knob."""
        with self._lock:
            self._rows.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, json.dumps(value)))


def _json(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
