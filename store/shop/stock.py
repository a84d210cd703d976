"""What lies in the house: pieces on hand, pieces promised, numbered pieces; every race settled by one statement."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Index, bindparam, update
from sqlmodel import Field, Session, SQLModel, col, select

from store import db
from store.errors import ShopError

SOLD_OUT = "Sold out"


class Stock(SQLModel, table=True):
    """Pieces of one product (or one part); a product made to order has no row."""

    __tablename__ = "stock"

    slug: str = Field(primary_key=True)
    on_hand: int  # in the house, promised ones included
    reserved: int = 0  # promised to orders that are not delivered yet


class Piece(SQLModel, table=True):
    """A numbered piece; it belongs to one order line at most."""

    __tablename__ = "piece"
    __table_args__ = (Index("ix_piece_order_line_id", "order_line_id"),)

    slug: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    order_line_id: str | None = None


def part_key(part: str) -> str:
    """The key under which a part of the bill of materials is counted, beside the products."""
    return f"part:{part}"


def begin(session: Session, slug: str, quantity: int, *, numbered: bool) -> None:
    """Count a product for the first time; later calls change nothing."""
    row = {"slug": slug, "on_hand": quantity, "reserved": 0}
    db.insert_once(session, Stock, row, unique=("slug",), returning="slug")
    for number in range(1, quantity + 1) if numbered else ():
        db.insert_once(session, Piece, {"slug": slug, "number": number}, unique=("slug", "number"), returning="number")


def set_on_hand(session: Session, slug: str, quantity: int) -> None:
    """Correct the count after an inventory.

    Raises:
        ShopError: 409, more pieces are promised than would be there.
    """
    changed = session.execute(
        update(Stock)
        .where(col(Stock.slug) == slug, col(Stock.reserved) <= quantity)
        .values(on_hand=quantity)
        .returning(col(Stock.slug))
    ).first()
    if changed is None:
        raise ShopError(409, "Not possible", "More pieces are promised to orders than that.")


def add_on_hand(session: Session, slug: str, quantity: int) -> None:
    """Pieces that were made or came in."""
    session.execute(update(Stock).where(col(Stock.slug) == slug).values(on_hand=Stock.on_hand + quantity))


_COUNTS = select(Stock.slug, Stock.on_hand, Stock.reserved).where(
    col(Stock.slug).in_(bindparam("slugs", expanding=True))
)


def available(session: Session, slugs: Iterable[str]) -> dict[str, int]:
    """Free pieces of each product that is counted; what is made to order is not in the answer."""
    wanted = sorted(set(slugs))
    if not wanted:
        return {}
    rows = session.execute(_COUNTS, {"slugs": wanted}).all()
    return {slug: max(0, on_hand - reserved) for slug, on_hand, reserved in rows}


def run_out(session: Session) -> frozenset[str]:
    """The counted products of which no piece is free."""
    return frozenset(session.exec(select(Stock.slug).where(col(Stock.on_hand) <= col(Stock.reserved))).all())


def reserve(session: Session, slug: str, quantity: int, name: str | None = None) -> None:
    """Promise pieces of a counted product.

    Raises:
        ShopError: 409, fewer are free.
    """
    if not try_reserve(session, slug, quantity):
        left = available(session, [slug]).get(slug, 0)
        raise sold_out(name or slug, left, slug)


def sold_out(name: str, left: int, slug: str) -> ShopError:
    """The kind refusal for a piece that others were quicker to take."""
    detail = (
        f"Only {left} of {name} {'is' if left == 1 else 'are'} left. Please change the quantity in your bag."
        if left
        else f"{name} has just been sold out. Nothing was ordered and nothing is charged."
    )
    return ShopError(409, SOLD_OUT, detail, {"slug": slug, "available": left})


def try_reserve(session: Session, slug: str, quantity: int) -> bool:
    """Promise pieces if enough are free; in one conditional statement, so that nothing is promised twice."""
    row = session.execute(
        update(Stock)
        .where(col(Stock.slug) == slug, col(Stock.on_hand) - col(Stock.reserved) >= quantity)
        .values(reserved=Stock.reserved + quantity)
        .returning(col(Stock.slug))
    ).first()
    return row is not None


def release(session: Session, quantities: Mapping[str, int]) -> None:
    """Give promised pieces back."""
    for slug, quantity in sorted(quantities.items()):
        session.execute(
            update(Stock)
            .where(col(Stock.slug) == slug, col(Stock.reserved) >= quantity)
            .values(reserved=Stock.reserved - quantity)
        )


def take(session: Session, quantities: Mapping[str, int]) -> None:
    """Take promised pieces out of the house: they are sold."""
    for slug, quantity in sorted(quantities.items()):
        session.execute(
            update(Stock)
            .where(col(Stock.slug) == slug, col(Stock.reserved) >= quantity)
            .values(reserved=Stock.reserved - quantity, on_hand=Stock.on_hand - quantity)
        )


def put_back(session: Session, quantities: Mapping[str, int]) -> None:
    """Pieces that were sold and stay in the house after all."""
    for slug, quantity in sorted(quantities.items()):
        add_on_hand(session, slug, quantity)


def number_pieces(session: Session, slug: str, order_line_id: str, quantity: int) -> list[int]:
    """Give the lowest free numbers to an order line, after its stock was reserved in the same transaction.

    Raises:
        ShopError: 409, fewer numbered pieces are free.
    """
    for _ in range(quantity):
        lowest = (
            select(Piece.number)
            .where(Piece.slug == slug, col(Piece.order_line_id).is_(None))
            .order_by(col(Piece.number))
            .limit(1)
            .scalar_subquery()
        )
        given = session.execute(
            update(Piece)
            .where(col(Piece.slug) == slug, col(Piece.number) == lowest, col(Piece.order_line_id).is_(None))
            .values(order_line_id=order_line_id)
            .returning(col(Piece.number))
            .execution_options(synchronize_session=False)
        ).first()
        if given is None:
            raise sold_out(slug, 0, slug)
    return numbers_of(session, [order_line_id]).get(order_line_id, [])


def numbers_of(session: Session, order_line_ids: Iterable[str]) -> dict[str, list[int]]:
    """The numbered pieces of order lines."""
    rows = session.exec(
        select(Piece.order_line_id, Piece.number)
        .where(col(Piece.order_line_id).in_(list(order_line_ids)))
        .order_by(col(Piece.number))
    ).all()
    numbers: dict[str, list[int]] = {}
    for line_id, number in rows:
        if line_id:
            numbers.setdefault(line_id, []).append(number)
    return numbers


def free_pieces(session: Session, order_line_ids: Iterable[str]) -> None:
    """Make the numbered pieces of released order lines free again."""
    session.execute(
        update(Piece)
        .where(col(Piece.order_line_id).in_(list(order_line_ids)))
        .values(order_line_id=None)
        .execution_options(synchronize_session=False)
    )
