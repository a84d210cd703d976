"""The owner's desk: what offers and suggestions brought."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from store.crm import lift, performance, profit
from store.db import Db
from store.office.deps import SeesPerformance, show
from store.settings import house

router = APIRouter(prefix="/office/performance", include_in_schema=False)


@router.get("")
def show_performance(request: Request, session: Db, staff: SeesPerformance) -> HTMLResponse:
    """Results of offers by benefit; suggestions against their control group."""
    context = {
        "offers": performance.of_offers(session),
        "mail_cost": performance.mail_cost(session),
        "attach": performance.of_suggestions(session),
        "lift": lift.of_margin(session),
        "total": profit.shop_total(session),
        "currency": house().currency,
    }
    return show(request, staff, "performance.html", context, title="Performance")
