"""The owner's day: from a customer's page to an offer she uses, through the pages as they are."""

import re
from datetime import timedelta

import pytest
from sqlmodel import col, select

from store import db
from store.crm.offers import Offer
from store.events import Event, Visitor
from store.mail import Message
from store.shop import designs
from store.shop.designs import Design
from tests.browsers import PageBrowser
from tests.store.office.conftest import Known

TOKEN = re.compile(r"token=[\w.-]+")  # signed anew each second
ROLL = "strap-alligator-black"


def fields(browser: PageBrowser, **changed: str) -> dict[str, str]:
    """What the composer on the page would send, changed."""
    hidden = dict(re.findall(r'<input type="hidden" name="(slug|choices|design)" value="([^"]*)"', browser.page))
    values = {name: value.replace("&#34;", '"') for name, value in hidden.items()}
    reason = re.search(r'<textarea[^>]*name="reason"[^>]*>([^<]*)<', browser.page)
    base = {
        "kind": "percent",
        "percent": "15",
        "message": "We thought of you first.",
        "reason": reason[1] if reason else "",
        "expires": (db.now() + timedelta(days=14)).date().isoformat(),
        "floor": "30",
    }
    return {**values, **base, **changed}


def drafted(owner: PageBrowser, known: Known, **changed: str) -> str:
    """Write a draft through the composer; its id."""
    owner.get(f"/office/customers/{known.iris}/offer?slug={ROLL}")
    answer = owner.submit(f"/office/customers/{known.iris}/offer", fields(owner, **changed), follow=False)
    assert answer.status_code == 303, owner.text()
    return answer.headers["location"].rpartition("/")[2]


def sent(owner: PageBrowser, known: Known, channel: str = "site", **changed: str) -> str:
    offer_id = drafted(owner, known, **changed)
    owner.get(f"/office/offers/{offer_id}")
    assert owner.submit(f"/office/offers/{offer_id}/sending", {"channel": channel}, follow=False).status_code == 303
    return offer_id


def stored(offer_id: str) -> Offer:
    with db.transaction(read_only=True) as session:
        return session.get_one(Offer, offer_id)


def rows(table: type, *conditions: object) -> list:  # type: ignore[type-arg]
    with db.transaction(read_only=True) as session:
        return list(session.exec(select(table).where(*conditions)).all())  # type: ignore[arg-type]


def test_a_customers_page_shows_what_is_owned_proposed_and_brought(known: Known, owner: PageBrowser) -> None:
    owner.get("/office/customers?q=vallier")
    assert "Iris Vallier" in owner.text()
    assert "Blanche" not in owner.text()
    owner.get(f"/office/customers/{known.iris}")
    text = owner.text()
    for words in ("What would suit", "like the Méridien you own", "What they bring", "Placed an order", "Rose gold"):
        assert words in text
    assert "synthetic" in text


def test_opening_a_customers_page_is_recorded_with_who_opened_it(known: Known, owner: PageBrowser) -> None:
    owner.get(f"/office/customers/{known.iris}")
    (viewed,) = rows(Event, col(Event.kind) == "staff-viewed")
    assert (viewed.customer_id, viewed.facts) == (known.iris, {})
    assert viewed.staff_id is not None
    assert owner.get("/office/customers/cus_unknown").status_code == 404
    assert len(rows(Event, col(Event.kind) == "staff-viewed")) == 1


def test_an_offer_goes_from_proposal_to_her_order(
    known: Known, owner: PageBrowser, iris: PageBrowser, blanche: PageBrowser
) -> None:
    owner.get(f"/office/customers/{known.iris}")
    assert f"/offer?slug={ROLL}" in owner.page
    offer_id = drafted(owner, known)
    owner.get(f"/office/offers/{offer_id}")
    preview = owner.text()
    for words in ("15 % off", "Send by mail and on the site", "the floor is 30.0 %", "Dear Iris Vallier,"):
        assert words in preview
    mail_page = owner.get(f"/office/offers/{offer_id}/mail").text
    owner.get(f"/office/offers/{offer_id}")
    owner.submit(f"/office/offers/{offer_id}/sending", {"channel": "mail"})
    assert "The offer was sent, by mail and on the site." in owner.text()
    (message,) = rows(Message, col(Message.kind) == "offer")
    assert TOKEN.sub("token=…", message.html) == TOKEN.sub("token=…", mail_page)

    for page in ("/", "/products", "/account/offers"):
        iris.get(page)
        assert "15 % off" in iris.text(), page
        blanche.get(page)
        assert "15 % off" not in blanche.text(), page
    iris.submit(f"/account/offers/{offer_id}/acceptance")
    assert "For you: 15 % off" in iris.text()
    assert stored(offer_id).state == "accepted"
    owner.get(f"/office/offers/{offer_id}")
    assert "Looked at" in owner.text()
    assert "Accepted" in owner.text()


def test_another_customer_can_neither_see_accept_nor_decline_it(
    known: Known, owner: PageBrowser, blanche: PageBrowser, visitor: PageBrowser
) -> None:
    offer_id = sent(owner, known)
    blanche.get("/account/offers")
    for answer in ("acceptance", "refusal"):
        blanche.get("/account/offers")
        visitor.get("/")
        assert blanche.submit(f"/account/offers/{offer_id}/{answer}", follow=False).status_code == 404
        assert visitor.submit(f"/account/offers/{offer_id}/{answer}", follow=False).status_code in (303, 401)
    assert blanche.get(f"/office/offers/{offer_id}").status_code == 404
    assert blanche.get(f"/office/offers/{offer_id}/mail").status_code == 404
    assert stored(offer_id).state == "sent"


def test_pressing_twice_puts_the_piece_into_her_bag_once(known: Known, owner: PageBrowser, iris: PageBrowser) -> None:
    offer_id = sent(owner, known)
    for _ in range(2):
        iris.get("/account/offers")
        iris.submit(f"/account/offers/{offer_id}/acceptance")
    assert "Bag ( 1 )" in iris.text()


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        ({"percent": "70"}, 409, "the floor is 30.0 %"),
        ({"percent": "many"}, 422, "Please write a percentage such as 15 or 12.5."),
        ({"kind": "amount", "amount": "12.345"}, 422, "Please write an amount such as 120 or 120.50."),
        ({"expires": "yesterday"}, 422, "Please choose the last day of the offer."),
        ({"expires": "2020-01-01"}, 422, "The offer must end between an hour and 180 days from now."),
        ({"reason": ""}, 422, "Please say why this is for this person"),
        ({"choices": "[1]"}, 422, "The design of this piece could not be read."),
    ],
)
def test_a_refused_draft_comes_back_with_what_was_typed_and_nothing_is_kept(
    known: Known, owner: PageBrowser, changed: dict[str, str], status: int, sentence: str
) -> None:
    owner.get(f"/office/customers/{known.iris}/offer?slug={ROLL}")
    before = len(rows(Design))
    form = fields(owner, message="Words to keep", **changed)
    assert owner.submit(f"/office/customers/{known.iris}/offer", form).status_code == status
    assert sentence in owner.text()
    assert "Words to keep" in owner.page
    assert (rows(Offer), len(rows(Design))) == ([], before)


def test_choices_that_do_not_go_together_and_unknown_pieces_are_refused(known: Known, owner: PageBrowser) -> None:
    owner.get(f"/office/customers/{known.iris}/offer?slug={ROLL}")
    address = f"/office/customers/{known.iris}/offer"
    assert owner.submit(address, fields(owner, choices='{"buckle": "platinum"}')).status_code == 422
    assert owner.get(f"{address}?slug=nothing").status_code == 404
    assert owner.get(f"{address}?design=NOTACODE").status_code == 404
    owner.get(f"{address}?slug={ROLL}")
    assert owner.submit(address, fields(owner, slug="nothing")).status_code == 404
    assert rows(Offer) == []


def test_words_that_somebody_else_had_engraved_never_go_into_an_offer(known: Known, owner: PageBrowser) -> None:
    with db.transaction() as session:
        for customer_id, words in ((known.blanche, "B. R. 1987"), (known.iris, "I. V.")):
            visitor = Visitor(customer_id=customer_id)
            designs.save(session, visitor, "meridien", {}, {"engraving": words})
    codes = {row.customer_id: row.code for row in rows(Design, col(Design.slug) == "meridien") if row.texts}
    for customer_id, texts in ((known.blanche, {}), (known.iris, {"engraving": "I. V."})):
        owner.get(f"/office/customers/{known.iris}/offer?design={codes[customer_id]}")
        form = fields(owner, percent="5")
        answer = owner.submit(f"/office/customers/{known.iris}/offer", form, follow=False)
        offer = stored(answer.headers["location"].rpartition("/")[2])
        (design,) = rows(Design, col(Design.id) == offer.design_id)
        assert (design.customer_id, design.texts) == (known.iris, texts)


def test_an_offer_may_be_for_the_whole_bag_and_is_then_reckoned_at_checkout(
    known: Known, owner: PageBrowser, iris: PageBrowser
) -> None:
    owner.get(f"/office/customers/{known.iris}/offer")
    form = fields(owner, percent="5", reason="Thank you for the Méridien.")
    offer_id = owner.submit(f"/office/customers/{known.iris}/offer", form, follow=False).headers["location"][-30:]
    owner.get(f"/office/offers/{offer_id}")
    assert "Known at checkout, when the bag is known; the floor of 30 % is kept there." in owner.text()
    owner.submit(f"/office/offers/{offer_id}/sending", {"channel": "site"})
    iris.get("/account/offers")
    iris.submit(f"/account/offers/{offer_id}/acceptance")
    assert "Kept for you" in iris.text()
    iris.get("/products/care-kit-leather")
    iris.submit("/cart/lines", {"slug": "care-kit-leather"})
    iris.get("/cart")
    assert "For you: 5 % off" in iris.text()


def test_a_gift_lies_in_her_bag_beside_its_piece(known: Known, owner: PageBrowser, iris: PageBrowser) -> None:
    offer_id = sent(owner, known, kind="gift", gift="care-kit-leather")
    iris.get("/account/offers")
    iris.submit(f"/account/offers/{offer_id}/acceptance")
    assert "Bag ( 2 )" in iris.text()
    assert "For you: Leather care set as a gift" in iris.text()


def test_a_draft_is_changed_in_the_composer(known: Known, owner: PageBrowser) -> None:
    offer_id = drafted(owner, known)
    owner.get(f"/office/offers/{offer_id}/edit")
    assert 'value="15"' in owner.page
    form = fields(owner, kind="privilege", privilege="A visit to the atelier", benefit_cost="40.00")
    assert owner.submit(f"/office/offers/{offer_id}/edit", form, follow=False).status_code == 303
    changed = stored(offer_id)
    assert (changed.kind, changed.benefit_cost, changed.design_id) == ("privilege", 4_000, stored(offer_id).design_id)


def test_only_the_owner_goes_below_the_houses_floor(known: Known, owner: PageBrowser, as_role: object) -> None:
    advisor = as_role("advisor")  # type: ignore[operator]
    advisor.get(f"/office/customers/{known.iris}/offer?slug={ROLL}")
    form = fields(advisor, floor="5", percent="35")
    assert advisor.submit(f"/office/customers/{known.iris}/offer", form).status_code == 403
    assert rows(Offer) == []
    assert stored(drafted(owner, known, floor="5", percent="35")).margin_floor_basis_points == 500


def test_an_offer_is_taken_back(known: Known, owner: PageBrowser, iris: PageBrowser) -> None:
    offer_id = sent(owner, known)
    owner.get(f"/office/offers/{offer_id}")
    owner.submit(f"/office/offers/{offer_id}/withdrawal", {"reason": "a mistake"})
    assert stored(offer_id).state == "withdrawn"
    iris.get("/account/offers")
    assert "15 % off" not in iris.text()
    assert iris.submit(f"/account/offers/{offer_id}/acceptance", follow=False).status_code == 404


def test_a_call_is_logged_with_its_minutes_and_cost(known: Known, owner: PageBrowser) -> None:
    address = f"/office/customers/{known.iris}"
    owner.get(address)
    owner.submit(f"{address}/contacts", {"channel": "phone", "minutes": "12", "cost": "3,50", "note": "Asked about it"})
    assert "Telephone, from us" in owner.text()
    assert "cost €3.50" in owner.text()
    refused = owner.submit(f"{address}/contacts", {"channel": "pigeon"}, follow=False)
    assert refused.status_code == 422


def test_an_order_moves_through_the_workshop_with_reasons(known: Known, owner: PageBrowser) -> None:
    address = f"/office/orders/{known.order.number}"
    owner.get(address)
    assert "Next: in the workshop" in owner.text()
    assert owner.submit(f"{address}/stage", {"stage": "in-production", "reason": " "}).status_code == 422
    owner.get(address)
    owner.submit(f"{address}/stage", {"stage": "in-production", "reason": "The hide has come"})
    assert "Next: finished" in owner.text()
    assert "The hide has come — The owner" in owner.text()
    (action,) = rows(Event, col(Event.kind) == "staff-action", col(Event.subject) == known.order.id)
    assert action.facts["reason"] == "The hide has come"
    owner.get(address)
    assert owner.submit(f"{address}/stage", {"stage": "in-production", "reason": "again"}).status_code == 409
    owner.get(address)
    assert owner.submit(f"{address}/stage", {"stage": "melted", "reason": "why not"}).status_code == 422
    assert owner.get("/office/orders/NOTANORDER").status_code == 404


def test_the_lists_of_orders_products_and_offers_show_what_there_is(known: Known, owner: PageBrowser) -> None:
    sent(owner, known)
    for address, words in {
        "/office": "paid and waiting for the bench",
        "/office/orders?state=paid": known.order.number,
        f"/office/orders?q={known.order.number[:4]}": known.order.number,
        "/office/orders?state=delivered": "No orders here",
        "/office/offers?state=sent": "Iris Vallier",
        "/office/offers?state=declined": "No offers here",
        "/office/products?q=meridien": "Méridien",
        "/office/products/meridien": "Rubber straps close with a steel or titanium clasp only.",
        "/office/performance": "Cannot tell yet: have",
    }.items():
        assert owner.get(address).status_code == 200, address
        assert words in owner.text(), address
    assert owner.get("/office/products/nothing").status_code == 404


def test_an_empty_house_is_told_what_to_do_first(owner: PageBrowser) -> None:
    owner.get("/office")
    assert "The first hour" in owner.text()
