"""What is remembered of a model has a bound in bytes, whatever the size of the model."""

import gc
import sys
from types import FunctionType, ModuleType

import pytest

from configurator import PRODUCTS, Compiled, analyse, compile_model, load, price
from configurator.live import FEWEST, MEMO, ROOM, Memo, fitting


def taken_by(answers: list[object]) -> int:
    """Bytes of everything that only these answers hold; what they share counts once."""
    seen: set[int] = set()
    total, waiting = 0, list(answers)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return total


@pytest.mark.parametrize("name", ["watch", "trunk", "boat", "journey"])
def test_an_answer_takes_no_more_than_it_is_reckoned_to(name: str) -> None:
    c: Compiled = compile_model(load(PRODUCTS / f"{name}.yaml")[0])
    for group in c.model.groups:
        for option in group.options if group.kind == "one" else ():
            analyse(c, {group.id: option.id})
            price(c, {})
    for memo in (c.live.analyses, c.live.answers, c.live.completions, c.live.prices):
        entries: list[object] = [entry for pair in memo._answers.items() for entry in pair]
        assert taken_by(entries) / max(1, len(memo._answers)) * memo._limit <= 2 * ROOM


def test_the_bound_follows_the_size_of_an_answer() -> None:
    assert fitting(100, MEMO) == MEMO
    assert fitting(ROOM // 100, MEMO) == 100
    assert fitting(ROOM, MEMO) == FEWEST


def test_the_least_recently_asked_leaves_first() -> None:
    memo = Memo(2)
    for key in ("a", "b", "a", "c"):
        memo.get(key, lambda key=key: key.upper())  # type: ignore[misc]
    assert memo.peek("a") == (True, "A")
    assert memo.peek("b") == (False, None)
    assert memo.peek("c") == (True, "C")
