"""How good: the last stretch of a history is hidden, what came before is learned from, and the answers are scored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.blend import Task
from recommender.history import History, Ints
from recommender.query import NOBODY, Query

K = 10
# A customer's next baskets after the cut are asked for one by one, as if nothing had come between.
BASKETS_EACH = 3
GAIN = 1 / np.log2(np.arange(K) + 2)


@dataclass(frozen=True)
class Case:
    """A question whose answer is known: what was bought, and what may not be answered."""

    query: Query
    truth: Ints
    barred: Ints


@dataclass(frozen=True, slots=True)
class Metrics:
    """Means over the cases: NDCG@10 (normalised by min(10, truths)), recall@10, hit@10; distinct items answered."""

    cases: int
    ndcg: float
    recall: float
    hit: float
    distinct: int


def split(history: History, share: float) -> tuple[History, Ints]:
    """Hides all baskets from the moment on after which that share of them lies.

    Returns the history without them, and their numbers in the whole history.
    """
    if not len(history.basket_at):
        return history, np.empty(0, dtype=np.int64)
    moment = history.basket_at[int(len(history.basket_at) * (1 - share))]
    kept = history.basket_at < moment
    return history.keep(kept), np.flatnonzero(~kept)


def cases_of(history: History, kept: History, hidden: Ints, task: Task, at_most: int, seed: int) -> list[Case]:
    """Questions out of hidden baskets, at most so many, drawn by the seed.

    For NEXT and NEW these are the first hidden baskets of each customer who has an earlier one, for BASKET any basket
    of two items or more, of which one is asked for.
    """
    random = np.random.default_rng(seed)
    baskets, own = history.baskets, kept.per_customer()
    earlier = np.diff(own.indptr) > 0
    found: list[Case] = []
    seen: Counter[int] = Counter()
    drawn = hidden
    if task is Task.BASKET:
        drawn = random.permutation(hidden[np.diff(baskets.indptr)[hidden] > 1])[:at_most]
    for basket in drawn:
        items = baskets.indices[baskets.indptr[basket] : baskets.indptr[basket + 1]].astype(np.int64)
        customer = int(history.basket_customer[basket])
        if task is Task.BASKET:
            asked = random.choice(items)
            rest = np.sort(items[items != asked])
            found.append(Case(Query(customer, rest), np.array([asked]), rest))
        elif customer != NOBODY and earlier[customer] and seen[customer] < BASKETS_EACH:
            seen[customer] += 1
            mine = own.indices[own.indptr[customer] : own.indptr[customer + 1]].astype(np.int64)
            barred = mine if task is Task.NEW else mine[:0]
            truth = items[~np.isin(items, barred)]
            if len(truth):
                found.append(Case(Query(customer), truth, barred))
    return [found[n] for n in sorted(random.permutation(len(found))[:at_most])]


def ndcg(answer: Ints, truth: Ints) -> float:
    """NDCG@10, normalised by min(10, number of truths)."""
    hits = np.isin(answer[:K], truth)
    return float(GAIN[: len(hits)][hits].sum() / GAIN[: len(truth)].sum())


def measure(answers: Sequence[Ints], cases: Sequence[Case]) -> Metrics:
    """Scores ranked answers against the truths."""
    total = recall = hit = 0.0
    seen: set[int] = set()
    for answer, case in zip(answers, cases, strict=True):
        hits = np.isin(answer[:K], case.truth)
        total += ndcg(answer, case.truth)
        recall += float(hits.sum() / len(case.truth))
        hit += bool(hits.any())
        seen.update(answer[:K].tolist())
    n = max(1, len(cases))
    return Metrics(len(cases), total / n, recall / n, hit / n, len(seen))
