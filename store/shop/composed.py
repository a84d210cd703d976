"""A start composed for one customer: values they lean to, each with its reason, on a design that can be made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configurator import Choices, OptionGroup
from configurator.live import Memo
from store.events import Visitor
from store.shop import taste
from store.shop.catalog import Published

ENOUGH = 2  # designs, from which on a liking is more than a single choice


@dataclass(frozen=True)
class Filled:
    """A value filled in for the customer, and why."""

    group: str
    value: str
    reason: str


_starts = Memo(4_000)


def start(visitor: Visitor, item: Published) -> tuple[Filled, ...]:
    """What can be filled in for this visitor; nothing without their consent, or while nothing is known of them."""
    version = taste.loaded_version()
    if version is None or visitor.customer_id is None or not visitor.allows("personalisation"):
        return ()
    customer = visitor.customer_id
    return _starts.get((version, customer, item.version), lambda: _compose(customer, item))


def choices_of(filled: Sequence[Filled]) -> Choices:
    """The start as choices."""
    return {one.group: one.value for one in filled}


def _compose(customer: str, item: Published) -> tuple[Filled, ...]:
    """The likeliest valid design; of it, what the customer's own history speaks for."""
    liked = taste.weights(customer, item.slug)
    if not liked:
        return ()
    chosen = taste.chosen_before(customer, item.slug)
    leanings = {(one.attribute, one.value): one.evidence for one in taste.leaning(customer) if one.evidence >= ENOUGH}
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
            return Filled(group.id, option.id, reason)
    return None
