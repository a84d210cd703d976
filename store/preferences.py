"""The likeliest valid choice: what was sold together says how likely, the configurator what is valid."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import recommender
from configurator import ModelError
from configurator.engine import Engine
from configurator.foreign import read_any
from configurator.space import Space, SpaceGroup


def answer(model: Path, sales: Path, queries: Path, out: Path) -> int:
    """Answer each question `{"id","choices","ask"}` by `{"id","value","probability"}`; returns how many.

    Args:
        model: of any format the configurator reads; of a file with several products, the first.
        sales: sold configurations, a column a group.

    Raises:
        ModelError: the model cannot be read.
        ValueError: sales or questions cannot be read, with file and line.
    """
    models = read_any(model)
    if not models:
        raise ModelError(str(model), 1, "the file holds no model")
    return recommender.preferences.answer_file(sales, queries, out, _validity(models[0].space))


def _validity(space: Space) -> Callable[[Mapping[str, Any], str], list[str]]:
    """For known choices and a group: the values that some valid configuration has, in the model's order."""
    engine, groups = Engine(space), {group.id: group for group in space.groups}

    def valid(choices: Mapping[str, Any], ask: str) -> list[str]:
        known = [_literal(groups[group], value) for group, value in choices.items() if group in groups]
        if ask not in groups or None in known:
            return []
        assumed = [literal for literal in known if literal is not None]
        asked = groups[ask]
        return [
            str(value)
            for value, literal in zip(asked.values, asked.literals, strict=True)
            if engine.holds([*assumed, literal])
        ]

    return valid


def _literal(group: SpaceGroup, value: Any) -> int | None:
    """The literal of a value, however a file writes it; None when the group has no such value."""
    for known, literal in zip(group.values, group.literals, strict=True):
        if str(known) == str(value):
            return literal
    return None
