"""The owner's desk: what to do next, and how the house stands."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from store.crm import agenda, profit
from store.db import Db
from store.office.deps import Staff, may, show
from store.settings import house
from store.shop import catalog

router = APIRouter(prefix="/office", include_in_schema=False)


@router.get("")
def today(request: Request, session: Db, staff: Staff) -> HTMLResponse:
    """The first page of the office."""
    context = {
        "todo": [item for item in agenda.todo(session) if may(staff, item.needs)],
        "designs": agenda.open_designs(session) if may(staff, "see customers") else [],
        "names": {item.slug: item.name for item in catalog.listing(session)},
        "total": profit.shop_total(session),
        "empty": agenda.is_empty(session),
        "demo": request.app.state.probes.demo(session),
        "model": request.app.state.probes.model(),
        "currency": house().currency,
    }
    return show(request, staff, "today.html", context, title="Today")
