"""Carrying a saved design to a newer version, and to who may see it: what stays, what changes, and that in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from configurator import Change, Choices, ChoiceValue, OptionGroup, Texts, codes
from configurator.wording import value_label
from store.errors import ShopError
from store.money import write
from store.shop import uploads
from store.shop.appraisal import Appraisal, appraise, private_values, reckon
from store.shop.catalog import Published

Kind = Literal["renamed", "retired", "removed", "repaired", "private", "words", "price"]
_QUIET = ("renamed", "price")  # nothing she chose is given up

_NEW_WORDS = "The newest version does not take your words; please write them anew."
_PRIVATE = "A part of this design is for invited guests only; it is shown without."


@dataclass(frozen=True)
class Saved:
    """A design as it was saved."""

    choices: Mapping[str, Any]
    texts: Mapping[str, Any]
    price: int
    currency: str


@dataclass(frozen=True)
class Altered:
    """One thing that changed; `words` is empty where nobody needs to be told."""

    kind: Kind
    group: str | None
    before: ChoiceValue | None
    after: ChoiceValue | None
    words: str


@dataclass(frozen=True)
class Renewed:
    """A design on a newer version of its product: what fits of it, what changed, what it costs now."""

    choices: Choices
    texts: Texts
    happened: tuple[Altered, ...]
    price: int
    published: Published
    appraisal: Appraisal

    @property
    def changes(self) -> tuple[str, ...]:
        """What changed, in words."""
        return tuple(one.words for one in self.happened if one.words)

    @property
    def given_up(self) -> tuple[Altered, ...]:
        """What of her own choices is not there any more."""
        return tuple(one for one in self.happened if one.kind not in _QUIET)


def carried(
    old: Published,
    new: Published,
    saved: Saved,
    *,
    audiences: frozenset[str] | None = None,
    hers: bool = True,
    keep: bool = True,
) -> Renewed:
    """A saved design on another (or the same) version of its product, changed as little as can be.

    Args:
        audiences: whose private options may be seen; all of them when None.
        hers: whether the reader made it: to others a private option is not named, and her pictures are left out.
        keep: whether to remember what was reckoned; not worth it for thousands that are looked at once.
    """
    hidden = private_values(old, saved.choices, audiences)
    unseen = hidden | ({} if hers else uploads.held(old, saved.choices))
    choices = _without(saved.choices, unseen)
    happened = [_private(old, group, value, hers) for group, value in hidden.items()]
    judge = appraise if keep else reckon
    moves: tuple[Change, ...] = ()
    if old.version != new.version or unseen:
        moved = codes.carry(old.compiled, new.compiled, choices)
        choices, moves = moved.choices, moved.changes
        later = private_values(new, choices, audiences)  # an option may have become private on the way
        happened += [_private(new, group, value, hers) for group, value in later.items()]
        choices = _without(choices, later)
    texts = {group: str(words) for group, words in saved.texts.items() if new.model.group(group)}
    lost: list[Altered] = []
    try:
        worth = judge(new, choices, texts)
    except ShopError:
        worth = judge(new, choices, {})
        lost = [Altered("words", None, None, None, _NEW_WORDS)]
    happened += [_altered(old, new, change, worth.completion) for change in moves if change.kind != "price"]
    happened += lost
    before = judge(old, _without(saved.choices, unseen), saved.texts).price.amount if unseen else saved.price
    happened += _price(before, worth, saved.currency)
    return Renewed(worth.choices, worth.texts, tuple(happened), worth.price.amount, new, worth)


def _without(choices: Mapping[str, Any], hidden: Mapping[str, ChoiceValue]) -> Choices:
    left: Choices = {}
    for group, value in choices.items():
        gone = hidden.get(group)
        if isinstance(value, list) and isinstance(gone, list):
            if rest := [one for one in value if one not in gone]:
                left[group] = rest
        elif gone is None:
            left[group] = value
    return left


def _private(item: Published, group_id: str, value: ChoiceValue, hers: bool) -> Altered:
    group = item.model.group(group_id)
    if not hers or group is None:
        return Altered("private", None, None, None, _PRIVATE)
    label = value_label(group, value)
    words = f"{group.label}: {label} is kept for invited guests, and your invitation has ended. The rest is as it was."
    return Altered("private", group_id, value, None, words)


def _price(before: int, worth: Appraisal, currency: str) -> list[Altered]:
    after = worth.price.amount
    if before == after and worth.price.currency == currency:
        return []
    words = f"The price is now {write(after, worth.price.currency)}, it was {write(before, currency)}."
    return [Altered("price", None, before, after, words)]


def _altered(old: Published, new: Published, change: Change, completion: Mapping[str, Any]) -> Altered:
    group = new.model.group(change.group or "") or old.model.group(change.group or "")
    if group is None:
        return Altered("removed", change.group, change.before, None, "A part that you chose is no longer made.")
    was = _old_group(old, group) or group
    if change.kind == "renamed":
        return _renamed(was, group, change)
    before = value_label(was, change.before) if change.before is not None else ""
    kind: Kind = "repaired" if change.kind == "repaired" else "retired" if change.kind == "retired" else "removed"
    if change.after is None and kind == "repaired":
        words = f"{group.label}: {before} does not go with the rest any more."
    elif change.after is None:
        instead = completion.get(group.id) if new.model.group(group.id) else None
        place = f"; {value_label(group, instead)} takes its place" if isinstance(instead, str) else ""
        words = f"{group.label}: {before} is no longer made{place}."
    else:
        words = f"{group.label}: {value_label(group, change.after)} instead of {before}."
    return Altered(kind, change.group, change.before, change.after, words)


def _old_group(old: Published, group: OptionGroup) -> OptionGroup | None:
    return old.model.group(group.id) or next((g for name in group.renamed_from if (g := old.model.group(name))), None)


def _renamed(was: OptionGroup, group: OptionGroup, change: Change) -> Altered:
    """A renaming; of several, some may be gone without one."""
    if isinstance(change.before, list) and isinstance(change.after, list):
        followed = {old for option in group.options for old in option.renamed_from} | set(change.after)
        gone = [one for one in change.before if one not in followed]
        if gone:
            words = f"{group.label}: {value_label(was, gone)} is no longer made."
            return Altered("retired", group.id, change.before, change.after, words)
    before, after = (
        value_label(g, v) if v is not None else "" for g, v in ((was, change.before), (group, change.after))
    )
    words = "" if before == after else f"{group.label}: {before} is now called {after}."
    return Altered("renamed", group.id, change.before, change.after, words)
