"""What search engines read: which pages to visit, and where they are."""

from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from store.db import Db
from store.pages.shop import address
from store.shop import catalog

router = APIRouter(include_in_schema=False)

# Somebody's own pages, and addresses without end; each says noindex besides.
PRIVATE = (
    "/account",
    "/api/",
    "/cart",
    "/checkout",
    "/compare",
    "/dev/",
    "/office",
    "/orders/",
    "/sign-in",
    "/uploads/",
)


@router.get("/robots.txt")
def robots(request: Request) -> PlainTextResponse:
    """The public pages are open to everyone."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        f"Sitemap: {address(request, '/sitemap.xml')}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/sitemap.xml")
def sitemap(request: Request, session: Db) -> Response:
    """Home, every category, every piece that is sold."""
    paths = ["/", "/products"]
    paths += [f"/products?category={slug}" for slug, _ in catalog.categories(session)]
    paths += [f"/products/{item.slug}" for item in catalog.listing(session)]
    rows = "".join(f"<url><loc>{escape(address(request, path))}</loc></url>\n" for path in paths)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    )
    return Response(document, media_type="application/xml")
