"""Why a piece is suggested: a closed set of reasons, each with the facts it rests on, and its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store.shop.companions import Companion
from store.shop.taste import Ranked

OFTEN = 3  # orders, from which on something is said to be usual

KINDS = {
    "match": "it shares what you chose yourself for that piece",
    "bought_together": "both were ordered together in our house",
    "like_customers": "you own the piece, and others who do chose this one",
    "fits": "a rule of our workshop makes it for exactly that design",
    "made_for": "our workshop makes it for that piece",
    "popular": "it is among what our house is asked for",
    "listed": "it is in our catalogue, in stock, and goes with anything",
}


@dataclass(frozen=True)
class Why:
    """A reason and its facts, as they are kept with the suggestion."""

    kind: str
    facts: Mapping[str, Any]


def why(matched: Companion, ranked: Ranked, cited: str | None) -> Why:
    """The most telling reason that holds: a match she can see, then history, then the fit, then the house.

    Args:
        cited: the name of the piece that the ranking cites; None when it cites none or it is not sold any more.
    """
    if matched.likeness:
        return Why("match", matched.likeness)
    if ranked.kind in ("bought_together", "like_customers") and cited and ranked.count >= OFTEN:
        return Why(ranked.kind, {"slug": ranked.cites, "name": cited, "count": ranked.count})
    if matched.fitted_to:
        return Why("fits", matched.fitted_to)
    if matched.made_for:
        return Why("made_for", matched.made_for)
    if ranked.kind == "popular" and ranked.count >= OFTEN:
        return Why("popular", {"count": ranked.count})
    return Why("listed", {})


def in_words(kind: str, facts: Mapping[str, Any]) -> str:
    """The reason as the customer reads it."""
    piece = f"the {facts['name']} you own" if facts.get("owned") else f"your {facts.get('name')}"
    match kind:
        case "match":
            return f"{facts['label']}, like {piece}"
        case "fits":
            return f"Made to fit {piece} ({', '.join(facts['by'])})" if facts["by"] else f"Made to fit {piece}"
        case "made_for":
            return f"Made for {piece}"
        case "bought_together":
            return f"Often ordered with the {facts['name']}"
        case "like_customers":
            return f"Chosen by others who own the {facts['name']}"
        case "popular":
            return "Often chosen in our house"
        case _:
            return "From our house, in the same hand"


def forgettable(kind: str, facts: Mapping[str, Any]) -> str:
    """What of the customer's own the reason rests on, in words; "" when on nothing that they could want forgotten."""
    if kind == "match":
        return f"that you chose {facts['label']} for the {facts['name']}"
    if kind == "like_customers" or facts.get("owned"):
        return f"that you own the {facts['name']}"
    return ""


def grounds(kind: str, facts: Mapping[str, Any]) -> str:
    """What the reason rests on, for "Why do you show me these"."""
    counted = f" ({facts['count']} orders)" if "count" in facts else ""
    return f"{KINDS[kind]}{counted}"
