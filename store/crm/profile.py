"""One person as the house knows them: who, what they own and began, how they lean; and finding that person."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from store.crm.paging import within
from store.crm.profit import RowProfit, rows
from store.errors import not_found
from store.people import PURPOSES, Consent, Customer, answers_of
from store.shop import catalog, designs, orders
from store.shop.designs import Design
from store.shop.orders import PAID, Order, OrderLine

PAGE = 40
MOST_TRAITS = 4
ORDERINGS: dict[str, str] = {"recent": "Latest order", "name": "Name", "new": "New customers"}


@dataclass(frozen=True)
class Profile:
    """What stands on a customer's page beside the timeline."""

    customer: Customer
    owned: list[OrderLine]
    orders: list[Order]
    open_designs: list[Design]
    leanings: list[str]
    consents: dict[str, Consent | None]


@dataclass(frozen=True)
class DirectoryRow:
    """A customer in the list."""

    customer: Customer
    profit: RowProfit
    latest: datetime | None


@dataclass(frozen=True)
class Directory:
    """A page of the list."""

    rows: list[DirectoryRow]
    found: int
    page: int
    pages: int


def by_id(session: Session, customer_id: str) -> Customer:
    """The customer; for a guest who was recognised, the customer they turned out to be.

    Raises:
        ShopError: 404.
    """
    customer = session.get(Customer, customer_id)
    if customer is not None and customer.merged_into_id:
        customer = session.get(Customer, customer.merged_into_id)
    if customer is None:
        raise not_found("customer")
    return customer


def of(session: Session, customer: Customer) -> Profile:
    """What the house knows of this customer."""
    owned = orders.owned_items(session, customer.id)
    bought = {line.design_id for line in owned}
    saved = designs.of_customer(session, customer.id)
    answers = answers_of(session, customer.id)
    return Profile(
        customer=customer,
        owned=owned,
        orders=orders.of_customer(session, customer.id),
        open_designs=[design for design in saved if design.id not in bought and design.source == "customer"],
        leanings=leanings(session, [(line.model_version, line.choices) for line in owned], saved),
        consents={purpose: answers.get(purpose) for purpose in PURPOSES},
    )


def leanings(session: Session, bought: Iterable[tuple[str, dict[str, Any]]], saved: Iterable[Design]) -> list[str]:
    """How this person leans, in words that count: "Rose gold, in 3 of 4 designs".

    Only what was chosen speaks (defaults do not); a trait counts once a design, and from the second design on.
    """
    own = [design for design in saved if design.source == "customer"]
    chosen = [*bought, *((design.model_version, design.choices) for design in own)]
    distinct = {(version, repr(sorted(choices.items()))): (version, choices) for version, choices in chosen}
    counted: Counter[tuple[str, str]] = Counter()
    carriers: Counter[str] = Counter()
    for version, choices in distinct.values():
        traits = _traits(session, version, choices)
        counted.update(traits)
        carriers.update({name for name, _ in traits})
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [
        f"{value.replace('-', ' ').capitalize()} ({name.replace('_', ' ')}): in {count} of {carriers[name]} designs"
        for (name, value), count in ranked
        if count > 1
    ][:MOST_TRAITS]


def _traits(session: Session, version: str, choices: dict[str, Any]) -> set[tuple[str, str]]:
    """The attributes, in words, of the options chosen in one design."""
    found: set[tuple[str, str]] = set()
    model = catalog.version(session, version).model
    for group_id, value in choices.items():
        group = model.group(group_id)
        for option_id in value if isinstance(value, list) else [value]:
            option = group.option(option_id) if group and isinstance(option_id, str) else None
            if option is not None:
                found |= {(name, str(trait)) for name, trait in option.attributes.items() if isinstance(trait, str)}
    return found


# -- finding ---------------------------------------------------------------------------------------------------------


def directory(session: Session, query: str = "", page: int = 1, ordering: str = "recent") -> Directory:
    """Customers by name, e-mail address or order number; joined guests are found as the customer they are."""
    condition = _matching(query)
    found = session.exec(select(func.count()).select_from(Customer).where(*condition)).one()
    page, pages = within(page, found, PAGE)
    latest = (
        select(func.max(Order.placed_at)).where(Order.customer_id == Customer.id).correlate(Customer).scalar_subquery()
    )
    by: dict[str, tuple[Any, ...]] = {
        "recent": (latest.desc().nulls_last(), col(Customer.created_at).desc(), col(Customer.id)),
        "name": (func.lower(Customer.name), col(Customer.id)),
        "new": (col(Customer.created_at).desc(), col(Customer.id)),
    }
    statement = select(Customer, latest.label("latest")).where(*condition).order_by(*by.get(ordering, by["recent"]))
    shown = session.exec(statement.offset((page - 1) * PAGE).limit(PAGE)).all()
    profits = rows(session, [customer.id for customer, _ in shown])
    listed = [DirectoryRow(customer, profits.get(customer.id, RowProfit()), at) for customer, at in shown]
    return Directory(listed, found, page, pages)


def _matching(query: str) -> list[ColumnElement[bool]]:
    """Every word must be found in the name, in the address, or begin an order number."""
    conditions: list[ColumnElement[bool]] = [col(Customer.merged_into_id).is_(None)]
    for word in query.lower().split()[:6]:
        with_order = select(Order.customer_id).where(col(Order.number).startswith(word.upper(), autoescape=True))
        conditions.append(
            or_(
                func.lower(Customer.name).contains(word, autoescape=True),
                # SQLite folds the case of ASCII letters only.
                col(Customer.name).contains(word.capitalize(), autoescape=True),
                col(Customer.email).contains(word, autoescape=True),
                col(Customer.id).in_(with_order),
            )
        )
    return conditions


def count_paid_orders(session: Session) -> int:
    """How many orders are paid."""
    return session.exec(select(func.count()).select_from(Order).where(col(Order.state).in_(PAID))).one()
