"""The JSON of work in progress: the unsaved design of a piece in this browser, with its steps back and forth."""

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

import configurator
from configurator import Choices, Conflict
from store.db import Db
from store.errors import ShopError
from store.events import Visitor
from store.pages import shapes
from store.shop import catalog, workbench
from store.shop.appraisal import appraise, checked, conflict_problem, known_to
from store.shop.catalog import Published
from store.shop.workbench import Work
from store.web import SameOrigin, Who, writable_session

router = APIRouter(prefix="/api", tags=["configuring"], responses=shapes.PROBLEMS, route_class=shapes.ModelRoute)


class WorkNow(BaseModel):
    """Where the work stands; `revision` goes up with every change, from whichever tab."""

    choices: Choices
    texts: shapes.Texts
    revision: int
    undo: int
    redo: int
    model_version: str
    changes: list[str] = Field(default_factory=list)  # what a newer version of the piece has changed in it


class WorkChange(BaseModel):
    """A step: forward to these choices and texts, back, or forward again."""

    act: Literal["choose", "undo", "redo"]
    choices: shapes.Choices = Field(default_factory=dict)
    texts: shapes.Texts = Field(default_factory=dict)
    revision: int | None = None  # the one that was seen; refused when another tab went on since


@router.get("/products/{slug}/work")
def read_work(request: Request, slug: str, session: Db, who: Who) -> WorkNow:
    """The work in progress on a piece, on its newest version."""
    item = catalog.published(session, slug)
    kept = workbench.read(getattr(request.state, "web_session", None), slug)
    work, changes = workbench.renewed(session, item, kept, who)
    return _now(item, work, changes)


@router.post("/products/{slug}/work", dependencies=[SameOrigin])
def change_work(request: Request, slug: str, body: WorkChange, session: Db, who: Who) -> WorkNow:
    """One step on the work in progress; two tabs never overwrite each other unseen."""
    item = catalog.published(session, slug)
    row = writable_session(session, request)
    kept = workbench.read(row, slug)
    if body.revision is not None and body.revision != kept.revision:
        detail = "Another tab went on with this design. Nothing is lost; please look at it as it is now."
        raise ShopError(409, "Changed elsewhere", detail, _now(item, kept, ()).model_dump())
    before, changes = workbench.renewed(session, item, kept, who)
    after = _stepped(item, before, body, who)
    workbench.record(session, who, item, before.choices, after.choices)
    written = workbench.write(row, slug, after)
    session.add(row)
    return _now(item, written, changes)


def _stepped(item: Published, before: Work, body: WorkChange, who: Visitor) -> Work:
    if body.act == "undo":
        return before.undone()
    if body.act == "redo":
        return before.redone()
    audiences = known_to(item, who)
    choices, texts = checked(item, body.choices, body.texts, audiences)
    found = configurator.analyse(item.compiled, choices, audiences)
    if isinstance(found, Conflict):
        raise conflict_problem(found)
    worth = appraise(item, choices, texts)
    return replace(before.moved(worth.choices, worth.texts), version=item.version)


def _now(item: Published, work: Work, changes: tuple[str, ...]) -> WorkNow:
    return WorkNow(
        choices=work.choices,
        texts=work.texts,
        revision=work.revision,
        undo=len(work.past),
        redo=len(work.future),
        model_version=item.version,
        changes=list(changes),
    )
