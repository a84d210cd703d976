"""A bag as rows and as it stands now: every line priced anew from the newest version of its product."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, bindparam
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import Texts
from store.currencies import PriceList
from store.errors import ShopError
from store.events import Visitor
from store.shop import catalog, designs, price_lists, stock, taxes, totals
from store.shop.appraisal import Appraisal, appraise, known_to, picture_of, private_values
from store.shop.catalog import Published
from store.shop.designs import Design
from store.shop.taxes import Charge, Destination, Terms
from store.shop.totals import Priced, Totals

_LOOK = "Please look at it again; everything else is as you left it."


class Cart(SQLModel, table=True):
    """A bag; bound to an account it answers that customer only, else whoever knows its unguessable id."""

    __tablename__ = "cart"
    __table_args__ = (Index("ix_cart_customer_id_updated_at", "customer_id", "updated_at"),)

    id: str = Field(primary_key=True)
    session_id: str | None = Field(default=None, index=True)
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    currency: str
    created_at: datetime
    updated_at: datetime
    ordered: str | None = None  # the order's id: nothing changes any more


class CartLine(SQLModel, table=True):
    """A design in a bag and how often."""

    __tablename__ = "cart_line"
    __table_args__ = (UniqueConstraint("cart_id", "hash"),)

    id: str = Field(primary_key=True)
    cart_id: str = Field(foreign_key="cart.id")
    slug: str
    design_id: str = Field(foreign_key="design.id")
    hash: str
    quantity: int
    offer_id: str | None = None
    suggestion_id: str | None = None
    added_at: datetime


@dataclass(frozen=True)
class LineView:
    """A line as it is shown and priced now, where it goes; `worth` is None when the design cannot be made any more."""

    line: CartLine
    design: Design
    published: Published | None
    worth: Appraisal | None
    unit_price: int
    texts: Texts
    picture_layers: tuple[str, ...]
    charge: Charge
    problem: str | None = None
    short: bool = False  # fewer are left than the bag asks for
    moved: int = 0  # minor units by which a piece costs more (or less) than when the design was saved

    @property
    def amount(self) -> int:
        """What the line costs before offers."""
        return self.worth.amount(self.line.quantity) if self.worth else self.unit_price * self.line.quantity

    @property
    def label(self) -> str:
        """The product's name."""
        return self.published.name if self.published else self.line.slug

    @property
    def sentence(self) -> str:
        """The design in words."""
        return self.worth.sentence if self.worth else ""

    @property
    def configurable(self) -> bool:
        """Whether there is a design to edit."""
        return self.published is not None and self.published.model.configurable


@dataclass(frozen=True)
class CartView:
    """A bag as it stands now, before offers; delivered in the shop's own country unless another is named."""

    cart: Cart
    lines: tuple[LineView, ...]
    problems: tuple[str, ...]
    totals: Totals
    terms: Terms
    prices: PriceList

    @property
    def priced(self) -> list[Priced]:
        """The lines as they are added up."""
        return [Priced(view.line.id, view.amount, view.charge) for view in self.lines]

    @property
    def currency(self) -> str:
        """The bag's currency; the house's own when there are no prices in it any more."""
        return self.prices.currency

    @property
    def count(self) -> int:
        """How many pieces it holds."""
        return sum(view.line.quantity for view in self.lines)

    @property
    def can_be_ordered(self) -> bool:
        """Whether it holds something, and nothing that stands in the way."""
        return bool(self.lines) and not self.problems


# Read with every bag that is shown: made once.
_LINES = (
    select(CartLine, Design)
    .join(Design, col(Design.id) == col(CartLine.design_id))
    .where(CartLine.cart_id == bindparam("cart"))
    .order_by(col(CartLine.added_at), col(CartLine.id))
    .execution_options(populate_existing=True)  # lines may have been raised by a statement of their own
)


def view(session: Session, cart: Cart, visitor: Visitor, *, to: Destination | None = None) -> CartView:
    """The bag as it stands now: every line recomputed from the newest version of its product, as priced where it goes.

    Raises:
        ShopError: 422, as `taxes.terms`.
    """
    terms, prices = taxes.terms(to), price_lists.still(cart.currency)
    rows = session.execute(_LINES, {"cart": cart.id}).all()
    items = {line.slug: catalog.find(session, line.slug) for line, _ in rows}
    free = stock.available(session, [slug for slug, item in items.items() if item is not None and item.counted])
    wanted: dict[str, int] = {}
    for line, _ in rows:
        wanted[line.slug] = wanted.get(line.slug, 0) + line.quantity
    short = {slug: free[slug] for slug, quantity in wanted.items() if slug in free and free[slug] < quantity}
    lines = tuple(
        _view(session, line, design, items[line.slug], visitor, short, terms, prices) for line, design in rows
    )
    problems = tuple(dict.fromkeys(line.problem for line in lines if line.problem))
    bag = CartView(cart, lines, problems, Totals(0, 0, 0, 0, 0), terms, prices)
    return replace(bag, totals=totals.compute(bag.priced, [], terms, prices))


def _view(
    session: Session,
    line: CartLine,
    design: Design,
    item: Published | None,
    visitor: Visitor,
    short: Mapping[str, int],
    terms: Terms,
    prices: PriceList,
) -> LineView:
    texts = designs.texts_for(design, visitor)
    if item is None:
        gone = "A piece in your bag is no longer sold."
        return LineView(line, design, None, None, prices.price(design.price), texts, (), terms.charge(), gone)
    charge, at_home, item = terms.of(item), item, price_lists.priced(item, prices)
    try:
        worth, wrong = _standing(session, design, item, texts, visitor)
    except ShopError as error:
        worth, wrong = None, f"{item.name} has changed since you designed it. {error.detail} {_LOOK}"
    if worth is None:
        return LineView(
            line, design, item, None, prices.price(design.price), texts, tuple(picture_of(item, {})), charge, wrong
        )
    problem: str | None = None
    if line.slug in short:
        left = short[line.slug]
        problem = (
            f"Only {left} of {item.name} {'is' if left == 1 else 'are'} left." if left else f"{item.name} is sold out."
        )
    moved = 0
    if texts == design.texts:
        listed = worth if prices.is_home else appraise(at_home, worth.choices, worth.texts)
        moved = prices.price(listed.price.amount - design.price)
    pictures = tuple(picture_of(item, worth.completion))
    there = taxes.charged(worth, charge.factor)
    price = there.price.amount
    return LineView(line, design, item, there, price, texts, pictures, charge, problem, line.slug in short, moved)


def _standing(
    session: Session, design: Design, item: Published, texts: Texts, visitor: Visitor
) -> tuple[Appraisal | None, str | None]:
    """What the design is on the newest version, or why it must be looked at again: then none of it is lost either."""
    if design.model_version == item.version and not private_values(item, design.choices, known_to(item, visitor)):
        return appraise(item, design.choices, texts), None
    now = designs.renewed(session, design, visitor)
    if not now.given_up:
        return appraise(item, now.choices, {group: words for group, words in texts.items() if group in now.texts}), None
    what = " ".join(one.words for one in now.given_up if one.words)
    return None, f"{item.name} has changed since you designed it. {what} {_LOOK}"
