"""What becomes of the orders of a customer who is forgotten: when one is over, nothing in it names the person.

Name, address and VAT ID then stand in the invoice archive alone. The words on a piece become others of the same
length, so that the order still adds up, replays and keeps a seal.
"""

from sqlmodel import Session, col, select

from configurator import ModelError
from store.errors import ShopError
from store.people import Customer
from store.shop import catalog, orders, schedule, snapshots
from store.shop.appraisal import appraise
from store.shop.orders import Order, OrderLine

OVER = ("delivered", "released", "cancelled")


def forget(session: Session) -> int:
    """Forget the person in the orders of closed accounts that are over; returns how many orders that were.

    An order under way still has to be made and delivered; the day's retention asks again.
    """
    statement = (
        select(Order)
        .join(Customer, col(Customer.id) == col(Order.customer_id))
        .where(col(Customer.erased_at).is_not(None), col(Order.state).in_(OVER), Order.name != "")
    )
    found = list(session.exec(statement.with_for_update(of=Order)).all())
    for order in found:
        _forget(session, order)
    session.flush()
    return len(found)


def _forget(session: Session, order: Order) -> None:
    sound = not snapshots.replay(session, order)
    order.name, order.email, order.address, order.contact_seal = "", "", {}, None
    order.company, order.vat_id = "", ""
    lines = orders.lines_of(session, [order])[order.id]
    for line in lines:
        if line.texts:
            _replace_words(session, line)
            session.add(line)
    if sound:  # what had been altered before must go on being noticed
        parts = schedule.of_orders(session, [order])[order.id]
        order.seal = snapshots.seal(order, lines, orders.discounts_of(session, order), parts)
    session.add(order)


def _replace_words(session: Session, line: OrderLine) -> None:
    others = {group: "".join(_other(char) for char in words) for group, words in line.texts.items()}
    try:
        worth = appraise(catalog.version(session, line.model_version), line.choices, others)
    except (ShopError, ModelError):  # no other words go there: then none at all
        hidden = set(line.texts)
        line.described = [row for row in line.described if row["group"] not in hidden]
        line.texts, line.sentence = {}, line.name
        return
    line.texts, line.described, line.sentence = worth.texts, worth.description, worth.sentence


def _other(char: str) -> str:
    if char.isdigit():
        return "0"
    if char.isalpha():
        return "X" if char.isupper() else "x"
    return char
