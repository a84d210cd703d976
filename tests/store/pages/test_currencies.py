"""Prices in the currency that a visitor chose: in the foot of every page, by an address, from catalogue to payment."""

from typing import Any

import pytest
from sqlmodel import select

from store import db
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store.pages.test_checkout_pages import hidden
from tests.store.selling import HandProvider

ADDRESS = {"name": "Camille", "line1": "3 rue", "city": "Zürich", "postal_code": "8001", "country": "CH"}


def test_a_currency_chosen_in_the_foot_counts_on_every_page_and_in_the_bag(
    buyer: PageBrowser, provider: HandProvider
) -> None:
    buyer.submit("/cart/lines", {"slug": "strap"})
    assert "€290" in buyer.text()
    buyer.submit("/currency", {"currency": "CHF", "next": "/cart"})
    assert "CHF 285" in buyer.text()
    assert '<option value="CHF" selected>CHF, Swiss Franc' in buyer.page
    for address, words in {
        "/": "CHF 285",
        "/products": "from CHF 9,605",
        "/products/watch": "CHF 9,605",
        "/products/strap": "CHF 285",
        "/checkout": "CHF 285",
    }.items():
        buyer.get(address)
        assert words in buyer.text(), address
    assert '"priceCurrency": "CHF"' in buyer.get("/products/strap").text
    buyer.submit("/products/watch", {"choose": "case:gold"})
    assert "CHF 23,520" in buyer.text()
    buyer.submit("/currency", {"currency": "EUR", "next": "/products/watch"})
    assert "€24,000" in buyer.text()
    buyer.get("/cart")
    assert "€290" in buyer.text()


def test_a_bag_in_francs_is_paid_in_francs(buyer: PageBrowser, provider: HandProvider) -> None:
    buyer.submit("/cart/lines", {"slug": "strap"})
    buyer.submit("/currency", {"currency": "CHF", "next": "/checkout"})
    form = {"email": "camille@example.com", **ADDRESS, "currency": "CHF", "seen_total": "29750"}
    form |= {name: hidden(buyer.page, name) for name in ("cart", "key")}
    buyer.submit("/checkout", form, follow=False)
    with db.transaction(read_only=True) as session:
        (order,) = session.exec(select(Order)).all()
        assert (order.currency, order.total) == ("CHF", 29_750)
    buyer.get(f"/orders/{order.number}")
    assert "CHF 297.50" in buyer.text()
    buyer.get(f"/orders/{order.number}/payment", follow=False)
    ((_, opened),) = provider.opened.items()
    assert (opened.amount, opened.currency) == (29_750, "CHF")


@pytest.mark.parametrize("currency", ["SEK", "", "chf;"])
def test_a_currency_without_prices_is_refused(buyer: PageBrowser, currency: str) -> None:
    buyer.get("/")
    answer = buyer.submit("/currency", {"currency": currency or "XXX", "next": "/"}, follow=False)
    assert answer.status_code == 422
    assert buyer.call("POST", "/api/carts", {"currency": "SEK"}).status_code == 422
    assert buyer.get("/api/products?currency=SEK").status_code == 422


def test_the_calls_tell_prices_in_the_currency_asked_for(buyer: PageBrowser) -> None:
    found = {item["slug"]: item["from_price"] for item in buyer.get("/api/products?currency=chf").json()}
    assert found["watch"] == {"amount": 960_500, "currency": "CHF"}
    path = "/api/products/watch/analysis?currency=CHF"
    analysis: dict[str, Any] = buyer.call("POST", path, {"choices": {"case": "gold"}}).json()
    assert analysis["price"]["currency"] == "CHF"
    assert analysis["price"]["amount"] == sum(line["amount"] for line in analysis["price"]["lines"]) == 2_352_000
    case = next(group for group in analysis["groups"] if group["id"] == "case")
    assert {value["id"]: value["price_delta"] for value in case["values"]} == {"steel": -1_391_500, "gold": 0}
    body = {"choices": {"strap": "rubber"}, "want": {"case": "gold"}}
    repairs = buyer.call("POST", "/api/products/watch/repairs?currency=CHF", body).json()["repairs"]
    assert repairs[0]["price_delta"] == 1_391_500
    cheapest = {"choices": {}, "objective": "cheapest"}
    completed = buyer.call("POST", "/api/products/watch/completion?currency=JPY", cheapest).json()
    assert completed["price"]["amount"] == 1_813_000
    saved = {"slug": "watch", "choices": {"case": "gold"}, "texts": {}}
    design = buyer.call("POST", "/api/designs?currency=GBP", saved).json()
    assert (design["price"]["amount"], design["price"]["currency"]) == (2_160_000, "GBP")
    assert buyer.get(f"/api/designs/{design['code']}").json()["price"]["amount"] == 2_400_000


def test_an_order_by_calls_in_another_currency(buyer: PageBrowser) -> None:
    cart = buyer.call("POST", "/api/carts", {"currency": "CHF"}).json()
    assert cart["currency"] == "CHF"
    buyer.call("POST", f"/api/carts/{cart['id']}/lines", {"slug": "strap", "quantity": 2})
    at_home = buyer.get(f"/api/carts/{cart['id']}").json()
    assert at_home["totals"] == {"subtotal": 57_000, "discount": 0, "shipping": 0, "tax": 9_500, "total": 57_000}
    assert at_home["tax_note"] == ""
    there = buyer.get(f"/api/carts/{cart['id']}?country=CH&postal_code=8001").json()
    assert there["totals"] == {"subtotal": 47_500, "discount": 0, "shipping": 6_000, "tax": 0, "total": 53_500}
    row = {"rate_basis_points": 0, "category": "standard", "treatment": "export", "net": 53_500, "tax": 0}
    assert there["taxes"] == [row]
    order = {"cart": cart["id"], "email": "camille@example.com", "address": ADDRESS, "seen_total": 53_500}
    refused = buyer.call("POST", "/api/orders", {**order, "currency": "EUR"}, **{"Idempotency-Key": "a"})
    assert (refused.status_code, refused.json()["title"]) == (409, "Price has changed")
    placed = buyer.call("POST", "/api/orders", {**order, "currency": "CHF"}, **{"Idempotency-Key": "a"}).json()
    assert (placed["currency"], placed["total"], placed["due_now"], placed["tax"]) == ("CHF", 53_500, 53_500, 0)
    assert placed["tax_note"].startswith("Export")


def test_a_business_orders_by_calls_without_vat(buyer: PageBrowser) -> None:
    cart = buyer.call("POST", "/api/carts").json()["id"]
    buyer.call("POST", f"/api/carts/{cart}/lines", {"slug": "strap", "quantity": 1})
    address = {**ADDRESS, "city": "Berlin", "postal_code": "10115", "country": "DE"}
    seen = buyer.get(f"/api/carts/{cart}?country=DE&postal_code=10115&vat_id=DE136695976").json()
    assert (seen["totals"]["total"], seen["taxes"][0]["treatment"]) == (26_268, "reverse-charge")
    order = {"cart": cart, "email": "a@example.com", "address": address, "seen_total": 26_268}
    wrong = {"name": "Acme GmbH", "vat_id": "DE136695975"}
    refused = buyer.call("POST", "/api/orders", {**order, "company": wrong}, **{"Idempotency-Key": "a"})
    assert refused.json()["fields"] == {"vat_id": "This VAT ID has a wrong digit; please compare it with your papers."}
    right = {"name": "Acme GmbH", "vat_id": "DE 136 695 976"}
    placed = buyer.call("POST", "/api/orders", {**order, "company": right}, **{"Idempotency-Key": "a"})
    assert (placed.status_code, placed.json()["total"]) == (201, 26_268)
    assert placed.json()["tax_note"].startswith("Reverse charge")
    private = buyer.call("POST", "/api/orders", order, **{"Idempotency-Key": "a"})
    assert private.status_code == 422  # the same key with another body
