"""The owner's desk: the products with their published versions, and what the rules' findings say."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from store import people
from store.crm import order_book
from store.db import Db
from store.office.deps import SeesProducts, show
from store.shop import catalog, publishing, stock

router = APIRouter(prefix="/office/products", include_in_schema=False)


@router.get("")
def list_products(request: Request, session: Db, staff: SeesProducts, q: str = "") -> HTMLResponse:
    """What is sold, with its current version and what is to be looked at."""
    items = catalog.listing(session, query=q[:100])
    context = {
        "items": items,
        "versions": {item.slug: catalog.versions_of(session, item.slug) for item in items},
        "sold": order_book.sold_pieces(session),
        "free": stock.available(session, [item.slug for item in items if item.counted]),
        "categories": dict(catalog.categories(session)),
        "q": q[:100],
    }
    return show(request, staff, "products.html", context, title="Products")


@router.get("/{slug}")
def show_product(request: Request, slug: str, session: Db, staff: SeesProducts) -> HTMLResponse:
    """One product: its versions, its rules with their reasons, and the findings about them."""
    item = catalog.published(session, slug)
    versions = catalog.versions_of(session, slug)
    context = {
        "item": item,
        "versions": versions,
        "current": next(row for row in versions if row.current),
        "free": stock.available(session, [slug]).get(slug),
        "draft": publishing.draft_of(session, staff, slug),
        "authors": people.names_of_staff(session, [row.published_by for row in versions]),
        "category": dict(catalog.categories(session)).get(item.model.category, item.model.category),
    }
    return show(request, staff, "product.html", context, title=item.name)
