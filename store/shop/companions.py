"""A piece made to go with a design: it fits, shares metal, leather or colour where it can, and says what it shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import configurator
from configurator import Choices
from store.shop.catalog import Published

# What a person sees to be alike; other attributes (a width, a size) make a piece fit rather than match.
SEEN = ("leather", "metal", "colour", "wood", "canvas", "fabric")


@dataclass(frozen=True)
class Anchor:
    """A design that something can go with."""

    item: Published
    choices: Mapping[str, Any]
    owned: bool


@dataclass(frozen=True)
class Companion:
    """A piece configured for an anchor.

    Attributes:
        choices: of the piece.
        fitted_to: the anchor that it was made to fit by a rule; None when it goes with anything.
        likeness: what both visibly share, named in the owner's words; None when nothing.
    """

    choices: Choices
    fitted_to: Mapping[str, Any] | None
    likeness: Mapping[str, Any] | None


def companion(
    item: Published, anchors: Sequence[Anchor], weights: Mapping[tuple[str, str], float] | None = None
) -> Companion | None:
    """The piece configured for the first anchor that it fits; None when it is made for other designs only.

    Args:
        anchors: designs in the bag before designs that are owned.
        weights: the customer's taste, for what fit and match leave open.
    """
    bound = bool(item.model.fits_rules) or item.model.accessory is not None
    for anchor in anchors:
        if anchor.item.slug == item.slug:
            continue
        concerned = configurator.concerns(item.compiled, anchor.item.slug)
        if bound and not concerned:
            continue
        choices = configurator.match(item.compiled, anchor.item.compiled, dict(anchor.choices), weights or None)
        if choices is None:
            continue
        about = {"slug": anchor.item.slug, "name": anchor.item.name, "owned": anchor.owned}
        return Companion(choices, about if bound and concerned else None, _likeness(item, choices, anchor, about))
    return None if bound or not anchors else Companion({}, None, None)


def _likeness(item: Published, choices: Choices, anchor: Anchor, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """What both share to the eye, if the anchor's owner chose it: a default is nobody's taste."""
    own = configurator.attributes(item.compiled, choices)
    for name in SEEN:
        if name not in own:
            continue
        for group in anchor.item.model.groups:
            chosen = anchor.choices.get(group.id)
            for option in group.options:
                if option.id == chosen and option.attributes.get(name) == own[name]:
                    return {"attribute": name, "value": own[name], "label": option.label, "group": group.id, **about}
    return None
