"""Sixteen threads get the answers of one, and a compiled model travels between processes."""

import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from configurator import PRODUCTS, Analysis, analyse, compile_model, differences, load, price, repairs


def answers(c: Any, seed: int) -> list[Any]:
    """What a customer clicking at random sees."""
    r = random.Random(seed)
    choices: dict[str, Any] = {}
    seen: list[Any] = []
    for _ in range(8):
        state = analyse(c, choices)
        assert isinstance(state, Analysis)
        seen += [state, differences(c, choices), price(c, choices)]
        values = [(g.id, v.id, v.state) for g in state.groups if c.model.group(g.id).kind == "one" for v in g.values]
        group, value, now = r.choice(values)
        if now == "impossible":
            seen.append(repairs(c, choices, {group: value}))
        else:
            choices = {**choices, group: value}
    return seen


def test_threads_agree_with_one_alone() -> None:
    model = next(model for model in load(PRODUCTS) if model.slug == "meridien")
    alone, shared = compile_model(model), compile_model(model)
    expected = [answers(alone, seed % 12) for seed in range(48)]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda seed: answers(shared, seed % 12), range(48)))
    assert found == expected


def test_a_compiled_model_can_be_pickled_after_use() -> None:
    model = next(model for model in load(PRODUCTS) if model.slug == "voyageur")
    c = compile_model(model)
    before = answers(c, 3)
    copy = pickle.loads(pickle.dumps(c))
    assert copy.model == c.model
    assert answers(copy, 3) == before
