"""An offer to one person, from draft to used: hers alone, sent once, used once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, func, select

from store import db, people
from store.crm import drafts, offer_mail, offers, sending
from store.crm.benefits import LineValue
from store.crm.offers import Offer
from store.errors import ShopError
from store.events import Event, Visitor
from store.mail import COST_PER_MAIL, Message
from store.shop import carts, orders
from store.shop.designs import Design
from store.tasks import Task
from tests.store.crm.cast import STRAP, House, wish


def drafted(house: House, **changes: Any) -> Offer:
    assert house.iris.customer_id
    return drafts.draft(house.session, house.owner, house.iris.customer_id, wish(**changes))


def sent(house: House, channel: str = "site", **changes: Any) -> Offer:
    return sending.send(house.session, house.owner, drafted(house, **changes).id, channel)


def count(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def kinds(session: Session, offer: Offer) -> list[str]:
    return sorted(session.exec(select(Event.kind).where(Event.subject == offer.id)))


# -- drafting --------------------------------------------------------------------------------------------------------


def test_a_draft_holds_the_ready_design_of_its_customer(house: House) -> None:
    offer = drafted(house, choices={"buckle": "rose-gold"})
    design = house.session.get_one(Design, offer.design_id)
    assert (design.customer_id, design.source, design.session_id) == (house.iris.customer_id, "offer", None)
    assert design.choices == {"buckle": "rose-gold"}
    assert (offer.state, offer.arm, offer.piece_name) == ("draft", "chosen", "Alligator strap, havana")
    assert offer.label == "For you: 15 % off, Alligator strap, havana"
    assert kinds(house.session, offer) == ["offer-drafted"]


def test_a_draft_is_reckoned_to_the_cent(house: House) -> None:
    # The strap costs 940.00 with tax and 365.00 to make: 940 − 141 = 799 with tax is 665.83 without.
    reckoning = drafts.reckon(house.session, drafted(house))
    assert reckoning is not None
    assert (reckoning.price, reckoning.off, reckoning.pays) == (94_000, 14_100, 79_900)
    assert (reckoning.left.net, reckoning.left.margin) == (66_583, 66_583 - reckoning.cost)
    assert drafted(house).cost_estimate == 14_100 - 2_350


def test_a_draft_below_the_margin_floor_is_refused_with_the_most_that_can_be_given(house: House) -> None:
    with pytest.raises(ShopError) as refusal, house.session.begin_nested():
        drafted(house, basis_points=6_000)
    assert refusal.value.status == 409
    assert "the floor is 30.0 %" in refusal.value.detail
    most = refusal.value.extra["most"]
    assert f"At most €{most // 100:,}" in refusal.value.detail
    assert (count(house.session, Offer), count(house.session, Design)) == (0, 0)
    exactly = drafted(house, kind="amount", amount=most)
    assert exactly.amount == most
    with pytest.raises(ShopError):
        drafted(house, kind="amount", amount=most + 10)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": "  "}, "message"),
        ({"reason": "x" * 301}, "reason"),
        ({"kind": "everything"}, "kind"),
        ({"kind": "amount", "amount": 0}, "amount"),
        ({"kind": "percent", "basis_points": 10_000}, "percent"),
        ({"kind": "privilege", "privilege": ""}, "privilege"),
        ({"kind": "privilege", "privilege": "A visit", "benefit_cost": -1}, "benefit_cost"),
        ({"kind": "gift"}, "gift"),
        ({"kind": "gift", "gift_slug": STRAP}, "gift"),
        ({"margin_floor_basis_points": 10_001}, "floor"),
    ],
)
def test_what_is_no_offer_is_refused_naming_the_field(house: House, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ShopError) as refusal, house.session.begin_nested():
        drafted(house, **changes)
    assert (refusal.value.status, refusal.value.extra["field"]) == (422, field)
    assert count(house.session, Offer) == 0


def test_an_offer_must_end_between_an_hour_and_180_days_from_now(house: House) -> None:
    for until in (timedelta(minutes=59), timedelta(days=181)):
        with pytest.raises(ShopError):
            drafted(house, expires_at=db.now() + until)


def test_a_draft_can_be_changed_until_it_is_sent(house: House) -> None:
    offer = drafted(house)
    drafts.revise(house.session, house.owner, offer.id, wish(kind="privilege", privilege="A visit to the atelier"))
    assert (offer.kind, offer.basis_points, offer.privilege) == ("privilege", 0, "A visit to the atelier")
    sending.send(house.session, house.owner, offer.id, "site")
    with pytest.raises(ShopError) as refusal:
        drafts.revise(house.session, house.owner, offer.id, wish())
    assert refusal.value.status == 409


# -- sending ---------------------------------------------------------------------------------------------------------


def test_sending_by_mail_needs_consent_to_messages(house: House) -> None:
    offer = drafted(house)
    with pytest.raises(ShopError) as refusal, house.session.begin_nested():
        sending.send(house.session, house.owner, offer.id, "mail")
    assert refusal.value.detail == ("This customer has not agreed to messages: an offer can be shown on the site only.")
    house.session.refresh(offer)
    assert (offer.state, count(house.session, Message)) == ("draft", 0)
    assert sending.send(house.session, house.owner, offer.id, "site").state == "sent"
    assert count(house.session, Message) == 0


def test_an_offer_is_sent_once_with_its_mail_at_its_cost(house: House) -> None:
    house.consents(house.iris, "messages")
    offer = drafted(house)
    preview = offer_mail.preview(house.session, offer)
    for _ in range(3):
        assert sending.send(house.session, house.owner, offer.id, "mail").channel == "mail"
    (message,) = house.session.exec(select(Message)).all()
    assert (message.to_address, message.kind, message.cost) == ("iris@example.com", "offer", COST_PER_MAIL)
    assert message.purpose == "messages"
    assert (message.subject, message.text, message.html) == (preview.subject, preview.text, preview.html)
    assert kinds(house.session, offer) == ["offer-drafted", "offer-sent"]


def test_the_mail_says_what_why_until_when_and_how_to_end_such_mails(house: House) -> None:
    house.consents(house.iris, "messages")
    sent(house, "mail")
    message = house.session.exec(select(Message)).one()
    assert message.subject == "Alligator strap, havana, for you — Maison Aurèle"
    for words in (
        "Dear Iris Vallier,",
        "We thought of you.",
        "It fits the Méridien you own.",
        "15 % off",
        "€940, less €141: €799",
        "Yours until 23 March 2026",
        "http://127.0.0.1:8160/account/offers",
        "http://127.0.0.1:8160/unsubscribe?token=",
    ):
        assert words in message.text
    assert "List-Unsubscribe-Post" in message.headers


def test_a_person_gets_at_most_one_offer_mail_in_seven_days(house: House, clock: Any) -> None:
    house.consents(house.iris, "messages")
    sent(house, "mail")
    second = drafted(house, slug="strap-calf-navy")
    clock.forward(days=6)
    with pytest.raises(ShopError) as refusal, house.session.begin_nested():
        sending.send(house.session, house.owner, second.id, "mail")
    assert refusal.value.detail == (
        "The house writes with at most 1 offer in 7 days: by mail again from 9 March 2026, 09:00 UTC, "
        "on the site at once."
    )
    assert count(house.session, Message) == 1
    clock.forward(days=1, seconds=1)
    assert sending.send(house.session, house.owner, second.id, "mail").channel == "mail"


def test_withdrawn_and_ended_drafts_are_not_sent(house: House, clock: Any) -> None:
    taken_back, late = drafted(house), drafted(house)
    sending.withdraw(house.session, house.owner, taken_back.id, "a mistake")
    clock.forward(days=30)
    for offer in (taken_back, late):
        with pytest.raises(ShopError):
            sending.send(house.session, house.owner, offer.id, "site")


# -- hers alone ------------------------------------------------------------------------------------------------------


def test_nobody_else_finds_sees_accepts_declines_or_is_granted_an_offer(house: House) -> None:
    offer = sent(house)
    session, line = house.session, [LineValue("lin_1", STRAP, offer.design_id, 1, 94_000, 36_500, 2_000)]
    assert house.blanche.customer_id
    assert offers.for_customer(session, house.blanche.customer_id) == []
    assert offers.sent_to(session, house.blanche.customer_id) == []
    assert offers.notice(session, house.blanche.customer_id) is None
    assert offers.discounts_for(session, house.blanche.customer_id, line) == []
    for other in (house.blanche, Visitor(), Visitor(session_id="ses_1")):
        for answer in (offers.hers, offers.mark_seen, offers.accept, offers.decline):
            with pytest.raises(ShopError) as refusal:
                answer(session, other, offer.id)
            assert refusal.value.status == 404
    session.refresh(offer)
    assert (offer.state, offer.seen_at) == ("sent", None)


def test_drafts_and_withdrawn_offers_are_not_there_for_her_either(house: House) -> None:
    draft, withdrawn = drafted(house), sent(house)
    sending.withdraw(house.session, house.owner, withdrawn.id, "")
    assert house.iris.customer_id
    assert offers.for_customer(house.session, house.iris.customer_id) == []
    assert offers.sent_to(house.session, house.iris.customer_id) == []
    for offer in (draft, withdrawn):
        with pytest.raises(ShopError) as refusal:
            offers.hers(house.session, house.iris, offer.id)
        assert refusal.value.status == 404


def test_nobody_else_can_redeem_an_offer_by_its_id(house: House) -> None:
    offer = sent(house)
    order = house.orders(house.blanche, (STRAP, {}), paid=False)
    with pytest.raises(ShopError) as refusal:
        offers.redeem(house.session, offer.id, order.id)
    assert refusal.value.status == 409
    house.session.refresh(offer)
    assert (offer.state, order.discount) == ("sent", 0)


# -- her answer ------------------------------------------------------------------------------------------------------


def test_she_sees_it_once_accepts_it_and_may_still_decline(house: House) -> None:
    offer = sent(house)
    for _ in range(2):
        offers.mark_seen(house.session, house.iris, offer.id)
    for _ in range(2):
        assert offers.accept(house.session, house.iris, offer.id).state == "accepted"
    for _ in range(2):
        assert offers.decline(house.session, house.iris, offer.id).state == "declined"
    with pytest.raises(ShopError):
        offers.accept(house.session, house.iris, offer.id)
    assert kinds(house.session, offer) == [
        "offer-accepted",
        "offer-declined",
        "offer-drafted",
        "offer-seen",
        "offer-sent",
    ]
    assert house.iris.customer_id
    assert offers.for_customer(house.session, house.iris.customer_id) == []


def test_an_offer_ends_by_its_day_at_once_and_the_task_says_so(house: House, clock: Any) -> None:
    offer = sent(house)
    task = house.session.exec(select(Task).where(Task.kind == "expire-offers")).one()
    assert task.run_at == offer.expires_at
    clock.forward(days=21, seconds=1)
    assert house.iris.customer_id
    assert offers.for_customer(house.session, house.iris.customer_id) == []
    with pytest.raises(ShopError):
        offers.accept(house.session, house.iris, offer.id)
    assert house.orders(house.iris, (STRAP, {})).discount == 0
    assert sending.expire_due(house.session) == 1
    assert sending.expire_due(house.session) == 0
    house.session.refresh(offer)
    assert (offer.state, kinds(house.session, offer)) == ("expired", ["offer-drafted", "offer-expired", "offer-sent"])


# -- at checkout -----------------------------------------------------------------------------------------------------


def test_her_order_takes_the_discount_once_and_her_next_one_pays_in_full(house: House) -> None:
    offer = sent(house)
    first = house.orders(house.iris, (STRAP, {}))
    assert (first.subtotal, first.discount, first.total) == (94_000, 14_100, 79_900)
    house.session.refresh(offer)
    assert (offer.state, offer.redeemed_order_id) == ("redeemed", first.id)
    (taken,) = orders.discounts_of(house.session, first)
    assert (taken.label, taken.amount) == ("For you: 15 % off, Alligator strap, havana", 14_100)
    second = house.orders(house.iris, (STRAP, {}))
    assert (second.discount, second.total) == (0, 94_000)


def test_a_privilege_stands_on_the_order_and_takes_nothing_off(house: House) -> None:
    offer = sent(house, kind="privilege", privilege="A visit to the atelier", benefit_cost=4_000)
    order = house.orders(house.iris, (STRAP, {}))
    assert order.total == 94_000
    assert [(row.label, row.amount) for row in orders.discounts_of(house.session, order)] == [
        ("For you: A visit to the atelier, Alligator strap, havana", 0)
    ]
    house.session.refresh(offer)
    assert offer.state == "redeemed"


def test_a_gift_is_free_beside_its_piece(house: House) -> None:
    sent(house, kind="gift", gift_slug="care-kit-leather")
    order = house.orders(house.iris, (STRAP, {}), ("care-kit-leather", {}))
    gift = next(line for line in orders.lines_of(house.session, [order])[order.id] if line.slug != STRAP)
    assert (gift.amount, gift.discount, order.total) == (gift.unit_price, gift.unit_price, 94_000)


def test_the_floor_is_kept_again_at_checkout(house: House) -> None:
    offer = sent(house)
    offer.basis_points = 6_000  # as if the price had fallen since
    house.session.add(offer)
    house.session.flush()
    assert house.iris.customer_id
    line = [LineValue("lin_1", STRAP, offer.design_id, 1, 94_000, 36_500, 2_000)]
    found = offers.applied(house.session, house.iris.customer_id, line)
    assert found.discounts == []
    assert found.notes == [
        "For you: 60 % off, Alligator strap, havana: not possible with this bag, because the house would not keep its "
        "margin."
    ]


def test_an_unpaid_order_that_is_released_gives_the_offer_back(house: House, clock: Any) -> None:
    offer = sent(house)
    order = house.orders(house.iris, (STRAP, {}), paid=False)
    assert orders.release(house.session, order)
    house.session.refresh(offer)
    assert (offer.state, offer.redeemed_at, offer.redeemed_order_id) == ("accepted", None, None)
    again = house.orders(house.iris, (STRAP, {}), paid=False)
    assert again.discount == 14_100
    clock.forward(days=22)
    orders.release(house.session, again)
    house.session.refresh(offer)
    assert offer.state == "expired"


def test_putting_the_ready_designs_into_the_bag_is_what_the_offer_was_reckoned_for(house: House) -> None:
    offer = sent(house, kind="gift", gift_slug="care-kit-leather", choices={"buckle": "rose-gold"})
    cart = carts.create(house.session, house.iris)
    for design in drafts.ready_designs(house.session, offer):
        carts.add(house.session, house.iris, cart, design)
    view = carts.view(house.session, cart, house.iris)
    assert {line.line.slug for line in view.lines} == {STRAP, "care-kit-leather"}
    reckoning = drafts.reckon(house.session, offer)
    assert reckoning is not None
    assert view.totals.subtotal == reckoning.price


def test_an_erased_or_suppressed_address_gets_no_offer_mail(house: House) -> None:
    house.consents(house.iris, "messages")
    people.suppress(house.session, "iris@example.com", "account closed")
    assert sending.mail_refusal(house.session, drafted(house).customer_id) is not None
