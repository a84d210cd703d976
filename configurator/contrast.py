"""What makes two designs of a product different — answers, price lines, days — also when their versions differ."""

from dataclasses import dataclass

from configurator.choices import check_texts, completion_of, decode
from configurator.codes import follow, successor
from configurator.compile import Compiled
from configurator.model import Answers, ChoiceValue, OptionGroup, Texts
from configurator.pricing import LeadTime, Price, lead_time, price
from configurator.wording import value_label


@dataclass(frozen=True, slots=True)
class DifferentAnswer:
    """A question that two designs answer differently; None where it has no answer."""

    group: str
    label: str
    before: ChoiceValue | None
    after: ChoiceValue | None
    before_words: str | None
    after_words: str | None


@dataclass(frozen=True, slots=True)
class DifferentAmount:
    """A line of the price trace that differs; 0 where it does not stand."""

    label: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """Everything in which two designs differ; the amounts add up to the difference of the prices."""

    answers: tuple[DifferentAnswer, ...]
    amounts: tuple[DifferentAmount, ...]
    price_before: Price
    price_after: Price
    days_before: LeadTime
    days_after: LeadTime


def difference(
    c: Compiled,
    before: Answers,
    after: Answers,
    *,
    newer: Compiled | None = None,
    texts: tuple[Texts, Texts] = ({}, {}),
) -> Contrast:
    """In what two designs differ, as completed: what a customer left open counts as what it is completed with.

    Args:
        newer: the version of the second design, when it is another one; renamed groups and options are the same.
        texts: what is written on the first and on the second.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    other = newer or c
    left, right = _answers(c, before, texts[0]), _answers(other, after, texts[1])
    answers = _answers_that_differ(c, other, left, right)
    first, second = price(c, before, texts[0]), price(other, after, texts[1])
    return Contrast(
        answers=answers,
        amounts=_amounts_that_differ(first, second),
        price_before=first,
        price_after=second,
        days_before=lead_time(c, before),
        days_after=lead_time(other, after),
    )


def _answers(c: Compiled, choices: Answers, texts: Texts) -> dict[str, ChoiceValue]:
    values = decode(c, completion_of(c, choices), choices)
    return {**values, **check_texts(c, choices, texts)} if texts else values


def _answers_that_differ(
    c: Compiled, other: Compiled, left: dict[str, ChoiceValue], right: dict[str, ChoiceValue]
) -> tuple[DifferentAnswer, ...]:
    earlier: dict[str, OptionGroup] = {}
    gone: list[DifferentAnswer] = []
    for group in c.model.groups:
        if group.id not in left:
            continue
        now = successor(other.model, group.id)
        if now is not None and now.id not in earlier:
            earlier[now.id] = group
        else:
            words = _words(group, left[group.id])
            gone.append(DifferentAnswer(group.id, group.label, left[group.id], None, words, None))
    found = []
    for group in other.model.groups:
        was = earlier.get(group.id)
        before, after = left[was.id] if was else None, right.get(group.id)
        if (None if before is None else follow(group, before)) != after:
            before_words = _words(was, before) if was and before is not None else None
            after_words = None if after is None else _words(group, after)
            found.append(DifferentAnswer(group.id, group.label, before, after, before_words, after_words))
    return (*found, *gone)


def _words(group: OptionGroup, value: ChoiceValue) -> str:
    return f"“{value}”" if group.kind == "text" else value_label(group, value)


def _amounts_that_differ(first: Price, second: Price) -> tuple[DifferentAmount, ...]:
    """Lines are the same line when they come from the same group or rule under the same label."""
    sums: dict[tuple[str | None, str | None, str], list[int]] = {}
    for side, trace in enumerate((first, second)):
        for line in trace.lines:
            sums.setdefault((line.group, line.rule, line.label), [0, 0])[side] += line.amount
    return tuple(
        DifferentAmount(label, before, after) for (_, _, label), (before, after) in sums.items() if before != after
    )
