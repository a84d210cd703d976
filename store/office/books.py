"""The accountant's room: what differs from the provider, what staff did, and lists that add up to the cent."""

from collections.abc import Iterable, Iterator, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from store import db, events
from store.crm import audit
from store.db import Db
from store.money import major, percent
from store.office.deps import SeesBooks, show
from store.office.lists import csv_file, inert
from store.settings import house
from store.shop import books, reconciliation, vat_checks
from store.shop.taxes import TaxRow
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/books", include_in_schema=False)

ORDERS = (
    *("number", "placed", "state", "plan", "country", "currency", "subtotal", "discount", "shipping", "tax", "total"),
    *(
        "received",
        "taken",
        "sent_back",
        "held_by_bank",
        "in_hand",
        "total_at_home",
        "tax_treatment",
        "company",
        "vat_id",
    ),
)
PAYMENTS = ("at", "order", "kind", "method", "reference", "amount", "currency", "note")


@router.get("")
def show_books(request: Request, session: Db, staff: SeesBooks) -> HTMLResponse:
    """What is to be looked at, and the lists."""
    context = {"findings": reconciliation.open_findings(session), "vat_ids": vat_checks.open_ones(session)}
    return show(request, staff, "books.html", context, title="Books")


@router.post("/reconciliation", dependencies=[OurForm])
def reconcile_now(request: Request, session: Db, staff: SeesBooks) -> RedirectResponse:
    """Ask for a reconciliation now instead of at the next hour."""
    reconciliation.ask_now(session)
    events.record(session, staff, "staff-action", facts={"action": "Reconciliation asked for"})
    return redirect(request, "/office/books", "Reconciliation runs now; reload this page in a minute.", "success")


@router.get("/audit")
def show_audit(request: Request, session: Db, staff: SeesBooks, page: int = 1) -> HTMLResponse:
    """What members of staff did."""
    return show(request, staff, "audit.html", {"found": audit.listing(session, page)}, title="What staff did")


@router.get("/orders.csv")
def export_orders(_staff: SeesBooks) -> StreamingResponse:
    """Every order with its sums, net and tax by rate, and its money."""
    with db.transaction(read_only=True) as session:
        rates = books.rates(session)
    by_rate = [f"{what}_{percent(rate).removesuffix(' %')}" for rate in rates for what in ("net", "tax")]
    return csv_file("orders.csv", (*ORDERS, *by_rate), _order_rows(rates))


@router.get("/payments.csv")
def export_payments(_staff: SeesBooks) -> StreamingResponse:
    """Every movement of money; for each order they add up to what the orders' list calls in hand."""
    return csv_file("payments.csv", PAYMENTS, _payment_rows())


def _order_rows(rates: Sequence[int]) -> Iterator[tuple[str, ...]]:
    with db.transaction(read_only=True) as session:
        for order, money in books.accounts(session):
            sums = (order.subtotal, order.discount, order.shipping, order.tax, order.total, order.received)
            account = (money.taken, money.sent_back, money.held, money.in_hand)
            yield (
                *(order.number, order.placed_at.isoformat(), order.state, order.plan, order.country, order.currency),
                *(str(major(amount, order.currency)) for amount in (*sums, *account)),
                str(major(order.at_home(order.total), house().currency)),
                *(order.tax_treatment, inert(order.company), order.vat_id),
                *(str(major(amount, order.currency)) for rate in rates for amount in _at(money.taxes, rate)),
            )


def _at(taxes: Iterable[TaxRow], rate: int) -> tuple[int, int]:
    """Net and tax of an order at one rate."""
    found = [row for row in taxes if row.rate_basis_points == rate]
    return sum(row.net for row in found), sum(row.tax for row in found)


def _payment_rows() -> Iterator[tuple[str, ...]]:
    with db.transaction(read_only=True) as session:
        for order, money in books.accounts(session):
            for entry in books.entries(order, money):
                amount = str(major(entry.amount, entry.currency))
                said = (entry.at.isoformat(), entry.number, entry.kind, entry.method, inert(entry.reference))
                yield (*said, amount, entry.currency, inert(entry.note))
