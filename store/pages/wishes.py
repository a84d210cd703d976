"""A value that does not go with the design as it is: why, and the smallest ways to have it all the same."""

import json
from dataclasses import dataclass
from typing import Any

import configurator
from configurator import ChoiceError, Choices, ChoiceValue, Conflict, Repair, Texts
from store import money
from store.errors import invalid
from store.pages import screen as screens
from store.shop.appraisal import NO_AUDIENCE, appraise, checked
from store.shop.catalog import Published
from store.shop.workbench import Work


@dataclass(frozen=True)
class Wish:
    """What was wanted and stands against the other choices."""

    group: str
    value: ChoiceValue

    @property
    def text(self) -> str:
        """The wish as an address carries it."""
        return f"{self.group}:{json.dumps(self.value)}"


def parse_wish(item: Published, work: Work, text: str, audiences: frozenset[str] = NO_AUDIENCE) -> Wish | None:
    """The wish of an address; None when it is none of this piece, or goes with the design by now."""
    group_id, _, value = text.partition(":")
    try:
        want = json.loads(value)
        choices = configurator.check_choices(item.compiled, {**work.choices, group_id: want}, audiences)
    except (ValueError, ChoiceError):
        return None
    fits = not isinstance(configurator.analyse(item.compiled, choices, audiences), Conflict)
    return None if fits else Wish(group_id, choices[group_id])


def problem_of(item: Published, work: Work, wish: Wish, audiences: frozenset[str] = NO_AUDIENCE) -> dict[str, Any]:
    """What stands against a wish, in words, and one to three ways to have it."""
    model = item.model
    want: Choices = {wish.group: wish.value}
    group = model.group(wish.group)
    found = configurator.explain(item.compiled, work.choices, want, audiences)
    culprits = [(model.group(name), value) for name, value in found.culprits]
    repairs = configurator.repairs(item.compiled, work.choices, want, work.texts, audiences=audiences)
    return {
        "group": group.label if group else "",
        "wanted": screens.label_of(group, wish.value) if group else "",
        "reasons": list(dict.fromkeys(rule.reason for rule in found.rules if rule.reason)),
        "culprits": [f"{other.label}: {screens.label_of(other, value)}" for other, value in culprits if other],
        "repairs": [_repair_view(item, work, wish, repair) for repair in repairs],
        "back": f"#g-{wish.group}",
    }


def _repair_view(item: Published, work: Work, wish: Wish, repair: Repair) -> dict[str, str | list[str]]:
    lines = []
    for group_id, value in repair.set.items():
        group = item.model.group(group_id)
        if group is None or group_id == wish.group:
            continue
        before = work.choices.get(group_id)
        instead = f" instead of {screens.label_of(group, before)}" if before is not None else ""
        lines.append(f"{group.label}: {screens.label_of(group, value)}{instead}")
    for group_id in repair.drop:
        group = item.model.group(group_id)
        if group is not None:
            lines.append(f"{group.label}: without {screens.label_of(group, work.choices[group_id])}")
    price = repair.price_delta or 0
    return {
        "value": json.dumps({"set": repair.set, "drop": repair.drop}),
        "lines": lines or ["Everything else stays as it is"],
        "price": money.write_difference(price, item.model.currency) if price else "same price",
        "days": screens.days_difference(repair.lead_time_delta_days or 0) or "same time",
    }


def repaired(work: Work, text: str) -> Choices:
    """The choices with one of the ways taken, not yet checked: it comes from outside like anything else.

    Raises:
        ShopError: 422, the form does not hold a way.
    """
    try:
        asked = json.loads(text)
        changes: Choices = asked["set"]
        return {group: value for group, value in work.choices.items() if group not in asked["drop"]} | changes
    except (ValueError, KeyError, TypeError) as error:
        raise invalid("This way was not one of those offered.") from error


def checked_choices(
    item: Published, choices: Choices, texts: Texts, audiences: frozenset[str] = NO_AUDIENCE
) -> tuple[Choices, Texts]:
    """Choices that go together, with the texts that still apply to them.

    Raises:
        ShopError: 422 unknown choices or words, 409 choices that do not go together.
    """
    worth = appraise(item, *checked(item, choices, texts, audiences))
    return worth.choices, worth.texts
