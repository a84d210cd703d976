"""A checkout question at 100,000 items: CPU, overlap with scoring every item, memory beside the arrays; training."""

import gc
import tempfile
import time
from pathlib import Path

import numpy as np

from recommender import learning
from recommender.artifact import Fitted, fit, load, publish
from recommender.blend import Task
from recommender.history import History
from recommender.query import Query
from recommender.rows import best
from recommender.suggest import suggest

ITEMS, CUSTOMERS, BASKETS, SIZE, KINDS = 100_000, 5_000, 120_000, 6, 2_000
CALLS, WARM, COMPARED, K = 2_000, 200, 200, 10


def measure() -> dict[str, object]:
    """Fits a made history of 100,000 items, publishes it and asks the published artifact."""
    history = made()
    started = time.process_time()
    learning.CASES = 3_000
    fitted = fit(history, None, 0, [Task.BASKET])
    figures: dict[str, object] = {"fit, CPU s": round(time.process_time() - started, 1)}
    questions = _questions(history)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        version = publish(fitted, directory)
        stored = sum(path.stat().st_size for path in (directory / version).iterdir())
        del fitted, history
        gc.collect()
        before = _private_and_mapped()
        served = load(directory)
        if served is None:
            raise RuntimeError("the artifact that was just published cannot be read")
        for customer, basket in questions[:WARM]:
            _ask(served, customer, basket)
        figures["items"] = len(served.items)
        figures["ranker"] = "trees" if served.blend.rankers[Task.BASKET].trees is not None else "weights"
        figures |= _timed(served, questions)
        figures["overlap of the top ten with every item scored"] = round(_overlap(served, questions), 4)
        figures["memory over the arrays' bytes"] = round((_private_and_mapped() - before) / stored, 2)
        figures["arrays, MB"] = round(stored / 1e6)
    return figures


def made() -> History:
    """Baskets around one kind of thing each; customers return to two kinds of their own."""
    random = np.random.default_rng(0)
    at = np.sort(random.integers(0, 365 * 86_400, BASKETS))
    owner = random.integers(0, CUSTOMERS, BASKETS)
    tastes = random.integers(0, KINDS, (CUSTOMERS, 2))
    kind = tastes[owner, random.integers(0, 2, BASKETS)]
    inside = (random.random((BASKETS, SIZE)) ** 2 * (ITEMS // KINDS)).astype(np.int64)
    item = kind[:, None] * (ITEMS // KINDS) + inside
    anything = random.random((BASKETS, SIZE)) < 0.2
    item[anything] = random.integers(0, ITEMS, int(anything.sum()))
    line = np.unique(np.repeat(np.arange(BASKETS), SIZE) * ITEMS + item.ravel())
    return History(
        tuple(f"c{n:06}" for n in range(CUSTOMERS)),
        tuple(f"i{n:06}" for n in range(ITEMS)),
        owner,
        at,
        line // ITEMS,
        line % ITEMS,
        np.ones(len(line), dtype=np.int64),
        np.full(len(line), 1000),
    )


def _questions(history: History) -> list[tuple[str, list[str]]]:
    """Customers with a basket of five of the history each."""
    random = np.random.default_rng(1)
    found = []
    for basket in random.permutation(BASKETS):
        lines = slice(*np.searchsorted(history.line_basket, [basket, basket + 1]))
        if lines.stop - lines.start >= 5:
            names = [history.items[n] for n in history.line_item[lines][:5]]
            found.append((history.customers[history.basket_customer[basket]], names))
        if len(found) == CALLS:
            return found
    return found


def _ask(served: Fitted, customer: str, basket: list[str]) -> list[str]:
    found = suggest(served, customer=customer, basket=basket, candidates=None, exclude=(), k=K)
    return [suggestion.item for suggestion in found]


def _timed(served: Fitted, questions: list[tuple[str, list[str]]]) -> dict[str, object]:
    cpu, wall = [], []
    for customer, basket in questions:
        started, clock = time.process_time(), time.perf_counter()
        _ask(served, customer, basket)
        cpu.append(time.process_time() - started)
        wall.append(time.perf_counter() - clock)
    middle, late = np.percentile(cpu, [50, 99]) * 1000
    return {
        "CPU p50, ms": round(float(middle), 2),
        "CPU p99, ms": round(float(late), 2),
        "wall p99, ms": round(float(np.percentile(wall, 99) * 1000), 2),
    }


def _overlap(served: Fitted, questions: list[tuple[str, list[str]]]) -> float:
    """The share of the top ten that is also among the ten best when every item is scored by the same ranker."""
    everything, shares = np.arange(len(served.items)), []
    for customer, names in questions[:COMPARED]:
        basket = np.sort(served.items.numbers(names))
        reading = served.features.read(Query(served.customers.number(customer), basket))
        others = np.setdiff1d(everything, basket)
        scores = served.blend.rankers[Task.BASKET].score(reading.table(others))
        exact = {served.items.name(int(others[place])) for place in best(scores, others, K)}
        shares.append(len(exact & set(_ask(served, customer, names))) / K)
    return float(np.mean(shares))


def _private_and_mapped() -> int:
    """Bytes of memory that this process holds, mapped files included."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")
