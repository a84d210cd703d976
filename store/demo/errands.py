"""What happens in the demo house between visits: mails leave, deadlines pass, the workshop moves orders on."""

from sqlalchemy import select, update
from sqlmodel import Session, col

from store import db, events
from store.crm import sending
from store.mail import Message
from store.shop import catalog, orders, payment_pages, payment_tasks, settling, stock
from store.shop.orders import Order
from store.shop.payments import Till
from store.tasks import Task

FEW = 4  # free pieces


def do_errands(session: Session) -> None:
    """What this visit asked the worker for is done: its mails were read long ago, its orders paid or released."""
    asked = (
        update(Task)
        .where(col(Task.kind).in_(("send-mail", payment_tasks.RELEASE)), col(Task.state) == "queued")
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


def live_the_day(session: Session, till: Till) -> None:
    """The workshop's day: orders that stand go through their stages as their promised days come; shelves are filled."""
    sending.expire_due(session)
    _fill_shelves(session)
    today = db.now().date()
    moving = (
        select(col(Order.id), col(Order.state), col(Order.placed_at), col(Order.promised_by))
        .where(col(Order.synthetic), col(Order.state).in_(orders.STAGES[1:5]))
        .order_by(col(Order.placed_at))
    )
    for order_id, state, placed_at, promised_by in session.execute(moving).all():
        placed = placed_at.date()
        for stage in _stages_due(state, (today - placed).days, (promised_by - placed).days):
            order = session.get_one(Order, order_id)
            if stage in orders.HANDED_OVER:
                _pay_what_is_due(session, till, order)
            orders.advance(session, events.NOBODY, order, stage)


def _pay_what_is_due(session: Session, till: Till, order: Order) -> None:
    """Whoever ordered by a plan pays part after part, as soon as it is asked for."""
    while payment_pages.payable(session, order) is not None:
        payment_pages.open_checkout(till, order.id)
        settling.settle_order(till, order.id)
        session.refresh(order)


def _fill_shelves(session: Session) -> None:
    """What has almost run out is made again; numbered pieces never are."""
    counted = [item for item in catalog.listing(session) if item.counted and not item.model.supply.numbered]
    free = stock.available(session, [item.slug for item in counted])
    for item in counted:
        if free[item.slug] < FEW:
            stock.add_on_hand(session, item.slug, item.model.supply.stock or 0)


def _stages_due(state: str, waited: int, promised: int) -> list[str]:
    """The stages after this one whose day has come; days since the order, and until the promised day."""
    due = {
        "in-production": 2,
        "ready": max(promised - 2, 2),
        "shipped": max(promised - 1, 3),
        "delivered": promised + 2,
    }
    return [stage for stage in orders.STAGES[orders.STAGES.index(state) + 1 :] if waited >= due[stage]]
