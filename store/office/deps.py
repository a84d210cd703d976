"""Who may do what in the office: one table, asked by every page."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from store.errors import SignInNeededError, forbidden, not_found
from store.events import Visitor
from store.web import Who, render

# What each role may do; a page or an action names one of these rights.
RIGHTS: dict[str, frozenset[str]] = {
    "see the office": frozenset({"owner", "advisor", "workshop", "accountant"}),
    "see customers": frozenset({"owner", "advisor", "accountant"}),
    "log contacts": frozenset({"owner", "advisor"}),
    "see profit": frozenset({"owner", "accountant"}),
    "see offers": frozenset({"owner", "advisor", "accountant"}),
    "make offers": frozenset({"owner", "advisor"}),
    "lower the floor": frozenset({"owner"}),
    "see orders": frozenset({"owner", "advisor", "workshop", "accountant"}),
    "advance production": frozenset({"owner", "workshop"}),
    "call off orders": frozenset({"owner"}),
    "see payments": frozenset({"owner", "advisor", "accountant"}),
    "refund payments": frozenset({"owner", "accountant"}),
    "record transfers": frozenset({"owner", "accountant"}),
    "record milestones": frozenset({"owner", "workshop"}),
    "see books": frozenset({"owner", "accountant"}),
    "see invoices": frozenset({"accountant"}),  # the archive is closed to everyone else, the owner too
    "see products": frozenset({"owner", "advisor", "workshop"}),
    "edit products": frozenset({"owner"}),
    "invite customers": frozenset({"owner", "advisor"}),
    "see performance": frozenset({"owner", "accountant"}),
}


def may(visitor: Visitor, right: str) -> bool:
    """Whether this member of staff has the right."""
    return visitor.is_staff and visitor.role in RIGHTS[right]


def staff_with(right: str) -> Any:
    """A dependency: the member of staff, if the role has the right.

    Raises:
        ShopError: to the sign-in page for a stranger; 404 for a customer, as for any address that does not exist; 403
            for another role.
    """
    RIGHTS[right]  # a misspelt right stops the start

    async def check(visitor: Who) -> Visitor:
        if visitor.signed_in:
            raise not_found("page")
        if not visitor.is_staff:
            raise SignInNeededError
        if not may(visitor, right):
            raise forbidden(f"Your role in the house ({visitor.role}) does not include this: {right}.")
        return visitor

    return Depends(check)


Staff = Annotated[Visitor, staff_with("see the office")]
SeesCustomers = Annotated[Visitor, staff_with("see customers")]
LogsContacts = Annotated[Visitor, staff_with("log contacts")]
SeesOffers = Annotated[Visitor, staff_with("see offers")]
MakesOffers = Annotated[Visitor, staff_with("make offers")]
SeesOrders = Annotated[Visitor, staff_with("see orders")]
AdvancesProduction = Annotated[Visitor, staff_with("advance production")]
CallsOff = Annotated[Visitor, staff_with("call off orders")]
Refunds = Annotated[Visitor, staff_with("refund payments")]
RecordsTransfers = Annotated[Visitor, staff_with("record transfers")]
RecordsMilestones = Annotated[Visitor, staff_with("record milestones")]
SeesBooks = Annotated[Visitor, staff_with("see books")]
SeesInvoices = Annotated[Visitor, staff_with("see invoices")]
SeesProducts = Annotated[Visitor, staff_with("see products")]
EditsProducts = Annotated[Visitor, staff_with("edit products")]
InvitesCustomers = Annotated[Visitor, staff_with("invite customers")]
SeesPerformance = Annotated[Visitor, staff_with("see performance")]


def show(
    request: Request, staff: Visitor, template: str, context: dict[str, Any], *, title: str, status: int = 200
) -> HTMLResponse:
    """A page of the office; templates ask `rights` what to offer this member of staff."""
    here = "/" + "/".join(request.url.path.split("/")[1:3])
    rights = frozenset(right for right in RIGHTS if may(staff, right))
    return render(
        request, f"office/{template}", {"office_here": here, "rights": rights, **context}, title=title, status=status
    )
