"""Ta-Feng's frequency rows as published, by plain counting: recall, NDCG and PHR@10, five folds.

Source: Li et al. 2023, "A Next Basket Recommendation Reality Check". NDCG is normalised over the whole truth; ties are
those of the source, the item first met first, and in the last row broken by popularity.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

FOLDS = 5
K = 10
DATA = Path(__file__).parents[3] / "shared" / "data" / "campaigns" / "tafeng"
PUBLISHED = {
    "P-TopFreq": (0.1045, 0.0943, 0.3441),
    "G-TopFreq": (0.0810, 0.0852, 0.2457),
    "GP-TopFreq": (0.1194, 0.1002, 0.3665),
    "GP-TopFreq, ties by popularity": (0.1360, 0.1154, 0.4161),
}

Rows = dict[str, tuple[float, float, float]]


def measure() -> dict[str, str]:
    """Recall, NDCG and PHR@10 of each row beside what was published."""
    if not DATA.is_dir():
        return {"the histories are not here": str(DATA.name)}
    return {
        name: f"{' / '.join(f'{value:.4f}' for value in found)}   published {' / '.join(map(str, PUBLISHED[name]))}"
        for name, found in rows(DATA).items()
    }


def rows(folder: Path) -> Rows:
    """Each row's means over the test customers of the five folds.

    Raises:
        ImportError: pyarrow, of the extra `data`, is not installed.
    """
    baskets, tests = _read(folder)
    past: dict[int, Counter[int]] = {}
    truth: dict[int, set[int]] = {}
    everyone: Counter[int] = Counter()
    for customer, item, is_last in baskets:
        if is_last:
            truth.setdefault(customer, set()).add(item)
        else:
            # A Counter keeps the order in which items were first met, and `most_common` keeps it among equals.
            past.setdefault(customer, Counter())[item] += 1
            everyone[item] += 1
    top = [item for item, _ in everyone.most_common(K)]
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in PUBLISHED}
    for fold in tests:
        scored: dict[str, list[tuple[float, float, float]]] = {name: [] for name in PUBLISHED}
        for customer in fold:
            own = [item for item, _ in past[customer].most_common(K)]
            tied = sorted(past[customer], key=lambda i: (-past[customer][i], -everyone[i], i))[:K]
            answers = (own, top, _filled(own, top), _filled(tied, top))
            for name, answer in zip(PUBLISHED, answers, strict=True):
                scored[name].append(_scores(answer, truth[customer]))
        for name, of in scored.items():
            found[name].append(_mean(of))
    return {name: _mean(of) for name, of in found.items()}


def _filled(own: list[int], top: list[int]) -> list[int]:
    return (own + [item for item in top if item not in own])[:K]


def _scores(answer: list[int], truth: set[int]) -> tuple[float, float, float]:
    hits = [place for place, item in enumerate(answer) if item in truth]
    gain = sum(1 / np.log2(place + 2) for place in hits)
    best = sum(1 / np.log2(place + 2) for place in range(len(truth)))
    return len(hits) / len(truth), float(gain / best), float(bool(hits))


def _mean(of: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    recall, ndcg, hit = np.mean(np.array(of), axis=0)
    return float(recall), float(ndcg), float(hit)


def _read(folder: Path) -> tuple[list[tuple[int, int, bool]], list[list[int]]]:
    """Lines in order of basket as (customer, item, in the last basket), and the test customers of each fold."""
    from pyarrow import parquet  # noqa: PLC0415 - of the extra `data`

    lines: dict[str, list[Any]] = parquet.read_table(folder / "baskets.parquet").to_pydict()
    sets: dict[str, list[Any]] = parquet.read_table(folder / "keysets.parquet").to_pydict()
    baskets = list(zip(lines["customer"], lines["item"], map(bool, lines["is_last"]), strict=True))
    tests = [
        [customer for customer, use in zip(sets["customer"], sets[f"fold{n}"], strict=True) if use == "test"]
        for n in range(FOLDS)
    ]
    return baskets, tests
