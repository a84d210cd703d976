"""The owner's desk: inviting a customer to private options, and ending it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from store import invitations
from store.crm import profile
from store.db import Db
from store.errors import invalid
from store.office.deps import InvitesCustomers
from store.shop import catalog
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/customers/{customer_id}/invitations", include_in_schema=False)


@router.post("", dependencies=[OurForm])
def invite(
    request: Request,
    customer_id: str,
    session: Db,
    staff: InvitesCustomers,
    audience: Annotated[str, Form(max_length=64)],
    until: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:
    """Invite a customer with a proved account to an audience that a product on sale names."""
    customer = profile.by_id(session, customer_id)
    if customer.verified_at is None:
        raise invalid("Only a customer with a proved account can be invited.", field="audience")
    if audience not in catalog.audiences(session):
        raise invalid("No product on sale has options for this audience.", field="audience")
    invitations.invite(session, staff, customer.id, audience, _end_of(until))
    note = "Invited. The private options show as soon as they open the piece."
    return redirect(request, f"/office/customers/{customer.id}#invited", note, "success")


@router.post("/withdrawal", dependencies=[OurForm])
def withdraw(
    request: Request,
    customer_id: str,
    session: Db,
    staff: InvitesCustomers,
    audience: Annotated[str, Form(max_length=64)],
) -> RedirectResponse:
    """End an invitation now; designs and bags are kept and say kindly what is not there any more."""
    customer = profile.by_id(session, customer_id)
    ended = invitations.withdraw(session, staff, customer.id, audience)
    note = (
        "The invitation has ended. Saved designs stay, without the private parts." if ended else "It had ended already."
    )
    return redirect(request, f"/office/customers/{customer.id}#invited", note)


def _end_of(day: str) -> datetime | None:
    """The end of the last day, in UTC; None when none was named."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError) as error:
        raise invalid("Please give the last day as year-month-day.", field="until") from error
