"""What offers took off orders: a row for each, with the line that it was for."""

from sqlmodel import Field, SQLModel

from store import db


class OrderDiscount(SQLModel, table=True):
    """What an offer took off an order."""

    __tablename__ = "order_discount"

    id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="shop_order.id", index=True)
    order_line_id: str | None = Field(default=None, foreign_key="order_line.id")
    offer_id: str
    label: str
    amount: int = Field(sa_type=db.Minor)
