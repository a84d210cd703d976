"""CPU of a request: product page, list, durable add, whole checkout; each page beside a constant one of its size."""

import re
import sys
import uuid
from collections.abc import Callable
from functools import partial

import httpx2

from tests.benchmarks.processes import Server, free_port, running, shop

ROUNDS = 200
CHECKOUTS = 30
TOKEN = re.compile(r'name="csrf"\s+value="([^"]+)"')
ADDRESS = {"name": "Ada", "line1": "1 rue", "city": "Paris", "postal_code": "75001", "country": "FR"}


def measure() -> dict[str, str]:
    """CPU milliseconds of the server for one request, and how many times a constant page of the same size costs."""
    figures: dict[str, str] = {}
    with shop() as server, httpx2.Client(base_url=server.url, timeout=30) as visitor:
        visitor.get("/products/meridien")
        pages = {
            "product page, configurator": "/products/meridien",
            "product page, accessory": "/products/strap-calf-navy",
            "list of all pieces": "/products",
            "list of straps": "/products?category=straps",
        }
        for name, path in pages.items():
            size = len(visitor.get(path).content)
            ours = _cpu_ms(server, partial(visitor.get, path), ROUNDS)
            constant = _constant_ms(size)
            figures[f"{name}, {size // 1000} kB (ms)"] = f"{ours:.2f} = {ours / constant:.1f} × constant {constant:.2f}"
        cart = visitor.post("/api/carts").json()["id"]
        add = {"slug": "strap-calf-navy", "quantity": 1}
        figures["durable add to cart (ms)"] = f"{_cpu_ms(server, lambda: _add(visitor, cart, add), 80):.2f}"
        figures["choice in the configurator (ms)"] = f"{_choices_ms(server, visitor):.2f}"
        figures["whole checkout of ten requests (ms)"] = (
            f"{_cpu_ms(server, lambda: _check_out(server.url), CHECKOUTS):.1f}"
        )
    return figures


def _cpu_ms(server: Server, act: Callable[[], object], times: int) -> float:
    for _ in range(5):
        act()
    before = server.cpu_seconds()
    for _ in range(times):
        act()
    return (server.cpu_seconds() - before) * 1000 / times


def _constant_ms(size: int) -> float:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "tests.benchmarks.constant:app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    with running(command, {"PAGE_BYTES": str(size)}, url, "/") as server, httpx2.Client(base_url=url) as client:
        return _cpu_ms(server, lambda: client.get("/").raise_for_status(), ROUNDS)


def _add(client: httpx2.Client, cart: str, body: dict[str, object]) -> None:
    client.post(f"/api/carts/{cart}/lines", json=body).raise_for_status()


def _choices_ms(server: Server, client: httpx2.Client) -> float:
    values = iter(("case:steel", "case:rose-gold") * 100)
    token = TOKEN.search(client.get("/products/meridien").text)
    assert token
    headers = {"X-Partial": "1"}

    def choose() -> None:
        data = {"csrf": token[1], "choose": next(values)}
        client.post("/products/meridien", data=data, headers=headers).raise_for_status()

    return _cpu_ms(server, choose, 60)


def _check_out(url: str) -> None:
    """A buyer of their own: product, design, bag, reading it, suggestions, order, the way to pay, order page."""
    with httpx2.Client(base_url=url, timeout=30) as buyer:
        buyer.get("/products/meridien").raise_for_status()
        design = buyer.post("/api/designs", json={"slug": "meridien", "choices": {"case": "steel"}, "texts": {}}).json()
        cart = buyer.post("/api/carts").json()["id"]
        _add(buyer, cart, {"design": design["code"], "quantity": 1})
        seen = buyer.get(f"/api/carts/{cart}").json()["totals"]["total"]
        buyer.get(f"/api/carts/{cart}/suggestions").raise_for_status()
        order = buyer.post(
            "/api/orders",
            json={"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": seen},
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
        order.raise_for_status()
        buyer.get(order.json()["payment_url"])
        buyer.get(order.json()["order_url"]).raise_for_status()
        buyer.get("/healthz").raise_for_status()
