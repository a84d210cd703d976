"""What happens in one visit to the demo house: the person looks, chooses, saves, orders and pays through the shop."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

import configurator
from configurator import Choices, Conflict
from store import auth, checkout, db, events, people
from store.accounts import credentials
from store.crm import contacts
from store.demo.plan import Person, Visit, pick
from store.errors import ShopError
from store.events import Visitor
from store.people import Customer
from store.shop import carts, catalog, designs, orders, payments, stock
from store.shop.catalog import Published
from store.shop.delivery import PlaceForm
from store.shop.designs import Design
from store.shop.orders import Order
from store.shop.payments import Till

ABANDONS = 0.06  # of those who order; the order is released
CALLS = 0.05  # of visits are a call instead
CHANGES_MIND = 0.12  # of choices
INSCRIPTIONS = ("C. & L.", "14.02.26", "Für immer", "À toi", "M.A.R.", "Semper", "12 · 9")


@dataclass
class Scene:
    """A visit under way."""

    visit: Visit
    chance: random.Random
    visitor: Visitor

    @property
    def person(self) -> Person:
        """Who came."""
        return self.visit.person


def live(visit: Visit, till: Till) -> None:
    """Live one visit; killed and lived again it places no second order."""
    chance = random.Random(visit.seed)  # noqa: S311 - reproducible on purpose
    with db.transaction() as session:
        scene = Scene(visit, chance, _arrive(session, visit))
        if visit.number >= 1 and chance.random() < CALLS and scene.visitor.customer_id:
            _call(session, scene)
            return
        wished = _look(session, scene)
        order = _order(session, scene, wished) if _decides(scene) else None
    if order is None:
        return
    if chance.random() < ABANDONS:
        with db.transaction() as session:
            orders.release(session, session.get_one(Order, order.id))
        return
    payments.open_checkout(till, order.id)
    payments.settle_order(till, order.id)


def _decides(scene: Scene) -> bool:
    if scene.visit.number == 0:
        return scene.chance.random() < 0.05
    if scene.visit.number == 1 and not scene.person.registers:
        return True  # whoever opens no account becomes known by ordering
    return scene.chance.randrange(100) < scene.person.archetype.spends_percent


# -- arriving --------------------------------------------------------------------------------------------------------


def _arrive(session: Session, visit: Visit) -> Visitor:
    """The person at the door: the session of their browser, and the customer they became earlier."""
    person = visit.person
    visitor = Visitor(session_id=f"ses_demo_{person.index}")
    row = auth.ensure_session(session, visitor.session_id or "")
    customer = people.find_by_email(session, person.email)
    if customer is None and person.registers and visit.number == 1:
        customer = _register(session, visitor, person)
    if customer is None:
        people.answer_consent(session, visitor, person.purposes, "banner")
        return replace(visitor, consents=frozenset(person.purposes), consent_asked=True)
    row.customer_id = customer.id
    session.add(row)
    return replace(
        visitor,
        customer_id=customer.id,
        name=customer.name,
        consents=people.consents_of(session, customer.id),
        consent_asked=True,
    )


def _register(session: Session, visitor: Visitor, person: Person) -> Customer:
    """Become a customer; what was done as a visitor before comes along."""
    customer = people.new_customer(session, person.email, person.name, synthetic=True)
    events.record(session, visitor, "customer-registered", subject=customer.id, customer_id=customer.id)
    proved = people.verify_email(session, customer, person.email)
    events.record(session, visitor, "customer-verified", subject=customer.id, customer_id=customer.id)
    credentials.join(session, visitor, customer.id, proved.joined)
    people.answer_consent(session, visitor, person.purposes, "registration", customer_id=customer.id)
    designs.adopt(session, visitor.session_id or "", customer.id)
    return customer


def _call(session: Session, scene: Scene) -> None:
    minutes = scene.chance.randint(4, 25)
    contacts.log(
        session,
        events.NOBODY,
        scene.visitor.customer_id or "",
        scene.chance.choice(["phone", "phone", "visit"]),
        direction=scene.chance.choice(["in", "out"]),
        minutes=minutes,
        cost=minutes * 80,
    )


# -- looking and choosing --------------------------------------------------------------------------------------------


def _look(session: Session, scene: Scene) -> Design | None:
    """Look around, and compose a piece or choose accessories; returns what the person would take."""
    for slug in _glances(session, scene):
        events.record(session, scene.visitor, "view", product=slug, facts={"page": "product"})
    owned = orders.owned_items(session, scene.visitor.customer_id) if scene.visitor.customer_id else []
    pieces = [line for line in owned if line.slug in scene.person.archetype.piece]
    if pieces and scene.chance.random() < 0.72:
        return _accessory(session, scene, [(line.slug, line.choices) for line in pieces])
    if scene.visit.number and (saved := _saved(session, scene)) and scene.chance.random() < 0.7:
        return saved
    return _piece(session, scene)


def _saved(session: Session, scene: Scene) -> Design | None:
    if scene.visitor.customer_id is None:
        return None
    statement = select(Design).where(Design.customer_id == scene.visitor.customer_id, Design.source == "customer")
    return next(iter(session.exec(statement.order_by(col(Design.created_at).desc())).all()), None)


def _glances(session: Session, scene: Scene) -> list[str]:
    wanted = scene.person.archetype.categories
    listed = catalog.listing(session)
    weights = [wanted.get(item.model.category, 1) for item in listed]
    return [item.slug for item in scene.chance.choices(listed, weights=weights, k=scene.chance.randint(1, 4))]


def _piece(session: Session, scene: Scene) -> Design | None:
    """Compose a watch or a trunk, choice by choice, each of them open at that moment."""
    item = catalog.find(session, pick(scene.chance, scene.person.archetype.piece))
    if item is None:
        return None
    events.record(session, scene.visitor, "view", product=item.slug, facts={"page": "product"})
    choices = _choose(session, scene, item)
    texts = {}
    texts_of = [group.id for group in item.model.groups if group.kind == "text"]
    if texts_of and scene.chance.random() < 0.25:
        words = {texts_of[0]: scene.chance.choice(INSCRIPTIONS)}
        try:
            texts = dict(configurator.check_texts(item.compiled, choices, words))
        except configurator.TextError:
            texts = {}  # a piece that takes no such inscription
    return designs.save(session, scene.visitor, item.slug, choices, texts)


def _choose(session: Session, scene: Scene, item: Published) -> Choices:
    choices: Choices = {}
    groups = [group for group in item.model.groups if group.kind == "one"]
    count = min(len(groups), scene.chance.randint(3, 7))
    for group in sorted(scene.chance.sample(groups, count), key=lambda group: item.model.groups.index(group)):
        value = _wish(scene, item, choices, group.id)
        if value is None:
            continue
        choices[group.id] = value
        facts = {"group": group.id, "value": value}
        events.record(session, scene.visitor, "choice", product=item.slug, facts=facts)
        if scene.chance.random() < CHANGES_MIND:
            events.record(session, scene.visitor, "unchoice", product=item.slug, facts=facts)
            del choices[group.id]
    return choices


def _wish(scene: Scene, item: Published, choices: Choices, group_id: str) -> str | None:
    """A value that can be taken as things stand, by the person's taste."""
    state = configurator.analyse(item.compiled, choices)
    if isinstance(state, Conflict):
        return None
    group = next(group for group in state.groups if group.id == group_id)
    open_values = [str(value.id) for value in group.values if value.state in ("open", "chosen")]
    if not group.needed or len(open_values) < 2:
        return None
    leaning = scene.person.archetype.options
    return pick(scene.chance, {value: leaning.get(value, 1) for value in open_values})


def _accessory(session: Session, scene: Scene, pieces: Sequence[tuple[str, Mapping[str, object]]]) -> Design | None:
    """Something that fits a piece the person owns, in the leather and metal they lean to."""
    slug, choices = scene.chance.choice(pieces)
    piece = catalog.find(session, slug)
    if piece is None:
        return None
    fitting: dict[str, int] = {}
    matched: dict[str, Choices] = {}
    owned = {line.slug for line in orders.owned_items(session, scene.visitor.customer_id or "")}
    free = stock.available(session, [item.slug for item in catalog.listing(session) if item.counted])
    for item in catalog.listing(session):
        if item.slug in scene.person.archetype.piece or item.slug in owned or item.model.supply.numbered:
            continue
        if item.counted and free.get(item.slug, 0) < 2:
            continue
        match = configurator.match(item.compiled, piece.compiled, dict(choices))  # type: ignore[arg-type]
        if match is not None:
            matched[item.slug], fitting[item.slug] = match, _liking(scene, item)
    if not fitting:
        return None
    wanted = pick(scene.chance, fitting)
    return designs.save(session, scene.visitor, wanted, matched[wanted], {})


def _liking(scene: Scene, item: Published) -> int:
    archetype = scene.person.archetype
    liking = archetype.categories.get(item.model.category, 1)
    for value in item.model.attributes.values():
        liking *= archetype.options.get(str(value), 1)
    return liking


# -- ordering --------------------------------------------------------------------------------------------------------


def _order(session: Session, scene: Scene, wished: Design | None) -> Order | None:
    """Put it into the bag, perhaps with something that goes along, and place the order."""
    key = f"demo:{scene.visit.seed}"
    if wished is None or orders.of_key(session, key) is not None:
        return None
    cart = carts.create(session, scene.visitor)
    carts.add(session, scene.visitor, cart, wished)
    if wished.slug in scene.person.archetype.piece and scene.chance.random() < 0.3:
        along = _accessory(session, scene, [(wished.slug, wished.choices)])
        if along is not None:
            carts.add(session, scene.visitor, cart, along)
    country = scene.person.place["country"]
    seen = checkout.quote(session, scene.visitor, cart, country).totals.total
    form = PlaceForm(email=scene.person.email, name=scene.person.name, seen_total=seen, **scene.person.place)
    try:
        placed = checkout.place(session, scene.visitor, cart, form, key)
    except ShopError:
        return None  # sold out in the meantime: nothing was written for it
    if placed.order.customer_id:
        customer = session.get_one(Customer, placed.order.customer_id)
        customer.synthetic = True
        placed.order.synthetic = True
        session.add_all([customer, placed.order])
    return placed.order


def move_orders_on(session: Session) -> None:
    """The workshop's day: paid orders go through their stages as their promised days come."""
    today = db.now().date()
    moving = select(Order).where(col(Order.synthetic), col(Order.state).in_(orders.STAGES[1:5]))
    for order in session.exec(moving.order_by(col(Order.placed_at))).all():
        _move_on(
            session, order, (today - order.placed_at.date()).days, (order.promised_by - order.placed_at.date()).days
        )


def _move_on(session: Session, order: Order, waited: int, promised: int) -> None:
    due = {
        "in-production": 2,
        "ready": max(promised - 2, 2),
        "shipped": max(promised - 1, 3),
        "delivered": promised + 2,
    }
    for stage in orders.STAGES[2:]:
        if orders.STAGES.index(stage) > orders.STAGES.index(order.state) and waited >= due[stage]:
            orders.advance(session, events.NOBODY, order, stage)
