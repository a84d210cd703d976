"""The work in progress: each browser's unsaved design of every product, with its steps back and forth.

It lives in the session's row, so that coming back finds it, signed in or not, and no step is lost with the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from configurator import Choices, Texts
from store import events
from store.auth import WebSession
from store.errors import ShopError
from store.events import Visitor
from store.shop import catalog, renewal
from store.shop.appraisal import appraise, known_to, private_values
from store.shop.catalog import Published
from store.shop.renewal import Saved

STEPS_KEPT = 40
PIECES_KEPT = 12  # products with work in progress in one browser

Step = tuple[Choices, Texts]

_ANEW = "This piece has changed so much that your design begins anew; undo shows what you had."


@dataclass(frozen=True)
class Work:
    """One unsaved design: where it stands, the steps behind it and those undone."""

    choices: Choices
    texts: Texts
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    parent: str | None = None  # code of the design it was taken from
    saved: str | None = None  # code under which exactly this state is kept
    line: str | None = None  # line of the bag that this design was opened from, to be replaced by it
    filled: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by group: what the house filled in, and why
    version: str | None = None  # of the product, when it was last written
    revision: int = 0  # how often it was written: a tab that brings an older one has not seen the newest

    @property
    def reasons(self) -> dict[str, str]:
        """By group: why its value was filled in, as long as it stands."""
        return {group: reason for group, (value, reason) in self.filled.items() if self.choices.get(group) == value}

    def moved(self, choices: Choices, texts: Texts) -> "Work":
        """A step forward; nothing when nothing changes."""
        if (choices, texts) == (self.choices, self.texts):
            return self
        past = (*self.past, (self.choices, self.texts))[-STEPS_KEPT:]
        return replace(self, choices=choices, texts=texts, past=past, future=(), saved=None)

    def kept(self, code: str) -> "Work":
        """The same, known to be saved under a code."""
        return replace(self, saved=code)

    def begun_from(self, code: str, line: str | None = None) -> "Work":
        """The same, taken from a saved design (and from a line of the bag)."""
        return replace(self, parent=code, line=line)

    def off_line(self) -> "Work":
        """The same, no longer meant for a line of the bag."""
        return replace(self, line=None)

    def undone(self) -> "Work":
        """One step back, if there is one."""
        if not self.past:
            return self
        (choices, texts), now = self.past[-1], (self.choices, self.texts)
        return replace(self, choices=choices, texts=texts, past=self.past[:-1], future=(now, *self.future), saved=None)

    def redone(self) -> "Work":
        """One undone step forward again, if there is one."""
        if not self.future:
            return self
        (choices, texts), now = self.future[0], (self.choices, self.texts)
        return replace(self, choices=choices, texts=texts, past=(*self.past, now), future=self.future[1:], saved=None)


EMPTY = Work({}, {})


def read(row: WebSession | None, slug: str) -> Work:
    """The browser's work on a product; an empty design when there is none yet."""
    kept = row.state.get("work", {}).get(slug) if row else None
    if kept is None:
        return EMPTY
    return Work(
        kept["choices"],
        kept["texts"],
        tuple((choices, texts) for choices, texts in kept["past"]),
        tuple((choices, texts) for choices, texts in kept["future"]),
        kept["parent"],
        kept["saved"],
        kept["line"],
        kept.get("filled", {}),
        kept.get("version"),
        kept.get("revision", 0),
    )


def write(row: WebSession, slug: str, work: Work) -> Work:
    """Keep the work in the session's row, as kept; the piece longest untouched leaves when there are too many."""
    work = replace(work, revision=read(row, slug).revision + 1)
    pieces: dict[str, Any] = {name: kept for name, kept in row.state.get("work", {}).items() if name != slug}
    pieces[slug] = {
        "choices": work.choices,
        "texts": work.texts,
        "past": [list(step) for step in work.past],
        "future": [list(step) for step in work.future],
        "parent": work.parent,
        "saved": work.saved,
        "line": work.line,
        "filled": work.filled,
        "version": work.version,
        "revision": work.revision,
    }
    row.state = {**row.state, "work": dict(list(pieces.items())[-PIECES_KEPT:])}
    return work


def renewed(session: Session, item: Published, work: Work, visitor: Visitor) -> tuple[Work, tuple[str, ...]]:
    """The work on the newest version of its product and as far as the visitor may see it, and what changed, in words.

    What is changed is a step like any other: undo leads back to what was there.
    """
    audiences = known_to(item, visitor)
    if work.version == item.version and not private_values(item, work.choices, audiences):
        return work, ()
    old = item
    if work.version is not None and work.version != item.version:
        old = catalog.version(session, work.version)
        if item.model.repricing is not None:  # compared at the prices that are shown
            old = old.at_prices(item.model.repricing)
    try:
        before = appraise(old, work.choices, work.texts).price
        now = renewal.carried(
            old, item, Saved(work.choices, work.texts, before.amount, before.currency), audiences=audiences
        )
    except ShopError:  # never of a known version: it was valid when it was written
        return replace(work.moved({}, {}), version=item.version), (_ANEW,)
    moved = work if (now.choices, now.texts) == (work.choices, work.texts) else work.moved(now.choices, now.texts)
    return replace(moved, version=item.version), now.changes


def touched(row: WebSession | None) -> list[str]:
    """The products this browser has work on, the latest first."""
    return list(reversed(row.state.get("work", {}))) if row else []


def record(session: Session, visitor: Visitor, item: Published, before: Choices, after: Choices) -> None:
    """Record what was chosen and what was given up, each as an event of its own."""
    for kind, gone, come in (("unchoice", before, after), ("choice", after, before)):
        for group, value in _values(gone):
            if (group, value) not in set(_values(come)):
                facts = {"group": group, "value": value, "version": item.version}
                events.record(session, visitor, kind, product=item.slug, facts=facts)


def _values(choices: Mapping[str, Any]) -> Iterable[tuple[str, str | int | bool]]:
    for group, value in choices.items():
        if isinstance(value, list):
            yield from ((group, part) for part in value if isinstance(part, str))
        else:
            yield group, value
