"""The public pages before a choice is made: home, the catalogue with its facets and search, the style page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from store import money
from store.db import Db
from store.errors import ShopError, not_found
from store.events import Visitor, views
from store.pages.cards import Card, card, cards, category_label, picture_of
from store.settings import house
from store.shop import catalog, price_lists, workbench
from store.shop.appraisal import appraise
from store.shop.catalog import Published
from store.web import Who, render, settings_of

router = APIRouter(include_in_schema=False)

PER_PAGE = 24
ORDERS = {"": "The house’s", "price": "Price, rising", "price-down": "Price, falling"}


@dataclass(frozen=True)
class Choice:
    """A link that narrows or orders the catalogue."""

    href: str
    label: str
    current: bool
    count: int = 0


def address(request: Request, path: str) -> str:
    """The public address of a page, for canonical links and codes to pass on."""
    return settings_of(request).public_url.rstrip("/") + path


@router.get("/", response_class=HTMLResponse)
def home(request: Request, session: Db, who: Who) -> HTMLResponse:
    """The front door."""
    listed = [price_lists.shown(item, who) for item in catalog.listing(session)]
    made = [item for item in listed if item.model.kind == "made-to-order" and item.model.visual]
    ready = [item for item in listed if item.counted and not item.model.supply.numbered]
    editions = [item for item in listed if item.model.supply.numbered]
    views.note(who, page="/")
    context = {
        "hero": card(made[0]) if made else None,
        "features": cards(session, made[1:3] if len(made) > 1 else made),
        "working": _working(request, session, who),
        "ready": cards(session, _spread(ready, 8)),
        "editions": cards(session, editions[:4]),
        "canonical": address(request, "/"),
    }
    return render(request, "shop/home.html", context, title="Home")


def _working(request: Request, session: Session, who: Visitor) -> list[Card]:
    """The designs this browser left unfinished, as they stand."""
    row = getattr(request.state, "web_session", None)
    found = []
    for slug in workbench.touched(row)[:4]:
        item, work = catalog.find(session, slug), workbench.read(row, slug)
        if item is None or not work.choices:
            continue
        item = price_lists.shown(item, who)
        try:
            worth = appraise(item, work.choices, work.texts)
        except ShopError:  # the newest version does not take it; its own page says so
            continue
        price = money.write(worth.price.amount, worth.price.currency)
        found.append(replace(card(item), layers=picture_of(item, worth.completion), price=price, note=worth.sentence))
    return found


def _spread(items: Sequence[Published], count: int) -> list[Published]:
    """A few pieces from as many categories as possible, in the order of the catalogue."""
    by_category: dict[str, list[Published]] = {}
    for item in items:
        by_category.setdefault(item.model.category, []).append(item)
    rounds = max(map(len, by_category.values()), default=0)
    chosen = [row[turn] for turn in range(rounds) for row in by_category.values() if turn < len(row)]
    return chosen[:count]


@router.get("/products", response_class=HTMLResponse)
def products(
    request: Request,
    session: Db,
    who: Who,
    category: Annotated[str, Query(max_length=60)] = "",
    q: Annotated[str, Query(max_length=80)] = "",
    sort: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """The catalogue: a category, a search, an order.

    Raises:
        ShopError: 404, the category holds nothing and is none of the house's.
    """
    known = dict(catalog.categories(session))
    if category and category not in known and category not in dict(house().categories):
        raise not_found("category")
    sort = sort if sort in ORDERS else ""
    query = q.strip()
    found = [price_lists.shown(item, who) for item in catalog.listing(session, query=query)]
    shown = _ordered([item for item in found if category in ("", item.model.category)], sort)
    views.note(who, page=f"/products/{category}" if category else "/products")
    here = {"category": category, "q": query, "sort": sort}
    context: dict[str, Any] = {
        "heading": category_label(category) if category else "All pieces",
        "category": category,
        "query": query,
        "sort": sort,
        "count": len(shown),
        "cards": cards(session, shown[(page - 1) * PER_PAGE : page * PER_PAGE]),
        "facets": _facets(found, known, here),
        "orders": [Choice(_link(here, sort=key), label, key == sort) for key, label in ORDERS.items()],
        "page_number": page,
        "page_count": -(-len(shown) // PER_PAGE),
        "page_address": _link(here, page=""),
        "canonical": address(request, _link({"category": category})),
    }
    return render(request, "shop/products.html", context, title=context["heading"])


def _ordered(items: list[Published], sort: str) -> list[Published]:
    if not sort:
        return items
    return sorted(items, key=lambda item: item.from_price, reverse=sort == "price-down")


def _facets(found: list[Published], known: dict[str, str], here: dict[str, str]) -> list[Choice]:
    counts: dict[str, int] = {}
    for item in found:
        counts[item.model.category] = counts.get(item.model.category, 0) + 1
    current = here["category"]
    facets = [Choice(_link(here, category=""), "All", current == "", len(found))]
    for slug, label in known.items():
        if slug in counts or slug == current:
            facets.append(Choice(_link(here, category=slug), label, slug == current, counts.get(slug, 0)))
    return facets


def _link(here: dict[str, str], **changes: str) -> str:
    merged = {**here, **changes}
    kept = {name: value for name, value in merged.items() if value or (name in changes and name == "page")}
    return "/products" + (f"?{urlencode(kept)}" if kept else "")


def linked_data(item: Published, url: str, left: int | None = None) -> dict[str, Any]:
    """The piece in schema.org's words."""
    amount = str(money.major(item.from_price, item.model.currency))
    stocked = "OutOfStock" if left == 0 else "MadeToOrder" if left is None else "InStock"
    price = {"lowPrice": amount, "@type": "AggregateOffer"} if item.model.configurable else {"price": amount}
    offer = {"@type": "Offer", "priceCurrency": item.model.currency, "url": url} | price
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": item.name,
        "description": item.model.sentence,
        "category": item.model.category,
        "sku": item.slug,
        "offers": offer | {"availability": f"https://schema.org/{stocked}"},
    }


@router.get("/dev/style", response_class=HTMLResponse)
def style(request: Request, _who: Who) -> HTMLResponse:
    """Every component once; only in development.

    Raises:
        ShopError: 404 in production.
    """
    if settings_of(request).production:
        raise not_found("page")
    return render(request, "shop/style.html", title="Style")
