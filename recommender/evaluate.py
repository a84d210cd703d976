"""How good: each customer's last basket is hidden, what came before is learned from, and the answers are scored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.history import History, Ints
from recommender.query import Query

K = 10


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


def split(history: History, at_most: int, seed: int) -> tuple[History, Ints]:
    """Hides the last basket of customers who have an earlier one.

    Of more than `at_most` such customers, those with the latest last baskets are taken: what comes next is asked of
    today's customers. Returns the history without the hidden baskets, and the hidden baskets' numbers.
    """
    owner = history.basket_customer
    number = np.bincount(owner[owner >= 0], minlength=len(history.customers))
    last = np.flatnonzero((owner >= 0) & (history.basket_place == 0) & (number[owner] > 1))
    random = np.random.default_rng(seed)
    hidden = last[np.lexsort((random.random(len(last)), history.basket_at[last]))][-at_most:]
    kept = np.ones(len(owner), dtype=bool)
    kept[hidden] = False
    return history.keep(kept), np.sort(hidden)


def measure(answers: Sequence[Ints], cases: Sequence[Case]) -> Metrics:
    """Scores ranked answers against the truths."""
    gain = 1 / np.log2(np.arange(K) + 2)
    ndcg = recall = hit = 0.0
    seen: set[int] = set()
    for answer, case in zip(answers, cases, strict=True):
        hits = np.isin(answer[:K], case.truth)
        ndcg += float(gain[: len(hits)][hits].sum() / gain[: len(case.truth)].sum())
        recall += float(hits.sum() / len(case.truth))
        hit += bool(hits.any())
        seen.update(answer[:K].tolist())
    n = max(1, len(cases))
    return Metrics(len(cases), ndcg / n, recall / n, hit / n, len(seen))
