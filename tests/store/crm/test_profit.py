"""Row profit: exact to the cent, net of tax, and the rows add up to the shop."""

from typing import Any

from sqlmodel import select

from store import db, people
from store.crm import contacts, drafts, profit, sending
from store.crm.profit import RowProfit
from store.events import Visitor
from store.mail import Message
from store.money import contained_tax
from store.shop import orders, refunds, transfers
from store.shop.orders import Order, OrderLine
from tests.store import selling
from tests.store.crm.cast import STRAP, House, wish
from tests.store.selling import HandProvider


def row(house: House, visitor: Visitor) -> RowProfit:
    assert visitor.customer_id
    return profit.row_profit(house.session, visitor.customer_id)


def reprice(house: House, order: Order, *, net: int, off_net: int, cost: int) -> None:
    """Make an order's one line worth what an example says, at 20 % tax."""
    line = orders.lines_of(house.session, [order])[order.id][0]
    line.amount, line.discount = net * 12 // 10, off_net * 12 // 10
    line.tax = contained_tax(line.amount - line.discount, 2_000)
    line.unit_cost = cost
    house.session.add(line)
    house.session.flush()


def test_an_order_of_10_000_with_200_off_costs_of_4_400_and_a_letter_of_1_50(house: House) -> None:
    order = house.orders(house.iris, (STRAP, {}))
    reprice(house, order, net=1_000_000, off_net=20_000, cost=440_000)
    assert house.iris.customer_id
    contacts.log(house.session, house.owner, house.iris.customer_id, "letter", cost=150)
    found = row(house, house.iris)
    assert found == RowProfit(
        orders=1, pieces=1, list_net=1_000_000, discounts=20_000, cost=440_000, privileges=0, contact_cost=150
    )
    assert (found.margin, found.profit) == (540_000, 539_850)


def test_what_is_sent_back_of_an_order_is_no_profit(house: House) -> None:
    order = house.orders(house.iris, (STRAP, {}), paid=False)
    before = row(house, house.iris)
    till = selling.till_of(HandProvider())
    transfers.record(house.session, till, order, order.total, db.now().date(), "BANK-1")
    sold = row(house, house.iris)
    (asked,) = refunds.ask(house.session, house.owner, order, 12_000, "A scratch", "k")
    assert row(house, house.iris) == sold
    refunds.record_sent(house.session, house.owner, order, asked.id, "BANK-2")
    found = row(house, house.iris)
    assert (before.margin, found.sent_back, found.margin) == (0, 10_000, sold.margin - 10_000)
    assert profit.shop_total(house.session) == found


def test_a_redeemed_offer_and_its_mail_change_the_row_by_the_exact_cent(house: House) -> None:
    assert house.iris.customer_id
    house.consents(house.iris, "messages")
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    sending.send(house.session, house.owner, offer.id, "mail")
    house.orders(house.iris, (STRAP, {}))
    house.orders(house.blanche, (STRAP, {}))
    iris, blanche = row(house, house.iris), row(house, house.blanche)
    # 940.00 with tax is 783.33 without; 799.00 is 665.83; so the offer took 117.50, and its mail cost 2 cents.
    assert (blanche.list_net, blanche.discounts, blanche.contact_cost) == (78_333, 0, 0)
    assert (iris.list_net, iris.discounts, iris.contact_cost) == (78_333, 11_750, 2)
    assert blanche.profit - iris.profit == 11_750 + 2


def test_a_privilege_costs_when_the_order_that_used_it_is_paid(house: House) -> None:
    assert house.iris.customer_id
    terms: dict[str, Any] = {"kind": "privilege", "privilege": "A visit to the atelier", "benefit_cost": 4_000}
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish(**terms))
    sending.send(house.session, house.owner, offer.id, "site")
    order = house.orders(house.iris, (STRAP, {}), paid=False)
    assert row(house, house.iris) == RowProfit()
    orders.mark_paid(house.session, order, None)
    found = row(house, house.iris)
    assert (found.privileges, found.profit) == (4_000, found.margin - 4_000)


def test_unpaid_released_and_cancelled_orders_bring_nothing(house: House) -> None:
    released = house.orders(house.iris, (STRAP, {}), paid=False)
    orders.release(house.session, released)
    cancelled = house.orders(house.iris, (STRAP, {}), paid=False)
    orders.cancel(house.session, house.owner, cancelled, "changed her mind")
    house.orders(house.iris, (STRAP, {}), paid=False)
    assert row(house, house.iris) == RowProfit()


def test_a_mail_that_was_withheld_cost_nothing(house: House) -> None:
    assert house.iris.customer_id
    house.consents(house.iris, "messages")
    offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish())
    sending.send(house.session, house.owner, offer.id, "mail")
    message = house.session.exec(select(Message)).one()
    message.state = "withheld"
    house.session.add(message)
    house.session.flush()
    assert row(house, house.iris).contact_cost == 0


def test_what_a_guest_brought_stands_in_the_row_of_the_customer_they_turned_out_to_be(house: House) -> None:
    guest = people.new_customer(house.session, "iris@example.com", "I. Vallier")
    house.orders(Visitor(customer_id=guest.id), (STRAP, {}))
    guest.merged_into_id = house.iris.customer_id
    house.session.add(guest)
    house.session.flush()
    assert row(house, house.iris).orders == 1
    assert guest.id not in profit.rows(house.session)


def test_the_rows_add_up_to_the_shop_to_the_cent(house: House) -> None:
    assert house.iris.customer_id
    assert house.blanche.customer_id
    house.consents(house.iris, "messages")
    for kind in ({}, {"kind": "gift", "gift_slug": "care-kit-leather"}):
        offer = drafts.draft(house.session, house.owner, house.iris.customer_id, wish(**kind))
        sending.send(house.session, house.owner, offer.id, "site")
    house.orders(house.iris, (STRAP, {}), ("care-kit-leather", {}))
    house.orders(house.iris, ("meridien", {"case": "rose-gold"}), (STRAP, {"buckle": "rose-gold"}))
    house.orders(house.blanche, ("voyageur", {}), ("strap-calf-navy", {"length": "long"}))
    house.orders(house.blanche, ("luggage-tag-cognac", {}), paid=False)
    contacts.log(house.session, house.owner, house.blanche.customer_id, "phone", minutes=12, cost=1_237)
    by_customer = profit.rows(house.session)
    assert sum(by_customer.values(), RowProfit()) == profit.shop_total(house.session)
    # And to an independent sum over the lines.
    lines = house.session.exec(select(OrderLine).join(Order).where(Order.state == "paid")).all()
    total = profit.shop_total(house.session)
    assert total.revenue_net == sum(line.amount - line.discount - line.tax for line in lines)
    assert total.cost == sum(line.quantity * line.unit_cost for line in lines)
    off = sum(line.discount - contained_tax(line.discount, line.tax_basis_points) for line in lines)
    assert (total.discounts, total.list_net) == (off, total.revenue_net + off)
    assert total.profit == total.revenue_net - total.cost - 1_237
