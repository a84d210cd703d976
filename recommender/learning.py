"""Learns the blend on the history's own last stretch, and keeps only what beats the simpler there."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b

from recommender.blend import Blend, Ranker, Task, alone, given
from recommender.evaluate import Case, K, cases_of, ndcg, split
from recommender.features import Features, scaled
from recommender.history import Floats, History, Ints
from recommender.query import NOBODY, Recommender
from recommender.rows import best

# The budget, in work and not in time, so that the same history and seed always give the same blend: at most so many
# questions of each kind, so many of them for the weights, so many trees. On a million lines it is a CPU minute.
CASES = 8_000
CASES_FOR_WEIGHTS = 2_500
JUDGES = 1 / 5
FEWEST = 60
# Trees learned from fewer questions follow chance: on rare new items they fell below plain popularity.
FEWEST_FOR_TREES = 1_500
NEGATIVES = 100
ROUNDS = 90
SMOOTHING = 1.0
TREES = {
    "objective": "lambdarank", "lambdarank_truncation_level": 20, "num_leaves": 31, "learning_rate": 0.08,
    "min_data_in_leaf": 50, "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0,
    "num_threads": 1, "deterministic": True, "verbose": -1,
}  # fmt: skip
# The simple models that any blend must beat, each a score that can answer alone.
SIMPLE: Mapping[Task, tuple[str, ...]] = {
    Task.NEXT: ("popularity", "recent", "fresh", "share", "decayed_6", "als", "customer_ease", "tifu"),
    Task.NEW: ("popularity", "recent", "fresh", "als", "neighbours_of_own", "ease_of_own", "customer_ease", "tifu"),
    Task.BASKET: ("popularity", "share", "decayed_6", "als", "neighbours", "ease", "own_sessions", "sessions", "tifu"),
}


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
    Four fifths of the questions teach, one fifth judges. From the best simple model alone over the given weights and
    learned ones to trees, each must beat the simpler by more than a standard error, or it is not used.
    Returns the blend, and the figure of every rung as `ndcg_<task>_<rung>` with 1 under `used_<task>_<rung>`.
    """
    kept, hidden = split(history, share=0.1)
    by_task = {task: cases_of(history, kept, hidden, task, CASES, seed) for task in tasks}
    if all(len(cases) < FEWEST for cases in by_task.values()):
        return Blend(), {}
    features = Features({name: a.fit(kept, seed) for name, a in algorithms.items()})
    rankers = dict(Blend().rankers)
    figures: dict[str, float] = {}
    read: dict[int, tuple[Ints, Floats]] = {}
    for task, cases in by_task.items():
        samples = [_sample(features, case, read) for case in cases]
        if len(samples) >= FEWEST:
            rankers[task], judged = _chosen(task, samples, seed)
            figures |= judged
        del samples
    return Blend(rankers), figures


def _sample(features: Features, case: Case, read: dict[int, tuple[Ints, Floats]]) -> Sample:
    """A question's candidates and table; without a basket they depend on the customer alone, and are kept in `read`."""
    asked = case.query
    items, table = read.get(asked.customer, (None, None)) if not len(asked.basket) else (None, None)
    if items is None or table is None:
        reading = features.read(asked)
        items = reading.candidates()
        table = reading.table(items)
        if not len(asked.basket):
            read[asked.customer] = items, table
    allowed = ~np.isin(items, case.barred)
    items = items[allowed]
    return Sample(case, items, table[allowed], np.isin(items, case.truth).astype(np.int64))


def _chosen(task: Task, samples: Sequence[Sample], seed: int) -> tuple[Ranker, dict[str, float]]:
    teachers, judges = _apart(samples, seed)
    simple = {name: Ranker(alone(name)) for name in SIMPLE[task]}
    scores = {name: _judged(ranker, judges) for name, ranker in simple.items()}
    used = max(scores, key=lambda name: scores[name].mean())
    weights = _weights(teachers[:CASES_FOR_WEIGHTS])
    ladder = {used: simple[used], "given": Ranker(given(task)), "weights": Ranker(weights)}
    trees = _trees(teachers, seed) if sum(sample.hit for sample in samples) >= FEWEST_FOR_TREES else None
    if trees is not None:
        ladder["trees"] = Ranker(weights, trees)
    scores |= {name: _judged(ranker, judges) for name, ranker in ladder.items()}
    for name in list(ladder)[1:]:
        gain = scores[name] - scores[used]
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            used = name
    figures = {f"ndcg_{task}_{name}": float(value.mean()) for name, value in scores.items()}
    return ladder[used], {**figures, f"used_{task}_{used}": 1.0}


def _apart(samples: Sequence[Sample], seed: int) -> tuple[list[Sample], list[Sample]]:
    """Teachers and judges of different customers: trees would know again whom they were taught."""
    random = np.random.default_rng(seed)
    owners = [sample.case.query.customer for sample in samples]
    known = np.unique(owners)
    judging = dict(zip(known.tolist(), random.random(len(known)) < JUDGES, strict=True))
    # Who is not known is many, not one.
    chosen = [bool(random.random() < JUDGES) if owner == NOBODY else bool(judging[owner]) for owner in owners]
    order = random.permutation(len(samples))
    return [samples[n] for n in order if not chosen[n]], [samples[n] for n in order if chosen[n]]


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
