"""Artifacts: the same in, the same out; published in one step; anything broken is no model, never an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recommender.artifact import fit, load, publish, roll_back
from recommender.history import History
from recommender.pointer import current_version
from recommender.suggest import suggest
from recommender.taste import Taste


def test_nothing_published_is_no_model(tmp_path: Path) -> None:
    assert current_version(tmp_path / "absent") is None
    assert load(tmp_path) is None
    assert roll_back(tmp_path) is None


def test_a_loaded_artifact_answers_like_the_fitted_one(tmp_path: Path, any_history: History) -> None:
    fitted = fit(any_history, Taste(values={("watch", "metal", "steel"): 2.0}), seed=1)
    version = publish(fitted, tmp_path)
    loaded = load(tmp_path)
    assert loaded is not None
    assert (loaded.version, current_version(tmp_path)) == (version, version)
    assert loaded.taste == fitted.taste
    assert loaded.metrics == fitted.metrics
    assert loaded.engine in {"implicit", "numpy"}
    nobody: list[str] = []
    for customer, basket in ((None, nobody), ("c0", nobody), ("c0", ["i1", "i2"])):
        first, second = (
            suggest(model, customer=customer, basket=basket, candidates=None, exclude=(), k=5)
            for model in (fitted, loaded)
        )
        assert [(s.item, s.reason) for s in first] == [(s.item, s.reason) for s in second]
        assert [s.score for s in first] == pytest.approx([s.score for s in second], rel=1e-5)


def test_the_same_history_and_seed_give_the_same_version(tmp_path: Path, usual: History) -> None:
    assert publish(fit(usual, None, 1), tmp_path / "a") == publish(fit(usual, None, 1), tmp_path / "b")


def test_arrays_are_mapped_from_disk(tmp_path: Path, usual: History) -> None:
    publish(fit(usual, None, 1), tmp_path)
    loaded = load(tmp_path)
    assert loaded is not None
    assert isinstance(loaded.popularity.weight.base, np.memmap)
    assert not loaded.popularity.weight.flags.writeable


def test_the_version_before_is_kept_and_one_call_rolls_back(tmp_path: Path, history_of: Callable[..., History]) -> None:
    histories = [history_of([("a", f"b{n}", n, "x") for n in range(count)]) for count in (1, 2, 3)]
    versions = [publish(fit(history, None, 1), tmp_path) for history in histories]
    assert len(set(versions)) == 3
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == sorted(versions[1:])
    assert roll_back(tmp_path) == versions[1]
    assert current_version(tmp_path) == versions[1]
    assert roll_back(tmp_path) == versions[2]


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "manifest"])
def test_a_damaged_artifact_is_no_model_and_publishing_again_heals_it(
    tmp_path: Path, usual: History, damage: str
) -> None:
    fitted = fit(usual, None, 1)
    folder = tmp_path / publish(fitted, tmp_path)
    target = folder / ("manifest.json" if damage == "manifest" else "popularity.weight.npy")
    content = target.read_bytes()
    if damage == "missing":
        target.unlink()
    else:
        target.write_bytes(content[:-4] + (b"\x01\x02\x03\x04" if damage == "changed" else b""))
    assert load(tmp_path) is None
    publish(fitted, tmp_path)
    assert load(tmp_path) is not None


def test_nothing_half_written_stays_behind(tmp_path: Path, usual: History) -> None:
    version = publish(fit(usual, None, 1), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([version, "current"])
