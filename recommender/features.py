"""What all models together say of a question's candidates: which items to look at, and a table of figures for each."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from recommender.als import Als
from recommender.counting import Popularity
from recommender.ease import Ease
from recommender.habits import Habits, overdueness
from recommender.history import Floats, Ints
from recommender.neighbours import BasketNeighbours
from recommender.query import Query, Recommender
from recommender.rows import best, placed
from recommender.tifu import TifuKnn

# Scores that speak for an item: the more the better. The linear blend sums these.
SCORES = (
    "popularity", "recent", "baskets", "share", "decayed_24", "decayed_12", "decayed_6", "decayed_3", "lately",
    "tifu_own", "tifu_others", "als", "neighbours", "ease", "neighbours_of_own", "ease_of_own", "repeated",
)  # fmt: skip
# What only trees can read: trend, overdueness, and of the question itself.
CONTEXT = ("trend", "age", "overdue", "company", "basket_size", "own_baskets", "own_items")
NAMES = SCORES + CONTEXT
PROFILE = 60
NEAR = 150


class Features:
    """Reads the models' answers to one question side by side."""

    def __init__(self, models: Mapping[str, Recommender]) -> None:
        self.popularity = cast(Popularity, models["popularity"])
        self.recent = cast(Popularity, models["recent"])
        self.habits = cast(Habits, models["habits"])
        self.tifu = cast(TifuKnn, models["tifu"])
        self.als = cast(Als, models["als"])
        self.neighbours = cast(BasketNeighbours, models["neighbours"])
        self.ease = cast(Ease, models["ease"])

    def read(self, query: Query) -> "Reading":
        """Opens a question."""
        return Reading(self, query)


class Reading:
    """One question: what it needs of the models is looked up once, for its candidates and for their table."""

    def __init__(self, features: Features, query: Query) -> None:
        self.models = features
        self.query = query
        self.own, habits = features.habits.row(query.customer)
        leading = best(habits[:, 3], self.own, PROFILE)
        weights = habits[leading, 3]
        weights = weights / max(float(weights.sum()), 1e-9)
        profile = self.own[leading].tolist()
        self.near_own = [
            rows.gathered(profile, weights) for rows in (features.neighbours.likeness, features.ease.weights)
        ]

    def candidates(self) -> Ints:
        """Own items, what is popular, what goes with the basket and with own items, what similar customers buy."""
        models, query = self.models, self.query
        proposed = [model.propose(query, NEAR) for model in (models.popularity, models.recent, models.tifu)]
        proposed.append(self.own)
        if len(query.basket):
            proposed += [model.propose(query, NEAR + 100) for model in (models.neighbours, models.ease)]
        for columns, values in self.near_own:
            items = np.unique(columns)
            scores = placed(columns, values, items, models.neighbours.likeness.width)
            proposed.append(items[best(scores, items, NEAR)])
        return np.unique(np.concatenate(proposed)).astype(np.int64)

    def table(self, items: Ints) -> Floats:
        """Items × NAMES."""
        models, query = self.models, self.query
        habit = models.habits.at(query.customer, items)
        popularity, recent = models.popularity.weight[items], models.recent.weight[items]
        number = models.habits.number(query.customer)
        columns = [
            popularity,
            recent,
            habit[:, 0],
            habit[:, 0] / max(1, number),
            *(habit[:, column] for column in range(1, 6)),
            models.tifu.own.at(query.customer, items),
            models.tifu.others.at(query.customer, items),
            models.als.score(query, items),
            models.neighbours.score(query, items),
            models.ease.score(query, items),
            *(placed(*near, items, models.neighbours.likeness.width) for near in self.near_own),
            models.habits.repeated[items],
            np.log((recent + 0.5) / (popularity + 5)),
            habit[:, 6],
            overdueness(habit),
            models.habits.company[items],
            np.full(len(items), len(query.basket)),
            np.full(len(items), number),
            np.full(len(items), len(self.own)),
        ]
        return np.stack(columns, axis=1).astype(np.float32)


def scaled(table: Floats) -> Floats:
    """The scores as shares of the best among these items, and the roots of those shares: items × (2 × SCORES)."""
    scores = table[:, : len(SCORES)]
    shares = scores / np.maximum(scores.max(axis=0, initial=0), 1e-9)
    return np.concatenate([shares, np.sqrt(shares)], axis=1)
