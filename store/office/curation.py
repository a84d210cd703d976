"""The owner's desk: what is pinned and banned among the suggestions, their floor of margin, and which model serves."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from store.crm import insight
from store.db import Db
from store.office.amounts import read_percent
from store.office.deps import RulesSuggestions, SeesPerformance, show
from store.shop import catalog, curation, taste
from store.web import OurForm, redirect, settings_of

PAGE = "/office/performance/suggestions"
router = APIRouter(prefix=PAGE, include_in_schema=False)


@router.get("")
def show_rules(request: Request, session: Db, staff: SeesPerformance) -> HTMLResponse:
    """What the owner decided, and the models trained lately."""
    items = catalog.listing(session)
    context: dict[str, Any] = {
        "policy": curation.policy(session),
        "rules": curation.rules_of_pieces(session),
        "names": {item.slug: item.name for item in items},
        "pieces": {item.slug: item.name for item in items if not item.model.supply.numbered},
        "serving": taste.serving_version(),
        "trainings": insight.trainings(session),
        "kinds": {curation.PIN: "Pinned", curation.BAN: "Banned"},
    }
    return show(request, staff, "curation.html", context, title="Rules for suggestions")


@router.post("/pieces", dependencies=[OurForm])
def rule_piece(
    request: Request,
    session: Db,
    staff: RulesSuggestions,
    slug: Annotated[str, Form(max_length=80)],
    rule: Annotated[Literal["pin", "ban", "none"], Form()],
) -> RedirectResponse:
    """Pin a piece, ban it, or leave it to the ranking again."""
    curation.rule_piece(session, staff, slug, None if rule == "none" else rule)
    done = {"pin": "Pinned: it comes first wherever it fits.", "ban": "Banned: it is not suggested any more."}
    return redirect(request, f"{PAGE}#pieces", done.get(rule, "Left to the ranking again."), "success")


@router.post("/shares", dependencies=[OurForm])
def rule_shares(
    request: Request,
    session: Db,
    staff: RulesSuggestions,
    floor: Annotated[str, Form(max_length=12)] = "",
    explored: Annotated[str, Form(max_length=12)] = "",
) -> RedirectResponse:
    """Set the floor of margin (none when empty) and the share of bags with a trial."""
    floor_share = read_percent(floor, "floor") if floor.strip() else None
    curation.rule_house(session, staff, curation.FLOOR, floor_share)
    curation.rule_house(session, staff, curation.EXPLORED, read_percent(explored, "explored"))
    return redirect(request, f"{PAGE}#shares", "Kept; it counts from the next bag.", "success")


@router.post("/switch", dependencies=[OurForm])
def switch(
    request: Request, session: Db, staff: RulesSuggestions, suggestions: Annotated[Literal["on", "off"], Form()]
) -> RedirectResponse:
    """Turn suggestions, proposals and filled-in choices off for everybody, or on again."""
    curation.rule_house(session, staff, curation.OFF, 0 if suggestions == "off" else None)
    note = "Off: nobody is suggested anything." if suggestions == "off" else "On again."
    return redirect(request, f"{PAGE}#switch", note, "success")


@router.post("/models", dependencies=[OurForm])
def rule_models(
    request: Request, session: Db, staff: RulesSuggestions, act: Annotated[Literal["back", "go-on"], Form()]
) -> RedirectResponse:
    """Let the model before serve again, or let trained models be published again.

    Raises:
        ShopError: 409, there is no model to go back to.
    """
    if act == "back":
        return redirect(request, f"{PAGE}#models", insight.roll_back(session, settings_of(request), staff), "success")
    curation.rule_house(session, staff, curation.HELD, None)
    return redirect(request, f"{PAGE}#models", "The next trained model is published, if it is no worse.", "success")
