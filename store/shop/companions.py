"""A piece made to go with a design: it fits, shares metal, leather or colour where it can, and says what it shares."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import configurator
from configurator import Choices
from configurator.live import Memo
from store.shop import taste
from store.shop.catalog import Published
from store.shop.taste import Whose

# What a person sees to be alike; other attributes (a width, a size) make a piece fit rather than match.
SEEN = ("leather", "metal", "colour", "wood", "canvas", "fabric", "dial")

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Anchor:
    """A design that something can go with; `own` are the groups whose values its owner chose, not the house."""

    item: Published
    choices: Mapping[str, Any]
    owned: bool
    own: frozenset[str]

    @cached_property
    def key(self) -> tuple[str, str]:
        """The same for the same design."""
        return self.item.version, key_of(self.choices)


@dataclass(frozen=True)
class Companion:
    """A piece configured for an anchor.

    Attributes:
        choices: of the piece.
        fitted_to: the anchor, with the facts of its design that a rule binds the piece to; None without such a rule.
        made_for: the anchor's product, when a rule names it whatever its design; else None.
        likeness: what both visibly share, named in the owner's words; None when nothing that she chose.
    """

    choices: Choices
    fitted_to: Facts | None
    made_for: Facts | None
    likeness: Facts | None


_fitting = Memo(20_000)  # choices by (piece, design)
_finished = Memo(8_000)  # whole designs by (piece, choices, model, customer)
_described = Memo(8_000)  # companions by (piece, choices, design)


def key_of(choices: Mapping[str, Any]) -> str:
    """Choices as a key."""
    return json.dumps(choices, sort_keys=True, separators=(",", ":"))


def fitting(item: Published, anchors: Sequence[Anchor]) -> tuple[Anchor, Choices] | None:
    """The first anchor that the piece fits, and the piece's choices for it; None when it is made for others only.

    Args:
        anchors: designs in the bag before designs that are owned.
    """
    bound = bool(item.model.fits_rules) or item.model.accessory is not None
    for anchor in anchors:
        if anchor.item.slug == item.slug or (bound and not configurator.concerns(item.compiled, anchor.item.slug)):
            continue
        choices = _fitting.get((item.version, anchor.key), lambda: _match(item, anchor))  # noqa: B023 - called at once
        if choices is not None:
            return anchor, dict(choices)
    return None


def _match(item: Published, anchor: Anchor) -> Choices | None:
    return configurator.match(item.compiled, anchor.item.compiled, dict(anchor.choices))


def alike(item: Published, anchor: Anchor, choices: Choices) -> int:
    """How much a fitting piece looks like the design: 0 for the same leather, more for less, by the order of `SEEN`."""
    if not anchor.own:
        return len(SEEN)
    likeness = _described.get(
        (item.version, key_of(choices), anchor.key, anchor.own), lambda: _likeness(item, choices, anchor, {})
    )
    return SEEN.index(likeness["attribute"]) if likeness else len(SEEN)


def companion(item: Published, anchor: Anchor, choices: Choices, whose: Whose | None) -> Companion:
    """The fitting piece, with what fit and likeness leave open after the customer's taste, and what may be said of it.

    Args:
        whose: taste; None for everyone's.
    """
    whole = _finished.get(
        (item.version, key_of(choices), taste.loaded_version(), whose), lambda: _finish(item, choices, whose)
    )
    marks = (anchor.owned, anchor.own)
    return _described.get(
        (item.version, key_of(whole), anchor.key, marks), lambda: _describe(item, anchor, dict(whole))
    )


def _finish(item: Published, choices: Choices, whose: Whose | None) -> Choices:
    weights = taste.weights(whose, item.slug, choices)
    return taste.completed(item, choices, weights) if weights else choices


def _describe(item: Published, anchor: Anchor, choices: Choices) -> Companion:
    about = {"slug": anchor.item.slug, "name": anchor.item.name, "owned": anchor.owned}
    likeness = _likeness(item, choices, anchor, about)
    rule = configurator.binding(item.compiled, choices, anchor.item.compiled, dict(anchor.choices))
    if rule is None or (rule.product != anchor.item.slug and not rule.when and not rule.same):
        return Companion(choices, None, None, likeness)
    if not rule.when and not rule.same:
        return Companion(choices, None, about, likeness)
    own = configurator.attributes(item.compiled, choices)
    facts = [*rule.when.items(), *((theirs, (own[mine],)) for mine, theirs in rule.same.items())]
    return Companion(choices, {"by": _labels(anchor, facts), **about}, None, likeness)


def _labels(anchor: Anchor, facts: Sequence[tuple[str, Sequence[Any]]]) -> list[str]:
    """The values of the design that carry one of these facts, in the owner's words."""
    completion = configurator.complete(anchor.item.compiled, dict(anchor.choices))
    return list(
        dict.fromkeys(
            option.label
            for group in anchor.item.model.groups
            for option in group.options
            if completion.get(group.id) == option.id
            for name, values in facts
            if option.attributes.get(name) in values or (group.id == name and option.id in values)
        )
    )


def _likeness(item: Published, choices: Choices, anchor: Anchor, about: Facts) -> Facts | None:
    """What both share to the eye, if the anchor's owner chose it: a default is nobody's taste."""
    own = configurator.attributes(item.compiled, choices)
    for name in SEEN:
        if name not in own:
            continue
        for group in anchor.item.model.groups:
            chosen = anchor.choices.get(group.id) if group.id in anchor.own else None
            for option in group.options:
                if option.id == chosen and option.attributes.get(name) == own[name]:
                    facts = {"attribute": name, "value": own[name], "label": option.label}
                    return {**facts, "group": group.id, "option": option.id, **about}
    return None
