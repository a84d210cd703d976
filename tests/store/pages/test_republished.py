"""A product republished while somebody buys it: checked and priced anew at bag, order and payment; nothing is lost."""

import pytest
from fastapi import FastAPI
from sqlmodel import select

from configurator import parse
from store import db
from store.events import NOBODY
from store.shop import catalog
from store.shop.bags import CartLine
from store.shop.orders import Order, OrderLine
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.pages.test_checkout_pages import order_form, the_order
from tests.store.selling import HandProvider

CHOICES = {"case": "gold", "strap": "calf"}
RETIRED = selling.WATCH.replace("id: gold, label", "id: gold, retired: true, label")
DEARER = selling.WATCH.replace("price: 980000", "price: 990000")
CHEAPER = selling.WATCH.replace("price: 980000", "price: 970000")
_CLASP = next(line for line in selling.WATCH.splitlines(keepends=True) if "rubber-clasp" in line)
RULED = selling.WATCH.replace(
    _CLASP, "  - {id: gold-rubber, if: {case: gold}, then: {strap: rubber}, reason: Gold takes rubber.}\n"
)
RENAMED = selling.WATCH.replace("id: gold, label: Gold", "id: yellow, renamed_from: [gold], label: Yellow gold")


def republish(text: str) -> None:
    (model,) = parse(text, "watch.yaml")
    with db.transaction() as session:
        catalog.publish(session, model, NOBODY)
    catalog.forget()


def save(browser: PageBrowser) -> str:
    body = {"slug": "watch", "choices": CHOICES, "texts": {"engraving": "Mine"}}
    code: str = browser.call("POST", "/api/designs", body).json()["code"]
    return code


def bagged(browser: PageBrowser) -> str:
    code = save(browser)
    browser.get(f"/designs/{code}")
    browser.submit(f"/designs/{code}/bag", {})
    return code


def orders_placed() -> int:
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(Order)).all())


@pytest.mark.parametrize(
    ("text", "kinds", "price"),
    [
        (RETIRED, ["retired", "price"], 981500),
        (DEARER, ["price"], 2411500),
        (CHEAPER, ["price"], 2391500),
        (RENAMED, ["renamed"], 2401500),
    ],
)
def test_a_saved_design_opens_on_the_newest_version_saying_what_changed(
    buyer: PageBrowser, text: str, kinds: list[str], price: int
) -> None:
    code = save(buyer)
    republish(text)
    now = buyer.call("GET", f"/api/designs/{code}").json()
    assert [change["kind"] for change in now["changes"]] == kinds
    assert now["price"]["amount"] == price
    assert now["texts"] == {"engraving": "Mine"}
    buyer.get(f"/designs/{code}")
    words = [change["words"] for change in now["changes"] if change["words"]]
    assert words
    for page in (f"/designs/{code}", "/account/designs"):
        buyer.get(page)
        assert all(sentence in buyer.text() for sentence in words), page


def test_a_rule_that_came_between_repairs_the_design_and_names_it(buyer: PageBrowser) -> None:
    code = save(buyer)
    republish(RULED)
    now = buyer.call("GET", f"/api/designs/{code}").json()
    assert next(change["kind"] for change in now["changes"]) == "repaired"
    assert len([change for change in now["changes"] if change["kind"] == "repaired"]) == 1


@pytest.mark.parametrize(("text", "said"), [(RETIRED, "Gold is no longer made"), (RULED, "has changed since")])
def test_in_the_bag_what_is_lost_is_named_and_one_click_takes_the_rest(
    buyer: PageBrowser, text: str, said: str
) -> None:
    code = bagged(buyer)
    republish(text)
    buyer.get("/cart")
    assert said in buyer.text()
    assert 'href="/checkout"' not in buyer.page
    line = buyer.page.split('name="line" value="')[1].split('"')[0]
    buyer.submit(f"/designs/{code}/bag", {"line": line})
    assert said not in buyer.text()
    assert "Mine" in buyer.text()
    assert 'href="/checkout"' in buyer.page
    with db.transaction(read_only=True) as session:
        assert len(session.exec(select(CartLine)).all()) == 1


@pytest.mark.parametrize(("text", "price", "word"), [(DEARER, "€24,115", "risen"), (CHEAPER, "€23,915", "fallen")])
def test_in_the_bag_a_moved_price_is_told_and_may_be_ordered(
    buyer: PageBrowser, text: str, price: str, word: str
) -> None:
    bagged(buyer)
    republish(text)
    buyer.get("/cart")
    assert price in buyer.text()
    assert f"has {word} by €100" in buyer.text()
    assert 'href="/checkout"' in buyer.page


def test_a_lost_choice_is_refused_when_it_is_put_into_a_bag(buyer: PageBrowser) -> None:
    code = save(buyer)
    republish(RETIRED)
    cart = buyer.call("POST", "/api/carts").json()["id"]
    refused = buyer.call("POST", f"/api/carts/{cart}/lines", {"design": code, "quantity": 1})
    assert refused.status_code == 409
    assert "Gold is no longer made" in refused.json()["detail"]
    assert refused.json()["choices"] == {"strap": "calf"}
    assert buyer.call("GET", f"/api/carts/{cart}").json()["lines"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [(RETIRED, "no longer made"), (RULED, "has changed since"), (DEARER, "risen")],
)
def test_at_the_order_what_changed_since_is_refused_and_the_bag_kept(buyer: PageBrowser, text: str, said: str) -> None:
    bagged(buyer)
    form = order_form(buyer)
    republish(text)
    buyer.submit("/checkout", form, follow=False)
    assert said in buyer.text()
    assert orders_placed() == 0
    with db.transaction(read_only=True) as session:
        assert len(session.exec(select(CartLine)).all()) == 1


def test_at_the_order_a_lower_price_is_simply_taken(buyer: PageBrowser) -> None:
    bagged(buyer)
    form = order_form(buyer)
    republish(CHEAPER)
    assert buyer.submit("/checkout", form, follow=False).status_code == 303
    assert the_order().subtotal == 2391500


@pytest.mark.parametrize("text", [RETIRED, DEARER, CHEAPER, RULED])
def test_at_the_payment_the_order_stands_as_it_was_agreed(
    buyer: PageBrowser, provider: HandProvider, text: str
) -> None:
    bagged(buyer)
    buyer.submit("/checkout", order_form(buyer), follow=False)
    order = the_order()
    republish(text)
    answer = buyer.get(f"/orders/{order.number}/payment", follow=False)
    assert answer.status_code == 303
    (request,) = provider.opened.values()
    assert (request.amount, order.subtotal) == (order.total, 2401500)


def test_at_the_payment_an_order_that_was_altered_is_not_charged(
    counter: FastAPI, buyer: PageBrowser, provider: HandProvider
) -> None:
    bagged(buyer)
    buyer.submit("/checkout", order_form(buyer), follow=False)
    order = the_order()
    with db.transaction() as session:
        line = session.exec(select(OrderLine).where(OrderLine.order_id == order.id)).one()
        line.choices = {"case": "steel"}
        session.add(line)
    assert buyer.get(f"/orders/{order.number}/payment", follow=False).status_code == 409
    assert "nothing is charged" in buyer.text()
    assert provider.opened == {}
