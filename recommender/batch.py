"""Batch recommendation: fits a history file and answers a file of questions."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recommender.artifact import Fitted, fit
from recommender.blend import Task
from recommender.history import read_csv
from recommender.query import NOBODY
from recommender.suggest import suggest


def answer_file(history: Path, queries: Path, out: Path, seed: int) -> dict[str, Any]:
    """Writes an answer line for each question line; returns what was done.

    Raises:
        ValueError: a question cannot be read, with file and line.
    """
    asked = list(_questions(queries))
    purchases = read_csv(history)
    fitted = fit(purchases, None, seed, _tasks(asked))
    with out.open("w", encoding="utf-8") as stream:
        for question in asked:
            customer = question.get("customer")
            found = suggest(
                fitted,
                customer=customer,
                basket=question["basket"],
                candidates=None,
                exclude=_owned(fitted, customer) if question.get("new_only") else (),
                k=int(question.get("k", 10)),
            )
            items = [
                {
                    "item": s.item,
                    "score": round(s.score, 6),
                    "reason": {"kind": s.reason.kind, "item": s.reason.item, "count": s.reason.count},
                }
                for s in found
            ]
            stream.write(json.dumps({"id": question["id"], "items": items}) + "\n")
    return {"answered": len(asked), "engine": fitted.engine, **fitted.metrics}


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
