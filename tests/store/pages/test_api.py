"""The JSON calls of the contract: honest answers, RFC 9457 refusals, nothing written on a refusal."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from store import db
from store.shop import designs
from store.shop.carts import CartLine
from store.shop.designs import Design
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store.selling import HandProvider

ADDRESS = {"name": "Camille", "line1": "3 rue", "city": "Nantes", "postal_code": "44000", "country": "FR"}


def bag(buyer: PageBrowser, *lines: dict[str, Any]) -> dict[str, Any]:
    cart: dict[str, Any] = buyer.call("POST", "/api/carts").json()
    for line in lines:
        cart = buyer.call("POST", f"/api/carts/{cart['id']}/lines", line).json()
    return cart


def order(buyer: PageBrowser, cart: dict[str, Any], key: str = "key", **changed: Any) -> Any:
    body = {"cart": cart["id"], "email": "c@example.com", "address": ADDRESS, "seen_total": cart["totals"]["total"]}
    return buyer.call("POST", "/api/orders", {**body, **changed}, Idempotency_Key=key)


def rows(table: type[Any]) -> int:
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(table)).all())


def test_products_say_from_which_price(buyer: PageBrowser) -> None:
    assert buyer.call("GET", "/api/products").json() == [
        {"slug": "watch", "name": "Watch", "configurable": True, "from_price": {"amount": 980000, "currency": "EUR"}},
        {
            "slug": "strap",
            "name": "Calf strap",
            "configurable": False,
            "from_price": {"amount": 29000, "currency": "EUR"},
        },
        {
            "slug": "print-one",
            "name": "Edition one",
            "configurable": False,
            "from_price": {"amount": 150000, "currency": "EUR"},
        },
    ]


def test_an_analysis_tells_state_price_and_days(buyer: PageBrowser) -> None:
    found = buyer.call("POST", "/api/products/watch/analysis", {"choices": {"strap": "rubber"}}).json()
    assert found["choices"] == {"strap": "rubber"}
    assert found["price"] == {"amount": 980000, "currency": "EUR", "lines": [{"label": "Watch", "amount": 980000}]}
    assert found["lead_time"] == {"min_days": 56, "max_days": 70}
    case, strap = found["groups"][:2]
    assert case["values"][1] == {
        "id": "gold",
        "label": "Gold",
        "state": "impossible",
        "price_delta": None,
        "lead_time_delta_days": None,
    }
    assert [value["state"] for value in strap["values"]] == ["open", "chosen"]


def test_engraving_is_priced_with_the_analysis(buyer: PageBrowser) -> None:
    body = {"choices": {}, "texts": {"engraving": "ABCDE"}}
    assert buyer.call("POST", "/api/products/watch/analysis", body).json()["price"]["amount"] == 980000 + 2 * 1500


def test_conflicting_choices_are_a_problem_with_culprits(buyer: PageBrowser) -> None:
    for call in ("analysis", "completion"):
        answer = buyer.call("POST", f"/api/products/watch/{call}", {"choices": {"case": "gold", "strap": "rubber"}})
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert {culprit["group"] for culprit in answer.json()["culprits"]} == {"case", "strap"}
        assert answer.json()["rules"][0]["id"] == "rubber-clasp"


def test_an_impossible_wish_is_explained_and_repaired(buyer: PageBrowser) -> None:
    body = {"choices": {"case": "gold"}, "want": {"strap": "rubber"}}
    why = buyer.call("POST", "/api/products/watch/explanation", body).json()
    assert why == {
        "culprits": [{"group": "case", "value": "gold"}],
        "rules": [{"id": "rubber-clasp", "reason": "Rubber straps close with a steel clasp only."}],
    }
    (repair,) = buyer.call("POST", "/api/products/watch/repairs", body).json()["repairs"]
    assert repair["price_delta"] == -1420000
    choices = {group: value for group, value in body["choices"].items() if group not in repair["drop"]}
    repaired = {**choices, **repair["set"], **body["want"]}
    assert buyer.call("POST", "/api/products/watch/analysis", {"choices": repaired}).status_code == 200


@pytest.mark.parametrize("objective", ["default", "cheapest", "fastest", "taste"])
def test_a_completion_is_complete(buyer: PageBrowser, objective: str) -> None:
    found = buyer.call(
        "POST", "/api/products/watch/completion", {"choices": {"case": "gold"}, "objective": objective}
    ).json()
    assert found["complete"]
    assert found["choices"]["case"] == "gold"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/products/none/analysis", {"choices": {}}, 404),
        ("POST", "/api/products/watch/analysis", {"choices": []}, 422),
        ("POST", "/api/products/watch/analysis", {"choices": {"case": ["steel"]}}, 422),
        ("POST", "/api/products/watch/analysis", {"choices": {"hull": "blue"}}, 422),
        ("POST", "/api/products/watch/completion", {"choices": {}, "objective": "dearest"}, 422),
        ("POST", "/api/products/watch/explanation", {"choices": {}}, 422),
        ("POST", "/api/designs", {"slug": "none", "choices": {}}, 404),
        ("POST", "/api/designs", {"slug": "watch", "choices": {"case": "gold", "strap": "rubber"}}, 409),
        ("POST", "/api/designs", {"slug": "watch", "texts": {"engraving": 5}}, 422),
        ("GET", "/api/designs/ABCDEFGH", None, 404),
        ("GET", "/api/carts/car_none", None, 404),
        ("POST", "/api/carts/car_none/lines", {"slug": "strap"}, 404),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    buyer: PageBrowser, method: str, path: str, body: Any, status: int
) -> None:
    answer = buyer.call(method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert len(answer.json()["detail"]) > 10
    assert rows(Design) == 0


def test_a_design_keeps_its_words_for_its_owner(buyer: PageBrowser, stranger: PageBrowser) -> None:
    body = {"slug": "watch", "choices": {"case": "gold"}, "texts": {"engraving": "Hidden"}}
    saved = buyer.call("POST", "/api/designs", body)
    assert saved.status_code == 201
    assert saved.json()["price"]["amount"] == 2400000 + 3 * 1500
    code = saved.json()["code"]
    assert saved.json()["url"].endswith(f"/designs/{code}")
    assert buyer.call("GET", f"/api/designs/{code}").json()["texts"] == {"engraving": "Hidden"}
    seen = stranger.call("GET", f"/api/designs/{code.lower()}").json()
    assert (seen["texts"], seen["price"]["amount"], seen["choices"]) == ({}, 2400000, {"case": "gold"})


def test_the_price_is_the_same_from_page_to_payment(buyer: PageBrowser, provider: HandProvider) -> None:
    body = {"choices": {"case": "gold"}, "texts": {"engraving": "C. 14.02.26"}}
    price = buyer.call("POST", "/api/products/watch/analysis", body).json()["price"]["amount"]
    saved = buyer.call("POST", "/api/designs", {"slug": "watch", **body}).json()
    cart = bag(buyer, {"design": saved["code"]})
    placed = order(buyer, cart).json()
    url = urlsplit(placed["payment_url"])
    buyer.get(f"{url.path}?{url.query}", follow=False)
    (asked,) = provider.opened.values()
    assert price == saved["price"]["amount"] == cart["lines"][0]["unit_price"] == cart["totals"]["total"] == 2412000
    assert placed["total"] == placed["due_now"] == sum(part["amount"] for part in placed["schedule"]) == 2412000
    assert asked.amount == 2412000


def test_a_forged_price_is_ignored(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "watch", "quantity": 1, "unit_price": 1, "price": {"amount": 1}, "amount": 1})
    assert cart["totals"] == {"subtotal": 980000, "discount": 0, "shipping": 0, "tax": 163333, "total": 980000}


@pytest.mark.parametrize("line", [{}, {"slug": "strap", "design": "X"}, {"slug": "strap", "quantity": 0}])
def test_a_wrong_line_is_refused(buyer: PageBrowser, line: dict[str, Any]) -> None:
    cart = bag(buyer)
    assert buyer.call("POST", f"/api/carts/{cart['id']}/lines", line).status_code == 422
    assert rows(CartLine) == 0


@pytest.mark.parametrize("quantity", ["2", 1.5, True, 100, -1])
def test_a_quantity_is_a_number_from_1_to_99(buyer: PageBrowser, quantity: Any) -> None:
    cart = bag(buyer)
    answer = buyer.call("POST", f"/api/carts/{cart['id']}/lines", {"slug": "strap", "quantity": quantity})
    assert answer.status_code == 422
    assert rows(CartLine) == 0


def test_an_order_is_answered_alike_however_often_it_is_asked_for(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "print-one"})
    first, again, other = order(buyer, cart), order(buyer, cart), order(buyer, cart, "key-2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 200)
    assert first.json() == again.json() == other.json()
    assert order(buyer, cart, email="d@example.com").status_code == 422
    assert rows(Order) == 1


def test_five_calls_at_once_name_the_same_order(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "print-one"})
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda number: order(buyer, cart, f"key-{number}"), range(5)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert rows(Order) == 1


def test_a_total_that_was_seen_lower_is_refused_with_the_trace(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "watch"})
    answer = order(buyer, cart, seen_total=979999)
    assert (answer.status_code, answer.json()["title"]) == (409, "Price has changed")
    assert answer.json()["lines"][0]["trace"] == [{"label": "Watch", "amount": 980000}]
    assert rows(Order) == 0
    assert order(buyer, cart).status_code == 201


def test_delivery_abroad_is_part_of_the_total(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "strap"})
    abroad = {**ADDRESS, "country": "DE"}
    answer = order(buyer, cart, address=abroad)
    assert (answer.status_code, answer.json()["totals"]["shipping"]) == (409, 2500)
    assert order(buyer, cart, address=abroad, seen_total=31500).json()["total"] == 31500


@pytest.mark.parametrize(
    "changed",
    [
        {"email": "nobody"},
        {"address": {**ADDRESS, "country": "XX"}},
        {"address": {**ADDRESS, "city": " "}},
        {"address": "at home"},
        {"seen_total": "12"},
        {"seen_total": -1},
    ],
)
def test_a_wrong_order_is_refused_in_a_sentence(buyer: PageBrowser, changed: dict[str, Any]) -> None:
    cart = bag(buyer, {"slug": "strap"})
    answer = order(buyer, cart, **changed)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert rows(Order) == 0


def test_an_order_needs_its_key(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "strap"})
    body = {"cart": cart["id"], "email": "c@example.com", "address": ADDRESS, "seen_total": 29000}
    assert buyer.call("POST", "/api/orders", body).status_code == 422
    assert rows(Order) == 0


def test_sold_out_is_a_friendly_409(buyer: PageBrowser, stranger: PageBrowser) -> None:
    mine, theirs = (
        bag(buyer, {"slug": "print-one", "quantity": 3}),
        bag(stranger, {"slug": "print-one", "quantity": 3}),
    )
    assert order(stranger, theirs, "key-1").status_code == 201
    answer = order(buyer, mine, "key-2")
    assert (answer.status_code, answer.json()["title"]) == (409, "Sold out")
    assert answer.json()["detail"] == "Only 2 of Edition one are left."
    assert buyer.call("GET", f"/api/carts/{mine['id']}").json()["problems"] == ["Only 2 of Edition one are left."]


def test_calls_from_another_site_are_refused(buyer: PageBrowser) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        answer = buyer.call("POST", "/api/carts", None, **headers)
        assert answer.status_code == 403
        assert buyer.call("POST", "/api/designs", {"slug": "watch"}, **headers).status_code == 403
    assert rows(Design) == 0


def test_a_design_of_somebody_else_is_bought_without_its_words(buyer: PageBrowser, stranger: PageBrowser) -> None:
    saved = buyer.call("POST", "/api/designs", {"slug": "watch", "texts": {"engraving": "Hidden"}}).json()
    (line,) = bag(stranger, {"design": saved["code"]})["lines"]
    assert (line["texts"], line["unit_price"]) == ({}, 980000)
    with db.transaction(read_only=True) as session:
        assert designs.by_code(session, saved["code"]).texts == {"engraving": "Hidden"}


def test_openapi_tells_the_calls(buyer: PageBrowser) -> None:
    paths = buyer.call("GET", "/openapi.json").json()["paths"]
    place = paths["/api/orders"]["post"]
    assert {"201", "404", "409", "422"} <= set(place["responses"])
    assert place["parameters"][0]["name"].lower() == "idempotency-key"
    assert "/webhooks/stripe" in paths
    assert not any(path.startswith("/cart") for path in paths)


def test_sixty_calls_at_once_are_all_answered(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "print-one"})

    def call(number: int) -> tuple[int, str]:
        if number % 2:
            answer = order(buyer, cart, f"key-{number}")
            return answer.status_code, answer.json().get("number", "")
        return buyer.call("POST", "/api/carts").status_code, ""

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(call, range(60)))
    assert {status for status, _ in answers} <= {200, 201}
    assert len({number for _, number in answers if number}) == 1
    assert rows(Order) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"seen_total": 10**30},
        {"address": ADDRESS | {"name": "a\x00b"}},
        {"address": ADDRESS | {"name": "\x1b[31m"}},
        {"address": ADDRESS | {"line1": "1 rue \u202eevil"}},
    ],
)
def test_what_cannot_be_stored_or_written_on_a_parcel_is_refused(buyer: PageBrowser, changed: dict[str, Any]) -> None:
    cart = bag(buyer, {"slug": "strap", "quantity": 1})
    assert order(buyer, cart, **changed).status_code == 422
    assert rows(Order) == 0


def test_the_bags_id_alone_is_no_key_to_the_orders_page(buyer: PageBrowser, another: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "strap", "quantity": 1})
    mine = order(buyer, cart).json()
    found = order(another, cart, key="stranger", email="stranger@example.com")
    assert (found.status_code, found.json()["number"]) == (200, mine["number"])
    assert "key=" not in found.json()["order_url"] + found.json()["payment_url"]
    assert another.get(found.json()["order_url"]).status_code == 404
    assert order(buyer, cart, key="second tab").json()["order_url"] == mine["order_url"]


def test_an_unpaid_orders_page_does_not_hold_the_word_paid(buyer: PageBrowser) -> None:
    cart = bag(buyer, {"slug": "strap", "quantity": 1})
    buyer.get(order(buyer, cart).json()["order_url"])
    assert "Placed" in buyer.text()
    assert "Paid" not in buyer.text()
