"""From a question to a few suggestions: candidates, exclusions, rank, and a reason that is true of the history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommender.artifact import Fitted
from recommender.blend import Task
from recommender.history import Ints
from recommender.neighbours import BasketNeighbours
from recommender.query import NOBODY, Query
from recommender.rows import best, without

# A pair seen in a single basket is no reason to give.
CITED = 2
BASKET_READ = 100

Kind = Literal["bought_together", "bought_before", "like_customers", "popular", "listed"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is suggested; each kind can be checked against the history.

    Attributes:
        kind: bought_together: `item` lies in the basket and was with the suggestion in `count` baskets ·
            bought_before: the customer had the suggestion in `count` baskets · like_customers: the customer bought
            `item`, which was with the suggestion in `count` baskets · popular: it was in `count` baskets of all ·
            listed: the caller's own list named it, no figure is claimed.
        item: the cited item.
        count: baskets, at least two, except for bought_before (one) and listed (none).
    """

    kind: Kind
    item: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item, how strongly (comparable within one answer only), and why."""

    item: str
    score: float
    reason: Reason


def suggest(
    fitted: Fitted | None,
    *,
    customer: str | None,
    basket: Sequence[str],
    candidates: Sequence[str] | None,
    exclude: Collection[str],
    k: int,
    popular: Sequence[str] = (),
) -> list[Suggestion]:
    """At most `k` items, best first; never raises on what it does not know.

    Args:
        fitted: the model; None answers from `popular`.
        customer: id, None when unknown.
        basket: ids of what lies in it; none of them is suggested.
        candidates: the only items allowed; None allows all.
        exclude: owned, declined, withdrawn, out of stock, not fitting.
        k: how many at most.
        popular: the caller's list for what the model cannot fill, best first.
    """
    if k <= 0:
        return []
    barred = {*exclude, *basket}
    allowed = None if candidates is None else set(candidates)
    found = _ranked(fitted, customer, basket, candidates, barred, k) if fitted is not None and len(fitted.items) else []
    taken = {suggestion.item for suggestion in found}
    for item in dict.fromkeys(popular):
        if len(found) >= k:
            break
        if item not in barred and item not in taken and (allowed is None or item in allowed):
            found.append(Suggestion(item, 0.0, _of_list(fitted, item)))
    return found


def _ranked(
    fitted: Fitted,
    customer: str | None,
    basket: Sequence[str],
    candidates: Sequence[str] | None,
    barred: Collection[str],
    k: int,
) -> list[Suggestion]:
    known = fitted.items.numbers(dict.fromkeys(basket[-BASKET_READ:])) if basket else np.empty(0, dtype=np.int64)
    number = NOBODY if customer is None else fitted.customers.number(customer)
    query = Query(number, np.unique(known[known >= 0]))
    out = fitted.items.numbers(barred) if barred else known
    reading = fitted.features.read(query)
    if candidates is None:
        items = reading.candidates()
    else:
        items = np.unique(fitted.items.numbers(candidates)) if candidates else np.empty(0, dtype=np.int64)
    items = without(items[np.searchsorted(items, 0) :], out)
    task = _task(fitted, query, out)
    scores = fitted.blend.rankers[task].score(reading.table(items))
    places = best(scores, items, k)
    return [
        Suggestion(fitted.items.name(int(items[p])), float(scores[p]), _reason(fitted, query, int(items[p])))
        for p in places
    ]


def _task(fitted: Fitted, query: Query, out: Ints) -> Task:
    """With a basket it is to be completed; when all that the customer knows is excluded, something new is wanted."""
    if len(query.basket):
        return Task.BASKET
    own = fitted.owned(query.customer)
    return Task.NEW if not len(own) or bool(np.isin(own, out).all()) else Task.NEXT


def _reason(fitted: Fitted, query: Query, item: int) -> Reason:
    """The strongest fact that holds: own habit, company in the basket, own past, popularity, else no claim."""
    own = int(fitted.frequency.own.value(query.customer, item))
    if own >= CITED:
        return Reason("bought_before", None, own)
    cited, count = _closest(fitted.neighbours, query.basket, item)
    if count >= CITED:
        return Reason("bought_together", fitted.items.name(cited), count)
    cited, count = _closest(fitted.neighbours, _habits(fitted, query), item)
    if count >= CITED:
        return Reason("like_customers", fitted.items.name(cited), count)
    if own:
        return Reason("bought_before", None, own)
    return _of_list(fitted, fitted.items.name(item))


def _habits(fitted: Fitted, query: Query) -> Ints:
    items, counts = fitted.frequency.own.row(query.customer)
    return items[np.argsort(-counts, kind="stable")][:BASKET_READ].astype(np.int64)


def _closest(neighbours: BasketNeighbours, company: Ints, item: int) -> tuple[int, int]:
    """Of the company, the item that the given one is likest to, and in how many baskets both were."""
    near, likeness = neighbours.likeness.row(item)
    if not len(near) or not len(company):
        return NOBODY, 0
    places = np.minimum(np.searchsorted(near, company), len(near) - 1)
    places = places[near[places] == company]
    if not len(places):
        return NOBODY, 0
    cited = int(near[places[likeness[places].argmax()]])
    return cited, int(neighbours.together.value(item, cited))


def _of_list(fitted: Fitted | None, item: str) -> Reason:
    number = NOBODY if fitted is None else fitted.items.number(item)
    if fitted is not None and number != NOBODY:
        count = int(fitted.popularity.weight[number])
        if count >= CITED:
            return Reason("popular", None, count)
    return Reason("listed", None, 0)
