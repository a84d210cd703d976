"""Small histories of known shape, for every test of the recommender."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommender.history import History, Interaction

START = datetime(2025, 1, 6, tzinfo=UTC)

Lines = list[tuple[str | None, str, int, str]]


@pytest.fixture
def history_of() -> Callable[[Lines], History]:
    """Builds a history from (customer, basket, day, item) lines of one piece at 1,000 minor units."""

    def build(lines: Lines) -> History:
        return History.of(Interaction(c, b, START + timedelta(days=d), i, 1, 1000) for c, b, d, i in lines)

    return build


def shop_lines(customers: int, baskets: int, size: int, items: int, repeats: float, seed: int) -> Lines:
    """Random customers who repeat an earlier own item with the given chance, else take a popular one."""
    random = np.random.default_rng(seed)
    lines: Lines = []
    for customer in range(customers):
        own: list[int] = []
        for basket in range(baskets):
            for _ in range(size):
                again = own and random.random() < repeats
                item = int(random.choice(own)) if again else int(items * random.random() ** 2)
                own.append(item)
                lines.append((f"c{customer}", f"b{customer}-{basket}", basket * 7 + customer % 7, f"i{item}"))
    return lines


HISTORIES: dict[str, Lines] = {
    "empty": [],
    "one line": [("c0", "b0", 0, "i0")],
    "nobody known": [(None, f"b{n // 2}", n, f"i{n % 5}") for n in range(40)],
    "one item a basket": shop_lines(12, 8, 1, 15, 0.3, 1),
    "nine in ten repeats": shop_lines(12, 8, 3, 30, 0.9, 2),
    "usual": shop_lines(20, 6, 4, 40, 0.5, 3),
}


@pytest.fixture(params=HISTORIES, ids=lambda name: name.replace(" ", "-"))
def any_history(request: pytest.FixtureRequest, history_of: Callable[[Lines], History]) -> History:
    """Each of the shapes that an algorithm must stand."""
    return history_of(HISTORIES[request.param])


@pytest.fixture
def usual(history_of: Callable[[Lines], History]) -> History:
    """Twenty customers of six baskets of four items each."""
    return history_of(HISTORIES["usual"])
