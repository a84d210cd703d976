"""What a click costs on invented and real models, beside its target and beside plain SAT in the same run."""

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from pysat.solvers import Solver

from configurator.errors import NotKnownInTime
from configurator.foreign import Foreign, read_any
from configurator.replay import Replay, percentile
from tests.configurator.synthetic import Luxury, feature_model

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"
CLICKS = 100
PLAIN = 5  # clicks for which plain SAT is asked: it takes its time
TARGETS = {  # ms of thread CPU: median and 99th percentile
    "300 options": "2 / 5",
    "1,500 options": "20 / -",
    "15,000 features": "150 / -",
    "renault_mod_00": "20 / -",
    "automotive01": "80 / -",
    "uclinux_config": "120 / -",
}


def measure() -> dict[str, str]:
    """For every model: a click cold (median / 99 of 100), warm, its target, and plain SAT."""
    figures = {"model": "cold p50 / p99, target, warm p50, plain SAT p50 (ms); explain p99, repair p99; read (ms)"}
    with TemporaryDirectory() as kept:
        for name, path in (*_invented(Path(kept)), *_real()):
            figures[name] = _row(name, path)
    return figures


def _invented(folder: Path) -> list[tuple[str, Path]]:
    """Models drawn from a seed, as files."""
    drawn = []
    for name, shape in (("300 options", (30, 300, 150)), ("1,500 options", (150, 1500, 1000))):
        path = folder / f"{shape[1]}.yaml"
        path.write_text(yaml.safe_dump(Luxury(*shape, seed=1).document(), sort_keys=False), encoding="utf-8")
        drawn.append((name, path))
    path = folder / "features.dimacs"
    path.write_text(feature_model(15_000, 240_000, seed=1), encoding="utf-8")
    return [*drawn, ("15,000 features", path)]


def _real() -> list[tuple[str, Path]]:
    """The models lying beside the project, if they do."""
    paths = [path for path in sorted(MODELS.glob("*")) if path.suffix == ".dimacs"]
    paths += [path for path in sorted(MODELS.glob("*.json")) if not path.name.endswith(".meta.json")]
    return [(path.stem, path) for path in paths if path.stem != "FACTS"]


def _row(name: str, path: Path) -> str:
    started = time.thread_time()
    foreign = read_any(path)[0]
    reading = (time.thread_time() - started) * 1000
    replay = Replay(foreign, 1, False)
    t, unknown = replay.timings, ""
    try:
        replay.run(CLICKS)
    except NotKnownInTime:
        unknown = f"; click {t.clicks + 1} not known in time"
    cold, last, warm = percentile(t.cold, 0.5), percentile(t.cold, 0.99), percentile(t.warm, 0.5)
    explain, repair = percentile(t.explain, 0.99), percentile(t.repair, 0.99)
    target, plain = TARGETS.get(name, "-"), percentile(_plain(foreign), 0.5)
    return f"{cold} / {last}, {target}, {warm}, {plain}; {explain}, {repair}; {reading:.0f}{unknown}"


def _plain(foreign: Foreign) -> list[float]:
    """Milliseconds of the naive way: one solver, one call for every value, the group's own choice set aside."""
    space, r = foreign.space, random.Random(1)
    took: list[float] = []
    with Solver(name="minisat22", bootstrap_with=space.clauses) as solver:
        solver.add_clause([space.variables, -space.variables])
        chosen: dict[int, int] = {}
        while len(took) < PLAIN:
            started = time.thread_time()
            possible: list[tuple[int, int]] = []
            for index, group in enumerate(space.groups):
                others = [literal for home, literal in chosen.items() if home != index]
                possible += [(index, x) for x in group.literals if solver.solve(assumptions=[*others, x])]
            took.append((time.thread_time() - started) * 1000)
            if not (fresh := [pair for pair in possible if pair[0] not in chosen]):
                break
            index, literal = r.choice(fresh)
            chosen[index] = literal
    return took
