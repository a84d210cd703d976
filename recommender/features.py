"""What all models together say of a question's candidates: which items to look at, and a table of figures for each."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from recommender.als import Als
from recommender.counting import FreshPopularity, Popularity
from recommender.ease import CustomerEase, Ease
from recommender.habits import Habits, overdueness
from recommender.history import Floats, Ints
from recommender.neighbours import BasketNeighbours
from recommender.query import Query, Recommender
from recommender.rows import best, merged, placed
from recommender.sessions import OwnSessions, Sessions
from recommender.tifu import TifuKnn

# Scores that speak for an item: the more the better. The linear blend sums these.
SCORES = (
    "popularity", "recent", "fresh", "baskets", "share", "decayed_24", "decayed_12", "decayed_6", "decayed_3", "lately",
    "tifu_own", "tifu_others", "als", "neighbours", "ease", "neighbours_of_own", "ease_of_own", "customer_ease",
    "own_sessions", "sessions", "tifu", "repeated",
)  # fmt: skip
# What only trees can read: trend, overdueness, and of the question itself.
CONTEXT = ("trend", "age", "overdue", "company", "basket_size", "own_baskets", "own_items", "size", "new_share")
NAMES = SCORES + CONTEXT
PROFILE = 60
NEAR = 150
NEAR_BASKET = 200
# Of more items than these the factors do not propose: they would have to score every one.
ALL_SCORED = 30_000


Found = tuple[Ints, Floats]
NOTHING: Found = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


class Features:
    """Reads the models' answers to one question side by side."""

    def __init__(self, models: Mapping[str, Recommender]) -> None:
        self.popularity = cast(Popularity, models["popularity"])
        self.recent = cast(Popularity, models["recent"])
        self.fresh = cast(FreshPopularity, models["fresh"])
        self.habits = cast(Habits, models["habits"])
        self.tifu = cast(TifuKnn, models["tifu"])
        self.als = cast(Als, models["als"])
        self.neighbours = cast(BasketNeighbours, models["neighbours"])
        self.near = self.neighbours.likeness
        self.ease = cast(Ease, models["ease"])
        self.customer_ease = cast(CustomerEase, models["customer_ease"])
        self.own_sessions = cast(OwnSessions, models["own_sessions"])
        self.sessions = cast(Sessions, models["sessions"])

    def read(self, query: Query) -> "Reading":
        """Opens a question."""
        return Reading(self, query)


class Reading:
    """One question: what it needs of the models is looked up once, for its candidates and for their table."""

    def __init__(self, features: Features, query: Query) -> None:
        self.models = features
        self.query = query
        self.own, habits = features.habits.row(query.customer)
        self.bought = float(habits[:, 0].sum())
        leading = best(habits[:, 3], self.own, PROFILE)
        weights = habits[leading, 3]
        weights = weights / max(float(weights.sum()), 1e-9)
        profile = self.own[leading].tolist()
        # What each way of going together says of which items: asked for the candidates and for the table.
        self.near_own = [merged(*rows.gathered(profile, weights)) for rows in (features.near, features.ease.weights)]
        self.company = self._company() if len(query.basket) else [NOTHING] * 4

    def _company(self) -> list[Found]:
        """What goes with the basket: neighbours, EASE, own and everyone's sessions."""
        models, basket = self.models, self.query.basket
        columns, likeness = models.near.gathered(basket.tolist())
        return [
            merged(columns, likeness / np.float32(len(basket))),
            merged(*models.ease.weights.gathered(basket.tolist())),
            merged(*models.own_sessions.votes(self.query)),
            merged(*models.sessions.votes(self.query)),
        ]

    def candidates(self) -> Ints:
        """Own items, what is popular, what goes with the basket and with own items, what similar customers buy."""
        models, query = self.models, self.query
        proposed = [self.own, *(model.propose(query, NEAR) for model in (models.popularity, models.fresh))]
        # Own items come in any case: they must not take the places of others.
        beyond = NEAR + len(self.own)
        for rows in (models.tifu.others, models.customer_ease.found):
            columns, values = rows.row(query.customer)
            proposed.append(columns[best(values, columns, beyond)].astype(np.int64))
        if not len(query.basket) and len(models.popularity.weight) <= ALL_SCORED:
            proposed.append(models.als.propose(query, beyond))
        neighbours, ease, _, sessions = self.company
        for (items, sums), count in (
            *((found, NEAR_BASKET) for found in (neighbours, ease, sessions)),
            *((found, NEAR) for found in self.near_own),
        ):
            proposed.append(items[best(sums, items, count)])
        return np.unique(np.concatenate(proposed)).astype(np.int64)

    def table(self, items: Ints) -> Floats:
        """Items × NAMES."""
        models, query = self.models, self.query
        tifu_own, tifu_others = models.tifu.own.at(query.customer, items), models.tifu.others.at(query.customer, items)
        habit = models.habits.at(query.customer, items)
        popularity, recent = models.popularity.weight[items], models.recent.weight[items]
        number = models.habits.number(query.customer)
        company = [placed(*found, items, models.near.width) for found in self.company]
        columns = [
            popularity,
            recent,
            models.fresh.weight[items],
            habit[:, 0],
            habit[:, 0] / max(1, number),
            *(habit[:, column] for column in range(1, 6)),
            tifu_own,
            tifu_others,
            models.als.score(query, items),
            company[0],
            company[1],
            *(placed(*near, items, models.near.width) for near in self.near_own),
            models.customer_ease.score(query, items),
            company[2],
            company[3],
            np.float32(0.2) * tifu_own + np.float32(0.8) * tifu_others,
            models.habits.repeated[items],
            np.log((recent + 0.5) / (popularity + 5)),
            habit[:, 6],
            overdueness(habit),
            models.habits.company[items],
            np.full(len(items), len(query.basket)),
            np.full(len(items), number),
            np.full(len(items), len(self.own)),
            np.full(len(items), self.bought / max(1, number)),
            np.full(len(items), len(self.own) / max(1.0, self.bought)),
        ]
        return np.stack(columns, axis=1).astype(np.float32)


def scaled(table: Floats) -> Floats:
    """The scores as shares of the best among these items, and the roots of those shares: items × (2 × SCORES)."""
    scores = table[:, : len(SCORES)]
    shares = scores / np.maximum(scores.max(axis=0, initial=0), 1e-9)
    return np.concatenate([shares, np.sqrt(shares)], axis=1)
