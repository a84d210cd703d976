"""Pictures that customers give: taken with the form of a piece or by JSON, and shown to nobody else."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Posted

from store.db import Db
from store.errors import ShopError
from store.events import Visitor
from store.pages import shapes
from store.shop import uploads
from store.shop.catalog import Published
from store.web import SameOrigin, Who

router = APIRouter(tags=["configuring"], responses=shapes.PROBLEMS)


class Given(BaseModel):
    """A picture as a choice names it, and where its owner sees it."""

    id: str
    url: str


def given(session: Session, visitor: Visitor, item: Published, form: FormData) -> tuple[dict[str, str], dict[str, str]]:
    """By group: the ids of the pictures that came with a form, and why others were not taken."""
    kept: dict[str, str] = {}
    refused: dict[str, str] = {}
    for group in item.model.groups:
        file = form.get(f"file:{group.id}")
        if group.kind != "upload" or not isinstance(file, Posted) or not file.size:
            continue
        try:
            kept[group.id] = uploads.keep(session, visitor, file.file.read())
        except ShopError as error:
            refused[group.id] = error.detail
    return kept, refused


@router.get("/uploads/{upload_id}", include_in_schema=False)
def picture(upload_id: str, session: Db, who: Who) -> Response:
    """A picture, for whoever gave it and for the staff.

    Raises:
        ShopError: 404 for everybody else.
    """
    upload = uploads.shown(session, who, upload_id)
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
    }
    return Response(upload.content, media_type=upload.media_type, headers=headers)


@router.post("/api/uploads", status_code=201, dependencies=[SameOrigin])
def upload(session: Db, who: Who, file: Annotated[UploadFile, File()]) -> Given:
    """Give a picture; a choice of an upload group then names its id.

    Raises:
        ShopError: 422 no picture, or too large; 429 too many.
    """
    upload_id = uploads.keep(session, who, file.file.read())
    return Given(id=upload_id, url=f"/uploads/{upload_id}")
