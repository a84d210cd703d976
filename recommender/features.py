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
from recommender.rows import best
from recommender.tifu import TifuKnn

# Scores that speak for an item: the more the better. The linear blend sums these.
SCORES = (
    "popularity", "recent", "baskets", "share", "decayed_24", "decayed_12", "decayed_6", "decayed_3", "lately",
    "tifu_own", "tifu_others", "als", "neighbours", "ease", "neighbours_of_own", "ease_of_own", "repeated",
)  # fmt: skip
# What only trees can read: trend, overdueness, and of the question itself.
CONTEXT = ("trend", "age", "overdue", "basket_size", "own_baskets", "own_items")
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

    def candidates(self, query: Query) -> Ints:
        """Own items, what is popular, what goes with the basket and with own items, what similar customers buy."""
        proposed = [model.propose(query, NEAR) for model in (self.popularity, self.recent, self.tifu)]
        profile, weights = self._profile(query)
        proposed.append(self.habits.row(query.customer)[0])
        if len(query.basket):
            proposed += [model.propose(query, NEAR + 100) for model in (self.neighbours, self.ease)]
        if len(profile):
            for rows in (self.neighbours.likeness, self.ease.weights):
                items = rows.columns_of(profile)
                proposed.append(items[best(rows.summed(profile, items, weights), items, NEAR)])
        return np.unique(np.concatenate(proposed)).astype(np.int64)

    def table(self, query: Query, items: Ints) -> Floats:
        """Items × NAMES."""
        profile, weights = self._profile(query)
        habit = self.habits.at(query.customer, items)
        popularity, recent = self.popularity.weight[items], self.recent.weight[items]
        number = self.habits.number(query.customer)
        columns = [
            popularity,
            recent,
            habit[:, 0],
            habit[:, 0] / max(1, number),
            *(habit[:, column] for column in range(1, 6)),
            self.tifu.own.at(query.customer, items),
            self.tifu.others.at(query.customer, items),
            self.als.score(query, items),
            self.neighbours.score(query, items),
            self.ease.score(query, items),
            self.neighbours.likeness.summed(profile, items, weights),
            self.ease.weights.summed(profile, items, weights),
            self.habits.repeated[items],
            np.log((recent + 0.5) / (popularity + 5)),
            habit[:, 6],
            overdueness(habit),
            np.full(len(items), len(query.basket)),
            np.full(len(items), number),
            np.full(len(items), len(self.habits.row(query.customer)[0])),
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def _profile(self, query: Query) -> tuple[Ints, Floats]:
        """The customer's leading own items and their shares."""
        items, table = self.habits.row(query.customer)
        chosen = best(table[:, 3], items, PROFILE)
        weights = table[chosen, 3]
        return items[chosen], weights / max(float(weights.sum()), 1e-9)


def scaled(table: Floats) -> Floats:
    """The scores as shares of the best among these items, and the roots of those shares: items × (2 × SCORES)."""
    scores = table[:, : len(SCORES)]
    shares = scores / np.maximum(scores.max(axis=0, initial=0), 1e-9)
    return np.concatenate([shares, np.sqrt(shares)], axis=1)
