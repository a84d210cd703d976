"""Repeated parts in and out of choices: lists of objects outside ("stops": [{…}, {…}]), flat names within."""

from collections.abc import Mapping, Sequence

from configurator.errors import ChoiceError
from configurator.model import Answers, Choices, ChoiceValue, OptionGroup
from configurator.product import ProductModel

Nested = dict[str, ChoiceValue | list[dict[str, ChoiceValue]]]


def flatten(model: ProductModel, choices: Mapping[str, object]) -> dict[str, object]:
    """The choices by flat names, `stops.2.place`; the length of a list is how many parts there are.

    Raises:
        ChoiceError: a list that holds something else than objects, too many or too few parts, or a part's answer given
            twice.
    """
    if not any(isinstance(value, list) for value in choices.values()):
        return dict(choices)
    counters = {group.id: group for group in model.groups if group.repeated}
    flat: dict[str, object] = {}
    for name, value in choices.items():
        counter = counters.get(name)
        if counter is None or not isinstance(value, list):
            _put(flat, name, value)
            continue
        low, high = counter.minimum or 0, counter.maximum or 0
        if not low <= len(value) <= high:
            raise ChoiceError(f"{name!r} takes {low} to {high} parts, not {len(value)}", name, value)
        _put(flat, name, len(value))
        for number, part in enumerate(value, 1):
            for inner, answer in _answers(counter, number, part):
                _put(flat, inner, answer)
    return flat


def _answers(counter: OptionGroup, number: int, part: object) -> list[tuple[str, object]]:
    if not isinstance(part, Mapping):
        raise ChoiceError(f"{counter.id!r} takes a list of objects, group: value", counter.id, part)
    known = counter.repeated.groups if counter.repeated else ()
    for name in part:
        if name not in known:
            raise ChoiceError(f"no part of {counter.id!r} has {name!r}", f"{counter.id}.{number}.{name}", part[name])
    return [(f"{counter.id}.{number}.{name}", part[name]) for name in part]


def _put(flat: dict[str, object], name: str, value: object) -> None:
    if name in flat:
        raise ChoiceError(f"{name!r} is answered twice", name, value)
    flat[name] = value


def nest(model: ProductModel, choices: Answers) -> Nested:
    """The choices as JSON tells them: repeated parts as lists of objects, wherever it is chosen how many there are.

    Answers of parts that lie beyond that number keep their flat names, so that nothing is lost.
    """
    nested: Nested = {}
    lists: dict[str, list[dict[str, ChoiceValue]]] = {}
    for group in model.groups:
        if group.id not in choices:
            continue
        value = choices[group.id]
        if group.repeated is not None and isinstance(value, int):
            parts: list[dict[str, ChoiceValue]] = [{} for _ in range(value)]
            nested[group.id] = lists[group.id] = parts
        elif group.part is not None and group.part.number <= len(lists.get(group.part.of, ())):
            lists[group.part.of][group.part.number - 1][group.part.group] = value
        else:
            nested[group.id] = value
    return nested


def nested_changes(
    model: ProductModel, asked: Mapping[str, object], changes: Answers, drop: Sequence[str]
) -> tuple[Nested, tuple[str, ...]]:
    """Changes by flat names as whoever asked with lists applies them: a list that is touched is answered whole.

    Args:
        model: the product.
        asked: the choices as they were given, lists of objects included.
        changes: what to set, by flat names.
        drop: what to leave out, by flat names.
    """
    told: Nested = dict(changes)
    left = list(drop)
    for group in model.groups:
        if group.repeated is None or not isinstance(asked.get(group.id), list):
            continue
        own = [name for name in (*changes, *drop) if name == group.id or name.startswith(f"{group.id}.")]
        if not own:
            continue
        flat: Choices = {name: value for name, value in flatten(model, asked).items() if name not in drop}  # type: ignore[misc]
        told = {name: value for name, value in told.items() if name not in own}
        left = [name for name in left if name not in own]
        told[group.id] = nest(model, flat | dict(changes))[group.id]
    return told, tuple(left)


def rearranged(model: ProductModel, choices: Answers, of: str, order: Sequence[int]) -> Choices:
    """The flat choices with the parts of a repeated group in this order; those left out are gone, with their answers.

    Args:
        model: the product.
        choices: by flat names.
        of: the repeated group.
        order: numbers of the present parts, from 1.
    """
    counter = model.group(of)
    inner = counter.repeated.groups if counter is not None and counter.repeated else ()
    kept: Choices = {}
    for group in model.groups:
        if group.id == of:
            kept[of] = len(order)
        elif group.part is None or group.part.of != of:
            if group.id in choices:
                kept[group.id] = choices[group.id]
        elif group.part.number <= len(order) and group.part.group in inner:
            before = f"{of}.{order[group.part.number - 1]}.{group.part.group}"
            if before in choices:
                kept[group.id] = choices[before]
    return kept


def present(group: OptionGroup, completion: Answers) -> bool:
    """Whether a group is part of a design: false for those of a repeated part beyond how many there are."""
    if group.part is None:
        return True
    number = completion.get(group.part.of)
    return isinstance(number, int) and group.part.number <= number


def uncounted(model: ProductModel, choices: Mapping[str, object]) -> list[OptionGroup]:
    """The repeated groups of which parts are answered, but not how many there are."""
    spoken = {group.part.of for group in model.groups if group.part and group.id in choices}
    return [group for group in model.groups if group.id in spoken and group.id not in choices]


def implied(model: ProductModel, counter: OptionGroup, choices: Mapping[str, object]) -> int:
    """How many parts there are when answers speak of some: the usual number, or as many as are spoken of."""
    spoken = [g.part.number for g in model.groups if g.part and g.part.of == counter.id and g.id in choices]
    usual = counter.default if isinstance(counter.default, int) else 0
    return max(usual, *spoken) if spoken else usual
