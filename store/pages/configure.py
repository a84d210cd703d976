"""The configurator: every choice is a form post that works without script, and is swapped in place with it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session
from starlette.datastructures import FormData

import configurator
from configurator import ChoiceError, Conflict, TextError
from store import assets
from store.auth import WebSession
from store.db import Db
from store.errors import invalid, not_found
from store.events import Visitor, views
from store.pages import pictures, rail
from store.pages import screen as screens
from store.pages.cards import card, cards
from store.pages.rail import Words
from store.pages.shop import address, linked_data
from store.pages.wishes import Wish, checked_choices, parse_wish, problem_of, repaired
from store.shop import carts, catalog, composed, designs, price_lists, stock, workbench
from store.shop.appraisal import appraise, conflict_problem, known_to
from store.shop.catalog import Published
from store.shop.workbench import Work
from store.web import OurForm, Who, redirect, render, wants_partial, writable_session

router = APIRouter(include_in_schema=False)


async def posted(request: Request) -> AsyncIterator[FormData]:
    """The form that was sent; read already when its token was checked. Its files are closed afterwards."""
    async with request.form() as form:
        yield form


Posted = Annotated[FormData, Depends(posted)]


@dataclass
class Answer:
    """What a post did to the work, and what the page should say about it."""

    work: Work
    wish: Wish | None = None
    words: Words = field(default_factory=Words)
    note: str = ""
    link: tuple[str, str] | None = None
    anchor: str = ""


# -- the page ----------------------------------------------------------------------------------------------------------


@router.get("/products/{slug}", response_class=HTMLResponse)
def product(
    request: Request,
    slug: str,
    session: Db,
    who: Who,
    wish: Annotated[str, Query(max_length=200)] = "",
    view: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """A piece: the configurator with the work in progress, or the page of a piece without choices.

    Raises:
        ShopError: 404, it is not sold.
    """
    item = price_lists.shown(catalog.published(session, slug), who)
    if not wants_partial(request):
        views.note(who, product=slug, page="product")
    if not item.model.configurable:
        return _plain_page(request, session, who, item)
    work = workbench.read(getattr(request.state, "web_session", None), slug)
    work, changes = workbench.renewed(session, item, work, who)
    answer = Answer(work, note=" ".join(changes))
    if wish:
        answer.wish = parse_wish(item, answer.work, wish, known_to(item, who))
    return _page(request, session, item, answer, view)


def _page(
    request: Request, session: Session, item: Published, answer: Answer, view: str, status: int = 200
) -> HTMLResponse:
    work = answer.work
    audiences = known_to(item, request.state.visitor)
    worth = appraise(item, work.choices, work.texts)
    analysis = configurator.analyse(item.compiled, worth.choices, audiences)
    if isinstance(analysis, Conflict):
        raise conflict_problem(analysis)
    shown = screens.facts_of(item, worth, view)
    groups = rail.rail_of(item, worth, analysis, answer.words, audiences)
    context: dict[str, Any] = {
        "screen": shown,
        "groups": groups,
        "steps": rail.steps_of(item, groups),
        "presets": rail.presets_of(item, worth, audiences),
        "composed": composed.start(request.state.visitor, item),
        "work": work,
        "problem": problem_of(item, work, answer.wish, audiences) if answer.wish else None,
        "left": stock.available(session, [item.slug]).get(item.slug) if item.counted else None,
        "fits": screens.fits_in_words(session, item) if shown.photo else "",
        "note": answer.note,
        "note_link": answer.link,
    }
    if wants_partial(request):
        return render(request, "configure/_configurator.html", context, status=status)
    canonical = address(request, f"/products/{item.slug}")
    context |= {"canonical": canonical, "linked_data": linked_data(item, canonical)}
    return render(request, "configure/page.html", context, title=item.name, status=status)


def _plain_page(request: Request, session: Session, who: Visitor, item: Published) -> HTMLResponse:
    left = stock.available(session, [item.slug]).get(item.slug)
    alike = catalog.listing(session, item.model.category)
    beside = [price_lists.shown(other, who) for other in alike if other.slug != item.slug][:4]
    canonical = address(request, f"/products/{item.slug}")
    context = {
        "card": card(item, left),
        "description": item.model.description,
        "left": stock.available(session, [item.slug]).get(item.slug) if item.counted else None,
        "fits": screens.fits_in_words(session, item),
        "can_buy": left != 0,
        "others": cards(session, beside),
        "canonical": canonical,
        "linked_data": linked_data(item, canonical, left),
    }
    return render(request, "shop/product.html", context, title=item.name)


# -- changing ----------------------------------------------------------------------------------------------------------


@router.post("/products/{slug}", response_class=HTMLResponse, dependencies=[OurForm])
def change(request: Request, slug: str, session: Db, who: Who, form: Posted) -> Response:
    """One choice, wish, text, step back, save or purchase.

    Raises:
        ShopError: 404 unknown piece, 409 or 422 what the piece cannot be.
    """
    item = price_lists.shown(catalog.published(session, slug), who)
    row = writable_session(session, request)
    before, changes = workbench.renewed(session, item, workbench.read(row, slug), who)
    if form.get("act") == "composed":
        answer = _composed(who, item, before)
    else:
        given, refused = pictures.given(session, who, item, form)
        answer = _moved(who, item, before, form, Words(errors=refused))
        for group_id, upload_id in given.items():
            answer = _chosen(item, answer.work, answer.words, f"{group_id}:{upload_id}", known_to(item, who))
    answer.note = answer.note or " ".join(changes)
    if answer.work != before and form.get("act") != "composed":  # what the house fills in is nobody's choice
        workbench.record(session, who, item, before.choices, answer.work.choices)
    act = str(form.get("act", ""))
    if act in ("save", "bag") and not answer.words.errors:
        _keep(session, who, item, answer)
        workbench.write(row, slug, answer.work)
        session.flush()
        if act == "bag":
            return _into_bag(request, session, who, item, answer)
    workbench.write(row, slug, answer.work)
    session.add(row)
    view = str(form.get("view", ""))
    if wants_partial(request):
        return _page(request, session, item, answer, view)
    if answer.words.errors:
        return _page(request, session, item, answer, view, status=422)
    return redirect(request, _back(slug, answer, view), answer.note or None)


def _back(slug: str, answer: Answer, view: str) -> str:
    query = {"view": view} if view and [view] != assets.picture_views(slug)[:1] else {}
    if answer.wish:
        query["wish"] = answer.wish.text
    anchor = "repairs" if answer.wish else answer.anchor
    return f"/products/{slug}" + (f"?{urlencode(query)}" if query else "") + (f"#{quote(anchor)}" if anchor else "")


def _moved(who: Visitor, item: Published, before: Work, form: FormData, refused: Words) -> Answer:
    """What the pressed button does to the work, and the words typed beside it."""
    audiences = known_to(item, who)
    work, words = _with_words(item, before, form)
    words = replace(words, errors={**words.errors, **refused.errors})
    act = str(form.get("act", ""))
    if act == "undo":
        return Answer(before.undone(), anchor="undo")
    if act == "redo":
        return Answer(before.redone(), anchor="redo")
    if act == "restart":
        return Answer(work.moved({}, {}), note="You begin anew. Undo brings your design back.")
    if preset_id := str(form.get("preset", "")):
        preset = next((one for one in item.model.presets_for(audiences) if one.id == preset_id), None)
        if preset is None:
            raise not_found("beginning")
        choices, texts = checked_choices(item, preset.choices, {**work.texts, **preset.texts}, audiences)
        return Answer(work.moved(choices, texts), words=words, anchor="g-presets")
    if repair := str(form.get("repair", "")):
        mended = checked_choices(item, repaired(work, repair), work.texts, audiences)
        return Answer(work.moved(*mended), words=words, anchor="summary")
    if part := str(form.get("part", "")):
        return _arranged(item, work, words, part, audiences)
    if choose := str(form.get("choose", "")):
        return _chosen(item, work, words, choose, audiences)
    return Answer(work, words=words)


def _composed(who: Visitor, item: Published, before: Work) -> Answer:
    """Begin with what this customer leans to; every filled-in value says why and can be cleared."""
    filled = composed.start(who, item)
    if not filled:
        raise not_found("beginning")
    work = before.moved(*checked_choices(item, composed.choices_of(filled), before.texts, known_to(item, who)))
    return Answer(replace(work, filled={one.group: [one.value, one.reason] for one in filled}), anchor="g-presets")


def _with_words(item: Published, work: Work, form: FormData) -> tuple[Work, Words]:
    """The work with what was typed, as far as it can be engraved; what cannot stays beside it with the reason."""
    texts, typed, errors = dict(work.texts), {}, {}
    for group in item.model.groups:
        words = form.get(f"text:{group.id}")
        if group.kind != "text" or not isinstance(words, str):
            continue
        try:
            right = configurator.check_texts(item.compiled, work.choices, {group.id: words})
        except TextError as error:
            typed[group.id], errors[group.id] = words[:200], str(error)
            continue
        texts.pop(group.id, None)
        texts |= right
    return work.moved(work.choices, texts), Words(typed, errors)


def _chosen(item: Published, work: Work, words: Words, choose: str, audiences: frozenset[str]) -> Answer:
    group_id, _, value = choose.partition(":")
    group = item.model.group(group_id)
    if group is None:
        raise not_found("option")
    anchor = f"g-{group_id}"
    if not value:
        choices = {name: kept for name, kept in work.choices.items() if name != group_id}
        return Answer(work.moved(*checked_choices(item, choices, work.texts, audiences)), words=words, anchor=anchor)
    worth = appraise(item, work.choices, work.texts)
    try:
        want = rail.wanted(item, group, worth.completion.get(group_id), value)
        choices = configurator.check_choices(item.compiled, {**work.choices, group_id: want}, audiences)
    except ChoiceError as error:
        raise invalid(str(error), field=group_id) from error
    if isinstance(configurator.analyse(item.compiled, choices, audiences), Conflict):
        return Answer(work, Wish(group_id, want), words, anchor=anchor)
    return Answer(work.moved(*checked_choices(item, choices, work.texts, audiences)), words=words, anchor=anchor)


def _arranged(item: Published, work: Work, words: Words, move: str, audiences: frozenset[str]) -> Answer:
    """Takes one of several like parts away, or moves it, with all that was chosen in it."""
    of, act, number = (*move.split(":"), "", "")[:3]
    counter = item.model.group(of)
    count = appraise(item, work.choices, work.texts).completion.get(of)
    if counter is None or counter.repeated is None or not isinstance(count, int) or not number.isdecimal():
        raise not_found("part")
    order, here = list(range(1, count + 1)), int(number) - 1
    there = {"earlier": here - 1, "later": here + 1, "remove": here}.get(act, -1)
    if not 0 <= here < count or not 0 <= there < count:
        raise not_found("part")
    part = order.pop(here)
    if act != "remove":
        order.insert(there, part)
    anchor = f"part-{of}-{min(there + 1, len(order))}"
    choices = configurator.rearranged(item.model, work.choices, of, order)
    try:
        choices = configurator.check_choices(item.compiled, choices, audiences)
    except ChoiceError as error:
        return Answer(work, words=words, note=str(error), anchor=anchor)
    found = configurator.analyse(item.compiled, choices, audiences)
    if isinstance(found, Conflict):
        return Answer(work, words=words, note=" ".join(rule.reason for rule in found.rules), anchor=anchor)
    texts = configurator.rearranged(item.model, work.texts, of, order)
    kept = {group: str(text) for group, text in texts.items() if group != of}
    return Answer(work.moved(*checked_choices(item, choices, kept, audiences)), words=words, anchor=anchor)


# -- keeping and buying ------------------------------------------------------------------------------------------------


def _keep(session: Session, who: Visitor, item: Published, answer: Answer) -> None:
    work = answer.work
    # What the house filled in is not learned from as the customer's own taste.
    source = "suggestion" if work.reasons else "customer"
    design = designs.save(session, who, item.slug, work.choices, work.texts, source=source, parent=work.parent)
    answer.work = work.kept(design.code)
    answer.note = f"Your design is kept as {design.code}."
    answer.link = (f"/designs/{design.code}", "Open its page")
    answer.anchor = "saved"


def _into_bag(request: Request, session: Session, who: Visitor, item: Published, answer: Answer) -> Response:
    design = designs.by_code(session, answer.work.saved or "")
    cart = carts.open_cart(session, who)
    line = answer.work.line
    if line:
        carts.replace(session, who, cart, line, design)
        answer.work = answer.work.off_line()
    else:
        carts.add(session, who, cart, design)
    row: WebSession = request.state.web_session
    workbench.write(row, item.slug, answer.work)
    session.add(row)
    if not wants_partial(request):
        return redirect(request, "/cart")
    answer.note = f"Your {item.name} is in the bag."
    answer.link = ("/cart", "See your bag")
    return _page(request, session, item, answer, "")
