"""A whole visit to the demo house, through the shop's own functions: look, choose, order, meet suggestions, pay."""

import random
from collections.abc import Mapping

from sqlmodel import Session

from store import checkout, db
from store.crm import acceptance, offers
from store.demo.attention import owner_writes
from store.demo.life import Scene, accessory, arrive, call, liking, look
from store.demo.plan import Visit
from store.errors import ShopError
from store.people import Customer
from store.shop import carts, catalog, designs, orders, payment_pages, settling, suggestions
from store.shop.carts import Cart
from store.shop.delivery import PlaceForm, destination_of
from store.shop.designs import Design
from store.shop.orders import Order
from store.shop.payments import Till

ABANDONS = 0.06  # of those who order; the order is released
CALLS = 0.05  # of visits are a call instead
ALONG = 0.3  # of main pieces something else is ordered with, without being suggested
TAKES, TAKES_AT_MOST = 0.05, 0.4  # a suggestion, for each step of liking
FINDS = 0.3  # how often the same piece is come upon without being suggested
DECLINES = 0.04  # "Not for me"
ACCEPTS, REFUSES = 0.35, 0.15  # of offers


def live(session: Session, visit: Visit, till: Till) -> None:
    """Live one visit; lived again with the same seed it does the same."""
    chance = random.Random(visit.seed)  # noqa: S311 - reproducible on purpose
    scene = Scene(visit, chance, arrive(session, visit))
    if visit.number >= 1 and scene.visitor.customer_id and chance.random() < CALLS:
        call(session, scene)
        return
    wished = look(session, scene)
    bag = _answer_offers(session, scene)
    if wished is not None and _decides(scene):
        bag = bag or carts.create(session, scene.visitor)
        _fill(session, scene, bag, wished)
    order = _order(session, scene, bag) if bag is not None else None
    if order is not None and chance.random() < ABANDONS:
        orders.release(session, order)
    elif order is not None:
        payment_pages.open_checkout(till, order.id)
        settling.settle_order(till, order.id)
    owner_writes(session, chance, scene.visitor, scene.owned)


def _decides(scene: Scene) -> bool:
    if scene.visit.number == 0:
        return scene.chance.random() < 0.05
    if scene.visit.number == 1 and not scene.person.registers:
        return True  # whoever opens no account becomes known by ordering
    return scene.chance.randrange(100) < scene.person.archetype.spends_percent


def _answer_offers(session: Session, scene: Scene) -> Cart | None:
    """Read what the house sent; returns the bag with what was taken."""
    if scene.visitor.customer_id is None:
        return None
    for offer in offers.for_customer(session, scene.visitor.customer_id):
        offers.mark_seen(session, scene.visitor, offer.id)
        answer = scene.chance.random()
        if answer < ACCEPTS and offer.slug:
            acceptance.take(session, scene.visitor, offer.id)
            return carts.current(session, scene.visitor)
        if answer > 1 - REFUSES:
            offers.decline(session, scene.visitor, offer.id)
    return None


def _fill(session: Session, scene: Scene, bag: Cart, wished: Design) -> None:
    """Into the bag, perhaps with something that goes along."""
    carts.add(session, scene.visitor, bag, wished)
    if wished.slug in scene.person.archetype.piece and scene.chance.random() < ALONG:
        along = accessory(session, scene, [(wished.slug, wished.choices)])
        if along is not None:
            carts.add(session, scene.visitor, bag, along)


def _meet_suggestions(session: Session, scene: Scene, bag: Cart) -> None:
    """At the checkout: take what one likes, say no to what one does not; whoever sees none finds some by themselves."""
    shown = suggestions.for_cart(session, scene.visitor, carts.view(session, bag, scene.visitor))
    for one in shown:
        drawn = scene.chance.random()
        if drawn < _tempted(session, scene, one.slug):
            suggestions.accept(session, scene.visitor, bag, one.id)
        elif drawn > 1 - DECLINES:
            suggestions.decline(session, scene.visitor, bag, one.id)
    for withheld in suggestions.of_cart(session, bag) if not shown else ():
        if scene.chance.random() < _tempted(session, scene, withheld.slug) * FINDS:
            design = designs.save(session, scene.visitor, withheld.slug, withheld.choices, {})
            carts.add(session, scene.visitor, bag, design)


def _tempted(session: Session, scene: Scene, slug: str) -> float:
    return min(TAKES_AT_MOST, TAKES * liking(scene.person, catalog.published(session, slug)))


def _order(session: Session, scene: Scene, bag: Cart) -> Order | None:
    """Through the checkout."""
    _meet_suggestions(session, scene, bag)
    place: Mapping[str, str] = scene.person.place
    seen = checkout.quote(session, scene.visitor, bag, destination_of(place)).totals.total
    form = PlaceForm(email=scene.person.email, name=scene.person.name, seen_total=seen, **place)
    try:
        with db.transaction():  # within this visit's
            placed = checkout.place(session, scene.visitor, bag, form, f"demo:{scene.visit.seed}")
    except ShopError:
        return None  # sold out in the meantime
    if placed.order.customer_id:
        customer = session.get_one(Customer, placed.order.customer_id)
        customer.synthetic = placed.order.synthetic = True
        session.add_all([customer, placed.order])
    return placed.order
