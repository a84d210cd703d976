"""Every algorithm alone and the blend on real histories, scored as `score.py` of the data does: one table.

NDCG@10 whole and on new items only for next baskets, Hit@10 for completions, with the CPU seconds of the whole command.
"""

import resource
import sys
import tempfile
from pathlib import Path

from recommender.batch import answer_file
from recommender.models import ALGORITHMS
from tests.benchmarks import published
from tests.benchmarks.scores import score

DATA = Path(__file__).parents[3] / "shared" / "data"
CASES = ("completejourney-next", "tafeng-next", "completejourney-completion")


def measure() -> dict[str, object]:
    """A row for each algorithm and history, and the published rows of Ta-Feng."""
    figures: dict[str, object] = {}
    for case in CASES:
        folder = DATA / "history" / case
        if not folder.is_dir():
            figures[case] = "no data beside the project"
            continue
        for algorithm in (*ALGORITHMS, None):
            figures[f"{case}: {algorithm or 'blend'}"] = _row(folder, algorithm)
    return figures | {f"published Ta-Feng: {name}": row for name, row in published.measure().items()}


def _row(folder: Path, algorithm: str | None) -> str:
    before = _cpu()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "answers.jsonl"
        answer_file(folder / "history.csv.gz", folder / "queries.jsonl", out, 0, algorithm)
        found = score(folder, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stderr.write(f"{folder.name} {algorithm or 'blend'} {found}\n")
    return f"{found} · CPU {_cpu() - before:.0f} s · peak so far {peak} MB"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
