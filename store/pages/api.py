"""The JSON calls of configuring: products, analysis, explanation, repairs, completion and designs."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlmodel import Session

import configurator
from configurator import ChoiceError, Choices, Conflict, NotKnownInTime, Texts
from store import auth, links
from store.currencies import PriceList
from store.db import Db, ReadingDb
from store.errors import ShopError, invalid
from store.events import Visitor
from store.pages import selling_api, shapes, states
from store.pages.currency import Prices
from store.pages.languages import Languages, spoken
from store.pages.shapes import PROBLEMS
from store.shop import catalog, designs, price_lists, renewal, share_codes, taste
from store.shop.appraisal import Appraisal, appraise, checked, conflict_problem, known_to
from store.shop.catalog import Published
from store.shop.designs import Design
from store.web import SameOrigin, Who, WhoAsks

router = APIRouter(prefix="/api", tags=["configuring"], responses=PROBLEMS, route_class=shapes.ModelRoute)
MOST_REPAIRS = 3


@router.get("/products")
def products(session: ReadingDb, prices: Prices) -> list[shapes.Product]:
    """Everything that is sold."""
    return [
        shapes.Product(
            slug=item.slug,
            name=item.name,
            configurable=item.model.configurable,
            from_price=shapes.Money(amount=item.from_price, currency=item.model.currency),
        )
        for item in (price_lists.priced(item, prices) for item in catalog.listing(session))
    ]


@router.post("/products/{slug}/analysis", response_model=shapes.Analysis, dependencies=[SameOrigin])
def analysis(
    slug: str, body: shapes.Chosen, session: ReadingDb, who: WhoAsks, languages: Languages, prices: Prices
) -> JSONResponse:
    """The state, price and days of every value, for these choices."""
    item = spoken(price_lists.priced(catalog.published(session, slug), prices), languages)
    audiences = known_to(item, who)
    choices, texts = checked(item, body.choices, body.texts, audiences)
    return JSONResponse(_analysis(item, choices, texts, audiences))


@router.post("/products/{slug}/explanation", dependencies=[SameOrigin])
def explanation(
    slug: str, body: shapes.Wanted, session: ReadingDb, who: WhoAsks, languages: Languages
) -> shapes.Explanation:
    """Why the wanted value does not go with the choices."""
    item, choices, _, want = _wanted(spoken(catalog.published(session, slug), languages), who, body)
    try:
        found = configurator.explain(item.compiled, choices, want, known_to(item, who))
    except NotKnownInTime as error:
        raise _too_long() from error
    return shapes.Explanation(
        culprits=[shapes.Culprit(group=group, value=value) for group, value in found.culprits],
        rules=[shapes.Reason(id=rule.id, reason=rule.reason) for rule in found.rules],
    )


@router.post("/products/{slug}/repairs", dependencies=[SameOrigin])
def repairs(slug: str, body: shapes.Wanted, session: ReadingDb, who: WhoAsks, prices: Prices) -> shapes.Repairs:
    """Minimal changes with which the wanted value can be had."""
    item, choices, texts, want = _wanted(price_lists.priced(catalog.published(session, slug), prices), who, body)
    try:
        found = configurator.repairs(
            item.compiled, choices, want, texts=texts, k=MOST_REPAIRS, audiences=known_to(item, who)
        )
    except NotKnownInTime as error:
        raise _too_long() from error
    rows = []
    for repair in found:
        changes, drop = configurator.nested_changes(item.model, body.choices, repair.set, repair.drop)
        rows.append(
            shapes.Repair(
                set=changes,
                drop=list(drop),
                price_delta=repair.price_delta,
                lead_time_delta_days=repair.lead_time_delta_days,
            )
        )
    return shapes.Repairs(repairs=rows)


@router.post("/products/{slug}/completion", response_model=shapes.Analysis, dependencies=[SameOrigin])
def completion(
    slug: str, body: shapes.Completing, session: ReadingDb, who: WhoAsks, languages: Languages, prices: Prices
) -> JSONResponse:
    """A complete design that holds the choices and is the best by the objective."""
    item = spoken(price_lists.priced(catalog.published(session, slug), prices), languages)
    audiences = known_to(item, who)
    choices, texts = checked(item, body.choices, body.texts, audiences)
    _refuse_conflict(item, choices, audiences)
    try:
        if body.objective == "taste":
            whole = taste.completed(item, choices, taste.weights_for(who, slug, choices))
        else:
            whole = configurator.complete(item.compiled, choices, body.objective, audiences=audiences)
    except NotKnownInTime as error:
        raise _too_long() from error
    return JSONResponse(_analysis(item, whole, texts, audiences))


# -- designs ---------------------------------------------------------------------------------------------------------


@router.post("/designs", status_code=201, dependencies=[SameOrigin])
def save_design(request: Request, body: shapes.NewDesign, session: Db, who: Who, prices: Prices) -> shapes.SavedDesign:
    """Save a design under a code."""
    auth.limit("600/minute", "designs", selling_api.asker(request))
    design = designs.save(session, who, body.slug, body.choices, body.texts)
    return _saved(session, design, who, prices)


@router.get("/designs/{code}")
def read_design(request: Request, code: str, session: Db, who: Who, prices: Prices) -> shapes.SavedDesign:
    """The design that a code opens; without its texts for anyone but its owner."""
    return _saved(session, share_codes.opened(session, code, who, selling_api.asker(request)), who, prices)


def _saved(session: Session, design: Design, who: Visitor, prices: PriceList) -> shapes.SavedDesign:
    """The design on the newest version with what changed; as it was saved when the piece is not sold any more."""
    mine = designs.owned_by(design, who)
    if catalog.find(session, design.slug) is None:
        item = catalog.version(session, design.model_version)
        now = renewal.carried(item, item, designs.as_saved(design), audiences=known_to(item, who), hers=mine)
    else:
        now = designs.renewed(session, design, who)
    texts = now.texts if mine else {}
    worth = appraise(price_lists.priced(now.published, prices), now.choices, texts)
    return shapes.SavedDesign(
        code=design.code,
        url=links.absolute(f"/designs/{design.code}"),
        slug=design.slug,
        name=now.published.name,
        choices=dict(configurator.nest(now.published.model, now.choices)),
        texts=texts,
        sentence=worth.sentence,
        price=selling_api.price_of(worth),
        lead_time=selling_api.days_of(worth),
        model_version=now.published.version,
        saved_version=design.model_version,
        changes=[
            shapes.Changed(kind=one.kind, group=one.group, before=one.before, after=one.after, words=one.words)
            for one in now.happened
        ],
    )


# -- the joints ------------------------------------------------------------------------------------------------------


def _wanted(item: Published, who: Visitor, body: shapes.Wanted) -> tuple[Published, Choices, Texts, Choices]:
    audiences = known_to(item, who)
    choices, texts = checked(item, body.choices, body.texts, audiences)
    try:
        want = configurator.check_choices(item.compiled, body.want, audiences, wish=True)
    except ChoiceError as error:
        raise invalid(str(error), field=error.group) from error
    _refuse_conflict(item, choices, audiences)
    return item, choices, texts, want


def _refuse_conflict(item: Published, choices: Choices, audiences: frozenset[str]) -> None:
    found = configurator.analyse(item.compiled, choices, audiences)
    if isinstance(found, Conflict):
        raise conflict_problem(found)


def _too_long() -> ShopError:
    return ShopError(503, "Not known in time", "This question took too long to answer. Please ask again.")


def _analysis(item: Published, choices: Choices, texts: Texts, audiences: frozenset[str]) -> dict[str, Any]:
    """Plain values: an analysis is asked for after every click, and is correct by construction."""
    try:
        found = configurator.analyse(item.compiled, choices, audiences)
        changes = configurator.differences(item.compiled, choices, texts, audiences)
    except NotKnownInTime as error:
        raise _too_long() from error
    if isinstance(found, Conflict):
        raise conflict_problem(found)
    worth: Appraisal = appraise(item, choices, texts)
    return {
        "choices": configurator.nest(item.model, found.choices),
        "complete": found.complete,
        "groups": states.groups(item.model, found, changes),
        "price": {"amount": worth.price.amount, "currency": worth.price.currency, "lines": worth.price_lines},
        "lead_time": {"min_days": worth.lead_time.min_days, "max_days": worth.lead_time.max_days},
        "model_version": item.version,
    }
