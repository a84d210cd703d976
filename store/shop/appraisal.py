"""What a design is under one version of its product: price trace, cost, days, words and picture; kept in memory."""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import configurator
from configurator import ChoiceError, Choices, ChoiceValue, Conflict, Described, LeadTime, Price, TextError, Texts
from store import assets
from store.errors import ShopError, invalid
from store.events import Visitor
from store.rendering import static
from store.shop import uploads
from store.shop.catalog import Published

NO_AUDIENCE: frozenset[str] = frozenset()
_KEPT = 4_000  # appraisals in memory, about 4 kB each


@dataclass(frozen=True)
class Appraisal:
    """Everything that follows from version, choices and texts."""

    choices: Choices
    texts: Texts
    hash: str
    completion: Choices
    price: Price
    unit_cost: int
    lead_time: LeadTime
    described: tuple[Described, ...]
    sentence: str
    parts: tuple[tuple[str, int], ...]  # of one piece
    pictures: tuple[str, ...] = ()  # that the customer gave with it

    @property
    def personal(self) -> bool:
        """Whether something of the customer's own is on it: such a piece is a final sale."""
        return bool(self.texts or self.pictures)

    def amount(self, quantity: int) -> int:
        """What so many cost: what is charged once per order counts once."""
        once = sum(line.amount for line in self.price.lines if line.once)
        return self.price.amount * quantity - once * (quantity - 1)

    @property
    def price_lines(self) -> list[dict[str, Any]]:
        """The price trace as rows; the amounts add up to the price."""
        return [{"label": line.label, "amount": line.amount} for line in self.price.lines]

    @property
    def description(self) -> list[dict[str, Any]]:
        """The design in the owner's words, as an order keeps it."""
        return [
            {"group": row.group, "label": row.group_label, "value": row.value_label, "default": row.default}
            for row in self.described
        ]


_kept: OrderedDict[str, Appraisal] = OrderedDict()
_lock = threading.Lock()


def appraise(item: Published, choices: Mapping[str, Any], texts: Mapping[str, Any] | None = None) -> Appraisal:
    """Check choices and texts and work out what follows from them.

    Raises:
        ShopError: 422 for what the product does not know, 409 for choices that do not go together.
    """
    asked = json.dumps([choices, texts or {}], sort_keys=True, separators=(",", ":"), default=str)
    key = f"{item.version} {item.model.language} {item.model.repricing or ''} {asked}"
    with _lock:
        kept = _kept.get(key)
        if kept is not None:
            _kept.move_to_end(key)
            return kept
    made = reckon(item, choices, texts or {})
    with _lock:
        _kept[key] = made
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


def checked(
    item: Published, choices: Mapping[str, Any], texts: Mapping[str, Any], audiences: frozenset[str] = NO_AUDIENCE
) -> tuple[Choices, Texts]:
    """Choices and texts in their canonical form.

    Raises:
        ShopError: 422, the product does not know one of them, or it is not for this customer.
    """
    try:
        right = configurator.check_choices(item.compiled, choices, audiences)
        return right, configurator.check_texts(item.compiled, right, texts, audiences)
    except (ChoiceError, TextError) as error:
        raise invalid(str(error), field=error.group) from error


def conflict_problem(conflict: Conflict) -> ShopError:
    """The 409 for choices that do not go together, with culprits and the owner's reasons."""
    reasons = " ".join(dict.fromkeys(rule.reason for rule in conflict.rules))
    return ShopError(
        409, "These choices do not go together", reasons or "These choices exclude each other.", facts(conflict)
    )


def facts(conflict: Conflict) -> dict[str, Any]:
    """A conflict as JSON tells it."""
    return {
        "culprits": [{"group": group, "value": value} for group, value in conflict.culprits],
        "rules": [{"id": rule.id, "reason": rule.reason} for rule in conflict.rules],
    }


def picture_of(item: Published, completion: Mapping[str, Any]) -> list[str]:
    """Addresses of the stills that show a design, lowest layer first; empty when the product has no picture."""
    layers = assets.picture_layers(item.slug, completion)
    if layers:
        return layers
    return [static(f"pictures/{item.model.picture}")] if item.model.picture else []


def known_to(item: Published, visitor: Visitor) -> frozenset[str]:
    """Whose private options of a product this visitor may see: an invited customer's own, the staff all."""
    return everyone_of(item) if visitor.is_staff else visitor.audiences


def everyone_of(item: Published) -> frozenset[str]:
    """All audiences that a product has something private for."""
    return item.model.audiences


def private_values(
    item: Published, choices: Mapping[str, Any], audiences: frozenset[str] | None
) -> dict[str, ChoiceValue]:
    """By group: what of the choices is a private option of somebody else's; nothing when all may be seen (None)."""
    found: dict[str, ChoiceValue] = {}
    for group in item.model.groups if audiences is not None else ():
        value = choices.get(group.id)
        if group.audience and value is not None and group.audience not in (audiences or ()):
            found[group.id] = value
            continue
        shut = {option.id for option in group.options if option.audience and option.audience not in (audiences or ())}
        if isinstance(value, list):
            if hidden := [one for one in value if one in shut]:
                found[group.id] = hidden
        elif isinstance(value, str) and value in shut:
            found[group.id] = value
    return found


def reckon(item: Published, choices: Mapping[str, Any], texts: Mapping[str, Any]) -> Appraisal:
    """As `appraise`, but not kept in memory.

    Raises:
        ShopError: as `appraise`.
    """
    compiled = item.compiled
    # Whom an option is for was asked when the design was saved; a saved design is priced for whoever looks.
    everyone = everyone_of(item)
    right, words = checked(item, choices, texts, everyone)
    analysis = configurator.analyse(compiled, right, everyone)
    if isinstance(analysis, Conflict):
        raise conflict_problem(analysis)
    return Appraisal(
        choices=right,
        texts=words,
        hash=configurator.design_hash(compiled, right, words),
        completion=analysis.completion,
        price=configurator.price(compiled, right, words),
        unit_cost=configurator.unit_cost(compiled, right, words),
        lead_time=configurator.lead_time(compiled, right),
        described=configurator.describe(compiled, right, words),
        sentence=configurator.sentence(compiled, right, words),
        parts=configurator.bill_of_materials(compiled, right),
        pictures=tuple(uploads.held(item, right).values()),
    )
