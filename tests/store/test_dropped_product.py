"""A product file that somebody drops into the house sells end to end, with rules of its own and without any code."""

from typing import Any

import pytest
from sqlalchemy import Engine

import configurator
from store import db
from store.events import NOBODY
from store.shop import catalog
from tests.browsers import PageBrowser

LANTERN = """
product: phare
name: Phare
sentence: A lantern for a pier of one's own.
category: lanterns
currency: EUR
base: {price: 120000, cost: 50000, lead_days: 20}
groups:
  - id: body
    label: Body
    options:
      - {id: brass, label: Brass, attributes: {metal: brass}, default: true}
      - {id: iron, label: Iron, price: -20000, cost: -9000, attributes: {metal: iron}}
      - {id: silver, label: Silver, price: 400000, cost: 210000, lead_days: 10, attributes: {metal: silver}}
  - id: light
    label: Light
    options:
      - {id: oil, label: Oil, default: true}
      - {id: electric, label: Electric, price: 15000, cost: 6000}
  - id: sides
    label: Sides
    integer: {min: 4, max: 8, step: 2}
  - id: extras
    label: Extras
    several: {at_most: 2}
    options:
      - {id: chain, label: Chain, price: 9000, cost: 3000}
      - {id: hook, label: Hook, price: 4000, cost: 1000}
      - {id: shade, label: Shade, price: 12000, cost: 5000}
  - id: name
    label: Name
    text: {max_length: 10, characters: "letters space"}
rules:
  - {id: silver-oil, if: {body: silver}, then: {light: oil}, reason: Silver is only lit by oil.}
  - {id: iron-hook, never: {body: iron, extras: chain}, reason: The chain would mark the iron.}
prices:
  - {id: sides, each_of: sides, add: 2500, label: Glass sides}
  - {id: name, each_character_of: name, free: 2, add: 700, label: Name}
"""

ADDRESS = {"name": "Ada", "line1": "1 rue", "city": "Paris", "postal_code": "75001", "country": "FR"}


@pytest.fixture
def dropped(engine: Engine) -> None:
    with db.transaction() as session:
        (model,) = configurator.parse(LANTERN, "phare.yaml")
        catalog.publish(session, model, NOBODY)
        catalog.refresh(session)


def ask(visitor: PageBrowser, call: str, body: dict[str, Any]) -> Any:
    return visitor.call("POST", f"/api/products/phare/{call}", body).json()


def test_it_is_listed_under_its_own_category_and_has_a_page(dropped: None, visitor: PageBrowser) -> None:
    assert visitor.get("/products?category=lanterns").status_code == 200
    assert "Phare" in visitor.text()
    assert visitor.get("/products/phare").status_code == 200
    assert "Silver" in visitor.text()


def test_its_rules_hold_with_their_reasons(dropped: None, visitor: PageBrowser) -> None:
    state = ask(visitor, "analysis", {"choices": {"body": "silver"}})
    light = next(group for group in state["groups"] if group["id"] == "light")
    assert {value["id"]: value["state"] for value in light["values"]} == {"oil": "chosen", "electric": "impossible"}
    why = ask(visitor, "explanation", {"choices": {"body": "silver"}, "want": {"light": "electric"}})
    assert why["culprits"] == [{"group": "body", "value": "silver"}]
    assert why["rules"] == [{"id": "silver-oil", "reason": "Silver is only lit by oil."}]
    ways = ask(visitor, "repairs", {"choices": {"body": "silver"}, "want": {"light": "electric"}})["repairs"]
    # Brass instead of silver is 4,000.00 less, electric light 150.00 more.
    assert ways[0]["set"] | {"light": "electric"} == ways[0]["set"]
    assert ways[0]["price_delta"] == -385_000


def test_it_is_priced_saved_and_ordered_to_the_cent(dropped: None, visitor: PageBrowser) -> None:
    choices = {"body": "iron", "sides": 6, "extras": ["hook"]}
    design = visitor.call("POST", "/api/designs", {"slug": "phare", "choices": choices, "texts": {"name": "Ada L"}})
    assert design.status_code == 201
    # 1,200.00 − 200.00 + 40.00 + 6 × 25.00 + 3 characters beyond two, a space not counting as free: 3 × 7.00
    price = design.json()["price"]["amount"]
    assert price == 120_000 - 20_000 + 4_000 + 6 * 2_500 + 3 * 700
    cart = visitor.call("POST", "/api/carts").json()["id"]
    visitor.call("POST", f"/api/carts/{cart}/lines", {"design": design.json()["code"], "quantity": 2})
    total = visitor.call("GET", f"/api/carts/{cart}").json()["totals"]["total"]
    assert total == 2 * price
    body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
    placed = visitor.call("POST", "/api/orders", body, Idempotency_Key="lantern-1")
    assert placed.status_code == 201
    assert placed.json()["total"] == placed.json()["due_now"] == total
    assert visitor.get(placed.json()["order_url"]).status_code == 200
    assert "Phare" in visitor.text()
