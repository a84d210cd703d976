"""What else would suit, who is worth what, which offer pays: opaque ids in and out.

Names are resolved on first use, so that a process that serves no suggestions does not load numpy and implicit.
`recommender.suggest` is the module: call `suggest.suggest`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender import preferences, suggest
    from recommender.artifact import Fitted, fit, load, publish, roll_back
    from recommender.history import History, Interaction, read_csv
    from recommender.judging import Verdict, judge, previous
    from recommender.models import ALGORITHMS, Recommender
    from recommender.offers import Lift, Proposal, Ranked, lift, rank
    from recommender.pointer import current_version
    from recommender.randomisation import ByDraw, control_needed, lift_by_draw
    from recommender.suggest import Reason, Suggestion
    from recommender.taste import Leaning, Taste, TasteSample, learn
    from recommender.value import row_profit

__all__ = [
    "ALGORITHMS",
    "ByDraw",
    "Fitted",
    "History",
    "Interaction",
    "Leaning",
    "Lift",
    "Proposal",
    "Ranked",
    "Reason",
    "Recommender",
    "Suggestion",
    "Taste",
    "TasteSample",
    "Verdict",
    "control_needed",
    "current_version",
    "fit",
    "judge",
    "learn",
    "lift",
    "lift_by_draw",
    "load",
    "preferences",
    "previous",
    "publish",
    "rank",
    "read_csv",
    "roll_back",
    "row_profit",
    "suggest",
]

_HOMES = {
    "pointer": ("current_version",),
    "artifact": ("Fitted", "fit", "load", "publish", "roll_back"),
    "history": ("History", "Interaction", "read_csv"),
    "judging": ("Verdict", "judge", "previous"),
    "randomisation": ("ByDraw", "control_needed", "lift_by_draw"),
    "models": ("ALGORITHMS", "Recommender"),
    "preferences": (),
    "offers": ("Lift", "Proposal", "Ranked", "lift", "rank"),
    "suggest": ("Reason", "Suggestion"),
    "taste": ("Leaning", "Taste", "TasteSample", "learn"),
    "value": ("row_profit",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return importlib.import_module(f"recommender.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"recommender.{_HOME[name]}"), name)
    raise AttributeError(f"module 'recommender' has no attribute {name!r}")
