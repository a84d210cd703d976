"""What the recommender is given: opaque ids, the customer's own choices only, nothing of those who said no or left."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

import configurator
from recommender import Fitted
from store import db, privacy
from store.crm import insight
from store.settings import Settings
from store.shop import carts, catalog, composed, designs, orders, taste
from store.shop.taste import Whose
from store.tasks import Task
from tests.store.crm.cast import House

pytestmark = pytest.mark.usefixtures("own_models")
GOLD = {"case": "rose-gold", "strap": "alligator", "leather": "cognac"}


def train(house: House, settings: Settings) -> Fitted:
    """Train on what was written so far."""
    house.session.commit()
    insight.train(settings)
    fitted = taste.fitted()
    assert fitted is not None
    return fitted


def known(fitted: Fitted, customer_id: str | None) -> bool:
    """Whether the artifact knows this customer, as a buyer or by taste."""
    assert customer_id is not None
    told = {key[0] for part in (fitted.taste.own, fitted.taste.own_attributes, fitted.taste.evidence) for key in part}
    return customer_id in told or fitted.customers.number(customer_id) >= 0


def test_a_consenting_customer_is_known_by_id_alone(house: House, settings: Settings) -> None:
    house.consents(house.iris, "personalisation")
    house.orders(house.iris, ("meridien", GOLD), ("care-kit-leather", {}))
    house.orders(house.blanche, ("meridien", {}))
    fitted = train(house, settings)
    assert known(fitted, house.iris.customer_id)
    assert not known(fitted, house.blanche.customer_id)  # never asked: only what was bought together counts
    assert fitted.metrics["baskets"] == 2
    told = (settings.data_dir / "models" / fitted.version / "taste.json").read_text()
    assert "iris@" not in told
    assert "Vallier" not in told


def test_who_opts_out_or_leaves_vanishes_from_the_next_artifact(house: House, settings: Settings) -> None:
    for visitor in (house.iris, house.blanche):
        house.consents(visitor, "personalisation")
        house.orders(visitor, ("meridien", GOLD))
        house.saves(visitor, "voyageur", trim="cognac")
    fitted = train(house, settings)
    assert known(fitted, house.iris.customer_id)
    assert known(fitted, house.blanche.customer_id)
    house.consents(house.iris)
    assert house.blanche.customer_id
    privacy.erase(house.session, house.blanche.customer_id)
    after = train(house, settings)
    assert not known(after, house.iris.customer_id)
    assert not known(after, house.blanche.customer_id)
    assert after.metrics["baskets"] == 1  # hers, of nobody; what was erased is in no basket and no sample
    assert (
        after.taste.values["meridien", "case", "rose-gold"] == fitted.taste.values["meridien", "case", "rose-gold"] / 2
    )
    assert ("voyageur", "trim", "cognac") not in after.taste.values


def test_what_the_house_composed_is_not_learned_as_her_taste(house: House, settings: Settings) -> None:
    house.consents(house.iris, "personalisation")
    session, iris = house.session, house.iris
    for source in ("suggestion", "offer"):
        cart = carts.create(session, iris)
        made = designs.save(session, iris, "meridien", {"case": "yellow-gold"}, {}, source=source)
        carts.add(session, iris, cart, made)
    house.saves(iris, "meridien", case="rose-gold")
    bought = designs.save(session, iris, "voyageur", {"trim": "black"}, {}, source="suggestion")
    order = house.orders(iris, ("voyageur", bought.choices))
    assert order.state == "paid"
    fitted = train(house, settings)
    values = {key[1:] for key in fitted.taste.own if key[0] == iris.customer_id}
    assert values == {("meridien", "case", "rose-gold")}


def test_a_start_is_composed_of_what_the_customer_leans_to_and_says_why(house: House, settings: Settings) -> None:
    people_of = {house.iris: "rose-gold", house.blanche: "black-titanium"}
    for visitor, case in people_of.items():
        house.consents(visitor, "personalisation")
        for size in ("mm38", "mm40", "mm42"):
            house.saves(visitor, "meridien", case=case, size=size)
    train(house, settings)
    watch = catalog.published(house.session, "meridien")
    for visitor, case in people_of.items():
        assert visitor.customer_id
        assert taste.leaning(Whose(visitor.customer_id))[0].value == case
        allowed = replace(visitor, consents=frozenset({"personalisation"}))
        filled = {one.group: one for one in composed.start(house.session, allowed, watch)}
        assert filled["case"].value == case
        label = {"rose-gold": "Rose gold", "black-titanium": "Black titanium"}[case]
        assert filled["case"].reason == f"Filled in because you chose {label} before."
        assert configurator.complete(watch.compiled, composed.choices_of(list(filled.values())))  # can be made
        assert composed.start(house.session, visitor, watch) == ()  # without consent
        assert composed.start(house.session, replace(allowed, opted_out=True), watch) == ()


def test_chances_follow_customers_alike_as_far_as_allowed(house: House) -> None:
    session = house.session
    house.orders(house.blanche, ("meridien", {}), ("winder-black", {}))
    house.orders(house.iris, ("meridien", {}))
    assert house.iris.customer_id
    pieces = ["winder-black", "trunk-stand-walnut"]
    alone = insight.chances(session, house.iris.customer_id, pieces)
    house.consents(house.iris, "personalisation")
    alike = insight.chances(session, house.iris.customer_id, pieces)
    # Of 2 customers 1 took the winder: (1 + 1) / (2 + 20); the one alike did: (1 + 20 × 9.09 %) / 21.
    assert alone == {"winder-black": 909, "trunk-stand-walnut": 454}
    assert alike == {"winder-black": 1_341, "trunk-stand-walnut": 432}


def test_paid_orders_ask_for_one_training_a_quarter_of_an_hour(house: House) -> None:
    def asked(session: Session) -> list[Task]:
        return list(session.exec(select(Task).where(Task.kind == insight.TRAIN)).all())

    house.orders(house.iris, ("meridien", {}))
    house.orders(house.blanche, ("meridien", {}))
    (task,) = asked(house.session)
    assert timedelta() < task.run_at - db.now() <= timedelta(minutes=15)
    lived = house.orders(house.iris, ("meridien", {"case": "rose-gold"}), paid=False)
    lived.synthetic = True
    house.session.add(lived)
    orders.mark_paid(house.session, lived, None)
    assert len(asked(house.session)) == 1
