"""Fixtures of the whole suite: fresh databases of both kinds, the shop as an app, browsers that speak to it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session

from main import create_app
from store import auth, db, schema, serving
from store.settings import Settings, read_settings
from store.shop import catalog
from tests.browsers import PageBrowser
from tests.databases import PostgresTemplates, SqliteTemplates

BACKENDS = ("sqlite", "postgresql")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        """Move by timedelta(**by)."""
        self.moment += timedelta(**by)


def _prepare(engine: Engine) -> None:
    """The migrated schema and the products of the house."""
    schema.upgrade(engine)
    # In a world of its own: whatever clock and seed the first test lives by, its ids must not stand here already.
    with db.world(Clock(START - timedelta(days=365)), seed=1), Session(engine) as session:
        catalog.import_products(session, serving.PRODUCTS)
        session.commit()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplates:
    return SqliteTemplates(tmp_path_factory.mktemp("sqlite"), _prepare)


@pytest.fixture(scope="session")
def postgresql_templates() -> Iterator[PostgresTemplates]:
    templates = PostgresTemplates(_prepare)
    yield templates
    templates.close()


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database; every test that asks for it runs on both kinds."""
    templates: SqliteTemplates | PostgresTemplates = request.getfixturevalue(f"{request.param}_templates")
    with templates.fresh() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The shop's engine over a fresh database."""
    auth.forget_limits()
    engine = db.make_engine(database_url)
    db.use_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A transaction on a fresh database, committed when the test ends well."""
    with db.transaction() as session:
        yield session


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The shop lives by this clock, and by seeded randomness (in the test's own thread)."""
    clock = Clock()
    with db.world(clock, seed=7):
        yield clock


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a shop on a fresh database, without mail server or outside payments."""
    return read_settings({"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": database_url, "SECRET_KEY": "test"})


@pytest.fixture
def app(engine: Engine, settings: Settings) -> FastAPI:
    """The whole shop."""
    return create_app(settings)


@pytest.fixture
def visitor(app: FastAPI) -> Iterator[PageBrowser]:
    """A person with a browser at the shop's door."""
    with PageBrowser(app) as browser:
        yield browser


@pytest.fixture
def another(app: FastAPI) -> Iterator[PageBrowser]:
    """Somebody else, with a browser of their own."""
    with PageBrowser(app) as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data; tests that read it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long trials are chosen only when asked for (make trials)."""
    if os.environ.get("TRIALS"):
        return
    trials = [item for item in items if item.get_closest_marker("trial")]
    config.hook.pytest_deselected(items=trials)
    items[:] = [item for item in items if item not in trials]
