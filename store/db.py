"""The database: engine, the one transaction of a request, the injected clock and ids.

Nothing outside this module and store/tasks.py commits. Raise to roll back, return to commit.
"""

import random
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Engine,
    Insert,
    MetaData,
    Select,
    bindparam,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import Session, SQLModel

from store import turns

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

Minor = BigInteger  # money columns: minor units
Document = JSON  # values stored whole
Row = TypeVar("Row", bound=SQLModel)

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, in sorting order
BUSY_TIMEOUT_MS = 15_000


# -- clock, ids and randomness ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """The clock and the randomness that the shop lives by; swapped for demo history and exact tests."""

    clock: Callable[[], datetime]
    random: random.Random


_world: ContextVar[World | None] = ContextVar("world", default=None)
_offset = timedelta()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    world = _world.get()
    return world.clock() if world else datetime.now(UTC) + _offset


def shift_clock(by: timedelta) -> None:
    """Move the clock of the whole process forward; browser tests live weeks in seconds with it."""
    global _offset
    _offset += by


def chance() -> random.Random:
    """The source of randomness for everything that is not a secret."""
    world = _world.get()
    return world.random if world else random.SystemRandom()


@contextmanager
def world(clock: Callable[[], datetime], seed: int) -> Iterator[World]:
    """Live by another clock and by seeded randomness within the block (this context only)."""
    changed = World(clock, random.Random(seed))  # noqa: S311 - reproducible on purpose
    token = _world.set(changed)
    try:
        yield changed
    finally:
        _world.reset(token)


def new_id(prefix: str) -> str:
    """A new time-sortable id: prefix and 26 base-32 characters ("ord_01j…")."""
    world = _world.get()
    number = int(now().timestamp() * 1000) << 80 | world.random.getrandbits(80) if world else _next_number()
    return f"{prefix}_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


_last_number = 0
_numbering = threading.Lock()


def _next_number() -> int:
    """Milliseconds and 80 random bits, above the last number: what follows within a millisecond sorts behind.

    The distance is random too: knowing an id helps nobody to guess the next.
    """
    global _last_number
    with _numbering:
        fresh = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        _last_number = fresh if fresh > _last_number else _last_number + 1 + secrets.randbits(72)
        return _last_number


def new_secret() -> str:
    """An unguessable token for links and sessions."""
    return secrets.token_urlsafe(32)


# -- engine and transactions -----------------------------------------------------------------------------------------

_engine: Engine | None = None


def make_engine(url: str) -> Engine:
    """An engine with the settings that the shop relies on."""
    if not url.startswith("sqlite"):
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=20, max_overflow=20)
    # Forty buyers wait in SQLite's own queue (busy_timeout), not for a connection.
    engine = create_engine(
        url,
        hide_parameters=True,  # errors are logged; what people typed is not
        connect_args={"check_same_thread": False},
        pool_size=20,
        max_overflow=60,
        pool_timeout=60,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: _begin_sqlite does
    cursor = connection.cursor()
    busy = f"busy_timeout={BUSY_TIMEOUT_MS}"
    # secure_delete: what is erased is overwritten in the file.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", busy, "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A reader that turns writer can be refused at once (stale snapshot); so writers say so at the beginning.
    read_only = connection.get_execution_options().get("read_only", False)
    driver = connection.connection.dbapi_connection  # past SQLAlchemy, which would take five times as long
    driver.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")


def use_engine(engine: Engine) -> None:
    """Make this engine the shop's."""
    global _engine
    _engine = engine


def current_engine() -> Engine:
    """The shop's engine."""
    if _engine is None:
        raise RuntimeError("the shop's engine is not set; call db.use_engine first")
    return _engine


@lru_cache(maxsize=4)
def _reading(engine: Engine) -> Engine:
    return engine.execution_options(read_only=True)


_together: ContextVar[Session | None] = ContextVar("together", default=None)


@contextmanager
def together() -> Iterator[Session]:
    """One transaction that takes in those opened within the block (in this context): all is committed, or nothing."""
    with transaction() as session:
        token = _together.set(session)
        try:
            yield session
        finally:
            _together.reset(token)


@contextmanager
def transaction(read_only: bool = False) -> Iterator[Session]:
    """A session whose work is committed when the block ends and rolled back when it raises."""
    around = _together.get()
    if around is not None:
        with around.begin_nested():
            yield around
        return
    engine = _reading(current_engine()) if read_only else current_engine()
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.expunge_all()  # rows read before stay readable for the page that tells of the refusal
            session.rollback()
            raise


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A part of the transaction that may be refused by itself: what it wrote is undone when the block raises."""
    with session.begin_nested():
        yield


def empty_log() -> None:
    """Empty SQLite's write-ahead log, where the old text of erased rows still stands."""
    engine = current_engine()
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()  # outside of any transaction: the log cannot be emptied within one
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def find(session: Session, table: type[Row], **values: Any) -> Row | None:
    """The row whose columns have these values (none of them NULL), by a statement that is made once.

    For look-ups that many requests make: building such a statement costs more than running it.
    """
    return session.execute(_lookup(table, tuple(values)), values).scalars().first()


@lru_cache(maxsize=256)
def _lookup(table: type[SQLModel], columns: tuple[str, ...]) -> Select[Any]:
    return select(table).where(*(getattr(table, name) == bindparam(name) for name in columns)).limit(1)


def attach(session: Session, row: Row) -> Row:
    """Take an object, whose row a statement of this module has just written, in as if it had been read."""
    make_transient_to_detached(row)
    session.add(row)
    return row


def lock(session: Session, row: SQLModel) -> None:
    """Hold a row until the transaction ends, and read what others wrote before; SQLite's writers are alone anyway."""
    session.flush()  # reading the row again must not undo what this request has changed in it
    if session.get_bind().dialect.name == "postgresql":
        session.refresh(row, with_for_update=True)


def insert(session: Session, table: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT and RETURNING, for the database of this session."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_row(session: Session, table: type[SQLModel], row: Mapping[str, Any]) -> None:
    """Insert one row, below the ORM: a fifth of what adding an object and flushing it costs."""
    session.flush()  # such a statement does not see what still waits to be written
    session.execute(_insertion(session.get_bind().dialect.name, table, (), (), None), row)


def insert_once(
    session: Session, table: type[SQLModel], row: Mapping[str, Any], unique: tuple[str, ...], returning: str = "id"
) -> Any:
    """Insert a row unless one with the same unique columns is there; the new row's column `returning`, or None."""
    session.flush()
    statement = _insertion(session.get_bind().dialect.name, table, unique, (), returning)
    return session.execute(statement, row).scalar_one_or_none()


def insert_or_update(
    session: Session,
    table: type[SQLModel],
    row: Mapping[str, Any],
    unique: tuple[str, ...],
    update: tuple[str, ...],
    returning: str = "id",
) -> str:
    """Insert a row, or write its columns `update` over the one with the same unique columns; the id of that row."""
    session.flush()
    statement = _insertion(session.get_bind().dialect.name, table, unique, update, returning)
    return str(session.execute(statement, row).scalar_one())


@lru_cache(maxsize=256)
def _insertion(
    dialect: str, table: type[SQLModel], unique: tuple[str, ...], update: tuple[str, ...], returning: str | None
) -> Insert:
    """The statement, made once: making it costs more than running it."""
    rows = table.metadata.tables[str(table.__tablename__)]
    statement = postgresql.insert(rows) if dialect == "postgresql" else sqlite.insert(rows)
    if update:
        changed = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=unique, set_=changed)
    elif unique:
        statement = statement.on_conflict_do_nothing(index_elements=unique)
    return statement.returning(rows.c[returning]) if returning else statement


@asynccontextmanager
async def _request_transaction(request: Request, read_only: bool) -> AsyncIterator[Session]:
    writes_alone = not read_only and current_engine().dialect.name == "sqlite"
    async with turns.turn(request, writes_alone=writes_alone):
        if read_only and never_waits(current_engine()):
            with transaction(read_only=True) as session:
                yield session
        else:
            async with _ended_in_thread(transaction(read_only)) as session:
                yield session


@asynccontextmanager
async def _ended_in_thread(opened: AbstractContextManager[Session]) -> AsyncIterator[Session]:
    """A transaction whose end has a thread; opening one asks nothing of the database yet, and needs none.

    The end does not queue for a thread behind requests that may be waiting for what it gives back.
    """
    of_its_own = CapacityLimiter(1)
    try:
        yield opened.__enter__()
    except Exception as error:
        how = (type(error), error, error.__traceback__)
        if not await to_thread.run_sync(opened.__exit__, *how, limiter=of_its_own):
            raise
    else:
        await to_thread.run_sync(opened.__exit__, None, None, None, limiter=of_its_own)


def never_waits(engine: Engine | Connection) -> bool:
    """Whether reading waits for nobody: SQLite's log lets readers pass, and no network lies between.

    Such reads need no thread of their own; handing over to one and back costs a request more than the read itself.
    """
    return engine.dialect.name == "sqlite"


async def open_session(request: Request) -> AsyncIterator[Session]:
    """The one transaction of a request; committed before the response leaves."""
    async with _request_transaction(request, request.method in ("GET", "HEAD")) as session:
        yield session


async def open_writing_session(request: Request) -> AsyncIterator[Session]:
    """The same for the few GET pages that write (a link that verifies, a payment page that opens)."""
    async with _request_transaction(request, read_only=False) as session:
        yield session


async def open_reading_session(request: Request) -> AsyncIterator[Session]:
    """A session for the posts that only ask: they wait for nobody who writes."""
    async with _request_transaction(request, read_only=True) as session:
        yield session


# Function scope ends the transaction before the answer is sent: a failing commit is never a 2xx.
Db = Annotated[Session, Depends(open_session, scope="function")]
WritingDb = Annotated[Session, Depends(open_writing_session, scope="function")]
ReadingDb = Annotated[Session, Depends(open_reading_session, scope="function")]
