"""Which choices go together in sold configurations: how likely each value of a group is beside the known choices.

Every sold configuration votes for its own value, the weaker the more of the known choices it differs in; a choice
weighs by what it says of the asked group (mutual information over entropy). Validity is the caller's to decide.
"""

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Codes = NDArray[np.int64]
Valid = Callable[[Mapping[str, Any], str], Collection[str]]

# How much a differing choice weakens a vote: in any case, and by what it says of the asked group.
PLAIN = 0.2
INFORMED = 2.0
PRIOR = 0.05


class Preferences:
    """Sold configurations, equal ones counted together.

    Attributes:
        groups: names of the groups.
        values: of each group, its sold values in order.
    """

    def __init__(self, groups: Sequence[str], values: Sequence[Sequence[str]], rows: Codes, counts: Reals) -> None:
        self.groups = tuple(groups)
        self.values = [tuple(v) for v in values]
        self.rows = rows
        self.counts = counts
        self.place = {group: number for number, group in enumerate(self.groups)}
        self.codes = [{value: code for code, value in enumerate(of)} for of in self.values]
        self.weights = _weights(rows, counts, [len(of) for of in self.values])

    @classmethod
    def learn(cls, sold: Sequence[Mapping[str, str]]) -> "Preferences":
        """Counts sold configurations, each group → value."""
        groups = list(sold[0]) if sold else []
        values = [sorted({row[group] for row in sold}) for group in groups]
        codes = [{value: code for code, value in enumerate(of)} for of in values]
        table = np.array(
            [[code[row[g]] for g, code in zip(groups, codes, strict=True)] for row in sold], dtype=np.int64
        )
        rows, counts = np.unique(table.reshape(len(sold), len(groups)), axis=0, return_counts=True)
        return cls(groups, values, rows, counts.astype(np.float64))

    def probabilities(self, choices: Mapping[str, Any], ask: str) -> dict[str, float]:
        """How likely each sold value of a group is beside the known choices; none for a group never sold."""
        asked = self.place.get(ask)
        if asked is None:
            return {}
        known = [group for group in choices if group in self.place and group != ask]
        places = [self.place[group] for group in known]
        codes = [self.codes[p].get(str(choices[g]), -1) for g, p in zip(known, places, strict=True)]
        differs = self.rows[:, places] != np.array(codes, dtype=np.int64)
        weaker = differs @ (PLAIN + INFORMED * self.weights[places, asked])
        votes = self.counts * np.exp(weaker.min(initial=np.inf) - weaker) if places else self.counts
        size = len(self.values[asked])
        share = np.bincount(self.rows[:, asked], weights=votes, minlength=size)
        usual = np.bincount(self.rows[:, asked], weights=self.counts, minlength=size)
        likely = share / share.sum() + PRIOR * usual / usual.sum()
        return dict(zip(self.values[asked], (likely / likely.sum()).tolist(), strict=True))

    def best(self, choices: Mapping[str, Any], ask: str, valid: Collection[str]) -> tuple[str, float] | None:
        """The likeliest of the valid values and its probability among them; None when none is valid.

        A valid value that was never sold has no probability and is taken only when no sold one is valid.
        """
        likely = self.probabilities(choices, ask)
        shares = {value: likely.get(value, 0.0) for value in sorted(valid)}
        if not shares:
            return None
        value = max(shares, key=lambda v: shares[v])
        total = sum(shares.values())
        return value, shares[value] / total if total else 1 / len(shares)


def read_sold(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file of sold configurations.

    Raises:
        ValueError: a row is short or long, with file and line.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        rows = []
        for row in reader:
            if len(row) != len(header):
                raise ValueError(f"{path}:{reader.line_num}: {len(row)} cells under {len(header)} columns")
            rows.append(dict(zip(header, row, strict=True)))
        return rows


def answer_file(sales: Path, queries: Path, out: Path, valid: Valid) -> int:
    """Answers `{"id","choices","ask"}` lines with `{"id","value","probability"}`; returns how many.

    Args:
        sales: sold configurations.
        queries: questions.
        out: answers; a question without a valid value is answered null.
        valid: for the known choices and the asked group, the values that some valid configuration has.

    Raises:
        ValueError: a file cannot be read, with file and line.
    """
    preferences = Preferences.learn(read_sold(sales))
    asked = list(_questions(queries))
    with out.open("w", encoding="utf-8") as stream:
        for question in asked:
            choices, ask = question["choices"], question["ask"]
            found = preferences.best(choices, ask, [str(value) for value in valid(choices, ask)])
            value, probability = found if found is not None else (None, 0.0)
            answer = {"id": question["id"], "value": value, "probability": round(probability, 6)}
            stream.write(json.dumps(answer) + "\n")
    return len(asked)


def _questions(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    question = json.loads(line)
                    yield {"id": question["id"], "choices": dict(question.get("choices") or {}), "ask": question["ask"]}
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ValueError(f"{path}:{number}: {error!r}") from error


def _weights(rows: Codes, counts: Reals, sizes: Sequence[int]) -> Reals:
    """Groups × groups: mutual information over the entropy of the second, 0 where that has none."""
    total = max(1.0, float(counts.sum()))
    found = np.zeros((len(sizes), len(sizes)))
    for asked, asked_size in enumerate(sizes):
        usual = np.bincount(rows[:, asked], weights=counts, minlength=asked_size) / total
        entropy = -float((usual[usual > 0] * np.log(usual[usual > 0])).sum())
        for known, size in enumerate(sizes):
            if entropy > 0 and known != asked:
                cells = np.bincount(
                    rows[:, known] * asked_size + rows[:, asked], weights=counts, minlength=size * asked_size
                )
                both = cells.reshape(size, asked_size) / total
                apart = both.sum(axis=1, keepdims=True) * usual
                seen = both > 0
                found[known, asked] = (both[seen] * np.log(both[seen] / apart[seen])).sum() / entropy
    return found
