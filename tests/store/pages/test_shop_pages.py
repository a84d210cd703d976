"""Home, the catalogue and pieces without choices, as a visitor without script sees them."""

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from store import db
from store.events import Event, views
from store.shop import stock
from tests.browsers import PageBrowser
from tests.store import selling


@pytest.fixture
def shop(engine: Engine, visitor: PageBrowser, tmp_path: Path) -> PageBrowser:
    """A visitor at the door of the small house."""
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "products")
    return visitor


def test_home_shows_pieces_and_asks_for_consent_with_three_equal_answers(shop: PageBrowser) -> None:
    assert shop.get("/").status_code == 200
    assert "Calf strap" in shop.text()
    assert re.findall(r'name="answer" value="(\w+)"', shop.page) == ["all", "necessary"]
    assert '<a class="btn" href="/consent">Choose</a>' in shop.page
    assert shop.page.count('class="btn" name="answer"') == 2, "no answer is louder than another"


def pieces(shop: PageBrowser, url: str) -> list[str]:
    assert shop.get(url).status_code == 200
    return re.findall(r'<h2><a href="/products/([\w-]+)">', shop.page)


def test_the_catalogue_narrows_by_category_search_and_order(shop: PageBrowser) -> None:
    assert pieces(shop, "/products") == ["watch", "strap", "print-one"]
    assert pieces(shop, "/products?sort=price") == ["strap", "print-one", "watch"]
    assert pieces(shop, "/products?sort=price-down") == ["watch", "print-one", "strap"]
    assert pieces(shop, "/products?category=straps") == ["strap"]
    assert pieces(shop, "/products?q=CÁLF") == ["strap"]
    assert pieces(shop, "/products?category=straps&q=watch") == []
    assert "Nothing found" in shop.text()
    assert shop.get("/products?category=nothing").status_code == 404


def test_a_page_number_out_of_reach_is_empty_and_a_wrong_one_is_refused(shop: PageBrowser) -> None:
    assert pieces(shop, "/products?page=99") == []
    assert shop.get("/products?page=0").status_code == 422
    assert shop.get("/products?page=many").status_code == 422


def test_a_piece_without_choices_goes_into_the_bag_by_one_form(shop: PageBrowser) -> None:
    shop.get("/products/print-one")
    assert "€1,500" in shop.text()
    assert "5 of 5 left" in shop.text()
    answer = shop.submit("/products/print-one", {"act": "bag"}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    shop.get("/")
    assert 'id="bag-count">1<' in shop.page


def test_a_sold_out_piece_says_so_and_offers_no_button(shop: PageBrowser) -> None:
    with db.transaction() as session:
        assert stock.try_reserve(session, "print-one", 5)
    shop.get("/products/print-one")
    assert "Sold out" in shop.text()
    assert 'value="bag"' not in shop.page


def test_a_product_page_tells_search_engines_name_price_and_address(shop: PageBrowser) -> None:
    shop.get("/products/print-one")
    found = re.search(r'<script type="application/ld\+json" nonce="[\w-]+">(.*?)</script>', shop.page)
    assert found
    data = json.loads(found[1])
    assert (data["@type"], data["name"], data["offers"]["price"]) == ("Product", "Edition one", "1500.00")
    assert data["offers"]["availability"] == "https://schema.org/InStock"
    canonical = re.search(r'<link rel="canonical" href="([^"]+)">', shop.page)
    assert canonical
    assert canonical[1].endswith("/products/print-one")


def test_search_engines_find_every_public_page_and_are_kept_from_private_ones(shop: PageBrowser) -> None:
    robots = shop.get("/robots.txt").text.splitlines()
    assert {"User-agent: *", "Disallow: /account", "Disallow: /office", "Disallow: /uploads/"} <= set(robots)
    sitemap = robots[-1].removeprefix("Sitemap: ")
    found = shop.get(re.sub(r"^https?://[^/]+", "", sitemap))
    assert found.headers["content-type"] == "application/xml"
    paths = [url.partition("://")[2].partition("/")[2] for url in re.findall("<loc>(.*?)</loc>", found.text)]
    assert paths == [
        *("", "products", "products?category=timepieces", "products?category=straps", "products?category=editions"),
        *("products/watch", "products/strap", "products/print-one"),
    ]
    for path in paths:
        page = shop.get(f"/{path}")
        assert page.status_code == 200
        assert 'content="noindex"' not in page.text


def test_an_unknown_piece_is_a_404_in_the_houses_own_style(shop: PageBrowser) -> None:
    assert shop.get("/products/zeppelin").status_code == 404
    assert "We could not find that piece." in shop.text()
    assert 'class="wordmark"' in shop.page


def test_the_policy_forbids_inline_code_and_no_page_has_any(shop: PageBrowser) -> None:
    for url in ("/", "/products", "/products/watch", "/products/print-one", "/dev/style"):
        answer = shop.get(url)
        assert answer.status_code == 200, url
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
        assert not re.search(r"\sstyle=|\son\w+=|<style", shop.page), url


def test_a_view_is_remembered_only_with_consent_and_never_on_the_request(shop: PageBrowser) -> None:
    shop.get("/products/watch")
    assert views.flush() == 0, "nobody was asked yet"
    shop.submit("/consent", {"answer": "all", "next": "/"})
    views.flush()
    shop.get("/products/watch")
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Event).where(Event.kind == "view", Event.product == "watch")).all() == []
    assert views.flush() == 1
    with db.transaction(read_only=True) as session:
        (event,) = session.exec(select(Event).where(Event.kind == "view", Event.product == "watch")).all()
        assert event.session_id is not None
