"""A start composed for one customer: values they lean to, each with its reason, on a design that can be made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from configurator import Choices, OptionGroup
from configurator.live import Memo
from store.auth import WebSession
from store.errors import not_found
from store.events import Visitor
from store.shop import forgetting, suggestions, taste, workbench
from store.shop.appraisal import NO_AUDIENCE, appraise, checked, known_to
from store.shop.catalog import Published
from store.shop.taste import Whose
from store.shop.workbench import Work

ENOUGH = 2  # designs, from which on a liking is more than a single choice


@dataclass(frozen=True)
class Filled:
    """A value filled in for the customer, and why.

    Attributes:
        trait: the attribute and its value that the reason speaks of; None when it speaks of the value itself.
    """

    group: str
    value: str
    reason: str
    trait: tuple[str, str] | None = None


_starts = Memo(4_000)


def start(session: Session, visitor: Visitor, item: Published) -> tuple[Filled, ...]:
    """What can be filled in for this visitor; nothing without their consent, or while nothing is known of them."""
    version = taste.loaded_version()
    if version is None or visitor.customer_id is None or not visitor.allows("personalisation"):
        return ()
    if suggestions.are_off(session, visitor):
        return ()
    whose = taste.whose(session, visitor)
    return _starts.get((version, whose, item.version), lambda: _compose(whose, item)) if whose else ()


def begun(item: Published, row: WebSession | None, filled: Sequence[Filled]) -> Work:
    """The browser's work on a product; not begun yet, it stands where this customer would likely begin.

    Undo leads to the house's own design, and starting again does.
    """
    if workbench.is_begun(row, item.slug):
        return workbench.read(row, item.slug)
    return composed(item, workbench.EMPTY, filled)


def composed(item: Published, before: Work, filled: Sequence[Filled], audiences: frozenset[str] = NO_AUDIENCE) -> Work:
    """The work with what can be filled in, each with its reason; as it was when there is nothing."""
    if not filled:
        return before
    worth = appraise(item, *checked(item, choices_of(filled), before.texts, audiences))
    after = before.moved(worth.choices, worth.texts)
    return replace(after, filled={one.group: [one.value, one.reason] for one in filled}, version=item.version)


def forget(session: Session, visitor: Visitor, item: Published, work: Work, group: str) -> Work:
    """ "Forget this": the past choices that filled in a value no longer count, and the value is taken out.

    Raises:
        ShopError: 404, nothing is filled in there.
    """
    if group not in work.reasons:
        raise not_found("choice")
    value = str(work.choices[group])
    now = next((one for one in start(session, visitor, item) if (one.group, one.value) == (group, value)), None)
    if now is not None and now.trait:
        forgetting.forget_trait(session, visitor, *now.trait)
    forgetting.forget(session, visitor, item.slug, group, value)
    kept = {name: chosen for name, chosen in work.choices.items() if name != group}
    worth = appraise(item, *checked(item, kept, work.texts, known_to(item, visitor)))
    return work.moved(worth.choices, worth.texts)


def choices_of(filled: Sequence[Filled]) -> Choices:
    """The start as choices."""
    return {one.group: one.value for one in filled}


def _compose(whose: Whose, item: Published) -> tuple[Filled, ...]:
    """The likeliest valid design; of it, what the customer's own history speaks for."""
    liked = taste.weights(whose, item.slug)
    if not liked:
        return ()
    chosen = taste.chosen_before(whose, item.slug)
    leanings = {(one.attribute, one.value): one.evidence for one in taste.leaning(whose) if one.evidence >= ENOUGH}
    whole = taste.completed(item, {}, liked)
    found = (_filled(group, whole.get(group.id), chosen, leanings) for group in item.model.groups)
    return tuple(one for one in found if one is not None)


def _filled(
    group: OptionGroup,
    value: object,
    chosen: Mapping[tuple[str, str], float],
    leanings: Mapping[tuple[str, str], int],
) -> Filled | None:
    option = group.option(str(value)) if group.kind == "one" and isinstance(value, str) else None
    if option is None or option.audience:
        return None
    if chosen.get((group.id, option.id)):
        return Filled(group.id, option.id, f"Filled in because you chose {option.label} before.")
    for name, fact in option.attributes.items():
        designs = leanings.get((name, str(fact)), 0)
        if designs:
            reason = f"Filled in because {designs} of your designs have {str(fact).replace('-', ' ')}."
            return Filled(group.id, option.id, reason, (name, str(fact)))
    return None
