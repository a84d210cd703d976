"""Fixtures of the page tests."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from store import auth, db
from tests.store import selling


@pytest.fixture
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 as in the shop, at the cheapest setting: these tests are about who gets in, not about its cost."""
    hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(auth, "_passwords", PasswordHash((hasher,)))
    auth._nobody_hash.cache_clear()
    yield
    auth._nobody_hash.cache_clear()


@pytest.fixture
def door_open(app: FastAPI, tmp_path: Path, light_hashes: None) -> Iterator[None]:
    """A small catalogue; limits begin anew, and the clock is set right again afterwards."""
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "products")
    auth.forget_limits()
    yield
    db._offset = timedelta()
