"""Suggestions on the checkout page and by JSON: shown, added by one click, declined, switched off; without script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from store import db, experiments
from store.events import Visitor
from store.shop import carts, taste
from store.shop.bags import Cart, CartLine
from store.shop.suggestions import Suggestion
from tests.browsers import PageBrowser

GOLD = {"case": "rose-gold", "strap": "alligator", "leather": "cognac"}
ADD = re.compile(r'formaction="(/checkout/suggestions/(\w+)/addition)"')


@pytest.fixture(autouse=True)
def _untrained() -> Iterator[None]:
    """The catalogue's own order ranks."""
    yield
    taste.use_models(Path("/nowhere"))


def design(browser: PageBrowser, **choices: str) -> str:
    made = browser.call("POST", "/api/designs", {"slug": "meridien", "choices": choices, "texts": {}})
    assert made.status_code == 201
    return str(made.json()["code"])


def bag(browser: PageBrowser, arm: str = "shown", **choices: str) -> str:
    """A bag of an arm, by JSON, with a watch in it."""
    code = design(browser, **choices)
    while True:
        cart_id = str(browser.call("POST", "/api/carts").json()["id"])
        if experiments.draw(experiments.CHECKOUT_SUGGESTIONS, cart_id) == arm:
            break
        with db.transaction() as session:  # another bag for the same browser
            cart = session.get_one(Cart, cart_id)
            carts.close(session, Visitor(session_id=cart.session_id), cart)
    assert browser.call("POST", f"/api/carts/{cart_id}/lines", {"design": code, "quantity": 1}).status_code == 201
    return cart_id


def kept() -> list[Suggestion]:
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(Suggestion).order_by(col(Suggestion.position))).all())


def test_json_tells_at_most_three_fitting_pieces_with_reason_and_price(visitor: PageBrowser) -> None:
    cart = bag(visitor, **GOLD)
    items = visitor.call("GET", f"/api/carts/{cart}/suggestions").json()["items"]
    assert len(items) == 3
    strap = next(item for item in items if item["slug"].startswith("strap-"))
    assert (strap["reason"], strap["fits"], strap["in_cart"]) == ("Cognac, like your Méridien", True, False)
    assert strap["choices"]["buckle"] == "rose-gold"
    assert strap["price"]["currency"] == "EUR"
    assert strap["price"]["amount"] == sum(line["amount"] for line in strap["price"]["lines"])
    added = visitor.call("POST", "/api/designs", {"slug": strap["slug"], "choices": strap["choices"], "texts": {}})
    line = {"design": added.json()["code"], "quantity": 1}
    before = visitor.call("GET", f"/api/carts/{cart}").json()["totals"]["total"]
    after = visitor.call("POST", f"/api/carts/{cart}/lines", line).json()["totals"]["total"]
    assert after == before + strap["price"]["amount"]
    left = visitor.call("GET", f"/api/carts/{cart}/suggestions").json()["items"]
    assert strap["slug"] not in {item["slug"] for item in left}
    assert next(row for row in kept() if row.id == strap["id"]).added_at is not None


def test_a_control_bag_is_told_nothing_and_an_unknown_one_is_404(visitor: PageBrowser) -> None:
    cart = bag(visitor, "control", **GOLD)
    assert visitor.call("GET", f"/api/carts/{cart}/suggestions").json() == {"items": []}
    assert [row.arm for row in kept()] == ["control"] * 3
    assert visitor.call("GET", "/api/carts/car_nowhere/suggestions").status_code == 404


def test_an_ordered_or_empty_bag_asks_for_nothing(visitor: PageBrowser) -> None:
    cart = visitor.call("POST", "/api/carts").json()["id"]
    assert visitor.call("GET", f"/api/carts/{cart}/suggestions").json() == {"items": []}
    assert kept() == []


def test_one_click_adds_exactly_the_design_and_keeps_what_was_typed(visitor: PageBrowser) -> None:
    cart = bag(visitor, **GOLD)
    page = visitor.get("/checkout").text
    assert "Cognac, like your Méridien" in page
    assert "Why do you show me these" in page
    address, suggestion_id = next(iter(ADD.findall(page)))
    answer = visitor.submit(address, {"cart": cart, "city": "Vilnius"})
    assert answer.status_code == 200
    assert 'value="Vilnius"' in answer.text
    row = next(row for row in kept() if row.id == suggestion_id)
    with db.transaction(read_only=True) as session:
        lines = session.exec(select(CartLine).where(CartLine.suggestion_id == suggestion_id)).all()
        assert [(line.slug, line.quantity) for line in lines] == [(row.slug, 1)]
    assert f"/checkout/suggestions/{suggestion_id}/addition" not in answer.text


def test_not_for_me_is_not_shown_again_and_off_means_off(visitor: PageBrowser) -> None:
    cart = bag(visitor, **GOLD)
    (first, suggestion_id), *_ = ADD.findall(visitor.get("/checkout").text)
    after = visitor.submit(first.replace("addition", "refusal"), {"cart": cart}).text
    assert suggestion_id not in after
    assert len(ADD.findall(after)) == 3
    off = visitor.submit("/checkout/suggestions/switch", {"cart": cart, "suggestions": "off"}).text
    assert ADD.findall(off) == []
    assert "Turn them on" in off
    assert visitor.call("GET", f"/api/carts/{cart}/suggestions").json() == {"items": []}
    again = visitor.submit("/checkout/suggestions/switch", {"cart": cart, "suggestions": "on"}).text
    assert len(ADD.findall(again)) == 3


def test_a_stranger_a_forged_form_and_a_wrong_id_change_nothing(visitor: PageBrowser, another: PageBrowser) -> None:
    cart = bag(visitor, **GOLD)
    (address, _), *_ = ADD.findall(visitor.get("/checkout").text)
    assert visitor.submit(address, {"cart": cart}, csrf="forged").status_code == 403
    assert visitor.submit("/checkout/suggestions/sug_none/addition", {"cart": cart}).status_code == 404
    own = bag(another)
    assert another.submit(address, {"cart": own}).status_code == 404
    with db.transaction(read_only=True) as session:
        assert {line.slug for line in session.exec(select(CartLine)).all()} == {"meridien"}


def test_completion_by_taste_is_complete_and_valid_while_nothing_was_learned(visitor: PageBrowser) -> None:
    body = {"choices": {"case": "rose-gold"}, "objective": "taste"}
    answer = visitor.call("POST", "/api/products/meridien/completion", body).json()
    assert answer["complete"]
    assert answer["choices"]["case"] == "rose-gold"
