"""What a customer can print: the spec sheet of a design, and the invoices and credit notes of an order."""

from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from store import auth, db
from store.db import Db
from store.errors import forbidden, not_found
from store.pages.paying import seen_order
from store.pages.screen import Screen, facts_of
from store.pages.shop import address
from store.people import Customer
from store.rendering import day
from store.settings import ROOT, house
from store.shop import designs, invoices, price_lists, printing, schedule, share_codes
from store.shop.appraisal import appraise
from store.web import Who, resolve_visitor

router = APIRouter(include_in_schema=False)

PRINTS = "30/minute"  # for each address: a sheet is a tenth of a second of work


def _pdf(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def _limit(request: Request) -> None:
    auth.limit(PRINTS, "print", request.client.host if request.client else "")


@router.get("/orders/{number}/invoices/{invoice_number}.pdf")
def invoice(
    request: Request, number: str, invoice_number: str, session: Db, who: Who, key: str | None = None
) -> Response:
    """An invoice or credit note of an order, for whoever may see the order, but not for staff: the archive is closed.

    Raises:
        ShopError: 404, it is not of this order, or the account was closed; 403 for staff; 409, it was altered.
    """
    _limit(request)
    order = seen_order(session, number, who, key)
    if who.is_staff:
        raise forbidden(
            "Invoices are closed to everyone but the customer and the accountants, who find them in the office."
        )
    found = invoices.of_number(session, invoice_number)
    if found is None or found.order_id != order.id or _closed(session, order.customer_id):
        raise not_found("invoice")
    return _pdf(f"{found.number}.pdf", printing.print_invoice(found))


def _closed(session: Session, customer_id: str) -> bool:
    """Whether the account was closed: what the books keep is then restricted."""
    return session.get_one(Customer, customer_id).erased_at is not None


@router.get("/designs/{code}.pdf")
def spec_sheet(request: Request, code: str) -> Response:
    """The spec sheet of a design; the words on it only for its owner.

    Raises:
        ShopError: 404, no design has this code, or its piece is not made any more.
    """
    _limit(request)
    with db.transaction(read_only=True) as session:
        who = resolve_visitor(request, session)
        design = share_codes.opened(session, code, who, request.client.host if request.client else "")
        now = designs.renewed(session, design, who)
        texts = now.texts if designs.owned_by(design, who) else {}
        item = price_lists.shown(now.published, who)
        worth = appraise(item, now.choices, texts)
        shown = facts_of(item, worth)
        category = now.published.model.category
    page = address(request, f"/designs/{design.code}")
    content = _sheet(shown, design.code, page, category, final_sale=worth.personal)
    return _pdf(f"{shown.slug}-{design.code}.pdf", printing.print_design(content))


def _sheet(shown: Screen, code: str, page: str, category: str, *, final_sale: bool) -> "printing.DesignSheet":
    today = db.now().date()
    plan = schedule.plan_for([category], shown.price, price_lists.of(shown.currency))
    parts = schedule.planned(plan, shown.price)
    return printing.DesignSheet(
        name=shown.name,
        code=code,
        address=page,
        made_on=today,
        valid_until=today + timedelta(days=house().design_valid_days),
        words=shown.words,
        layers=_files(shown),
        options=shown.summary,
        price=shown.price,
        currency=shown.currency,
        trace=[(label, amount) for label, amount, _ in shown.lines],
        payments=[(part.label, _when(part, shown.ready), part.amount) for part in parts],
        ready=shown.ready,
        final_sale=final_sale,
    )


def _when(part: schedule.Planned, ready: str) -> str:
    if part.due == schedule.NOW:
        return "with the order"
    if part.days is not None:
        return f"by {day(db.now().date() + timedelta(days=part.days))}"
    return f"{part.due_words}, {ready}" if part.due == schedule.READY else part.due_words


def _files(shown: Screen) -> list[Path]:
    """The picture's files; a piece without one has a sheet without one."""
    urls = [shown.layers] if isinstance(shown.layers, str) else shown.layers
    files = [ROOT / url.partition("?")[0].lstrip("/") for url in urls]
    return files if files and all(file.is_file() for file in files) else []
