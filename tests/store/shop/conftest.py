"""Fixtures of the shop's tests: a till and the worker of its tasks, and the payment sandbox as a real process."""

import itertools
from collections.abc import Iterator

import pytest

from store.shop import payment_tasks
from store.shop.payments import Till
from store.shop.stripe_sandbox import start
from store.tasks import Worker
from tests.store import selling
from tests.store.selling import HandProvider
from tests.store.shop.payment_rig import Mailslot, Rig

_numbers = itertools.count(1)


@pytest.fixture
def till(provider: HandProvider) -> Till:
    """Where the small house takes money, paid by hand."""
    return selling.till_of(provider)


@pytest.fixture
def worker(till: Till) -> Worker:
    """Runs the tasks about money; mails are not sent."""
    return Worker({**payment_tasks.tasks_of(till), "send-mail": lambda payload: None})


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One sandbox process for all tests; ask for `rig` instead."""
    data_dir = tmp_path_factory.mktemp("sandbox")
    slot = Mailslot()
    rig = Rig(start(data_dir, slot.url, merchant="Maison Aurèle"), slot, data_dir)
    yield rig
    rig.close()
    slot.close()


@pytest.fixture
def rig(running_sandbox: Rig) -> Iterator[Rig]:
    """The sandbox, with every knob turned back and its mail slot empty."""
    running_sandbox.reset()
    yield running_sandbox
    running_sandbox.reset()


@pytest.fixture
def order() -> str:
    """An order number that no other test uses."""
    return f"MA-{next(_numbers):05}"
