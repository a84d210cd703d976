"""The first half of a visit to the demo house: the person arrives, looks around, chooses and saves."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

import configurator
from configurator import Choices, Conflict
from store import auth, events, people
from store.accounts import credentials
from store.crm import contacts
from store.demo.plan import Person, Visit, pick
from store.events import Visitor
from store.people import Customer
from store.shop import catalog, designs, orders, stock
from store.shop.catalog import Published
from store.shop.companions import Anchor, fitting
from store.shop.designs import Design

CHANGES_MIND = 0.12  # of choices
INSCRIPTIONS = ("C. & L.", "14.02.26", "Für immer", "À toi", "M.A.R.", "Semper", "12 · 9")


@dataclass
class Scene:
    """A visit under way."""

    visit: Visit
    chance: random.Random
    visitor: Visitor
    owned: frozenset[str] = frozenset()  # products

    @property
    def person(self) -> Person:
        """Who came."""
        return self.visit.person


# -- arriving --------------------------------------------------------------------------------------------------------


def arrive(session: Session, visit: Visit) -> Visitor:
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


def call(session: Session, scene: Scene) -> None:
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


def look(session: Session, scene: Scene) -> Design | None:
    """Look around, and compose a piece or choose accessories; returns what the person would take."""
    for slug in _glances(session, scene):
        events.record(session, scene.visitor, "view", product=slug, facts={"page": "product"})
    owned = orders.owned_items(session, scene.visitor.customer_id) if scene.visitor.customer_id else []
    scene.owned = frozenset(line.slug for line in owned)
    pieces = [line for line in owned if line.slug in scene.person.archetype.piece]
    if pieces and scene.chance.random() < 0.72:
        return accessory(session, scene, [(line.slug, line.choices) for line in pieces])
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


def accessory(session: Session, scene: Scene, pieces: Sequence[tuple[str, Mapping[str, object]]]) -> Design | None:
    """Something that fits a piece the person owns or is about to buy, in the leather and metal they lean to."""
    slug, choices = scene.chance.choice(pieces)
    piece = catalog.find(session, slug)
    if piece is None:
        return None
    anchor = Anchor(piece, choices, owned=True, own=frozenset(choices))
    wanted: dict[str, int] = {}
    matched: dict[str, Choices] = {}
    gone = stock.run_out(session)
    for item in catalog.listing(session):
        if item.slug in scene.person.archetype.piece or item.slug in scene.owned or item.slug in gone:
            continue
        found = None if item.model.supply.numbered else fitting(item, [anchor])
        if found is not None:
            matched[item.slug], wanted[item.slug] = found[1], liking(scene.person, item)
    if not wanted:
        return None
    taken = pick(scene.chance, wanted)
    return designs.save(session, scene.visitor, taken, matched[taken], {})


def liking(person: Person, item: Published) -> int:
    """How much likelier than chance the person takes this piece."""
    liked = person.archetype.categories.get(item.model.category, 1)
    for value in item.model.attributes.values():
        liked *= person.archetype.options.get(str(value), 1)
    return liked
