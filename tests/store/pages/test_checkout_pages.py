"""Bag, checkout and order page: without script, kind with mistakes, closed to others."""

import re
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from store import db
from store.shop import catalog, order_links, orders, payment_tasks, stock
from store.shop.orders import Order
from store.shop.payments import Till
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.selling import HandProvider

DELIVERY = {
    "email": "camille@example.com",
    "name": "Camille Arnaud",
    "line1": "3 rue des Lilas",
    "city": "Nantes",
    "postal_code": "44000",
    "country": "FR",
}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name} on the page"
    return found[1]


def fill_bag(browser: PageBrowser, slug: str = "print-one", quantity: int = 1) -> None:
    browser.submit("/cart/lines", {"slug": slug, "quantity": quantity})


def order_form(browser: PageBrowser, **changed: str) -> dict[str, str]:
    browser.get("/checkout")
    kept = {name: hidden(browser.page, name) for name in ("cart", "key", "seen_total")}
    return {**DELIVERY, **kept, **changed}


def the_order() -> Order:
    with db.transaction(read_only=True) as session:
        return session.exec(select(Order)).one()


def orders_placed() -> int:
    with db.transaction(read_only=True) as session:
        return len(session.exec(select(Order)).all())


def ordered(browser: PageBrowser) -> Order:
    fill_bag(browser)
    browser.submit("/checkout", order_form(browser), follow=False)
    return the_order()


def test_a_bag_is_filled_changed_and_emptied_by_forms_alone(buyer: PageBrowser) -> None:
    assert "There is nothing here yet" in buyer.get("/cart").text
    fill_bag(buyer, "strap", 2)
    assert "€580" in buyer.text()
    assert "Bag ( 2 )" in buyer.text()
    (line,) = set(re.findall(r"/cart/lines/(lin_\w+)/removal", buyer.page))
    buyer.submit(f"/cart/lines/{line}", {"quantity": "3"})
    assert "€870" in buyer.text()
    buyer.submit(f"/cart/lines/{line}/removal")
    assert "There is nothing here yet" in buyer.text()


def test_guest_order_payment_and_paid_page_without_script(buyer: PageBrowser, provider: HandProvider) -> None:
    fill_bag(buyer)
    answer = buyer.submit("/checkout", order_form(buyer), follow=False)
    order = the_order()
    assert answer.headers["location"] == f"/orders/{order.number}/payment"
    pay_page = buyer.get(answer.headers["location"], follow=False)
    assert pay_page.headers["location"].startswith("https://pay.example/cs_pay_")
    (request,) = provider.opened.values()
    assert (request.amount, request.email) == (150000, "camille@example.com")
    buyer.get(f"/orders/{order.number}")
    assert "One step is left" in buyer.text()
    assert "€1,500 to pay." in buyer.text()
    provider.pay(pay_page.headers["location"].rsplit("/", 1)[1])
    back = urlsplit(request.success_url)
    buyer.get(f"{back.path}?{back.query}")
    assert "Thank you, Camille" in buyer.text()
    assert "Paid" in buyer.text()
    assert "No. 1" in buyer.text()
    assert "There is nothing here yet" in buyer.get("/cart").text


def test_a_second_click_and_the_back_button_find_the_same_order(buyer: PageBrowser) -> None:
    fill_bag(buyer)
    form = order_form(buyer)
    buyer.submit("/checkout", form, follow=False)
    again = buyer.submit("/checkout", form, follow=False)
    late = buyer.submit("/checkout", {**form, "key": "another", "city": "Paris"}, follow=False)
    order = the_order()
    assert again.headers["location"] == late.headers["location"] == f"/orders/{order.number}"
    assert order.address["city"] == "Nantes"


def test_mistakes_are_told_beside_what_was_typed(buyer: PageBrowser) -> None:
    fill_bag(buyer)
    answer = buyer.submit("/checkout", order_form(buyer, email="nobody", city="", line1="<b>3 rue</b>"))
    assert answer.status_code == 422
    assert "That does not look like an e-mail address." in buyer.text()
    assert "Please give the city." in buyer.text()
    assert 'value="nobody"' in buyer.page
    assert 'value="&lt;b&gt;3 rue&lt;/b&gt;"' in buyer.page
    assert orders_placed() == 0


def test_a_risen_total_is_shown_before_anything_is_ordered(buyer: PageBrowser) -> None:
    fill_bag(buyer, "strap")
    form = order_form(buyer, country="DE")
    answer = buyer.submit("/checkout", form)
    assert answer.status_code == 409
    assert "The total has risen since you saw it." in buyer.text()
    assert "The new total is €315." in buyer.text()
    assert orders_placed() == 0
    kept = {name: hidden(buyer.page, name) for name in ("cart", "key", "seen_total")}
    buyer.submit("/checkout", {**DELIVERY, "country": "DE", **kept}, follow=False)
    assert the_order().total == 31500


def test_a_forged_total_does_not_change_the_price(buyer: PageBrowser) -> None:
    fill_bag(buyer)
    assert buyer.submit("/checkout", order_form(buyer, seen_total="1")).status_code == 409
    assert orders_placed() == 0
    buyer.submit("/checkout", order_form(buyer, seen_total="999999999"), follow=False)
    assert the_order().total == 150000


def test_sold_out_is_told_on_the_page(buyer: PageBrowser) -> None:
    fill_bag(buyer, quantity=3)
    form = order_form(buyer)
    with db.transaction() as session:
        stock.reserve(session, "print-one", 4)
    answer = buyer.submit("/checkout", form)
    assert answer.status_code == 409
    assert "Only 1 of Edition one is left." in buyer.text()
    buyer.get("/cart")
    assert "Only 1 of Edition one is left." in buyer.text()
    assert orders_placed() == 0


def test_delivery_follows_the_country_and_keeps_what_was_typed(buyer: PageBrowser) -> None:
    fill_bag(buyer, "strap")
    buyer.submit("/checkout/delivery", order_form(buyer, country="US", city="Boston"))
    assert "€301.67" in buyer.text()  # 29000 without the VAT of home, and delivery
    assert "import duties and taxes there are yours to pay" in buyer.text()
    assert 'value="Boston"' in buyer.page
    part = buyer.get("/checkout?country=DE", headers={"X-Partial": "1"})
    assert "€315" in part.text
    assert "<html" not in part.text


def test_an_empty_bag_leads_back(buyer: PageBrowser) -> None:
    assert buyer.get("/checkout", follow=False).headers["location"] == "/cart"


def test_engraved_pieces_are_called_final_before_ordering(buyer: PageBrowser) -> None:
    saved = buyer.call("POST", "/api/designs", {"slug": "watch", "texts": {"engraving": "For C."}}).json()
    buyer.submit("/cart/lines", {"design": saved["code"]})
    buyer.get("/checkout")
    assert "Final sale. Your Watch with “For C.” is made for you alone and cannot be returned." in buyer.text()


def test_an_order_opens_for_its_session_or_by_its_link_only(buyer: PageBrowser, stranger: PageBrowser) -> None:
    order = ordered(buyer)
    assert buyer.get(f"/orders/{order.number}").status_code == 200
    assert stranger.get(f"/orders/{order.number}").status_code == 404
    assert stranger.get(f"/orders/{order.number}?key=forged").status_code == 404
    assert stranger.get(f"/orders/{order.number}/payment", follow=False).status_code == 404
    assert stranger.submit(f"/orders/{order.number}/cancellation").status_code == 404
    assert stranger.submit(f"/orders/{order.number}/again").status_code == 404
    assert the_order().state == "placed"
    selling.use_reactions()
    link = order_links.path(order.number)
    shared = stranger.get(link)
    assert shared.status_code == 200
    assert "Cancel the order" not in shared.text
    assert stranger.get("/orders/NONESUCH").status_code == 404


def test_an_unpaid_order_is_cancelled_and_put_into_the_bag_again(buyer: PageBrowser) -> None:
    order = ordered(buyer)
    buyer.get(f"/orders/{order.number}")
    buyer.submit(f"/orders/{order.number}/cancellation")
    assert "Nothing was charged and nothing is owed." in buyer.text()
    buyer.submit(f"/orders/{order.number}/again")
    assert "Edition one" in buyer.text()
    with db.transaction(read_only=True) as session:
        assert stock.available(session, ["print-one"]) == {"print-one": 5}


def test_a_released_order_says_so_and_opens_no_payment(
    buyer: PageBrowser, provider: HandProvider, stranger: PageBrowser
) -> None:
    order = ordered(buyer)
    payment_tasks.release_unpaid(Till(provider, lambda session, released: False), order.id)
    buyer.get(f"/orders/{order.number}")
    assert "Released, not paid in time" in buyer.text()
    assert (
        buyer.get(f"/orders/{order.number}/payment", follow=False)
        .headers["location"]
        .endswith(order_links.path(order.number))
    )
    assert provider.opened == {}


def test_a_silent_provider_is_told_kindly_and_the_order_is_kept(buyer: PageBrowser, provider: HandProvider) -> None:
    order = ordered(buyer)
    provider.down = True
    answer = buyer.get(f"/orders/{order.number}/payment")
    assert answer.status_code == 503
    assert "Your order is kept" in buyer.text()
    assert the_order().state == "placed"


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("/cart/lines", {"slug": "print-one"}),
        ("/checkout", DELIVERY),
        ("/checkout/delivery", DELIVERY),
    ],
)
def test_a_form_without_its_token_is_refused(buyer: PageBrowser, url: str, data: dict[str, str]) -> None:
    assert buyer.submit(url, data, csrf="forged").status_code == 403
    assert orders_placed() == 0


@pytest.mark.parametrize(
    ("data", "status"),
    [({"slug": "nothing"}, 404), ({"design": "ABCDEFGH"}, 404), ({"slug": "strap", "quantity": "many"}, 422)],
)
def test_what_cannot_be_added_is_refused(buyer: PageBrowser, data: dict[str, str], status: int) -> None:
    assert buyer.submit("/cart/lines", data).status_code == status
    assert "There is nothing here yet" in buyer.get("/cart").text


def test_somebody_elses_lines_cannot_be_touched(buyer: PageBrowser, stranger: PageBrowser) -> None:
    fill_bag(buyer, "strap")
    (line,) = set(re.findall(r"/cart/lines/(lin_\w+)/removal", buyer.page))
    fill_bag(stranger, "strap")
    assert stranger.submit(f"/cart/lines/{line}/removal").status_code == 404
    assert stranger.submit(f"/cart/lines/{line}", {"quantity": "5"}).status_code == 404
    assert "€290" in buyer.get("/cart").text


def test_an_orders_page_reads_its_snapshot_not_the_catalogue(buyer: PageBrowser) -> None:
    order = ordered(buyer)
    with db.transaction() as session:
        session.exec(select(catalog.PublishedModel)).all()
        for row in session.exec(select(catalog.PublishedModel)).all():
            row.current = False
            session.add(row)
    catalog.forget()
    assert "Edition one" in buyer.get(f"/orders/{order.number}").text
    assert orders.STATES["placed"] in buyer.text()
