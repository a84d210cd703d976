"""The on-line check of a buyer's VAT ID: asked by a task after the order, kept with its answer, never in the way."""

from datetime import datetime

from sqlmodel import Field, SQLModel

ASKED, VALID, INVALID, UNREACHED = "asked", "valid", "invalid", "unreached"


class VatIdCheck(SQLModel, table=True):
    """What the register of the Union said to the VAT ID of an order that went out without VAT."""

    __tablename__ = "vat_id_check"

    id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="shop_order.id", unique=True)
    vat_id: str
    state: str = ASKED  # asked, valid, invalid, unreached
    asked_at: datetime
    answered_at: datetime | None = None  # when it said valid or invalid
    tried_at: datetime | None = None
    tries: int = 0
    reference: str = ""  # the register's own, as proof
    reason: str = ""  # why it could not be reached
    seen_at: datetime | None = None  # when staff settled what to do about "invalid"
    seen_by: str | None = None
