"""Answers to a development history's questions, scored: NDCG@10, Hit@10 and how many different items."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

K = 10
GAIN = 1 / np.log2(np.arange(K) + 2)


def score(folder: Path, answers: Path) -> str:
    """For each kind of question (next, new, completion) NDCG@10, Hit@10 and the number of different items answered."""
    asked = {question["id"]: question for question in _lines(folder / "queries.jsonl")}
    answered = {row["id"]: [item["item"] for item in row["items"]][:K] for row in _lines(answers)}
    found: dict[str, list[tuple[float, bool, list[str]]]] = {}
    for row in _lines(folder / "truth.jsonl"):
        question, top, truth = asked[row["id"]], answered[row["id"]], set(row["truth"])
        kind = "completion" if question["basket"] else "new" if question["new_only"] else "next"
        hits = np.array([item in truth for item in top], dtype=bool)
        ndcg = float(GAIN[: len(hits)][hits].sum() / GAIN[: len(truth)].sum())
        found.setdefault(kind, []).append((ndcg, bool(hits.any()), top))
    return " · ".join(
        f"{kind} {np.mean([n for n, _, _ in of]):.4f} (hit {np.mean([h for _, h, _ in of]):.4f}, "
        f"{len({item for _, _, top in of for item in top})} items)"
        for kind, of in found.items()
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)
