"""The JSON calls of buying: bags, their lines, and placing an order exactly once."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from sqlmodel import Session

from store import auth, checkout
from store.db import Db, WritingDb
from store.errors import ShopError, invalid
from store.events import Visitor
from store.pages import shapes
from store.shop import carts, designs, order_links, orders, schedule, share_codes, suggestions
from store.shop.appraisal import Appraisal
from store.shop.carts import Cart, LineView
from store.shop.delivery import check_form, destination_of
from store.shop.designs import Design
from store.shop.orders import Order
from store.shop.schedule import PaymentPart
from store.shop.taxes import Destination
from store.web import SameOrigin, Who

router = APIRouter(prefix="/api", tags=["buying"], responses=shapes.PROBLEMS, route_class=shapes.ModelRoute)


def asker(request: Request) -> str:
    """Whose tries are counted together."""
    return request.client.host if request.client else "unknown"


def price_of(worth: Appraisal) -> shapes.Price:
    """A price with its trace."""
    lines = [shapes.Line(label=line.label, amount=line.amount) for line in worth.price.lines]
    return shapes.Price(amount=worth.price.amount, currency=worth.price.currency, lines=lines)


def days_of(worth: Appraisal) -> shapes.Days:
    """When it is ready."""
    return shapes.Days(min_days=worth.lead_time.min_days, max_days=worth.lead_time.max_days)


@router.post("/carts", status_code=201, dependencies=[SameOrigin])
def new_cart(session: Db, who: Who, body: shapes.NewBag | None = None) -> shapes.Bag:
    """A new, empty bag, reckoned in a currency of the house."""
    currency = body.currency.upper() if body and body.currency else None
    return bag_of(session, carts.create(session, who, currency), who)


@router.get("/carts/{cart_id}")
def read_cart(
    cart_id: str,
    session: Db,
    who: Who,
    country: Annotated[str, Query(max_length=2)] = "",
    postal_code: Annotated[str, Query(max_length=20)] = "",
    vat_id: Annotated[str, Query(max_length=24)] = "",
) -> shapes.Bag:
    """A bag as it stands now, delivered in the shop's country unless another place is named."""
    to = destination_of({"country": country, "postal_code": postal_code, "vat_id": vat_id})
    return bag_of(session, carts.readable(session, cart_id, who), who, to)


@router.post("/carts/{cart_id}/lines", status_code=201, dependencies=[SameOrigin])
def add_line(request: Request, cart_id: str, body: shapes.NewLine, session: Db, who: Who) -> shapes.Bag:
    """Put a design (by its code) or a product as it comes into a bag."""
    cart = carts.readable(session, cart_id, who)
    if (body.design is None) == (body.slug is None):
        raise invalid("Please name either a design or a slug.", fields=["design", "slug"])
    if body.design is not None:
        design = share_codes.opened(session, body.design, who, asker(request))
        _refuse_lost(session, design, who)
    else:
        design = designs.save(session, who, body.slug or "", {}, {})
    carts.add(session, who, cart, design, body.quantity)
    return bag_of(session, cart, who)


def _refuse_lost(session: Session, design: Design, who: Visitor) -> None:
    """A design whose choices are not all there any more is not put into a bag unseen; says what changed."""
    now = designs.renewed(session, design, who)
    if now.given_up:
        extra = {"choices": now.choices, "changes": list(now.changes), "price": now.price}
        raise ShopError(409, "This design has changed", " ".join(now.changes), extra)


@router.get("/carts/{cart_id}/suggestions")
def read_suggestions(cart_id: str, session: WritingDb, who: Who) -> shapes.Suggestions:
    """At most three pieces that fit the bag, configured to match; written down as shown."""
    cart = carts.readable(session, cart_id, who)
    found = suggestions.for_cart(session, who, carts.view(session, cart, who))
    return shapes.Suggestions(
        items=[
            shapes.Suggestion(
                id=one.id,
                slug=one.slug,
                name=one.name,
                reason=one.reason,
                choices=one.choices,
                sentence=one.sentence,
                price=shapes.Price(amount=one.price, currency=one.currency, lines=one.price_lines),
            )
            for one in found
        ]
    )


@router.post("/orders", status_code=201, dependencies=[SameOrigin])
def place_order(
    request: Request,
    response: Response,
    body: shapes.NewOrder,
    session: Db,
    who: Who,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=200)],
) -> shapes.PlacedOrder:
    """Place the order of a bag, exactly once: the same key answers the same, another key finds the same order (200)."""
    auth.limit("1200/minute", "orders", asker(request))
    cart = carts.readable(session, body.cart, who)
    given = {**body.address.model_dump(exclude_none=True), "email": body.email, "seen_total": body.seen_total}
    given |= {"plan": body.plan, "currency": body.currency}
    given |= {"company": body.company.name, "vat_id": body.company.vat_id} if body.company else {}
    form, wrong = check_form(given)
    if form is None:
        raise ShopError(422, "Please check what you entered", " ".join(wrong.values()), {"fields": wrong})
    placed = checkout.place(session, who, cart, form, idempotency_key)
    if not placed.by_this_key:
        response.status_code = 200
    # The bag's id alone must not become a key to the order's page, where name and address stand.
    hers = placed.by_this_key or orders.may_see(placed.order, who) or form.email == placed.order.email
    parts = schedule.of_orders(session, [placed.order])[placed.order.id]
    return _answer(placed.order, parts, signed=hers)


def _answer(order: Order, parts: list[PaymentPart], *, signed: bool) -> shapes.PlacedOrder:
    return shapes.PlacedOrder(
        number=order.number,
        currency=order.currency,
        total=order.total,
        tax=order.tax,
        tax_note=order.tax_note,
        due_now=sum(part.amount for part in parts if part.due == schedule.NOW),
        schedule=[
            shapes.Part(label=part.label, amount=part.amount, due=part.due, when=part.due_words) for part in parts
        ],
        promised_from=order.promised_from,
        promised_by=order.promised_by,
        payment_url=order_links.payment(order.number) if signed else order_links.unsigned(order.number, "/payment"),
        order_url=order_links.page(order.number) if signed else order_links.unsigned(order.number),
    )


def bag_of(session: Session, cart: Cart, who: Visitor, to: Destination | None = None) -> shapes.Bag:
    """A bag as JSON tells it, with the offers of the customer whose it is."""
    bill = checkout.quote(session, who, cart, to)
    sums = bill.totals
    return shapes.Bag(
        id=cart.id,
        currency=bill.cart_view.currency,
        lines=[_line(line) for line in bill.cart_view.lines],
        problems=list(bill.cart_view.problems),
        totals=shapes.Sums(
            subtotal=sums.subtotal,
            discount=sums.discount,
            shipping=sums.shipping,
            tax=sums.tax,
            total=sums.total,
        ),
        taxes=[shapes.Tax(**vars(row)) for row in sums.taxes],
        tax_note=bill.tax_sentence,
    )


def _line(view: LineView) -> shapes.BagLine:
    return shapes.BagLine(
        id=view.line.id,
        slug=view.line.slug,
        name=view.label,
        design=view.design.code,
        choices=view.worth.choices if view.worth else view.design.choices,
        texts=view.texts,
        sentence=view.sentence,
        quantity=view.line.quantity,
        unit_price=view.unit_price,
        amount=view.amount,
        price=price_of(view.worth) if view.worth else None,
        lead_time=days_of(view.worth) if view.worth else None,
        problem=view.problem,
    )
