"""Private options: unknown to strangers on page and by JSON, from page to paid order for the invited."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session, select

from configurator import parse
from store import db, invitations, people
from store.errors import ShopError
from store.events import NOBODY, Event, Visitor
from store.invitations import Invitation
from store.shop import catalog, designs, settling
from store.shop.orders import Order
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.office.conftest import enter
from tests.store.pages.test_checkout_pages import order_form, the_order
from tests.store.selling import HandProvider

PRIVATE = selling.WATCH.replace(
    "      - {id: rubber, label: Rubber}\n",
    "      - {id: rubber, label: Rubber}\n      - {id: shagreen, label: Shagreen, price: 70000, audience: friends}\n",
)


@pytest.fixture
def private(counter: FastAPI) -> FastAPI:
    """The small house with a strap for friends only."""
    (model,) = parse(PRIVATE, "watch.yaml")
    with db.transaction() as session:
        catalog.publish(session, model, NOBODY)
        catalog.refresh(session)
    return counter


@pytest.fixture
def camille(private: FastAPI) -> str:
    """A customer with a proved address, invited."""
    with db.transaction() as session:
        customer = people.new_customer(session, "camille@example.com", "Camille")
        people.verify_email(session, customer, "camille@example.com")
        invitations.invite(session, NOBODY, customer.id, "friends")
        return customer.id


@pytest.fixture
def friend(private: FastAPI, camille: str) -> Iterator[PageBrowser]:
    """Her browser."""
    with PageBrowser(private) as browser:
        enter(private, browser, customer_id=camille)
        yield browser


def withdraw(customer_id: str) -> None:
    with db.transaction() as session:
        assert invitations.withdraw(session, NOBODY, customer_id, "friends")


def test_a_stranger_never_sees_nor_gets_a_private_option(private: FastAPI, buyer: PageBrowser) -> None:
    buyer.get("/products/watch")
    assert "hagreen" not in buyer.page
    assert buyer.submit("/products/watch", {"choose": "strap:shagreen"}, follow=False).status_code == 422
    want: dict[str, Any] = {"choices": {"strap": "shagreen"}}
    for call, body in (
        ("products/watch/analysis", want),
        ("products/watch/completion", {**want, "objective": "cheapest"}),
        ("products/watch/explanation", {"choices": {}, "want": {"strap": "shagreen"}}),
        ("products/watch/repairs", {"choices": {}, "want": {"strap": "shagreen"}}),
        ("products/watch/work", {"act": "choose", **want}),
        ("designs", {"slug": "watch", "texts": {}, **want}),
    ):
        assert buyer.call("POST", f"/api/{call}", body).status_code == 422, call
    seen = buyer.call("POST", "/api/products/watch/analysis", {"choices": {"case": "gold"}}).text
    assert "shagreen" not in seen


def test_a_shared_code_does_not_give_the_private_part_away(friend: PageBrowser, stranger: PageBrowser) -> None:
    saved = friend.call("POST", "/api/designs", {"slug": "watch", "choices": {"strap": "shagreen"}, "texts": {}}).json()
    assert saved["price"]["amount"] == 1050000
    seen = stranger.call("GET", f"/api/designs/{saved['code']}").json()
    assert seen["choices"] == {}
    assert seen["price"]["amount"] == 980000
    assert [change["kind"] for change in seen["changes"]] == ["private"]
    assert "hagreen" not in str(seen)
    stranger.get(f"/designs/{saved['code']}")
    assert "hagreen" not in stranger.page
    assert "for invited guests only" in stranger.text()
    cart = stranger.call("POST", "/api/carts").json()["id"]
    refused = stranger.call("POST", f"/api/carts/{cart}/lines", {"design": saved["code"], "quantity": 1})
    assert refused.status_code == 409
    assert "hagreen" not in refused.text
    stranger.submit(f"/designs/{saved['code']}/bag", {})
    assert "hagreen" not in stranger.page
    assert "€9,800" in stranger.text()


def test_the_invited_go_from_page_to_paid_order(friend: PageBrowser, provider: HandProvider) -> None:
    friend.get("/products/watch")
    assert "Shagreen" in friend.text()
    friend.submit("/products/watch", {"choose": "strap:shagreen"})
    assert "€10,500" in friend.text()
    friend.submit("/products/watch", {"act": "bag"})
    assert "€10,500" in friend.text()
    friend.submit("/checkout", order_form(friend), follow=False)
    order = the_order()
    assert order.subtotal == 1050000
    friend.get(f"/orders/{order.number}/payment", follow=False)
    (reference,) = provider.opened
    provider.pay(reference)
    settling.settle(selling.till_of(provider), reference)
    with db.transaction(read_only=True) as session:
        assert session.get_one(Order, order.id).paid_at is not None


def test_a_withdrawn_invitation_is_told_kindly_and_nothing_else_is_lost(friend: PageBrowser, camille: str) -> None:
    friend.get("/products/watch")
    friend.submit("/products/watch", {"choose": "strap:shagreen"})
    friend.submit("/products/watch", {"choose": "case:gold"})
    friend.submit("/products/watch", {"act": "bag"})
    form = order_form(friend)
    withdraw(camille)
    friend.get("/cart")
    assert "Shagreen is kept for invited guests, and your invitation has ended" in friend.text()
    friend.submit("/checkout", form, follow=False)
    with db.transaction(read_only=True) as session:
        assert orders_of(session) == 0
        (design,) = designs.of_customer(session, camille)
        assert design.choices == {"case": "gold", "strap": "shagreen"}
    friend.get("/account/designs")
    assert "your invitation has ended" in friend.text()
    friend.get("/products/watch")
    assert "your invitation has ended" in friend.text()
    friend.get("/cart")
    friend.submit(f"/designs/{design.code}/bag", {"line": friend.page.split('name="line" value="')[1].split('"')[0]})
    assert "€24,000" in friend.text()
    assert "invitation" not in friend.text()


def orders_of(session: Session) -> int:
    return len(session.exec(select(Order)).all())


def test_invitations_begin_end_and_are_written_down(private: FastAPI, camille: str, session: Session) -> None:
    staff = Visitor(staff_id=people.new_staff(session, "Aurélie", "a@example.com", "owner").id, role="owner")
    assert invitations.audiences_of(session, camille) == {"friends"}
    again = invitations.invite(session, staff, camille, "friends", db.now().replace(year=2030))
    assert [row.id for row in invitations.of_customer(session, camille)] == [again.id]
    with pytest.raises(ShopError):
        invitations.invite(session, staff, camille, "friends", db.now().replace(year=2001))
    with pytest.raises(ShopError):
        invitations.invite(session, staff, camille, "no such name!")
    assert invitations.withdraw(session, staff, camille, "friends")
    assert not invitations.withdraw(session, staff, camille, "friends")
    assert invitations.audiences_of(session, camille) == frozenset()
    assert session.get_one(Invitation, again.id).until is not None
    written = session.exec(select(Event).where(Event.customer_id == camille, Event.kind == "staff-action"))
    assert [event.facts["action"] for event in written.all()] == ["invited", "invited", "invitation withdrawn"]
