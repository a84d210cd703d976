"""What happens in the demo house between visits: mails leave, deadlines pass, the workshop moves orders on."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from store import db, events
from store.crm import sending
from store.mail import Message
from store.shop import orders, payments
from store.shop.orders import Order
from store.tasks import Task


def do_errands(session: Session) -> None:
    """What this visit asked the worker for is done: its mails were read long ago, its orders paid or released."""
    asked = (
        update(Task)
        .where(col(Task.kind).in_(("send-mail", payments.RELEASE)), col(Task.state) == "queued")
        .where(col(Task.created_at) <= db.now())
        .values(state="done", finished_at=db.now())
    )
    session.execute(asked.execution_options(synchronize_session=False))
    session.execute(
        update(Message)
        .where(col(Message.state) == "queued", col(Message.created_at) <= db.now())
        .values(state="sent", sent_at=db.now())
        .execution_options(synchronize_session=False)
    )


def live_the_day(session: Session) -> None:
    """The workshop's day: paid orders go through their stages as their promised days come; old offers end."""
    sending.expire_due(session)
    today = db.now().date()
    moving = select(Order).where(col(Order.synthetic), col(Order.state).in_(orders.STAGES[1:5]))
    for order in session.exec(moving.order_by(col(Order.placed_at))).all():
        _move_on(
            session, order, (today - order.placed_at.date()).days, (order.promised_by - order.placed_at.date()).days
        )


def _move_on(session: Session, order: Order, waited: int, promised: int) -> None:
    due = {
        "in-production": 2,
        "ready": max(promised - 2, 2),
        "shipped": max(promised - 1, 3),
        "delivered": promised + 2,
    }
    for stage in orders.STAGES[2:]:
        if orders.STAGES.index(stage) > orders.STAGES.index(order.state) and waited >= due[stage]:
            orders.advance(session, events.NOBODY, order, stage)
