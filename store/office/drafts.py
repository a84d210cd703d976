"""The owner's desk: the next version of a product as a draft, what it would change, and putting it on sale."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from store import db, people
from store.crm import impact
from store.db import Db
from store.errors import ShopError, invalid, not_found
from store.events import Visitor
from store.office.deps import EditsProducts, show
from store.shop import catalog, draft_text, publishing
from store.shop.publishing import ProductDraft
from store.web import OurForm, redirect

router = APIRouter(prefix="/office/products", include_in_schema=False)

PERIODS = {"0": "all", "3": "the last three months", "12": "the last twelve months"}
_MONTH = timedelta(days=30)
KINDS = {
    "price": "price",
    "renamed": "renamed",
    "retired": "no longer made",
    "removed": "no longer there",
    "repaired": "replaced",
    "private": "private",
    "words": "words",
    "lost": "cannot be made",
}


@router.get("/{slug}/draft")
def edit(request: Request, slug: str, session: Db, staff: EditsProducts) -> HTMLResponse:
    """The draft that this owner has, or the version on sale to begin one from."""
    return _editor(request, session, staff, slug)


@router.post("/{slug}/draft", dependencies=[OurForm])
def save(
    request: Request,
    slug: str,
    session: Db,
    staff: EditsProducts,
    text: Annotated[str, Form()] = "",
    act: Annotated[str, Form(max_length=20)] = "save",
    rule: Annotated[str, Form(max_length=100)] = "",
    rows: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep the text (or an uploaded file, or pasted rows) and look it over; what is wrong stays with its line."""
    draft = publishing.begin(session, staff, slug)
    publishing.write(session, draft, _uploaded(file) if act == "upload" else text)
    note = "Your draft is kept. Nothing changes in the shop until you publish it."
    if act == "rows":
        try:
            publishing.write(session, draft, draft_text.paste(draft.source_text, rule, rows))
        except ShopError as error:
            return _editor(request, session, staff, slug, wrong=error.detail, pasted=rows, status=422)
        note = f"The rows of {rule} are replaced in your draft."
    if act == "look":
        return redirect(request, f"/office/products/{slug}/draft/impact")
    return redirect(request, f"/office/products/{slug}/draft#findings", note)


@router.post("/{slug}/draft/removal", dependencies=[OurForm])
def discard(request: Request, slug: str, session: Db, staff: EditsProducts) -> Response:
    """Throw the draft away."""
    publishing.discard(session, _draft(session, staff, slug))
    return redirect(request, f"/office/products/{slug}", "The draft is gone; what is sold stays as it is.")


@router.post("/{slug}/draft/rebase", dependencies=[OurForm])
def rebase(request: Request, slug: str, session: Db, staff: EditsProducts) -> Response:
    """Keep the own text, over the version that went on sale in the meantime."""
    publishing.rebase(session, _draft(session, staff, slug))
    note = "Your text now stands over the version on sale. Please look at what it would change before publishing."
    return redirect(request, f"/office/products/{slug}/draft", note)


@router.get("/{slug}/draft/impact")
def show_impact(
    request: Request, slug: str, session: Db, staff: EditsProducts, months: str = "0", after: str = ""
) -> Response:
    """Which open designs, bags and offers the draft touches, and how; nothing is written."""
    draft = _draft(session, staff, slug)
    looked = publishing.look_over(draft)
    if looked.published is None or looked.errors:
        return redirect(request, f"/office/products/{slug}/draft#findings", "Please mend the errors first.", "warn")
    months = months if months in PERIODS else "0"
    since = db.now() - int(months) * _MONTH if months != "0" else None
    found = impact.of_publishing(session, looked.published, since=since, after=after[:40])
    now = catalog.published(session, slug)
    context = {
        "item": now,
        "next": looked.published,
        "found": found,
        "warnings": [finding for finding in looked.findings if finding.severity != "error"],
        "behind": publishing.is_behind(session, draft),
        "same": looked.published.version == now.version,
        "months": months,
        "periods": PERIODS,
        "first": not after,
        "kinds": KINDS,
    }
    return show(request, staff, "product_impact.html", context, title=f"What this draft of {now.name} changes")


@router.post("/{slug}/draft/publication", dependencies=[OurForm])
def publish(request: Request, slug: str, session: Db, staff: EditsProducts) -> Response:
    """Put the draft on sale; refused with a sentence, and the text kept, while something stands in the way."""
    draft = _draft(session, staff, slug)
    try:
        with db.savepoint(session):
            row = publishing.publish(session, staff, draft)
    except ShopError as error:
        return _editor(request, session, staff, slug, wrong=error.detail, status=error.status)
    catalog.refresh(session)
    return redirect(request, f"/office/products/{slug}", f"Version {row.version[:8]} is on sale.", "success")


def _draft(session: Session, staff: Visitor, slug: str) -> ProductDraft:
    draft = publishing.draft_of(session, staff, slug)
    if draft is None:
        raise not_found("draft")
    return draft


def _uploaded(file: UploadFile | None) -> str:
    if file is None or not file.filename:
        raise invalid("Please choose a product file.", field="file")
    try:
        return file.file.read(publishing.LONGEST * 4 + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("This file is not text (UTF-8).", field="file") from error


def _editor(
    request: Request,
    session: Session,
    staff: Visitor,
    slug: str,
    *,
    wrong: str = "",
    pasted: str = "",
    status: int = 200,
) -> HTMLResponse:
    item = catalog.published(session, slug)
    draft = publishing.draft_of(session, staff, slug)
    text = draft.source_text if draft else catalog.source_of(session, item.version)
    others = [other for other in publishing.drafts_of(session, slug) if other.staff_id != staff.staff_id]
    context = {
        "item": item,
        "draft": draft,
        "text": text,
        "looked": publishing.look_over(draft) if draft else None,
        "behind": publishing.is_behind(session, draft) if draft else False,
        "tables": draft_text.tables_of(text),
        "others": others,
        "names": people.names_of_staff(session, [other.staff_id for other in others]),
        "wrong": wrong,
        "pasted": pasted,
        "rows_shown": min(40, max(16, text.count("\n") + 1)),
    }
    return show(request, staff, "product_draft.html", context, title=f"{item.name}, next version", status=status)
