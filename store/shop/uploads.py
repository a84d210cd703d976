"""Pictures that customers give with a piece: checked, drawn anew without what the file hides, seen by them alone."""

import hashlib
import io
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import Image, ImageOps
from sqlalchemy import LargeBinary, UniqueConstraint, update
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import ChoiceValue
from store import auth, db
from store.errors import invalid, not_found
from store.events import Visitor
from store.shop.catalog import Published

LONGEST = 5_000_000  # bytes of a file as it arrives
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 3000  # pixels of a picture as it is kept
KINDS = ("PNG", "JPEG", "WEBP")
RATE = "30/hour"
_BEYOND = "This picture is too large. Up to 5 MB and 40 million pixels, please."
_UNREADABLE = "This file is no picture that we can read. A PNG, JPEG or WebP, please."


class Upload(SQLModel, table=True):
    """One picture; never changed. `used` once a design holds it, so that it stays as long as the design."""

    __tablename__ = "upload"
    __table_args__ = (UniqueConstraint("session_id", "fingerprint"),)

    id: str = Field(primary_key=True)
    media_type: str
    content: bytes = Field(sa_type=LargeBinary)
    width: int
    height: int
    fingerprint: str  # of the file as it arrived
    session_id: str | None = None
    customer_id: str | None = Field(default=None, foreign_key="customer.id", index=True)
    used: bool = False
    created_at: datetime


def keep(session: Session, visitor: Visitor, file: bytes) -> str:
    """Keep a picture; the same file again is the same picture.

    Returns:
        Its id, as a choice holds it.

    Raises:
        ShopError: 422 no picture, or too large; 429 too many.
    """
    auth.limit(RATE, "upload", visitor.session_id or "")
    media_type, content, (width, height) = _redrawn(file)
    fingerprint = hashlib.sha256(file).hexdigest()
    row = {
        "id": db.new_id("upl"),
        "media_type": media_type,
        "content": content,
        "width": width,
        "height": height,
        "fingerprint": fingerprint,
        "session_id": visitor.session_id,
        "customer_id": visitor.customer_id,
        "used": False,
        "created_at": db.now(),
    }
    if db.insert_once(session, Upload, row, unique=("session_id", "fingerprint")) is not None:
        return str(row["id"])
    mine = select(col(Upload.id)).where(Upload.session_id == visitor.session_id, Upload.fingerprint == fingerprint)
    return session.exec(mine).one()


def _redrawn(file: bytes) -> tuple[str, bytes, tuple[int, int]]:
    """The picture alone: upright, without position, camera or anything else that the file carried."""
    if len(file) > LONGEST:
        raise invalid(_BEYOND)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=KINDS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise invalid(_BEYOND)
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                photo = picture.format == "JPEG"
                plain = upright.convert("RGB" if photo else "RGBA")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise invalid(_BEYOND) from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for a broken file
        raise invalid(_UNREADABLE) from error
    made = io.BytesIO()
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    if photo:
        bare.save(made, "JPEG", quality=90)
        return "image/jpeg", made.getvalue(), bare.size
    bare.save(made, "PNG")
    return "image/png", made.getvalue(), bare.size


def shown(session: Session, visitor: Visitor, upload_id: str) -> Upload:
    """A picture for whoever gave it, and for the staff.

    Raises:
        ShopError: 404 for everybody else.
    """
    upload = session.get(Upload, upload_id)
    if upload is None or not visitor.owns(upload.customer_id, upload.session_id):
        raise not_found("picture")
    return upload


def held(item: Published, choices: Mapping[str, Any]) -> dict[str, str]:
    """By group: the pictures that choices name."""
    return {
        group.id: choices[group.id] for group in item.model.groups if group.kind == "upload" and group.id in choices
    }


def use(session: Session, visitor: Visitor, item: Published, choices: Mapping[str, ChoiceValue]) -> None:
    """Keep the pictures of a design as long as the design.

    Raises:
        ShopError: 422, one of them is not hers.
    """
    named = held(item, choices)
    if not named:
        return
    rows = session.execute(
        select(col(Upload.id), col(Upload.session_id), col(Upload.customer_id)).where(
            col(Upload.id).in_(list(named.values()))
        )
    )
    hers = {upload_id for upload_id, session_id, customer_id in rows if visitor.owns(customer_id, session_id)}
    for group, upload_id in named.items():
        if upload_id not in hers:
            raise invalid("This picture is not one of yours; please add it again.", field=group)
    session.execute(update(Upload).where(col(Upload.id).in_(list(hers))).values(used=True))
