"""What the trained recommender knows: the model that serves now, and the leaning it learned from choices."""

import math
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

import configurator
import recommender
from configurator import Choices
from configurator.live import Memo
from store.events import Visitor
from store.shop import forgetting
from store.shop.catalog import Published
from store.shop.forgetting import NOTHING, Left, values_of

if TYPE_CHECKING:  # naming them at run time would load the numeric stack into every process
    from recommender import Fitted, Leaning
    from recommender.taste import Taste

TIE = 1e-5  # less than any liking worth a name
SMALL = 0.5  # of a choice, so that what was never seen is not impossible
PRIOR = 2.0  # choices of everyone's that stand beside a customer's own
LOOK_SECONDS = 1.0  # how long the version that serves is believed without looking again


@dataclass
class _Serving:
    """The model in this process's memory."""

    directory: Path | None = None
    version: str | None = None
    fitted: "Fitted | None" = None
    looked: float = 0.0


_serving = _Serving()
_lock = threading.Lock()


def use_models(directory: Path) -> None:
    """Say where the trained models lie; a new one is picked up within a second, without a restart."""
    with _lock:
        _serving.directory, _serving.version, _serving.fitted, _serving.looked = directory, None, None, 0.0


def serving_version() -> str | None:
    """The version of the model that is published, without loading it."""
    return recommender.current_version(_serving.directory) if _serving.directory else None


def fitted() -> "Fitted | None":
    """The model that serves; None when none was published or it is damaged."""
    with _lock:
        if _serving.directory is None:
            return None
        if time.monotonic() - _serving.looked >= LOOK_SECONDS:
            _serving.looked = time.monotonic()
            version = recommender.current_version(_serving.directory)
            if version != _serving.version:
                _serving.version, _serving.fitted = version, recommender.load(_serving.directory)
        return _serving.fitted


def loaded_version() -> str | None:
    """The version of the model that answers now."""
    model = fitted()
    return model.version if model else None


@dataclass(frozen=True)
class Whose:
    """Whose taste and purchases may speak, and what of them they want left out."""

    customer: str
    left: Left = NOTHING


@dataclass(frozen=True)
class Ranked:
    """A product as the recommender ranks it, with the fact of the history that speaks for it.

    Attributes:
        kind: as in `recommender.Reason`.
        cites: the product that the fact speaks of.
        count: in how many orders it was seen.
    """

    slug: str
    kind: str
    cites: str | None
    count: int


def rank(
    whose: Whose | None, basket: Sequence[str], candidates: Sequence[str], exclude: Collection[str]
) -> list[Ranked]:
    """The candidates, what suits the basket (and the customer) best first, each with the fact it rests on.

    Args:
        whose: None without their consent: then only the basket counts.
        candidates: in the order of the catalogue, which decides where nothing else does.
    """
    model = fitted()
    found = recommender.suggest.suggest(
        model,
        customer=_as_buyer(model, whose),
        basket=basket,
        candidates=candidates,
        exclude=exclude,
        k=len(candidates),
        popular=candidates,
    )
    return [Ranked(one.item, one.reason.kind, one.reason.item, one.reason.count) for one in found]


def _as_buyer(model: "Fitted | None", whose: Whose | None) -> str | None:
    """The customer whose purchases count; nobody while the model still knows one that they want left out."""
    if whose is None or model is None:
        return None
    number = model.customers.number(whose.customer)
    known = {model.items.name(int(item)) for item in model.owned(number)} if number >= 0 and whose.left.pieces else ()
    return None if whose.left.pieces.intersection(known) else whose.customer


_weights = Memo(4_000)  # by model, customer, product and choices
_left_out = Memo(200)  # tastes without what one customer wants left out, until a model is trained without it


def _taste_of(model: "Fitted", whose: Whose | None) -> "Taste":
    """The learned taste; while it still holds what this customer wants left out, a copy without it.

    How traits came about is not kept: until the next model none of theirs counts.
    """
    if whose is None or whose.left == NOTHING:
        return model.taste
    return _left_out.get((model.version, whose), lambda: _without(model.taste, whose.customer, whose.left))


def _without(learned: "Taste", customer: str, left: Left) -> "Taste":
    own = {key: count for key, count in learned.own.items() if key[0] == customer}
    kept = {key: n for key, n in own.items() if key[1:] not in left.choices and key[1] not in left.pieces}
    return learned if kept == own else replace(learned, own=kept, own_attributes={}, evidence={})


def weights(whose: Whose | None, slug: str, given: Mapping[str, Any] | None = None) -> dict[tuple[str, str], float]:
    """How much each value of a product is leaned to, for the completion by taste; {} while nothing was learned.

    Args:
        whose: taste is added to everyone's; None without their consent.
        given: the choices made already.
    """
    model = fitted()
    if model is None:
        return {}
    known = {group: values_of(value) for group, value in (given or {}).items()}
    key = (model.version, whose, slug, tuple(sorted(known.items())))
    customer = whose.customer if whose else None
    return dict(_weights.get(key, lambda: _taste_of(model, whose).weights(customer, slug, known)))


def completed(item: Published, choices: Choices, liked: Mapping[tuple[str, str], float]) -> Choices:
    """The likeliest valid design that holds the choices; what is liked equally falls to the default, then the first.

    Without this the answer to a tie would hang on what the solver was asked before.
    """
    if not liked:
        return configurator.complete(item.compiled, choices)
    usual = configurator.complete(item.compiled, choices)
    even = dict(liked)
    groups = {group for group, _ in liked}
    for key, weight in _left_alone(item, usual, groups).items():
        even[key] = even.get(key, 0.0) + weight
    for group in (group for group in item.model.groups if group.id in groups):
        for place, option in enumerate(group.options, start=1):
            if usual.get(group.id) != option.id:
                even[group.id, option.id] = even.get((group.id, option.id), 0.0) - place * TIE
    return configurator.complete(item.compiled, choices, "taste", even)


def _left_alone(item: Published, usual: Choices, groups: Collection[str]) -> dict[tuple[str, str], float]:
    """What the default of each group gains by the designs that left the group alone, as a logarithm.

    Only choices are counted as taste; a group that few choose at all would otherwise go to what those few chose.
    """
    model = fitted()
    if model is None:
        return {}
    counted = model.taste
    designs = max((counted.groups.get((item.slug, group), 0.0) for group in groups), default=0.0)
    found: dict[tuple[str, str], float] = {}
    for group in groups:
        value = usual.get(group)
        if isinstance(value, str):
            chosen = counted.values.get((item.slug, group, value), 0.0)
            kept = designs - counted.groups.get((item.slug, group), 0.0)
            found[group, value] = math.log((chosen + kept + SMALL) / (chosen + SMALL))
    return found


def whose(session: Session, visitor: Visitor) -> Whose | None:
    """Whose taste may speak when this visitor asks: their own as far as they allow it, else only everyone's (None)."""
    if visitor.customer_id is None or not visitor.allows("personalisation"):
        return None
    return Whose(visitor.customer_id, forgetting.of_customer(session, visitor.customer_id))


def leaning(whose: Whose) -> "list[Leaning]":
    """What the customer leans to across products, the strongest first."""
    model = fitted()
    return _taste_of(model, whose).leaning(whose.customer) if model else []


def liking(whose: Whose, attributes: Mapping[str, Any]) -> float:
    """How much likelier than others this customer chooses what a piece has (metal, colour, leather), as a logarithm.

    Their share of each attribute's value over everyone's, smoothed toward it; 0 for what nobody chose.
    """
    model = fitted()
    if model is None:
        return 0.0
    learned = _taste_of(model, whose)
    usual = _usual.get(model.version, lambda: _by_attribute(learned.attributes))
    own = _own_traits.get((model.version, whose), lambda: _by_attribute(_of(whose.customer, learned.own_attributes)))
    told = 0.0
    for name, value in attributes.items():
        share = usual.get(name, {}).get(str(value), 0.0) / max(1e-9, sum(usual.get(name, {}).values()))
        mine = own.get(name, {})
        if share and mine:
            told += math.log((mine.get(str(value), 0.0) + PRIOR * share) / (sum(mine.values()) + PRIOR) / share)
    return told


_usual = Memo(4)  # everyone's choices by attribute and value
_own_traits = Memo(2_000)  # each customer's


def _of(customer: str, counts: Mapping[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {key[1:]: count for key, count in counts.items() if key[0] == customer}


def _by_attribute(counts: Mapping[tuple[str, ...], float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for (name, value), count in counts.items():
        found.setdefault(name, {})[value] = count
    return found


def chosen_before(whose: Whose, slug: str) -> dict[tuple[str, str], float]:
    """The values of this product that the customer chose in earlier designs, by group and value."""
    model = fitted()
    if model is None:
        return {}
    learned = _taste_of(model, whose)
    mask = whose if learned is not model.taste else None
    index = _chosen.get((model.version, mask), lambda: _by_customer(learned))
    return dict(index.get((whose.customer, slug), {}))


_chosen = Memo(200)  # what each customer chose, by customer and product


def _by_customer(learned: "Taste") -> dict[tuple[str, str], dict[tuple[str, str], float]]:
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for (customer, slug, group, value), count in learned.own.items():
        if count:
            found.setdefault((customer, slug), {})[group, value] = count
    return found
