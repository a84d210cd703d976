"""What time brings about: unpaid orders are released, agreed days come, and the tasks around payments run."""

from datetime import UTC, datetime, time

from sqlmodel import Session

from store import db, tasks
from store.shop import notices, orders, payment_pages, reconciliation, refunds, saved_cards, schedule
from store.shop.orders import Order
from store.shop.payments import Till

RELEASE, BY_DATE = "release-order", "ask-by-date"  # kinds of tasks


def plan_release(session: Session, order: Order) -> None:
    """Ask for what an order holds to be given back when it is not paid in time."""
    tasks.enqueue(session, RELEASE, {"order": order.id}, dedupe_key=f"{RELEASE}:{order.id}", run_at=order.kept_until)


def plan_agreed_days(session: Session, order: Order) -> None:
    """Ask for the parts of an order that have a day of their own."""
    if order.plan == schedule.FULL:
        return
    for part in schedule.of_orders(session, [order])[order.id]:
        if part.due_on is not None:
            at = datetime.combine(part.due_on, time(8), UTC)
            tasks.enqueue(session, BY_DATE, {"order": order.id}, dedupe_key=f"{BY_DATE}:{part.id}", run_at=at)


def release_unpaid(till: Till, order_id: str) -> None:
    """Release an order that was not paid in time: close its payment page, look once more, give everything back."""
    with db.transaction(read_only=True) as session:
        order = session.get_one(Order, order_id)
    if order.state != "placed" or order.received:
        return
    payment_pages.close_page(till, order_id)
    with db.transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
        orders.release(session, order)


def ask_by_date(order_id: str) -> None:
    """Ask for the parts of an order whose agreed day has come."""
    with db.transaction() as session:
        schedule.ask_by_date(session, session.get_one(Order, order_id))


def tasks_of(till: Till) -> dict[str, tasks.TaskFunction]:
    """The tasks around payments over a till."""
    return {
        RELEASE: lambda payload: release_unpaid(till, payload["order"]),
        BY_DATE: lambda payload: ask_by_date(payload["order"]),
        notices.SETTLE: lambda payload: notices.settle_notice(till, payload["event"]),
        refunds.REFUND: lambda payload: refunds.carry_out(till, payload["refund"]),
        saved_cards.CHARGE: lambda payload: saved_cards.charge(till, payload["part"]),
        reconciliation.RECONCILE: lambda _payload: reconciliation.run_hourly(till),
    }
