"""Changing bags: whose a bag is, lines keyed by the canonical hash of their design, what joins at sign-in."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, case, delete, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from store import auth, db, events
from store.auth import WebSession
from store.errors import forbidden, invalid, not_found, refused
from store.events import Visitor
from store.settings import house
from store.shop import designs, price_lists
from store.shop.bags import Cart, CartLine, CartView, LineView, view
from store.shop.designs import Design

__all__ = [
    "Cart",
    "CartLine",
    "CartView",
    "LineView",
    "add",
    "adopt",
    "change_currency",
    "change_quantity",
    "claim",
    "close",
    "create",
    "current",
    "merge",
    "open_cart",
    "readable",
    "remove",
    "replace",
    "view",
]

MOST_OF_ONE = 99


# -- whose bag -------------------------------------------------------------------------------------------------------


def current(session: Session, visitor: Visitor) -> Cart | None:
    """The visitor's open bag, if there is one; only reads."""
    row = session.get(WebSession, visitor.session_id) if visitor.session_id else None
    cart_id = row.state.get("cart") if row else None
    cart = session.get(Cart, cart_id) if cart_id else None
    if cart is not None and cart.ordered is None and _may_read(cart, visitor):
        return cart
    if visitor.customer_id is None:
        return None
    mine = select(Cart).where(Cart.customer_id == visitor.customer_id, col(Cart.ordered).is_(None))
    return session.exec(mine.order_by(col(Cart.updated_at).desc()).limit(1)).first()


def open_cart(session: Session, visitor: Visitor) -> Cart:
    """The visitor's open bag, made if needed and remembered by the session."""
    return current(session, visitor) or create(session, visitor)


def create(session: Session, visitor: Visitor, currency: str | None = None) -> Cart:
    """A new, empty bag, which becomes the session's unless that has one already.

    Args:
        currency: of its prices; that in which they are shown to this visitor when none is named.

    Raises:
        ShopError: 422, the house has no prices in that currency.
    """
    prices = price_lists.of(currency) if currency else price_lists.still(visitor.currency)
    moment = db.now()
    cart = Cart(
        id=db.new_id("car"),
        session_id=visitor.session_id,
        customer_id=visitor.customer_id,
        currency=prices.currency,
        created_at=moment,
        updated_at=moment,
    )
    db.insert_row(session, Cart, cart.model_dump())
    db.attach(session, cart)
    if visitor.session_id:
        row = auth.locked_session(session, visitor.session_id)
        known = session.get(Cart, row.state["cart"]) if row.state.get("cart") else None
        if known is None or known.ordered or not _may_read(known, visitor):
            row.state = {**row.state, "cart": cart.id, "bag_count": 0}
            session.add(row)
    return cart


def readable(session: Session, cart_id: str, visitor: Visitor) -> Cart:
    """The bag of that id.

    Raises:
        ShopError: 404 unknown, 403 bound to somebody else's account.
    """
    cart = db.find(session, Cart, id=cart_id)
    if cart is None:
        raise not_found("bag")
    if not _may_read(cart, visitor):
        raise forbidden("This bag belongs to somebody else.")
    return cart


def _may_read(cart: Cart, visitor: Visitor) -> bool:
    return cart.customer_id is None or cart.customer_id == visitor.customer_id


# -- changing it -----------------------------------------------------------------------------------------------------


def add(
    session: Session,
    visitor: Visitor,
    cart: Cart,
    design: Design,
    quantity: int = 1,
    suggestion_id: str | None = None,
    offer_id: str | None = None,
) -> CartLine:
    """Put a design into a bag; the same design again raises the quantity.

    Raises:
        ShopError: 409 the bag was ordered already, 422 a quantity that cannot be.
    """
    _claim(session, visitor, cart)
    design = _own(session, visitor, design)
    if design.currency != house().currency:  # the lists of other currencies are made from the house's
        raise refused(f"This piece is sold in {design.currency}, and this house sells in {house().currency}.")
    line = _put(session, cart, design, _checked(quantity), suggestion_id, offer_id)
    facts = {
        "design": design.id,
        "quantity": quantity,
        "unit_price": design.price,
        "choices": design.choices,
        "suggestion": suggestion_id,
        "offer": offer_id,
    }
    events.record(session, visitor, "cart-line-added", subject=cart.id, product=design.slug, facts=facts)
    _count(session, visitor, cart)
    return line


def change_quantity(session: Session, visitor: Visitor, cart: Cart, line_id: str, quantity: int) -> None:
    """Set how many of a line; none removes it.

    Raises:
        ShopError: 404 no such line, 409 already ordered, 422 a quantity that cannot be.
    """
    if quantity == 0:
        remove(session, visitor, cart, line_id)
        return
    _claim(session, visitor, cart)
    line = _line(session, cart, line_id)
    facts = {"line": line.id, "before": line.quantity, "quantity": _checked(quantity)}
    line.quantity = quantity
    session.add(line)
    events.record(session, visitor, "cart-line-changed", subject=cart.id, product=line.slug, facts=facts)
    _count(session, visitor, cart)


def remove(session: Session, visitor: Visitor, cart: Cart, line_id: str) -> CartLine:
    """Take a line out.

    Raises:
        ShopError: 404 no such line, 409 already ordered.
    """
    _claim(session, visitor, cart)
    line = _line(session, cart, line_id)
    session.delete(line)
    session.flush()
    facts = {"line": line.id, "quantity": line.quantity, "design": line.design_id}
    events.record(session, visitor, "cart-line-removed", subject=cart.id, product=line.slug, facts=facts)
    _count(session, visitor, cart)
    return line


def replace(session: Session, visitor: Visitor, cart: Cart, line_id: str, design: Design) -> CartLine:
    """Put an edited design in the place of a line, in the same quantity.

    Raises:
        ShopError: 404 no such line, 409 already ordered.
    """
    _claim(session, visitor, cart)
    old = _line(session, cart, line_id)
    design = _own(session, visitor, design)
    if design.hash == old.hash:
        return old
    session.delete(old)
    session.flush()
    line = _put(session, cart, design, old.quantity, old.suggestion_id, old.offer_id, old.added_at)
    facts = {"line": line.id, "replaced": old.id, "before": old.design_id, "design": design.id}
    events.record(session, visitor, "cart-line-changed", subject=cart.id, product=line.slug, facts=facts)
    _count(session, visitor, cart)
    return line


def merge(session: Session, visitor: Visitor, from_cart: Cart, into: Cart) -> int:
    """Move what a guest had in the bag into the account's bag (by design hash); returns how many lines came along."""
    if from_cart.id == into.id or from_cart.ordered is not None:
        return 0
    lines = session.exec(select(CartLine).where(CartLine.cart_id == from_cart.id)).all()
    _claim(session, visitor, into)
    for line in lines:
        design = session.get_one(Design, line.design_id)
        _put(session, into, design, line.quantity, line.suggestion_id, line.offer_id, line.added_at)
    session.execute(delete(CartLine).where(col(CartLine.cart_id) == from_cart.id))
    if lines:
        facts = {"merged_from": from_cart.id, "lines": len(lines)}
        events.record(session, visitor, "cart-line-changed", subject=into.id, facts=facts)
    _count(session, visitor, into)
    return len(lines)


def adopt(session: Session, visitor: Visitor) -> int:
    """At sign-in: the session's bag becomes the customer's, together with what lay in their bag elsewhere.

    Returns:
        How many lines came from the other bag, to be told to the customer.
    """
    row = auth.locked_session(session, visitor.session_id or "")
    guest = session.get(Cart, row.state.get("cart") or "")
    if guest is not None and (guest.ordered or guest.customer_id not in (None, visitor.customer_id)):
        guest = None
    mine = select(Cart).where(Cart.customer_id == visitor.customer_id, col(Cart.ordered).is_(None))
    others = [cart for cart in session.exec(mine).all() if guest is None or cart.id != guest.id]
    if guest is None:
        row.state = {**row.state, "cart": others[0].id if others else None, "bag_count": 0}
        session.add(row)
        if others:
            _count(session, visitor, others[0])
        return 0
    guest.customer_id, guest.session_id = visitor.customer_id, visitor.session_id
    session.add(guest)
    session.flush()
    moved = sum(merge(session, visitor, other, guest) for other in others)
    _count(session, visitor, guest)
    return moved


def close(session: Session, visitor: Visitor, cart: Cart) -> None:
    """After ordering: the session's next bag is a new one."""
    if visitor.session_id is None:
        return
    row = session.get(WebSession, visitor.session_id)
    if row is not None and row.state.get("cart") == cart.id:
        row.state = {**row.state, "cart": None, "bag_count": 0}
        session.add(row)


def change_currency(session: Session, visitor: Visitor, cart: Cart, currency: str) -> None:
    """Reckon a bag in another currency.

    Raises:
        ShopError: 409 the bag was ordered already, 422 the house has no prices in that currency.
    """
    prices = price_lists.of(currency)
    _claim(session, visitor, cart)
    cart.currency = prices.currency
    session.add(cart)


def _own(session: Session, visitor: Visitor, design: Design) -> Design:
    """The design itself for its owner; for anyone else what of it they may see: no texts, no private options."""
    if designs.owned_by(design, visitor):
        return design
    now = designs.renewed(session, design, visitor)
    if not design.texts and not any(one.kind == "private" for one in now.happened):
        return design
    return designs.save(session, visitor, design.slug, now.choices, {}, parent=design.code)


# The statements behind every added piece, built once: building them anew costs more than running them.
_CART = SQLModel.metadata.tables["cart"]
_LINE = SQLModel.metadata.tables["cart_line"]
_CLAIM = (
    update(_CART)
    .where(_CART.c.id == bindparam("cart"), _CART.c.ordered.is_(None))
    .values(updated_at=bindparam("moment"))
    .returning(_CART.c.id)
)
_HELD = select(func.coalesce(func.sum(_LINE.c.quantity), 0)).where(_LINE.c.cart_id == bindparam("cart"))


@cache
def _upsert(dialect: str) -> Executable:
    insert = postgresql.insert(_LINE) if dialect == "postgresql" else sqlite.insert(_LINE)
    statement = insert.values({column.name: bindparam(column.name) for column in _LINE.c})
    together = _LINE.c.quantity + statement.excluded.quantity
    return statement.on_conflict_do_update(
        index_elements=["cart_id", "hash"],
        set_={
            "quantity": case((together > MOST_OF_ONE, MOST_OF_ONE), else_=together),
            "suggestion_id": func.coalesce(_LINE.c.suggestion_id, statement.excluded.suggestion_id),
            "offer_id": func.coalesce(_LINE.c.offer_id, statement.excluded.offer_id),
        },
    ).returning(*_LINE.c)


def claim(session: Session, visitor: Visitor, cart: Cart) -> bool:
    """Lock the bag for this transaction, if it was not ordered; changing and ordering lock the same row.

    The session's row is locked before the bag's, here and wherever both are, so that no two requests of one browser
    wait for each other. (SQLite's writers stand in one queue anyway.)
    """
    if visitor.session_id and session.get_bind().dialect.name == "postgresql":
        auth.locked_session(session, visitor.session_id)
    return session.execute(_CLAIM, {"cart": cart.id, "moment": db.now()}).first() is not None


def _claim(session: Session, visitor: Visitor, cart: Cart) -> None:
    if not claim(session, visitor, cart):
        raise refused("This bag was ordered already. Your next piece begins a new one.", "Already ordered")


def _put(
    session: Session,
    cart: Cart,
    design: Design,
    quantity: int,
    suggestion_id: str | None,
    offer_id: str | None,
    added_at: datetime | None = None,
) -> CartLine:
    """One line per design; the line answered is a copy, for reading."""
    row = {
        "id": db.new_id("lin"),
        "cart_id": cart.id,
        "slug": design.slug,
        "design_id": design.id,
        "hash": design.hash,
        "quantity": quantity,
        "offer_id": offer_id,
        "suggestion_id": suggestion_id,
        "added_at": added_at or db.now(),
    }
    session.flush()
    put = session.execute(_upsert(session.get_bind().dialect.name), row).mappings().one()
    return CartLine(**put)


def _line(session: Session, cart: Cart, line_id: str) -> CartLine:
    line = session.get(CartLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise not_found("line of your bag")
    return line


def _checked(quantity: int) -> int:
    if not 1 <= quantity <= MOST_OF_ONE:
        raise invalid(f"The quantity must be from 1 to {MOST_OF_ONE}.", field="quantity")
    return quantity


def _count(session: Session, visitor: Visitor, cart: Cart) -> None:
    """Keep the number in the page's head right, where this is the session's bag."""
    row = session.get(WebSession, visitor.session_id) if visitor.session_id else None
    if row is None or row.state.get("cart") != cart.id:
        return
    session.flush()
    held = session.execute(_HELD, {"cart": cart.id}).scalar_one()
    row.state = {**row.state, "bag_count": int(held)}
    session.add(row)
