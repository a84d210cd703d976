"""What the trained recommender knows: the model that serves now, and the leaning it learned from choices."""

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import configurator
import recommender
from configurator import Choices
from configurator.live import Memo
from store.events import Visitor
from store.shop.catalog import Published

if TYPE_CHECKING:  # naming them at run time would load the numeric stack into every process
    from recommender import Fitted, Leaning

TIE = 1e-5  # less than any liking worth a name
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
    customer: str | None, basket: Sequence[str], candidates: Sequence[str], exclude: Collection[str]
) -> list[Ranked]:
    """The candidates, what suits the basket (and the customer) best first, each with the fact it rests on.

    Args:
        customer: None without their consent: then only the basket counts.
        candidates: in the order of the catalogue, which decides where nothing else does.
    """
    found = recommender.suggest.suggest(
        fitted(),
        customer=customer,
        basket=basket,
        candidates=candidates,
        exclude=exclude,
        k=len(candidates),
        popular=candidates,
    )
    return [Ranked(one.item, one.reason.kind, one.reason.item, one.reason.count) for one in found]


_weights = Memo(4_000)  # by model, customer, product and choices


def weights(customer_id: str | None, slug: str, given: Mapping[str, Any] | None = None) -> dict[tuple[str, str], float]:
    """How much each value of a product is leaned to, for the completion by taste; {} while nothing was learned.

    Args:
        customer_id: whose taste is added to everyone's; None without their consent.
        given: the choices made already.
    """
    model = fitted()
    if model is None:
        return {}
    known = {group: as_values(value) for group, value in (given or {}).items()}
    key = (model.version, customer_id, slug, tuple(sorted(known.items())))
    return dict(_weights.get(key, lambda: model.taste.weights(customer_id, slug, known)))


def completed(item: Published, choices: Choices, liked: Mapping[tuple[str, str], float]) -> Choices:
    """The likeliest valid design that holds the choices; what is liked equally falls to the default, then the first.

    Without this the answer to a tie would hang on what the solver was asked before.
    """
    if not liked:
        return configurator.complete(item.compiled, choices)
    usual = configurator.complete(item.compiled, choices)
    even = dict(liked)
    groups = {group for group, _ in liked}
    for group in (group for group in item.model.groups if group.id in groups):
        for place, option in enumerate(group.options, start=1):
            if usual.get(group.id) != option.id:
                even[group.id, option.id] = even.get((group.id, option.id), 0.0) - place * TIE
    return configurator.complete(item.compiled, choices, "taste", even)


def weights_for(visitor: Visitor, slug: str, given: Mapping[str, Any] | None = None) -> dict[tuple[str, str], float]:
    """The same for whoever asks: their own taste as far as they allow it, else everyone's."""
    return weights(visitor.customer_id if visitor.allows("personalisation") else None, slug, given)


def leaning(customer_id: str) -> "list[Leaning]":
    """What the customer leans to across products, the strongest first."""
    model = fitted()
    return model.taste.leaning(customer_id) if model else []


def chosen_before(customer_id: str, slug: str) -> dict[tuple[str, str], float]:
    """The values of this product that the customer chose in earlier designs, by group and value."""
    model = fitted()
    own = model.taste.own if model else {}
    return {(group, value): n for (who, of, group, value), n in own.items() if (who, of) == (customer_id, slug) and n}


def as_values(value: Any) -> tuple[str, ...]:
    """A choice as the recommender counts it: the ids of the chosen values."""
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value).lower() if isinstance(value, bool) else str(value),)
