"""The stages of an order as its customer sees them: what is done and when, what comes next and by when."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store.events import Event
from store.rendering import day, moment
from store.shop.orders import DEPOSIT, STATES, Order, OrderLine

MADE = ("placed", "paid", "in-production", "ready", "shipped", "delivered")
STOCKED = ("placed", "paid", "shipped", "delivered")
WORDS = {
    "placed": "Your order is written down and its pieces are kept for you.",
    "paid": "Your payment has arrived.",
    "in-production": "Our hands are at work.",
    "ready": "Finished, checked and packed.",
    "shipped": "On its way to you, insured.",
    "delivered": "In your hands.",
    "released": "The order was not paid in time. Its pieces are free again; nothing is owed.",
    "cancelled": "The order was cancelled. Nothing is owed.",
}
_KINDS = {
    "order-placed": "placed",
    "order-paid": "paid",
    "order-released": "released",
    "order-cancelled": "cancelled",
    "refund-made": "refund",
}

_DEPOSIT = "Your deposit has arrived; work may begin."
_CANCELLED_PAID = "The order was cancelled; what you paid goes back to you."


@dataclass(frozen=True)
class Stage:
    """One entry of the timeline; `state` is "done", "now" or "" (still to come)."""

    title: str
    at: str
    text: str
    state: str


def stages(session: Session, order: Order, lines: list[OrderLine]) -> list[Stage]:
    """The order's timeline, from its events and from what was promised."""
    reached = _reached(session, order)
    if order.state in ("released", "cancelled"):
        shown = [_done("placed", order.placed_at), _done(order.state, order.closed_at or order.placed_at, "now")]
        if order.received:
            shown[1] = Stage(shown[1].title, shown[1].at, _CANCELLED_PAID, "now")
        if "refund" in reached:
            shown.append(
                Stage("Paid back", moment(reached["refund"]), "Your payment is on its way back to you.", "now")
            )
        return shown
    way = STOCKED if all(line.slug in line.counts for line in lines) else MADE
    last = max((way.index(stage) for stage in way if stage in reached), default=0)
    shown = [_done(stage, reached.get(stage), "now" if way[last] == stage else "done") for stage in way[: last + 1]]
    if "paid" in reached and not order.is_settled:
        place = way.index("paid")
        shown[place] = Stage(DEPOSIT, shown[place].at, _DEPOSIT, shown[place].state)
    for stage in way[last + 1 :]:
        promised = stage == ("shipped" if way is STOCKED else "ready")
        expected = f"Promised from {day(order.promised_from)} to {day(order.promised_by)}." if promised else ""
        # Nobody who looks for the word may read it before the money is here.
        title = "Payment" if stage == "paid" else STATES[stage]
        shown.append(Stage(title, "", expected, ""))
    return shown


def _reached(session: Session, order: Order) -> dict[str, datetime]:
    reached = {"placed": order.placed_at}
    events = session.exec(select(Event).where(Event.subject == order.id).order_by(col(Event.at), col(Event.id))).all()
    for event in events:
        stage = event.facts.get("stage") if event.kind == "order-stage" else _KINDS.get(event.kind)
        if stage:
            reached.setdefault(stage, event.at)
    if order.paid_at:
        reached["paid"] = order.paid_at
    return reached


def _done(stage: str, at: datetime | None, state: str = "done") -> Stage:
    return Stage(STATES[stage], moment(at) if at else "", WORDS[stage], state)
