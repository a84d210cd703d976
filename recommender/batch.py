"""Batch recommendation: fits a history file and answers a file of questions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recommender.artifact import Fitted, fit
from recommender.blend import Task
from recommender.counting import Frequency, Popularity
from recommender.history import History, read_csv
from recommender.ids import Ids
from recommender.models import ALGORITHMS, Recommender
from recommender.query import NOBODY, Query
from recommender.suggest import suggest


def answer_file(history: Path, queries: Path, out: Path, seed: int, algorithm: str | None = None) -> dict[str, Any]:
    """Writes an answer line for each question line; returns what was done.

    Args:
        history: purchases.
        queries: questions.
        out: answers.
        seed: of every random draw.
        algorithm: one of the registry to answer alone, filled up by popularity, as a yardstick; None for the blend.

    Raises:
        ValueError: a question cannot be read, with file and line, or there is no such algorithm.
    """
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise ValueError(f"no algorithm {algorithm}: there are {', '.join(ALGORITHMS)}")
    asked = list(_questions(queries))
    purchases = read_csv(history)
    if algorithm is None:
        fitted = fit(purchases, None, seed, _tasks(asked))
        answered, figures = (
            (_blended(fitted, question) for question in asked),
            {"engine": fitted.engine, **fitted.metrics},
        )
    else:
        alone = Alone(purchases, ALGORITHMS[algorithm].fit(purchases, seed))
        answered, figures = (alone.answer(question) for question in asked), {"algorithm": algorithm}
    with out.open("w", encoding="utf-8") as stream:
        for question, items in zip(asked, answered, strict=True):
            stream.write(json.dumps({"id": question["id"], "items": items}) + "\n")
    return {"answered": len(asked), **figures}


def _blended(fitted: Fitted, question: dict[str, Any]) -> list[dict[str, Any]]:
    found = suggest(
        fitted,
        customer=question["customer"],
        basket=question["basket"],
        candidates=None,
        exclude=_owned(fitted, question["customer"]) if question.get("new_only") else (),
        k=int(question.get("k", 10)),
        popular=[fitted.items.name(int(item)) for item in fitted.popularity.top[: int(question.get("k", 10)) + 200]],
    )
    return [{"item": s.item, "score": round(s.score, 6), "reason": asdict(s.reason)} for s in found]


class Alone:
    """One algorithm without the others, as a yardstick: its own proposals, then what is popular."""

    def __init__(self, history: History, model: Recommender) -> None:
        self.model = model
        self.popularity = Popularity.fit(history, 0)
        self.own = Frequency.fit(history, 0).own
        self.customers, self.items = Ids.of(history.customers), Ids.of(history.items)

    def answer(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        """The question's items; the only reason claimed is none."""
        basket = (
            np.unique(self.items.numbers(question["basket"])) if question["basket"] else np.empty(0, dtype=np.int64)
        )
        customer = NOBODY if question["customer"] is None else self.customers.number(question["customer"])
        query = Query(customer, basket[basket >= 0])
        barred = np.union1d(query.basket, self.own.row(customer)[0] if question.get("new_only") else query.basket)
        proposed = np.concatenate([self.model.propose(query, 2000), self.popularity.propose(query, 1000)])
        _, first = np.unique(proposed, return_index=True)
        found = proposed[np.sort(first)]
        found = found[~np.isin(found, barred)][: int(question.get("k", 10))]
        reason = {"kind": "listed", "item": None, "count": 0}
        names = [self.items.name(int(item)) for item in found]
        return [{"item": name, "score": len(names) - place, "reason": reason} for place, name in enumerate(names)]


def _tasks(asked: Sequence[dict[str, Any]]) -> list[Task]:
    """The kinds of question that are asked, so that no other blend is learned."""
    kinds = {Task.BASKET if q["basket"] else Task.NEW if q.get("new_only") else Task.NEXT for q in asked}
    return sorted(kinds)


def _owned(fitted: Fitted, customer: str | None) -> list[str]:
    """What the customer bought, by id."""
    number = NOBODY if customer is None else fitted.customers.number(customer)
    return [fitted.items.name(int(item)) for item in fitted.owned(number)]


def _questions(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                question = json.loads(line)
                customer = question.get("customer")
                yield question | {
                    "id": question["id"],
                    "customer": None if customer is None else str(customer),
                    "basket": [str(item) for item in question.get("basket") or ()],
                }
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{path}:{number}: {error!r}") from error
