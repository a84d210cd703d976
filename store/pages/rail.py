"""The rail of the configurator: every question with the state, price and time of each of its values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import configurator
from configurator import Analysis, Choices, ChoiceValue, Difference, GroupState, OptionGroup, Texts
from configurator.choices import from_form, key
from configurator.live import Memo
from configurator.model import Part
from configurator.nesting import present
from store import money
from store.pages.screen import Link, days_difference, label_of
from store.shop.appraisal import NO_AUDIENCE, Appraisal, appraise, private_values
from store.shop.catalog import Published

LONG = 12  # values from which those that would change something else stand apart
STEPPED = 8  # integers with more values than this are counted up and down, not laid out
_rails = Memo(256)  # whole rails: the first screen and the steps back and forth are asked for again and again
_reasons = Memo(20_000)  # why values are impossible, by version and choices


@dataclass(frozen=True, slots=True)
class ValueView:
    """One value as a button."""

    key: str
    anchor: str
    label: str
    state: str
    pressed: bool
    price: str = ""
    days: str = ""
    sentence: str = ""
    reason: str = ""
    note: str = ""
    swatch: str | None = None
    finish: str = "satin"
    sign: str = ""


@dataclass(frozen=True, slots=True)
class GroupView:
    """One question of the rail."""

    id: str
    anchor: str
    label: str
    layout: str  # swatches, cards, tight, number, days, words, picture
    needed: bool
    own: bool  # the customer chose, it is not the default
    value: str
    sentence: str = ""
    note: str = ""
    hint: str = ""
    text: str = ""
    error: str = ""
    max_length: int | None = None
    values: tuple[ValueView, ...] = ()
    around: tuple[ValueView, ...] = ()
    months: tuple[tuple[str, bool, tuple[ValueView, ...]], ...] = ()  # of days: month, whether it is open, its days
    further: tuple[ValueView, ...] = ()  # values of a long list that would change something else
    inside: str = ""  # anchor of the part that it belongs to
    part: "PartView | None" = None  # where the questions of one of several like parts begin


@dataclass(frozen=True, slots=True)
class PartView:
    """The head of one of several like parts, and what can be done with it."""

    label: str
    number: int
    of: str
    last: bool
    fewer: bool  # one may go


@dataclass(frozen=True)
class PresetView:
    """A named design to begin with."""

    id: str
    label: str
    sentence: str
    price: int
    active: bool


def rail_of(
    item: Published, worth: Appraisal, analysis: Analysis, words: "Words", audiences: frozenset[str] = NO_AUDIENCE
) -> list[GroupView]:
    """The questions with the state, price and time of every value."""
    if words.errors:
        return _rail(item, worth, analysis, words, audiences)
    memo_key = (item.version, worth.hash, json.dumps(worth.choices), audiences)
    return _rails.get(memo_key, lambda: _rail(item, worth, analysis, words, audiences))


def _rail(
    item: Published, worth: Appraisal, analysis: Analysis, words: "Words", audiences: frozenset[str]
) -> list[GroupView]:
    pen = _Pen(item, worth, configurator.differences(item.compiled, worth.choices, worth.texts, audiences), audiences)
    states = {state.id: state for state in analysis.groups}
    groups: list[GroupView] = []
    for group in item.model.groups:
        state = states.get(group.id)
        if not present(group, worth.completion):
            continue
        if group.kind == "text":
            view = _words_view(group, state, worth.texts, words)
        elif group.kind == "upload":
            view = pen.picture(group, state, words)
        elif state is not None and state.values:
            view = pen.group(group, state)
        else:
            continue
        inside = f"part-{group.part.of}-{group.part.number}" if group.part else ""
        begins = group.part is not None and (not groups or groups[-1].inside != inside)
        groups.append(replace(view, inside=inside, part=pen.part(group.part) if begins and group.part else None))
    return groups


@dataclass(frozen=True)
class Words:
    """What was typed and could not be accepted: the words as typed, and why not."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def _title(group: OptionGroup) -> str:
    return group.part.title if group.part else group.label


def _words_view(group: OptionGroup, state: GroupState | None, texts: Texts, words: Words) -> GroupView:
    kept = words.typed.get(group.id, texts.get(group.id, ""))
    longest = f", up to {group.max_length} characters" if group.max_length else ""
    return GroupView(
        id=group.id,
        anchor=f"g-{group.id}",
        label=_title(group),
        layout="words",
        needed=state.needed if state else True,
        own=False,
        value="",
        note=group.sentence,
        hint=f"Your words{longest}",
        text=kept,
        error=words.errors.get(group.id, ""),
        max_length=group.max_length,
    )


@dataclass(frozen=True)
class _Pen:
    """Writes the views of one design's groups."""

    item: Published
    worth: Appraisal
    differences: Mapping[tuple[str, str], Difference]
    audiences: frozenset[str]

    def _reason(self, group: OptionGroup, value: str | int | bool) -> str:
        if max(len(group.options), len(group.dates)) > LONG:
            return "Changes another choice"  # of a hundred days nobody reads why; whoever wishes one is told
        return reason_for(self.item, self.worth.choices, group.id, key(value), self.audiences)

    def part(self, part: Part) -> PartView:
        """The head of a part."""
        counter, count = self.item.model.group(part.of), self.worth.completion[part.of]
        assert counter is not None
        assert isinstance(count, int)
        fewer = count > (counter.minimum or 0)
        return PartView(part.label, part.number, part.of, part.number == count, fewer)

    def picture(self, group: OptionGroup, state: GroupState | None, words: "Words") -> GroupView:
        """The question for a picture, with what it adds."""
        given, adds = self.worth.choices.get(group.id), self.differences.get((group.id, "true"))
        price = adds.price_delta if adds and not given else None
        return GroupView(
            id=group.id,
            anchor=f"g-{group.id}",
            label=_title(group),
            layout="picture",
            needed=state.needed if state else True,
            own=given is not None,
            value="" if price is None else money.write_difference(price, self.worth.price.currency),
            sentence=group.sentence,
            hint="A PNG, JPEG or WebP, up to 5 MB",
            text=f"/uploads/{given}" if given else "",
            error=words.errors.get(group.id, ""),
        )

    def group(self, group: OptionGroup, state: GroupState) -> GroupView:
        values = [value.id for value in state.values]
        stepped = group.kind == "integer" and len(values) > STEPPED
        shown = self.worth.completion.get(group.id)
        views = () if stepped else tuple(self.value(group, value.id, value.state) for value in state.values)
        days = group.kind == "date"
        further = tuple(view for view in views if view.state == "impossible") if len(views) > LONG and not days else ()
        return GroupView(
            id=group.id,
            anchor=f"g-{group.id}",
            label=_title(group),
            layout="number" if stepped else "days" if days else _layout(views),
            needed=state.needed,
            own=group.id in self.worth.choices,
            value=label_of(group, shown) if state.needed and shown is not None else "",
            sentence=group.sentence,
            hint=f"{values[0]} to {values[-1]} {group.unit}".strip() if stepped else "",
            values=tuple(view for view in views if view not in further),
            months=_months(views) if days else (),
            further=further,
            around=self._around(group, state, shown) if stepped else (),
        )

    def value(self, group: OptionGroup, value: Any, state: str) -> ValueView:
        option = group.option(key(value))
        pressed = self._pressed(group, value)
        difference = self.differences.get((group.id, key(value)))
        price = difference.price_delta if difference else None
        several = group.kind == "several"
        sign = ("-" if pressed else "+") if several else ""
        return ValueView(
            key=f"{group.id}:{sign}{key(value)}",
            anchor=f"o-{group.id}-{key(value)}",
            label=label_of(group, value),
            state=state,
            pressed=pressed,
            price="" if price is None else money.write_difference(price, self.worth.price.currency),
            days=days_difference((difference.lead_time_delta_days or 0) if difference else 0),
            sentence=option.sentence if option else "",
            reason=self._reason(group, value) if state == "impossible" else "",
            note="chosen" if group.id in self.worth.choices else "selected",
            swatch=option.swatch if option and (option.swatch or "").startswith("#") else None,
            finish=_finish(group, option.attributes if option else {}),
        )

    def _pressed(self, group: OptionGroup, value: Any) -> bool:
        shown = self.worth.completion.get(group.id)
        return value in shown if isinstance(shown, list) else value == shown and type(value) is type(shown)

    def _around(self, group: OptionGroup, state: GroupState, shown: object) -> tuple[ValueView, ...]:
        """One less, the number, one more."""
        states = {value.id: value.state for value in state.values}
        numbers = list(states)
        place = numbers.index(shown) if shown in numbers else 0
        around = []
        for step, sign, words in ((-1, "−", "One step less"), (0, "", ""), (1, "+", "One step more")):
            if step == 0:
                around.append(ValueView("", f"o-{group.id}-now", str(numbers[place]), "chosen", True))
            elif 0 <= place + step < len(numbers):
                number = numbers[place + step]
                view = self.value(group, number, states[number])
                label = f"{words}: {view.label}, {view.price or view.reason}"
                anchor = f"o-{group.id}-{'less' if step < 0 else 'more'}"
                around.append(ValueView(view.key, anchor, label, view.state, False, sign=sign))
        return tuple(around)


def _months(views: tuple[ValueView, ...]) -> tuple[tuple[str, bool, tuple[ValueView, ...]], ...]:
    """Days by month; the month of the day that is taken is open, a month without one that can be taken says so."""
    months: dict[str, list[ValueView]] = {}
    for view in views:
        day = date.fromisoformat(view.key.partition(":")[2])
        months.setdefault(f"{day:%B %Y}", []).append(replace(view, label=f"{day:%a} {day.day}"))
    return tuple((month, any(day.pressed for day in days), tuple(days)) for month, days in months.items())


def _layout(views: tuple[ValueView, ...]) -> str:
    if any(view.swatch for view in views):
        return "swatches"
    short = all(len(view.label) <= 10 and not view.sentence for view in views)
    return "tight" if short else "cards"


def _finish(group: OptionGroup, attributes: Mapping[str, object]) -> str:
    if "metal" in attributes:
        return "metal"
    return "dial" if "dial" in group.id else "satin"


def reason_for(
    item: Published, choices: Choices, group_id: str, value: str, audiences: frozenset[str] = NO_AUDIENCE
) -> str:
    """Why a value cannot be taken as things are, naming the choice that stands against it."""
    memo_key = (item.version, json.dumps(choices, sort_keys=True), group_id, value, audiences)
    return _reasons.get(memo_key, lambda: _reason(item, choices, group_id, value, audiences))


def _reason(item: Published, choices: Choices, group_id: str, value: str, audiences: frozenset[str]) -> str:
    group = item.model.group(group_id)
    if group is None:
        return ""
    want = wanted(item, group, choices.get(group_id), f"+{value}" if group.kind == "several" else value)
    found = configurator.explain(item.compiled, choices, {group_id: want}, audiences)
    others = [(item.model.group(culprit), chosen) for culprit, chosen in found.culprits]
    names = [label_of(other, chosen) for other, chosen in others if other is not None]
    return f"Not with {' and '.join(names)}" if names else "Not in this design"


def wanted(item: Published, group: OptionGroup, shown: object, value: str) -> ChoiceValue:
    """The choice that pressing a button stands for: `value` as the button carries it ("steel", "true", "+date").

    Raises:
        ChoiceError: the button cannot stand for a value of this group.
    """
    if group.kind != "several":
        return from_form(item.compiled, group.id, [value])
    held = {part for part in shown if isinstance(part, str)} if isinstance(shown, list) else set()
    return sorted(held - {value[1:]} if value.startswith("-") else held | {value.removeprefix("+")})


def steps_of(item: Published, groups: list[GroupView]) -> list[Link]:
    """The named steps of the rail, each leading to its first question."""
    shown = {view.id: view.anchor for view in groups}
    steps: dict[str, str] = {}
    for group in item.model.groups:
        if group.step and group.id in shown:
            steps.setdefault(group.step, shown[group.id])
    return [Link(label, label, anchor) for label, anchor in steps.items()]


def presets_of(item: Published, worth: Appraisal, audiences: frozenset[str] = NO_AUDIENCE) -> list[PresetView]:
    """The named designs with their prices; those with private options for the invited only."""
    views = []
    for preset in item.model.presets_for(audiences):
        if private_values(item, preset.choices, audiences):
            continue
        there = appraise(item, preset.choices, preset.texts)
        active = there.completion == worth.completion
        views.append(PresetView(preset.id, preset.label, preset.sentence, there.price.amount, active))
    return views
