"""The owner's desk: an order's money. Refunds, transfers, milestones, VAT IDs and calling off, each with its reason."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from store.crm import audit
from store.db import Db
from store.errors import invalid
from store.money import write
from store.office.amounts import read_amount
from store.office.deps import CallsOff, RecordsMilestones, RecordsTransfers, Refunds, SeesBooks
from store.shop import orders, payments, refunds, schedule, transfers, vat_checks
from store.shop.orders import Order
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/orders", include_in_schema=False)


class RefundForm(BaseModel):
    """How much goes back and why; `key` makes sending the form twice ask once."""

    amount: str = ""
    reason: str = ""
    key: str = ""


@router.post("/{number}/refunds", dependencies=[OurForm])
def refund_order(
    request: Request, number: str, session: Db, staff: Refunds, form: Annotated[RefundForm, Form()]
) -> RedirectResponse:
    """Send part or all of an order's money back."""
    order = orders.by_number(session, number)
    amount = read_amount(form.amount, order.currency, "amount")
    asked = refunds.ask(session, staff, order, amount, form.reason, form.key)
    total = write(sum(row.amount for row in asked), order.currency)
    audit.note(session, staff, order, f"{order.number}: {total} to go back", form.reason)
    return _back(request, order, f"{total} goes back; the customer hears of it when it has left.")


class SentForm(BaseModel):
    """The bank's reference of a transfer back."""

    refund: str = ""
    reference: str = ""


@router.post("/{number}/refunds/sent", dependencies=[OurForm])
def record_refund_sent(
    request: Request, number: str, session: Db, staff: Refunds, form: Annotated[SentForm, Form()]
) -> RedirectResponse:
    """Record that money which came by transfer was sent back by transfer."""
    order = orders.by_number(session, number)
    if refunds.record_sent(session, staff, order, form.refund, form.reference):
        audit.note(session, staff, order, f"{order.number}: sent back by transfer", form.reference)
    return _back(request, order, "The transfer back is recorded.")


class TransferForm(BaseModel):
    """A transfer as the bank's statement shows it."""

    amount: str = ""
    received_on: str = ""
    reference: str = ""


@router.post("/{number}/transfers", dependencies=[OurForm])
def record_transfer(
    request: Request, number: str, session: Db, staff: RecordsTransfers, form: Annotated[TransferForm, Form()]
) -> RedirectResponse:
    """Record a transfer that came in."""
    order = orders.by_number(session, number)
    amount = read_amount(form.amount, order.currency, "amount")
    try:
        received_on = date.fromisoformat(form.received_on.strip())
    except ValueError as error:
        raise invalid("Please enter the day on which it came in.", field="received_on") from error
    payment = transfers.record(session, payments.till_in(request.app.state), order, amount, received_on, form.reference)
    said = f"{write(amount, order.currency)} by transfer"
    audit.note(session, staff, order, f"{order.number}: {said}", form.reference[:100])
    if not payment.kept:
        return _back(request, order, f"{said} recorded. The order is over: the money is put down to be sent back.")
    over = schedule.standing(session, order).overpaid
    more = f" {write(over, order.currency)} of it is more than the total." if over else ""
    return _back(request, order, f"{said} recorded.{more}")


class MilestoneForm(BaseModel):
    """The part whose milestone was reached, and how one knows."""

    part: str = ""
    evidence: str = ""
    evidence_file: str = ""


@router.post("/{number}/milestones", dependencies=[OurForm])
def record_milestone(
    request: Request, number: str, session: Db, staff: RecordsMilestones, form: Annotated[MilestoneForm, Form()]
) -> RedirectResponse:
    """Record that a milestone was reached; its part of the price is asked for."""
    order = orders.by_number(session, number)
    label = schedule.part(session, order, form.part).label
    if schedule.record_milestone(session, staff, order, form.part, form.evidence, form.evidence_file):
        note = form.evidence.strip() or form.evidence_file.strip()
        audit.note(session, staff, order, f"{order.number}: milestone {label}", note[:300])
        return _back(request, order, f"{label}: recorded, and the payment is asked for.")
    return _back(request, order, f"{label} was recorded before.")


@router.post("/{number}/vat-check", dependencies=[OurForm])
def check_vat_id(request: Request, number: str, session: Db, staff: SeesBooks) -> RedirectResponse:
    """Ask the register once more about the VAT ID of an order."""
    order = orders.by_number(session, number)
    vat_checks.ask_again(session, order)
    audit.note(session, staff, order, f"{order.number}: VAT ID asked again", "")
    return _back(request, order, "The register is asked again; reload this page in a minute.")


class SettledForm(BaseModel):
    """What was done about a VAT ID that is not valid."""

    done: str = ""


@router.post("/{number}/vat-check/settled", dependencies=[OurForm])
def settle_vat_id(
    request: Request, number: str, session: Db, staff: SeesBooks, form: Annotated[SettledForm, Form()]
) -> RedirectResponse:
    """Note what was done about a VAT ID that the register does not know."""
    order = orders.by_number(session, number)
    if vat_checks.settle(session, staff, order, form.done):
        audit.note(session, staff, order, f"{order.number}: VAT ID settled", form.done)
    return _back(request, order, "Noted.")


class CallOffForm(BaseModel):
    """Why an order is called off."""

    reason: str = ""


@router.post("/{number}/cancellation", dependencies=[OurForm])
def call_off(
    request: Request, number: str, session: Db, staff: CallsOff, form: Annotated[CallOffForm, Form()]
) -> RedirectResponse:
    """Cancel an order on which no work has begun; everything that was paid goes back."""
    order = orders.by_number(session, number)
    reason = form.reason.strip()[:200]
    if not reason:
        raise invalid("Please say why the order is called off.", field="reason")
    orders.call_off(session, staff, order, reason)
    left = refunds.refundable(payments.of_order(session, order))
    if left:
        refunds.ask(session, staff, order, left, f"called off: {reason}", "called off")
    audit.note(session, staff, order, f"{order.number}: called off", reason)
    return _back(request, order, "The order is called off." + (" Its money goes back." if left else ""))


def _back(request: Request, order: Order, sentence: str) -> RedirectResponse:
    return redirect(request, f"/office/orders/{order.number}", sentence, "success")
