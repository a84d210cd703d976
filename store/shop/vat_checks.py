"""The on-line check of a buyer's VAT ID: asked by a task after the order, kept with its answer, never in the way.

What becomes of "invalid": the order stands, and staff are told on its page, in the day's list and in the books until
somebody has noted what was done about it: the right VAT ID asked for, or the VAT asked for after all.
"""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db, tasks
from store.errors import invalid, not_found
from store.events import Visitor
from store.shop.orders import Order
from store.shop.vat_register import Register, RegisterUnavailableError

CHECK = "check-vat-id"  # the kind of the task
ASKED, VALID, INVALID, UNREACHED = "asked", "valid", "invalid", "unreached"
STATES: dict[str, str] = {
    ASKED: "being asked",
    VALID: "valid",
    INVALID: "not valid",
    UNREACHED: "not reached",
}
NOBODY_ASKED = "no register is asked in test mode"


class VatIdCheck(SQLModel, table=True):
    """What the register of the Union said to the VAT ID of an order that went out without VAT."""

    __tablename__ = "vat_id_check"

    id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="shop_order.id", unique=True)
    vat_id: str
    state: str = ASKED  # one of STATES
    asked_at: datetime
    answered_at: datetime | None = None  # when it said valid or not
    tried_at: datetime | None = None
    tries: int = 0
    reference: str = ""  # the register's own, as proof
    reason: str = ""  # why it could not be reached
    seen_at: datetime | None = None  # when staff noted what was done about "not valid"
    seen_by: str | None = None

    @property
    def state_label(self) -> str:
        """The state in words."""
        return STATES[self.state]

    @property
    def needs_staff(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state == INVALID and self.seen_at is None


# -- asking ----------------------------------------------------------------------------------------------------------


def ask(session: Session, order: Order) -> None:
    """Ask for the check of an order without VAT; once, however often it is called."""
    row = {"id": db.new_id("vat"), "order_id": order.id, "vat_id": order.vat_id, "asked_at": db.now()}
    row |= {"state": ASKED, "tries": 0, "reference": "", "reason": ""}
    if db.insert_once(session, VatIdCheck, row, unique=("order_id",)) is not None:
        tasks.enqueue(session, CHECK, {"order": order.id}, dedupe_key=f"{CHECK}:{order.id}")


def ask_again(session: Session, order: Order) -> None:
    """Ask once more, because the register was not reached, or has the VAT ID by now.

    Raises:
        ShopError: 404, this order has no VAT ID to be checked.
    """
    check = of_order(session, order)
    if check is None:
        raise not_found("check of a VAT ID")
    key = f"{CHECK}:{order.id}:{check.tries}"  # two clicks ask once
    _change(session, check, state=ASKED, reason="", answered_at=None, seen_at=None, seen_by=None)
    tasks.enqueue(session, CHECK, {"order": order.id}, dedupe_key=key)


def carry_out(register: Register | None, order_id: str) -> None:
    """The task: ask the register, outside any transaction, and keep what it said.

    Raises:
        RegisterUnavailableError: it did not answer; the task tries again, and the order goes its way meanwhile.
    """
    with db.transaction(read_only=True) as session:
        check = session.exec(select(VatIdCheck).where(VatIdCheck.order_id == order_id)).one()
    if check.state in (VALID, INVALID):
        return
    try:
        if register is None:
            raise RegisterUnavailableError(NOBODY_ASKED)
        answer = register.check(check.vat_id)
    except RegisterUnavailableError as problem:
        _note(check, state=UNREACHED, reason=str(problem))
        if register is not None:
            raise
        return
    state = VALID if answer.valid else INVALID
    _note(check, state=state, answered_at=db.now(), reference=answer.reference, reason="")


def _note(check: VatIdCheck, **values: object) -> None:
    with db.transaction() as session:
        _change(session, check, tried_at=db.now(), tries=check.tries + 1, **values)


def _change(session: Session, check: VatIdCheck, **values: object) -> None:
    session.execute(update(VatIdCheck).where(col(VatIdCheck.id) == check.id).values(**values))


# -- looking at it ---------------------------------------------------------------------------------------------------


def of_order(session: Session, order: Order) -> VatIdCheck | None:
    """The check of an order's VAT ID, where there is one."""
    return session.exec(select(VatIdCheck).where(VatIdCheck.order_id == order.id)).first()


def open_ones(session: Session) -> list[tuple[VatIdCheck, str]]:
    """What is not valid and not yet settled by staff, with the number of its order; the newest first."""
    statement = (
        select(VatIdCheck, Order.number)
        .join(Order, col(Order.id) == col(VatIdCheck.order_id))
        .where(VatIdCheck.state == INVALID, col(VatIdCheck.seen_at).is_(None))
        .order_by(col(VatIdCheck.answered_at).desc(), col(VatIdCheck.id))
    )
    return [(check, number) for check, number in session.exec(statement).all()]


def settle(session: Session, staff: Visitor, order: Order, done: str) -> bool:
    """Staff note what was done about a VAT ID that is not valid.

    Returns:
        Whether this call settled it; a second click finds it settled.

    Raises:
        ShopError: 422, without what was done.
    """
    if not done.strip():
        raise invalid("Please say what was done about it.", field="done")
    settled = session.execute(
        update(VatIdCheck)
        .where(
            col(VatIdCheck.order_id) == order.id,
            col(VatIdCheck.state) == INVALID,
            col(VatIdCheck.seen_at).is_(None),
        )
        .values(seen_at=db.now(), seen_by=staff.staff_id)
        .returning(col(VatIdCheck.id))
        .execution_options(synchronize_session=False)
    ).first()
    return settled is not None


def tasks_of(register: Register | None) -> dict[str, tasks.TaskFunction]:
    """The task over a register, or over none."""
    return {CHECK: lambda payload: carry_out(register, payload["order"])}
