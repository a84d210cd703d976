"""Learns the blend on the history's own last stretch, and keeps only what beats the simpler there."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b

from recommender.blend import Blend, Ranker, Task, given
from recommender.evaluate import Case, K, cases_of, ndcg, split
from recommender.features import Features, scaled
from recommender.history import Floats, History, Ints
from recommender.query import Recommender
from recommender.rows import best

CASES = 5_000
FEWEST = 60
# Trees learned from fewer questions follow chance: on rare new items they fell below plain popularity.
FEWEST_FOR_TREES = 1_500
NEGATIVES = 200
ROUNDS = 120
SMOOTHING = 1.0
TREES = {
    "objective": "lambdarank", "lambdarank_truncation_level": 20, "num_leaves": 31, "learning_rate": 0.06,
    "min_data_in_leaf": 50, "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0,
    "num_threads": 1, "deterministic": True, "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One answered question: its candidates, their figures, and which were bought."""

    case: Case
    items: Ints
    table: Floats
    bought: Ints

    @property
    def hit(self) -> bool:
        """Whether any candidate was bought, so that there is something to learn."""
        return bool(self.bought.any())


def learn_blend(
    history: History, algorithms: Mapping[str, type[Recommender]], seed: int, tasks: Sequence[Task]
) -> tuple[Blend, dict[str, float]]:
    """Chooses a ranker for each task by NDCG@10 on held-out questions.

    The last tenth of the baskets is hidden, all models learn from the rest, and the hidden baskets are asked for.
    Two thirds of the questions teach, one third judges; weights must beat the given ones by more than a standard
    error, and trees the weights. Returns the blend and the judged figures, by task and ranker.
    """
    kept, hidden = split(history, share=0.1)
    by_task = {task: cases_of(history, kept, hidden, task, CASES, seed) for task in tasks}
    if all(len(cases) < FEWEST for cases in by_task.values()):
        return Blend(), {}
    features = Features({name: a.fit(kept, seed) for name, a in algorithms.items()})
    rankers = dict(Blend().rankers)
    figures: dict[str, float] = {}
    for task, cases in by_task.items():
        samples = [_sample(features, case) for case in cases]
        if len(samples) >= FEWEST:
            rankers[task], judged = _chosen(task, samples, seed)
            figures |= {f"ndcg_{task}_{name}": value for name, value in judged.items()}
    return Blend(rankers), figures


def _sample(features: Features, case: Case) -> Sample:
    reading = features.read(case.query)
    items = reading.candidates()
    items = items[~np.isin(items, case.barred)]
    return Sample(case, items, reading.table(items), np.isin(items, case.truth).astype(np.int64))


def _chosen(task: Task, samples: Sequence[Sample], seed: int) -> tuple[Ranker, dict[str, float]]:
    order = np.random.default_rng(seed).permutation(len(samples))
    judges = [samples[n] for n in order[: len(order) // 3]]
    teachers = [samples[n] for n in order[len(order) // 3 :]]
    ladder = [("given", Ranker(given(task))), ("weights", Ranker(_weights(teachers)))]
    trees = _trees(teachers, seed) if sum(sample.hit for sample in samples) >= FEWEST_FOR_TREES else None
    if trees is not None:
        ladder.append(("trees", Ranker(ladder[1][1].weights, trees)))
    scores = {name: _judged(ranker, judges) for name, ranker in ladder}
    used = "given"
    for name, _ in ladder[1:]:
        gain = scores[name] - scores[used]
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            used = name
    figures = {name: float(value.mean()) for name, value in scores.items()}
    if used == "given":
        return ladder[0][1], figures
    weights = _weights(samples)
    return Ranker(weights, _trees(samples, seed) if used == "trees" else None), figures


def _judged(ranker: Ranker, samples: Sequence[Sample]) -> Floats:
    """NDCG@10 of each sample."""
    found = []
    for sample in samples:
        answer = sample.items[best(ranker.score(sample.table), sample.items, K)]
        found.append(ndcg(answer, sample.case.truth))
    return np.array(found, dtype=np.float32)


def _weights(samples: Sequence[Sample]) -> Floats:
    """Weights ≥ 0 that make the bought items likeliest among the candidates (softmax over each question)."""
    learned = [sample for sample in samples if sample.hit]
    size = len(given(Task.NEXT))
    if not learned:
        return np.zeros(size, dtype=np.float32)
    rows = np.concatenate([scaled(sample.table) for sample in learned]).astype(np.float64)
    share = np.concatenate([sample.bought / sample.bought.sum() for sample in learned])
    number = np.array([len(sample.items) for sample in learned])
    starts = np.concatenate([[0], np.cumsum(number)[:-1]])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = rows @ weights
        score -= np.repeat(np.maximum.reduceat(score, starts), number)
        likely = np.exp(score)
        total = np.add.reduceat(likely, starts)
        value = float(np.log(total).sum() - share @ score + SMOOTHING * weights @ weights)
        return value, rows.T @ (likely / np.repeat(total, number) - share) + 2 * SMOOTHING * weights

    found, _, _ = fmin_l_bfgs_b(loss, np.zeros(size), bounds=[(0, None)] * size, maxiter=150)
    return np.asarray(found, dtype=np.float32)


def _trees(samples: Sequence[Sample], seed: int) -> str | None:
    """LambdaRank trees as text; None without LightGBM, an extra."""
    learned = [sample for sample in samples if sample.hit]
    try:
        lightgbm = importlib.import_module("lightgbm")
    except (ImportError, OSError):
        return None
    random = np.random.default_rng(seed)
    tables, bought, number = [], [], []
    for sample in learned:
        others = np.flatnonzero(sample.bought == 0)
        kept = np.concatenate([np.flatnonzero(sample.bought), random.permutation(others)[:NEGATIVES]])
        tables.append(sample.table[kept])
        bought.append(sample.bought[kept])
        number.append(len(kept))
    data = lightgbm.Dataset(np.concatenate(tables), np.concatenate(bought), group=number)
    return str(lightgbm.train({**TREES, "seed": seed}, data, num_boost_round=ROUNDS).model_to_string())
