"""Fixtures of selling: the small house of tests/store/selling.py, with and without its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session

from main import create_app
from store import db
from store.settings import Settings
from store.shop import taste
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.selling import HandProvider


@pytest.fixture
def house(session: Session, tmp_path: Path) -> Session:
    """A session on the small house, with the shop's reactions."""
    selling.use_reactions()
    selling.open_house(session, tmp_path / "products")
    return session


@pytest.fixture
def open_house(engine: Engine, tmp_path: Path) -> None:
    """The small house, written and committed: for tests with transactions (and threads) of their own."""
    selling.use_reactions()
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "products")


@pytest.fixture
def own_models() -> Iterator[None]:
    """No model of another test answers here, and none of ours elsewhere."""
    taste.use_models(Path("/nowhere"))
    yield
    taste.use_models(Path("/nowhere"))


@pytest.fixture
def provider() -> HandProvider:
    """The hand-operated payment provider."""
    return HandProvider()


@pytest.fixture
def counter(open_house: None, settings: Settings, provider: HandProvider) -> FastAPI:
    """The whole shop over the small house, paid by hand."""
    return create_app(settings, provider)


@pytest.fixture
def buyer(counter: FastAPI) -> Iterator[PageBrowser]:
    """Somebody who buys."""
    with PageBrowser(counter) as browser:
        yield browser


@pytest.fixture
def stranger(counter: FastAPI) -> Iterator[PageBrowser]:
    """Somebody else."""
    with PageBrowser(counter) as browser:
        yield browser
