"""What a design looks like on a page: its parts, figures and picture in words, ready for a template."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from configurator import OptionGroup
from configurator.choices import key
from store import assets, db
from store.pages.cards import Picture, category_label, picture_of
from store.rendering import day
from store.shop import catalog
from store.shop.appraisal import Appraisal
from store.shop.catalog import Published


@dataclass(frozen=True)
class Link:
    """A place on the page, or a way to look at the piece."""

    id: str
    label: str
    anchor: str = ""
    still: bool = True


@dataclass(frozen=True)
class Screen:
    """What every page says about one design."""

    slug: str
    name: str
    category: str
    sentence: str
    currency: str
    from_price: int
    price: int
    lines: list[tuple[str, int, str]]
    words: str
    short: str
    lead: str
    lead_days: int
    ready: str
    summary: list[tuple[str, str]]
    layers: Picture
    photo: bool
    view: str
    views: list[Link]
    choices_json: str
    texts_json: str
    viewer: dict[str, Any] | None


# -- words -----------------------------------------------------------------------------------------------------------


def weeks(low: int, high: int) -> str:
    """A span of days as one says it: "6 to 8 days", "10 to 12 weeks"."""
    unit, low, high = ("day", low, high) if high < 21 else ("week", -(-low // 7), -(-high // 7))
    if low == high:
        return f"{low} {unit}{'' if low == 1 else 's'}"
    return f"{low} to {high} {unit}s"


def ready_between(low: int, high: int) -> str:
    """The days on which a piece ordered now will be ready: "between 3 and 17 February 2027"."""
    today = db.now().date()
    first, last = today + timedelta(days=low), today + timedelta(days=high)
    if first == last:
        return f"on {day(first)}"
    shared = " ".join(day(last).split()[1:]) if first.month == last.month else str(last.year)
    begin = day(first).removesuffix(shared) if first.year == last.year else day(first)
    return f"between {begin.strip()} and {day(last)}"


def days_difference(days: int) -> str:
    """A difference in days with its sign; nothing when there is none."""
    if not days:
        return ""
    return f"{'+' if days > 0 else '−'}{abs(days)} {'day' if abs(days) == 1 else 'days'}"


def label_of(group: OptionGroup, value: object) -> str:
    """A value in the owner's words."""
    if isinstance(value, list):
        return ", ".join(label_of(group, part) for part in value) or "none"
    option = group.option(key(value) if isinstance(value, bool) else str(value))
    if option is not None and option.label:
        return option.label
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if group.kind == "date":
        return day(date.fromisoformat(str(value)))
    return f"{value} {group.unit}".strip() if group.kind == "integer" else str(value)


# -- the screen ------------------------------------------------------------------------------------------------------


def facts_of(item: Published, worth: Appraisal, view: str = "") -> Screen:
    """A design to look at, without anything to press."""
    model, visual = item.model, item.model.visual
    setup = assets.viewer_setup(visual.model, visual.bindings) if visual and visual.model and visual.bindings else None
    views = _views(item, setup)
    shown = view if view in {link.id for link in views} else ""
    stills = assets.picture_views(item.slug)
    summary = [(row.group_label, row.value_label) for row in worth.described]
    low, high = worth.lead_time.min_days, worth.lead_time.max_days
    picture = picture_of(item, worth.completion, shown if shown in stills else None)
    return Screen(
        slug=item.slug,
        name=model.name,
        category=category_label(model.category),
        sentence=model.sentence,
        currency=worth.price.currency,
        from_price=item.from_price,
        price=worth.price.amount,
        lines=[(line.label, line.amount, "") for line in worth.price.lines],
        words=f"{model.name}: {worth.sentence}" if worth.sentence else model.name,
        short=worth.sentence,
        lead=weeks(low, high),
        lead_days=high,
        ready=ready_between(low, high),
        summary=summary,
        layers=picture,
        photo=isinstance(picture, str),
        view=shown or (stills[0] if stills else ""),
        views=views,
        choices_json=json.dumps(worth.completion, ensure_ascii=False),
        texts_json=json.dumps(worth.texts, ensure_ascii=False),
        viewer=setup if assets.vendor_available() else None,
    )


def _views(item: Published, setup: Mapping[str, Any] | None) -> list[Link]:
    stills = assets.picture_views(item.slug)
    if setup is None:
        return [Link(view, view.replace("-", " ").capitalize()) for view in stills]
    return [Link(view["id"], view["label"], still=view["id"] in stills) for view in setup["views"]]


def fits_in_words(session: Session, item: Published) -> str:
    """Which pieces an accessory is made for; empty when it goes with anything."""
    names = []
    for rule in item.model.fits_rules:
        other = catalog.find(session, rule.product)
        if other is not None and other.name not in names:
            names.append(other.name)
    return f"Made for the {' and the '.join(names)}." if names else ""
