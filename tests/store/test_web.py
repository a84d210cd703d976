"""What every request meets: bodies that are too long or broken, requests from elsewhere, pages that are not there."""

import pytest
from sqlmodel import select

from store import db
from store.auth import WebSession
from store.shop.bags import Cart
from tests.browsers import PageBrowser

BROKEN = {"content-type": "application/json"}


def _carts() -> int:
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(Cart)).all())


@pytest.mark.parametrize("path", ["/api/products/meridien/analysis", "/api/designs", "/api/orders"])
def test_a_body_of_ten_megabytes_is_refused_as_a_problem(visitor: PageBrowser, path: str) -> None:
    answer = visitor.send(path, b"x" * 10_000_000, BROKEN)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "That was more than we can take at once."


def test_a_form_of_ten_megabytes_is_refused_as_a_page(visitor: PageBrowser) -> None:
    body = b"email=" + b"x" * 10_000_000
    answer = visitor.send("/sign-in", body, {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 413
    assert "That was more than we can take at once." in answer.text


def test_broken_json_is_named(visitor: PageBrowser) -> None:
    answer = visitor.send("/api/products/meridien/analysis", b"{choices", BROKEN)
    assert (answer.status_code, answer.json()["detail"]) == (422, "This is not valid JSON.")


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_call_that_another_site_sent_is_refused_and_makes_nothing(
    visitor: PageBrowser, headers: dict[str, str]
) -> None:
    answer = visitor.send("/api/carts", b"", headers)
    assert (answer.status_code, answer.json()["title"]) == (403, "Not allowed")
    assert _carts() == 0


@pytest.mark.parametrize("csrf", ["", "forged"])
def test_a_form_without_the_token_of_its_session_is_refused(visitor: PageBrowser, csrf: str) -> None:
    visitor.get("/")
    answer = visitor.submit("/products/meridien", {"choose": "case:steel", "act": "bag"}, csrf=csrf)
    assert answer.status_code == 403
    assert "too old to be sent" in answer.text
    assert _carts() == 0


def test_another_browsers_token_does_not_serve(visitor: PageBrowser, another: PageBrowser) -> None:
    another.get("/")
    visitor.get("/")
    assert visitor.submit("/products/meridien", {"act": "bag"}, csrf=another.token()).status_code == 403


def test_an_unknown_address_is_a_page_in_the_houses_style_and_a_problem_for_machines(visitor: PageBrowser) -> None:
    assert visitor.get("/nothing-here").status_code == 404
    assert "Maison Aurèle" in visitor.page
    answer = visitor.call("GET", "/api/nothing-here")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_every_page_carries_a_strict_policy_and_its_own_nonce(visitor: PageBrowser) -> None:
    first, second = visitor.get("/"), visitor.get("/")
    policy = first.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert policy != second.headers["content-security-policy"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert first.headers["cache-control"].startswith("private, no-")


def test_a_page_view_of_a_stranger_writes_nothing(visitor: PageBrowser) -> None:
    visitor.get("/")
    visitor.get("/products/meridien")
    with db.transaction(read_only=True) as session:
        assert session.exec(select(WebSession)).all() == []


def test_health_says_what_the_house_is(visitor: PageBrowser) -> None:
    assert visitor.call("GET", "/healthz").json() == {"status": "ok", "demo": "none", "model": None}


def test_half_a_character_in_a_name_is_told_and_not_a_fault(visitor: PageBrowser) -> None:
    answer = visitor.send("/api/products/meridien/analysis", b'{"choices": {"\\ud800": 1}}', BROKEN)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_no_text_holds_is_told_and_not_a_fault(visitor: PageBrowser) -> None:
    address = {"name": "C", "line1": "1", "city": "P", "postal_code": "1", "country": "FR"}
    order = {"cart": "crt_\0", "email": "c@example.com", "address": address, "seen_total": 1}
    assert visitor.call("POST", "/api/orders", order, Idempotency_Key="k").status_code in (404, 422)
    assert visitor.call("GET", "/api/carts/crt_%00").status_code in (404, 422)
    assert visitor.get("/designs/%00").status_code == 404
