"""What the house knows of one person, and how it finds them."""

from typing import Any

from store import people
from store.crm import contacts, drafts, profile, sending, timeline
from store.events import Event, Visitor, record
from store.shop import orders
from tests.store.crm.cast import STRAP, House, wish


def titles(house: House, narrow: str = "all") -> list[str]:
    assert house.iris.customer_id
    return [entry.title for entry in timeline.of_customer(house.session, house.iris.customer_id, narrow).entries]


def test_the_profile_shows_what_is_owned_what_is_open_and_what_was_agreed(house: House) -> None:
    house.orders(house.iris, ("meridien", {"case": "rose-gold"}))
    kept = house.saves(house.iris, "voyageur")
    house.consents(house.iris, "messages")
    assert house.iris.customer_id
    known = profile.of(house.session, profile.by_id(house.session, house.iris.customer_id))
    assert [(line.name, line.choices) for line in known.owned] == [("Méridien", {"case": "rose-gold"})]
    assert [design.id for design in known.open_designs] == [kept.id]
    answers = {purpose: bool(answer and answer.granted) for purpose, answer in known.consents.items()}
    assert answers == {"personalisation": False, "messages": True}


def test_leanings_are_counted_over_distinct_designs_from_the_second_on(house: House) -> None:
    house.orders(house.iris, ("meridien", {"case": "rose-gold"}))
    assert house.iris.customer_id
    customer = profile.by_id(house.session, house.iris.customer_id)
    assert profile.of(house.session, customer).leanings == []
    house.saves(house.iris, STRAP, buckle="rose-gold")
    assert "Rose gold (metal): in 2 of 2 designs" in profile.of(house.session, customer).leanings


def test_a_customer_is_found_by_name_address_and_order_number(house: House) -> None:
    order = house.orders(house.iris, (STRAP, {}))
    for query in ("vallier", "IRIS", "iris@example", order.number, order.number[:5].lower(), "iris vallier"):
        found = profile.directory(house.session, query)
        assert [row.customer.name for row in found.rows] == ["Iris Vallier"], query
    assert profile.directory(house.session, "iris roy").rows == []
    assert profile.directory(house.session, "100%_").rows == []
    assert profile.directory(house.session, "").found == 2


def test_names_with_accents_are_found_however_they_are_typed(house: House) -> None:
    people.new_customer(house.session, "e@example.com", "Éloïse Ötvös")
    for query in ("éloïse", "Éloïse", "ötvös"):
        assert [row.customer.name for row in profile.directory(house.session, query).rows] == ["Éloïse Ötvös"], query


def test_a_guest_who_was_recognised_is_shown_as_the_customer_they_are(house: House) -> None:
    guest = people.new_customer(house.session, "iris@example.com", "I.")
    guest.merged_into_id = house.iris.customer_id
    house.session.add(guest)
    house.session.flush()
    assert profile.by_id(house.session, guest.id).id == house.iris.customer_id
    assert profile.directory(house.session, "").found == 2


def test_the_list_comes_in_pages_and_beyond_the_last_is_the_last(house: House) -> None:
    for number in range(profile.PAGE + 3):
        people.new_customer(house.session, f"c{number}@example.com", f"Customer {number:03}")
    first = profile.directory(house.session, "customer", 1, "name")
    assert (first.found, first.pages, len(first.rows)) == (profile.PAGE + 3, 2, profile.PAGE)
    last = profile.directory(house.session, "customer", 99, "name")
    assert (last.page, [row.customer.name for row in last.rows][-1]) == (2, f"Customer {profile.PAGE + 2:03}")


# -- the timeline ----------------------------------------------------------------------------------------------------


def test_the_timeline_tells_orders_offers_mails_and_contacts_with_what_they_cost(house: House, clock: Any) -> None:
    assert house.iris.customer_id
    house.consents(house.iris, "messages")
    clock.forward(minutes=1)
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    clock.forward(minutes=1)
    sending.send(house.session, house.owner, offer.id, "mail")
    clock.forward(minutes=1)
    order = house.orders(house.iris, (STRAP, {}))
    clock.forward(minutes=1)
    contacts.log(house.session, house.owner, house.iris.customer_id, "letter", cost=150, note="A card")
    entries = timeline.of_customer(house.session, house.iris.customer_id).entries
    told = {(entry.title, entry.text, entry.cost, entry.href) for entry in entries}
    assert ("Letter, from us", "A card — Aurèle", 150, "") in told
    assert ("Mail", "Alligator strap, havana, for you — Maison Aurèle", 2, "") in told
    assert ("Offer sent", "15 % off, Alligator strap, havana — Aurèle", 0, f"/office/offers/{offer.id}") in told
    assert ("Paid", f"{order.number} · €799", 0, f"/office/orders/{order.number}") in told
    assert entries[0].title == "Letter, from us"
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)


def test_the_timeline_can_be_narrowed_down(house: House) -> None:
    assert house.iris.customer_id
    house.orders(house.iris, (STRAP, {}))
    contacts.log(house.session, house.owner, house.iris.customer_id, "phone", minutes=5)
    assert "Telephone, from us" in titles(house, "messages")
    assert set(titles(house, "orders")) == {"Placed an order", "Paid"}
    assert titles(house, "offers") == []
    assert titles(house, "nonsense") == titles(house, "all")


def test_a_day_of_looking_and_choosing_is_one_entry(house: House, clock: Any) -> None:
    willing = Visitor(customer_id=house.iris.customer_id, consents=frozenset({"personalisation"}))
    for _ in range(3):
        record(house.session, willing, "view", product="meridien")
        record(house.session, willing, "choice", product="meridien", facts={"group": "case"})
        clock.forward(minutes=2)
    clock.forward(days=1)
    record(house.session, willing, "view", product="voyageur")
    assert house.iris.customer_id
    shop = timeline.of_customer(house.session, house.iris.customer_id, "shop").entries
    assert [entry.text for entry in shop] == [
        "Looked at Voyageur (1 page)",
        "Looked at Méridien (3 pages). Chose in Méridien (3 times)",
    ]


def test_long_histories_come_in_pages(house: House, clock: Any) -> None:
    for _ in range(timeline.PAGE + 5):
        record(house.session, house.iris, "signed-in")
        clock.forward(minutes=1)
    assert house.iris.customer_id
    first = timeline.of_customer(house.session, house.iris.customer_id, "account")
    second = timeline.of_customer(house.session, house.iris.customer_id, "account", 2)
    assert (len(first.entries), first.more, second.more) == (timeline.PAGE, True, False)


def test_an_entry_speaks_in_general_words_when_what_it_was_about_is_gone(house: House) -> None:
    record(house.session, house.iris, "offer-seen", subject="off_gone", customer_id=house.iris.customer_id)
    house.session.add(
        Event(
            id="evt_x",
            kind="order-placed",
            at=house.session.get_one(people.Customer, house.iris.customer_id).created_at,
            received_at=house.session.get_one(people.Customer, house.iris.customer_id).created_at,
            customer_id=house.iris.customer_id,
            subject="ord_gone",
        )
    )
    house.session.flush()
    assert {"Looked at the offer", "Placed an order"} <= set(titles(house))


def test_an_orders_own_history_names_stages_with_their_reason_and_who_said_so(house: House, clock: Any) -> None:
    order = house.orders(house.iris, (STRAP, {}))
    clock.forward(days=1)
    orders.advance(house.session, house.owner, order, "in-production", "Work has begun at the bench")
    told = [(entry.title, entry.text) for entry in timeline.of_order(house.session, order)]
    assert told[-1] == ("In the workshop", "Work has begun at the bench — Aurèle")
