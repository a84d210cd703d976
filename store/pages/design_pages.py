"""Saved designs by their code: to look at, to pass on, to make one's own, to put into the bag, to compare."""

import io
from dataclasses import dataclass, replace
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from store import money
from store.db import Db
from store.events import Visitor, views
from store.pages import screen as screens
from store.pages.screen import Screen
from store.pages.shop import address
from store.shop import carts, designs, price_lists, share_codes, workbench
from store.shop.appraisal import appraise
from store.shop.designs import Design
from store.shop.renewal import Renewed
from store.web import OurForm, Who, redirect, render, writable_session

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Side:
    """One of two designs to compare."""

    code: str
    screen: Screen
    changes: tuple[str, ...]  # since it was saved


@dataclass(frozen=True)
class Row:
    """A part in which two designs differ."""

    label: str
    a: str
    b: str


def _found(request: Request, session: Session, code: str, who: Visitor) -> Design:
    return share_codes.opened(session, code, who, request.client.host if request.client else "")


def _shown(session: Session, who: Visitor, design: Design) -> tuple[Renewed, Screen]:
    """The design on the newest version, with its texts for its owner only."""
    now = designs.renewed(session, design, who)
    texts = now.texts if designs.owned_by(design, who) else {}
    item = price_lists.shown(now.published, who)
    return now, screens.facts_of(item, appraise(item, now.choices, texts))


@router.get("/designs/{code}", response_class=HTMLResponse)
def design_page(request: Request, code: str, session: Db, who: Who) -> HTMLResponse:
    """A design as its code opens it.

    Raises:
        ShopError: 404, no design has this code, or its piece is not made any more.
    """
    design = _found(request, session, code, who)
    now, shown = _shown(session, who, design)
    views.note(who, product=design.slug, subject=design.id, page="design")
    context: dict[str, Any] = {
        "screen": shown,
        "code": design.code,
        "changes": now.changes,
        "mine": designs.owned_by(design, who),
        "address": address(request, f"/designs/{design.code}"),
    }
    return render(request, "configure/design.html", context, title=f"{shown.name}, design {design.code}")


@router.get("/designs/{code}/qr.svg")
def qr(request: Request, code: str, session: Db, who: Who) -> Response:
    """The design's address as a QR code.

    Raises:
        ShopError: 404, no design has this code.
    """
    design = _found(request, session, code, who)
    picture = io.BytesIO()
    made = segno.make(address(request, f"/designs/{design.code}"), error="m")
    made.save(picture, kind="svg", scale=4, border=2, dark="#15181c", xmldecl=False)
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


@router.post("/designs/{code}/copy", dependencies=[OurForm])
def copy(
    request: Request, code: str, session: Db, who: Who, line: Annotated[str, Form(max_length=60)] = ""
) -> RedirectResponse:
    """Open the design in the configurator: one's own to go on with, somebody else's as a copy without its words.

    With `line`, what comes of it replaces that line of the bag.
    """
    design = _found(request, session, code, who)
    mine = designs.owned_by(design, who)
    now = designs.renewed(session, design, who)
    row = writable_session(session, request)
    before, _ = workbench.renewed(session, now.published, workbench.read(row, design.slug), who)
    work = before.moved(now.choices, now.texts if mine else {}).begun_from(design.code, line or None)
    workbench.write(row, design.slug, replace(work, version=now.published.version))
    session.add(row)
    sentence = (
        " ".join(now.changes) if now.changes else None if mine else "A copy of the design is now yours to change."
    )
    return redirect(request, f"/products/{design.slug}", sentence)


@router.post("/designs/{code}/bag", dependencies=[OurForm])
def into_bag(
    request: Request, code: str, session: Db, who: Who, line: Annotated[str, Form(max_length=60)] = ""
) -> RedirectResponse:
    """Put the design into the bag as it is now, which its page has shown.

    With `line`, it takes the place of that line of the bag.
    """
    design = _found(request, session, code, who)
    now = designs.renewed(session, design, who)
    writable_session(session, request)
    mine = designs.owned_by(design, who)
    if now.changes or not mine:
        texts = now.texts if mine else {}
        design = designs.save(session, who, design.slug, now.choices, texts, parent=design.code)
    cart = carts.open_cart(session, who)
    if line:
        carts.replace(session, who, cart, line, design)
    else:
        carts.add(session, who, cart, design)
    return redirect(request, "/cart")


# -- comparing ---------------------------------------------------------------------------------------------------------


@router.get("/compare", response_class=HTMLResponse)
def compare(
    request: Request,
    session: Db,
    who: Who,
    a: Annotated[str, Query(max_length=20)] = "",
    b: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """Two designs of one piece, each on its newest version: only what differs, in parts, price and time.

    Raises:
        ShopError: 404, one of the codes opens nothing.
    """
    if not (a and b):
        return _ask_for_two(request, a or b)
    left, right = (_found(request, session, code, who) for code in (a, b))
    sides = []
    for design in (left, right):
        now, shown = _shown(session, who, design)
        sides.append(Side(design.code, shown, now.changes))
    if left.slug != right.slug:
        return render(request, "configure/compare.html", {"sides": sides, "alike": False}, title="Compare two designs")
    rows = differing(*(side.screen for side in sides))
    first, second = (side.screen for side in sides)
    difference = second.price - first.price
    context: dict[str, Any] = {
        "sides": sides,
        "alike": True,
        "rows": rows,
        "price_difference": money.write_difference(difference, first.currency) if difference else "",
        "time_difference": screens.days_difference(second.lead_days - first.lead_days),
    }
    return render(request, "configure/compare.html", context, title="Compare two designs")


def _ask_for_two(request: Request, known: str) -> HTMLResponse:
    context = {"sides": [], "alike": False, "known": known}
    return render(request, "configure/compare.html", context, title="Compare two designs")


def differing(first: Screen, second: Screen) -> list[Row]:
    """The parts in which two designs differ, in the order of the first."""
    left, right = dict(first.summary), dict(second.summary)
    labels = [*left, *(label for label in right if label not in left)]
    rows = [Row(label, left.get(label, "–"), right.get(label, "–")) for label in labels]
    return [row for row in rows if row.a != row.b]
