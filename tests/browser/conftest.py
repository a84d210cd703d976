"""Fixtures for tests in a real browser: one live shop and one Chromium for a whole test file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.databases import SqliteTemplates
from tests.live import LiveShop, chromium, live_shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def live(
    browser: Browser, sqlite_templates: SqliteTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveShop]:
    """A shop with the house's products and nobody in it yet."""
    with sqlite_templates.fresh() as url, live_shop(url, tmp_path_factory.mktemp("live")) as shop:
        yield shop


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go, to be looked at."""
    folder = Path(__file__).resolve().parents[2] / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
