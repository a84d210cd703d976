"""Spans of numbers and days as a product file writes them: limits, months of the year, days of the week."""

import datetime as dt
from collections.abc import Callable
from typing import Literal

from configurator.conditions import Value
from configurator.errors import ModelError
from configurator.yaml_tree import Node

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOW, _HIGH = ("at_least", "from"), ("at_most", "to")
_OF_NUMBERS = ("at_least", "at_most")
_OF_DAYS = ("at_least", "at_most", "from", "to", "months", "weekdays")
Refuse = Callable[[Node, str], ModelError]


def is_span(node: Node) -> bool:
    """Whether a node is written as a span."""
    return isinstance(node.value, dict)


def span(node: Node, kind: Literal["integer", "date"], refuse: Refuse) -> Callable[[Value], bool]:
    """What tells whether a number or day lies in the span.

    Raises:
        ModelError: an unknown word, or a limit that is no number or day.
    """
    assert isinstance(node.value, dict)
    words = _OF_NUMBERS if kind == "integer" else _OF_DAYS
    for word, inner in node.value.items():
        if word not in words:
            noun = "a number takes" if kind == "integer" else "a day takes"
            raise refuse(inner, f"{noun} {', '.join(words)}, not {word!r}")
    if not node.value:
        raise refuse(node, f"say one of {', '.join(words)}")
    low, high = _limit(node.value, _LOW, kind, refuse), _limit(node.value, _HIGH, kind, refuse)
    months = _listed(node.value.get("months"), range(1, 13), "a month from 1 to 12", refuse)
    weekdays = _listed(node.value.get("weekdays"), WEEKDAYS, f"a weekday: {' '.join(WEEKDAYS)}", refuse)

    def fits(value: Value) -> bool:
        if kind == "integer":
            if not isinstance(value, int):
                return False
        elif months or weekdays:
            day = dt.date.fromisoformat(str(value))
            if (months and day.month not in months) or (weekdays and WEEKDAYS[day.weekday()] not in weekdays):
                return False
        return (low is None or value >= low) and (high is None or value <= high)  # type: ignore[operator]

    return fits


def _limit(
    spec: dict[str, Node], words: tuple[str, ...], kind: Literal["integer", "date"], refuse: Refuse
) -> Value | None:
    node = next((spec[word] for word in words if word in spec), None)
    if node is None:
        return None
    if kind == "integer":
        if not isinstance(node.value, int) or isinstance(node.value, bool):
            raise refuse(node, f"{node.plain()!r} is not a whole number")
        return node.value
    try:
        return dt.date.fromisoformat(str(node.value)).isoformat()
    except ValueError:
        raise refuse(node, f"{node.plain()!r} is not a day such as 2026-05-01") from None


def _listed(node: Node | None, known: range | tuple[str, ...], meant: str, refuse: Refuse) -> frozenset[Value]:
    if node is None:
        return frozenset()
    items = node.value if isinstance(node.value, list) else [node]
    for item in items:
        if isinstance(item.value, bool | dict | list) or item.value not in known:
            raise refuse(item, f"{item.plain()!r} is not {meant}")
    return frozenset(item.value for item in items if isinstance(item.value, str | int))
