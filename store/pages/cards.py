"""A piece as a card shows it: its picture, price and time in words; the same on every page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from store import assets, money
from store.rendering import static
from store.settings import house
from store.shop import stock
from store.shop.appraisal import appraise
from store.shop.catalog import Published

Picture = str | list[str]  # a photograph, or transparent stills to stack


@dataclass(frozen=True)
class Card:
    """One piece in a list, or the head of its own page."""

    slug: str
    name: str
    sentence: str
    category: str
    category_id: str
    layers: Picture
    price: str
    note: str
    left: int | None = None  # free pieces; None when it is made for her

    @property
    def href(self) -> str:
        """The piece's own page."""
        return f"/products/{self.slug}"


def category_label(slug: str) -> str:
    """The category's name in the menu."""
    return dict(house().categories).get(slug, slug.replace("-", " ").capitalize())


def picture_of(item: Published, completion: Mapping[str, object] | None = None, view: str | None = None) -> Picture:
    """What shows a design of this piece without script: stacked stills that follow the choices, or its photograph."""
    stills = assets.picture_layers(item.slug, completion or {}, view)
    if stills:
        return [static(url.removeprefix("/static/")) for url in stills]
    return static(f"pictures/{item.model.picture}") if item.model.picture else []


def days_in_words(days: int) -> str:
    """A time of making as one says it: days up to three weeks, then weeks."""
    if days == 0:
        return "at once"
    if days < 21:
        return f"in {days} {'day' if days == 1 else 'days'}"
    return f"in {-(-days // 7)} weeks"


def card(item: Published, left: int | None = None) -> Card:
    """The card of a piece.

    Args:
        item: the published piece.
        left: free pieces, when it is counted.
    """
    model = item.model
    price = money.write(item.from_price, model.currency)
    return Card(
        slug=item.slug,
        name=model.name,
        sentence=model.sentence,
        category=category_label(model.category),
        category_id=model.category,
        layers=picture_of(item, appraise(item, {}, {}).completion if model.visual else None),
        price=f"from {price}" if model.configurable else price,
        note=_note(item, left),
        left=left,
    )


def _note(item: Published, left: int | None) -> str:
    supply = item.model.supply
    if left == 0:
        return "Sold out"
    if supply.numbered and left is not None:
        return f"{left} of {supply.stock} left"
    if item.model.kind == "service":
        return "By appointment"
    if left is not None:
        return f"Leaves the house {days_in_words(supply.lead_days)}"
    return f"Made to order {days_in_words(supply.lead_days)}"


def cards(session: Session, items: Iterable[Published]) -> list[Card]:
    """The cards of several pieces; free pieces are counted in one read."""
    listed = list(items)
    left = stock.available(session, [item.slug for item in listed if item.counted])
    return [card(item, left.get(item.slug)) for item in listed]
