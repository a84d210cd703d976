"""A fitted recommender on disk: memory-mapped arrays, a manifest with their hashes, published by an atomic rename."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from recommender.als import engine
from recommender.blend import Blend, Task
from recommender.counting import Frequency, Popularity
from recommender.features import Features
from recommender.history import History, Interaction, Ints, seconds
from recommender.ids import Ids
from recommender.learning import learn_blend
from recommender.models import ALGORITHMS, Recommender
from recommender.neighbours import BasketNeighbours
from recommender.pointer import current_version, point, pointed
from recommender.query import NOBODY, Recent
from recommender.taste import Taste

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Fitted:
    """Everything that answers: ids, models, their blend and the taste.

    Attributes:
        engine: "implicit" or "numpy", which one factorised.
        metrics: figures of the validation window, by name.
        version: empty until published.
    """

    customers: Ids
    items: Ids
    models: Mapping[str, Recommender]
    blend: Blend
    taste: Taste
    engine: str
    metrics: Mapping[str, float]
    version: str = ""

    @cached_property
    def features(self) -> Features:
        """All models side by side."""
        return Features(self.models)

    @property
    def popularity(self) -> Popularity:
        """The plain counts, which reasons cite."""
        return cast(Popularity, self.models["popularity"])

    @property
    def frequency(self) -> Frequency:
        """The customers' own counts, which reasons cite."""
        return cast(Frequency, self.models["frequency"])

    @property
    def neighbours(self) -> BasketNeighbours:
        """The counts of togetherness, which reasons cite."""
        return cast(BasketNeighbours, self.models["neighbours"])

    def owned(self, customer: int) -> Ints:
        """Item numbers that the customer ever bought; none for an unknown one."""
        return self.frequency.own.row(customer)[0].astype(np.int64)

    def with_recent(self, interactions: Iterable[Interaction]) -> "Fitted":
        """The model with purchases newer than its history counted in, in milliseconds and without training.

        Own counts and habits, popularity, pairs of items and the customer's vector follow at once; new customers are
        known from then on. What the history already held, by time, is left out, so that the same purchases may be
        given again; items that the artifact does not know wait for the next training. It cannot be published.

        Args:
            interactions: any order; returns (no or negative quantity) are left out.
        """
        baskets: dict[tuple[datetime, str, str], set[str]] = {}
        for line in interactions:
            if line.quantity > 0 and line.item and seconds(line.at) > self.metrics.get("until", 0):
                baskets.setdefault((line.at, line.customer or "", line.basket), set()).add(line.item)
        customers = self.customers.extended(customer for _, customer, _ in sorted(baskets) if customer)
        recent = []
        for (_, customer, _), names in sorted(baskets.items()):
            items = np.sort(self.items.numbers(sorted(names)))
            number = customers.number(customer) if customer else NOBODY
            recent.append(Recent(number, items[items >= 0]))
        if not recent:
            return self
        models = {name: model.folded(recent) for name, model in self.models.items()}
        return replace(self, customers=customers, models=models)


def fit(history: History, taste: Taste | None, seed: int, tasks: Sequence[Task] = tuple(Task)) -> Fitted:
    """Fits every algorithm and learns their blend; the same history and seed give the same artifact.

    Args:
        history: purchases.
        taste: what choices say; None for nothing.
        seed: of every random draw.
        tasks: the kinds of question to learn a blend for; the others keep the given weights.
    """
    blend, judged = learn_blend(history, ALGORITHMS, seed, tasks)
    models = {name: algorithm.fit(history, seed) for name, algorithm in ALGORITHMS.items()}
    metrics = {
        "customers": float(len(history.customers)),
        "items": float(len(history.items)),
        "baskets": float(len(history.basket_at)),
        "until": float(history.end),
        **judged,
    }
    return Fitted(Ids.of(history.customers), Ids.of(history.items), models, blend, taste or Taste(), engine(), metrics)


def publish(fitted: Fitted, directory: Path) -> str:
    """Writes the artifact beside the others and points to it in one step; returns its version.

    The version is a hash of the content: publishing the same again changes nothing. The one before is kept for
    `roll_back`, older ones go.
    """
    directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
    try:
        manifest = _write(fitted, scratch)
        version = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
        target = directory / version
        if load_version(directory, version) is None:
            shutil.rmtree(target, ignore_errors=True)
            scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    previous = current_version(directory)
    if previous != version:
        point(directory, version, previous)
    _prune(directory, {version, previous, *pointed(directory)})
    return version


def roll_back(directory: Path) -> str | None:
    """Serves the version before this one again; returns it, or None when there is none."""
    versions = pointed(directory)
    if len(versions) < 2 or not (directory / versions[1]).is_dir():
        return None
    point(directory, versions[1], versions[0])
    return versions[1]


def load(directory: Path) -> Fitted | None:
    """The current artifact, memory-mapped; None when there is none, or when it is not what its manifest says."""
    version = current_version(directory)
    return None if version is None else load_version(directory, version)


def load_version(directory: Path, version: str) -> Fitted | None:
    """One artifact, memory-mapped; None when it is absent, half-written or corrupt."""
    folder = directory / version
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or any(_hash(folder / name) != sha for name, sha in manifest["files"].items()):
            return None
        arrays = {name[:-4]: _mapped(folder / name) for name in manifest["files"] if name.endswith(".npy")}
        return Fitted(
            Ids(arrays["customers"]),
            Ids(arrays["items"]),
            {name: ALGORITHMS[name].restored(_within(arrays, name)) for name in manifest["models"]},
            Blend.from_json(json.loads((folder / "blend.json").read_text(encoding="utf-8"))),
            Taste.from_json((folder / "taste.json").read_text(encoding="utf-8")),
            manifest["engine"],
            manifest["metrics"],
            version,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(fitted: Fitted, folder: Path) -> dict[str, Any]:
    arrays: dict[str, NDArray[Any]] = {"customers": fitted.customers.names, "items": fitted.items.names}
    for name, model in fitted.models.items():
        arrays |= {f"{name}.{key}": array for key, array in model.arrays().items()}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "taste.json").write_text(fitted.taste.to_json(), encoding="utf-8")
    (folder / "blend.json").write_text(json.dumps(fitted.blend.to_json()), encoding="utf-8")
    manifest = {
        "format": FORMAT,
        "engine": fitted.engine,
        "models": list(fitted.models),
        "metrics": dict(fitted.metrics),
        "files": {path.name: _hash(path) for path in sorted(folder.iterdir())},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
    return manifest


def _mapped(path: Path) -> NDArray[Any]:
    """A plain view of the mapped file: numpy's own memmap class costs a microsecond at every slice."""
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped.view(np.ndarray)


def _within(arrays: Mapping[str, NDArray[Any]], model: str) -> dict[str, NDArray[Any]]:
    return {name[len(model) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{model}.")}


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _prune(directory: Path, kept: set[str | None]) -> None:
    """Readers that still hold an older version keep their mappings; only the names go."""
    for folder in directory.iterdir():
        if folder.is_dir() and folder.name not in kept and not folder.name.startswith("."):
            shutil.rmtree(folder, ignore_errors=True)
