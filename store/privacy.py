"""Whose data stands where: export, erasure, joining and retention, all driven by the map in store/privacy_map.py."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from fastapi.encoders import jsonable_encoder
from sqlalchemy import ColumnElement, Table, delete, exists, false, or_, select, update
from sqlmodel import Session, SQLModel, col

from store import db, people, tasks
from store.people import Customer
from store.privacy_map import TABLES, Entry
from store.shop import forgetting


def unmapped() -> tuple[set[str], set[str]]:
    """Tables that the map does not know, and entries whose table is gone; both empty when all is well."""
    tables = set(SQLModel.metadata.tables)
    return tables - set(TABLES), set(TABLES) - tables


# -- export ----------------------------------------------------------------------------------------------------------


def export(session: Session, customer_id: str) -> dict[str, Any]:
    """Everything the house holds about a customer, table by table, with purpose and time of keeping."""
    held: dict[str, Any] = {}
    people_ids = _all_of(session, customer_id)
    for name in sorted(TABLES):
        entry = TABLES[name]
        if entry.whose != "customer":
            continue
        table = _table(entry)
        columns = [column for column in table.columns if column.name not in entry.hidden]
        key = next(iter(table.primary_key.columns))
        mine = _owned(session, entry, people_ids)
        if entry.shown is not None:
            mine = mine & entry.shown(table)
        rows = session.execute(select(*columns).where(mine).order_by(key)).mappings()
        held[name] = {
            "label": entry.label,
            "purpose": entry.purpose,
            "kept": entry.keep,
            "rows": [jsonable_encoder(dict(row)) for row in rows],
        }
    return {"made_at": jsonable_encoder(db.now()), "customer": customer_id, "tables": held}


# -- joining ---------------------------------------------------------------------------------------------------------


def move(session: Session, from_customers: Iterable[str], to_customer: str) -> dict[str, list[str]]:
    """Give everything of joined guests to the customer they turned out to be; returns the moved ids by table."""
    guests = list(from_customers)
    moved: dict[str, list[str]] = {}
    for entry in TABLES.values():
        if not guests or not entry.moves or entry.column is None:
            continue
        table = _table(entry)
        owner = table.c[entry.column]
        _take(session, table, entry.column, owner.in_(guests), to_customer, moved)
    return moved


def adopt(session: Session, session_id: str, customer_id: str) -> dict[str, list[str]]:
    """Give what a browser's session did before signing in to the customer who signed in with it.

    Rows of nobody are taken, and those of guests that ordered in this session without proving an address.
    """
    unproved = select(col(Customer.id)).where(
        col(Customer.verified_at).is_(None), col(Customer.merged_into_id).is_(None), col(Customer.id) != customer_id
    )
    moved: dict[str, list[str]] = {}
    for entry in TABLES.values():
        if entry.session_column is None or entry.column is None:
            continue
        table = _table(entry)
        owner = table.c[entry.column]
        theirs = (table.c[entry.session_column] == session_id) & (owner.is_(None) | owner.in_(unproved))
        _take(session, table, entry.column, theirs, customer_id, moved)
    return moved


def _take(
    session: Session,
    table: Table,
    column: str,
    which: ColumnElement[bool],
    customer_id: str,
    moved: dict[str, list[str]],
) -> None:
    key = next(iter(table.primary_key.columns))
    statement = update(table).where(which).values({column: customer_id}).returning(key)
    ids = sorted(session.execute(statement).scalars())
    if ids:
        moved[table.name] = [str(value) for value in ids]
    session.expire_all()


# -- erasure ---------------------------------------------------------------------------------------------------------


def erase(session: Session, customer_id: str) -> None:
    """Close a customer's account: what the books must keep stays, everything else goes or loses the person."""
    customer = session.get_one(Customer, customer_id)
    ids = _all_of(session, customer_id)
    for email in _addresses(session, ids):
        people.suppress(session, email, "account closed")
    session.flush()
    for table in reversed(SQLModel.metadata.sorted_tables):
        entry = TABLES[table.name]
        if entry.whose != "customer" or entry.erasure == "keep":
            continue
        mine = _owned(session, entry, ids)
        if entry.erasure == "delete":
            session.execute(delete(table).where(mine))
        else:
            session.execute(update(table).where(mine).values(**entry.blanks))
    session.execute(
        update(Customer)
        .where(col(Customer.id).in_(ids))
        .values(name="", email="", erased_at=db.now(), suggestions_off=True)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    forgetting.forget(session)
    session.refresh(customer)
    tasks.enqueue(session, "empty-log", {}, dedupe_key=f"empty-log:{customer_id}")


# -- retention -------------------------------------------------------------------------------------------------------


def expire(session: Session) -> dict[str, int]:
    """Delete what was kept long enough; returns the number of rows by table."""
    gone: dict[str, int] = {}
    moment = db.now()
    for table in reversed(SQLModel.metadata.sorted_tables):
        entry = TABLES[table.name]
        if entry.expired is None:
            continue
        key = next(iter(table.primary_key.columns))
        ended = delete(table).where(entry.expired(table, moment), _unused(table)).returning(key)
        rows = len(session.execute(ended).all())
        if rows:
            gone[table.name] = rows
    session.expire_all()
    return gone


def plan_retention(session: Session, *, days_ahead: int = 0) -> None:
    """Ask for the day's retention, once a day; the shop calls this at start, the task calls it for tomorrow."""
    day = db.now() + timedelta(days=days_ahead)
    key = f"retention:{day.date().isoformat()}"
    tasks.enqueue(session, "retention", {}, dedupe_key=key, run_at=day)


def run_retention(_payload: dict[str, Any]) -> None:
    """The task "retention", once a day."""
    with db.transaction() as session:
        forgetting.forget(session)
        expire(session)
        plan_retention(session, days_ahead=1)


def run_empty_log(_payload: dict[str, Any]) -> None:
    """The task "empty-log", after an erasure: the old rows go from the database's log as well."""
    db.empty_log()


TASKS = {"retention": run_retention, "empty-log": run_empty_log}


def _unused(table: Table) -> ColumnElement[bool]:
    """No row of another table points at it."""
    condition: ColumnElement[bool] = ~false()
    for other in SQLModel.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is table and other is not table:
                condition = condition & ~exists(select(other.c[key.parent.name]).where(key.parent == key.column))
    return condition


# -- finding the rows of a person ------------------------------------------------------------------------------------


def _table(entry: Entry) -> Table:
    return SQLModel.metadata.tables[entry.name]


def _all_of(session: Session, customer_id: str) -> list[str]:
    """The customer and the guests that became one with them."""
    merged = session.execute(select(col(Customer.id)).where(col(Customer.merged_into_id) == customer_id)).scalars()
    return [customer_id, *merged]


def _addresses(session: Session, ids: list[str]) -> list[str]:
    """Every address the house knows of these people."""
    given = session.execute(select(col(Customer.email)).where(col(Customer.id).in_(ids))).scalars().all()
    proved = session.execute(
        select(col(people.Identity.value)).where(
            col(people.Identity.customer_id).in_(ids), col(people.Identity.kind) == "email"
        )
    )
    return sorted({email for email in (*given, *proved.scalars()) if email})


def _owned(session: Session, entry: Entry, ids: list[str]) -> ColumnElement[bool]:
    """The rows of this table that are about these customers."""
    table = _table(entry)
    ways: list[ColumnElement[bool]] = []
    if entry.through is not None and entry.column is not None:
        parent = TABLES[entry.through]
        target = _table(parent)
        key = next(iter(target.primary_key.columns))
        ways.append(table.c[entry.column].in_(select(key).where(_owned(session, parent, ids))))
    elif entry.column is not None:
        ways.append(table.c[entry.column].in_(ids))
    if entry.email_column is not None:
        named = table.c[entry.email_column].in_(_addresses(session, ids))
        ways.append(named & table.c[entry.column].is_(None) if entry.column else named)
    return or_(*ways) if ways else false()
