"""The registry of algorithms: a new one is a class here, and every contract test runs over it."""

from recommender.als import Als
from recommender.counting import DecayedFrequency, Frequency, FreshPopularity, Popularity, RecentPopularity
from recommender.ease import CustomerEase, Ease
from recommender.habits import Habits
from recommender.neighbours import BasketNeighbours
from recommender.query import Query, Recommender
from recommender.sessions import OwnSessions, Sessions
from recommender.tifu import TifuKnn

__all__ = ["ALGORITHMS", "Query", "Recommender"]

ALGORITHMS: dict[str, type[Recommender]] = {
    "popularity": Popularity,
    "recent": RecentPopularity,
    "fresh": FreshPopularity,
    "frequency": Frequency,
    "decayed": DecayedFrequency,
    "neighbours": BasketNeighbours,
    "als": Als,
    "habits": Habits,
    "ease": Ease,
    "customer_ease": CustomerEase,
    "own_sessions": OwnSessions,
    "sessions": Sessions,
    "tifu": TifuKnn,
}
