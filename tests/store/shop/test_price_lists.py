"""Prices in several currencies: each list exact, an order in any of them replayable, the books in the house's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import Session, col, select

import configurator
from configurator import compile_model, parse
from store import checkout, db, settings
from store.crm import profit
from store.currencies import PriceList, read_currencies
from store.errors import SettingsError, ShopError
from store.events import Visitor
from store.settings import House, house
from store.shop import carts, catalog, orders, payment_pages, price_lists, schedule, settling, snapshots, taxes
from store.shop.appraisal import appraise
from store.shop.catalog import Published
from store.shop.orders import Order, OrderLine
from store.shop.payments import Payment
from store.shop.taxes import Destination
from tests.store import selling
from tests.store.selling import HandProvider

FRANCS, POUNDS, YEN = (price_lists.of(currency) for currency in ("CHF", "GBP", "JPY"))


def with_lists(monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> None:
    """The house, with these currencies for a while."""
    changed: House = replace(house(), currencies=read_currencies(raw, "EUR"))
    for module in (price_lists, catalog, settings, carts, checkout, taxes):
        if hasattr(module, "house"):
            monkeypatch.setattr(module, "house", lambda: changed)


def watch(more: str = "") -> Published:
    """The small house's watch, and a percentage on it."""
    (model,) = parse(selling.WATCH.replace("parts:\n", f"{more}parts:\n"), "watch.yaml")
    return Published(model.slug, model)


# -- a list ----------------------------------------------------------------------------------------------------------


def test_each_amount_of_a_price_is_rounded_to_the_step_of_its_list() -> None:
    item = price_lists.priced(watch(), FRANCS)
    worth = appraise(item, {"case": "gold"}, {"engraving": "C. 14.02.26"})
    # 9,800 × .98 = 9,604 → 9,605; 14,200 × .98 = 13,916 → 13,915; a letter 15 × .98 = 14.70 → 15, eight times.
    assert [(line.label, line.amount) for line in worth.price.lines] == [
        ("Watch", 960_500),
        ("Case: Gold", 1_391_500),
        ("Engraving", 8 * 1_500),
    ]
    assert (worth.price.currency, worth.price.amount) == ("CHF", 2_364_000)
    assert worth.unit_cost == 410_000 + 860_000  # what it costs the house stays in its own currency
    assert item.version == watch().version


def test_yen_have_no_hundredths() -> None:
    item = price_lists.priced(watch(), YEN)
    assert (item.from_price, item.model.currency) == (1_813_000, "JPY")  # 9,800 × 185


def test_a_percentage_is_taken_of_what_the_list_says() -> None:
    item = price_lists.priced(watch("  - {id: bench, percent: 1000, of: base, label: Bench}\n"), FRANCS)
    lines = {line.label: line.amount for line in appraise(item, {}).price.lines}
    assert lines == {"Watch": 960_500, "Bench": 96_000}  # 960.50 to the step of five francs


def test_a_list_may_name_prices_itself() -> None:
    own = replace(FRANCS, overrides={"watch": {"base": 950_000, "case/gold": 1_300_000, "engraving": 2_000}})
    worth = appraise(price_lists.priced(watch(), own), {"case": "gold"}, {"engraving": "ABCDE"})
    assert [line.amount for line in worth.price.lines] == [950_000, 1_300_000, 2 * 2_000]


def test_what_costs_something_costs_at_least_a_step() -> None:
    (model,) = parse("product: p\nname: P\ncategory: c\ncurrency: EUR\nbase: {price: 3}\n", "p.yaml")
    assert price_lists.priced(Published("p", model), FRANCS).from_price == 500


@pytest.mark.parametrize("prices", [FRANCS, POUNDS, YEN])
@pytest.mark.parametrize("slug", ["meridien", "voyageur", "sillage", "echappee"])
def test_every_difference_of_the_house_is_that_of_two_traces(session: Session, slug: str, prices: PriceList) -> None:
    item = price_lists.priced(catalog.published(session, slug), prices)
    now = appraise(item, {})
    assert now.price.amount == sum(line.amount for line in now.price.lines)
    assert all(line.amount % prices.step == 0 for line in now.price.lines)
    told = configurator.differences(item.compiled, {})
    looked_at = 0
    for group in item.model.groups:
        for option in group.options if group.kind == "one" else ():
            found = told.get((group.id, option.id))
            if found is None or found.price_delta is None:
                continue
            there = appraise(item, {group.id: option.id})
            assert there.price.amount - now.price.amount == found.price_delta
            looked_at += 1
    assert looked_at > 5


def test_the_same_solvers_answer_at_other_prices_without_mixing_them() -> None:
    compiled = compile_model(watch().model)
    item = Published("watch", compiled.model)
    item.__dict__["compiled"] = compiled
    francs = price_lists.priced(item, FRANCS)
    assert francs.compiled.live._idle is compiled.live._idle
    for _ in range(2):
        assert (item.from_price, francs.from_price) == (980_000, 960_500)
        assert configurator.differences(item.compiled, {})["case", "gold"].price_delta == 1_420_000
        assert configurator.differences(francs.compiled, {})["case", "gold"].price_delta == 1_391_500


# -- a bag and its order ---------------------------------------------------------------------------------------------


def bag_in(session: Session, currency: str, slug: str = "watch", **choices: Any) -> tuple[Visitor, carts.Cart]:
    """A bag of one piece, reckoned in that currency."""
    visitor = replace(selling.guest(), currency=currency)
    return visitor, selling.fill(session, visitor, slug, choices)


def test_a_bag_is_reckoned_in_the_currency_of_its_visitor(house: Session) -> None:
    visitor, cart = bag_in(house, "CHF", case="gold")
    bill = checkout.quote(house, visitor, cart)
    assert (bill.cart_view.currency, bill.totals.total) == ("CHF", 2_352_000)
    carts.change_currency(house, visitor, cart, "GBP")
    assert checkout.quote(house, visitor, cart).totals.total == 882_000 + 1_278_000
    with pytest.raises(ShopError, match="no prices in SEK; there are prices in EUR, CHF, GBP, USD, JPY"):
        carts.change_currency(house, visitor, cart, "SEK")


def test_delivery_and_its_waiver_are_those_of_the_list(house: Session) -> None:
    visitor, cart = bag_in(house, "CHF", "strap")
    swiss = checkout.quote(house, visitor, cart, "CH").totals
    # 290.00 → 285.00 on the list, 237.50 without VAT; the delivery 60.00 → 60.00 (58.80 to five francs).
    assert (swiss.subtotal, swiss.shipping, swiss.tax, swiss.total) == (23_750, 6_000, 0, 29_750)
    german = checkout.quote(house, visitor, cart, "DE").totals
    assert (german.subtotal, german.shipping, german.tax) == (28_500, 2_500, 4_950)


def test_an_order_in_francs_keeps_its_list_and_replays_after_every_rate_changed(
    house: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    visitor, cart = bag_in(house, "CHF", case="gold")
    form = selling.form(2_352_000, country="CH", postal_code="8001", currency="CHF")
    order = checkout.place(house, visitor, cart, form, "key").order
    (line,) = orders.lines_of(house, [order])[order.id]
    assert (order.currency, order.total, order.home_units, order.order_units) == ("CHF", 1_960_000, 50, 47)
    assert [row["amount"] for row in line.price_lines] == [800_417, 1_159_583]
    assert line.pricing == {
        "list": {"currency": "CHF", "factor": [49, 50], "step": 500, "fixed": {}},
        "tax": [10_000, 12_000],
    }
    assert snapshots.replay(house, order) == []
    with_lists(monkeypatch, {"CHF": {"rate": [1, 2], "step": 10_000}})
    dearer = selling.PRODUCTS.replace("price: 980000", "price: 2940000")
    selling.open_house(house, tmp_path / "dearer", dearer)
    assert snapshots.replay(house, order) == []
    with_lists(monkeypatch, {})
    catalog.forget()
    assert snapshots.replay(house, order) == []
    pricing = {**line.pricing, "list": {**line.pricing["list"], "step": 100}}
    house.execute(update(OrderLine).where(col(OrderLine.id) == line.id).values(pricing=pricing))
    house.expire_all()
    assert "line 0 (Watch): price_lines differs" in snapshots.replay(house, house.get_one(Order, order.id))


def test_a_total_seen_in_another_currency_is_asked_about(house: Session) -> None:
    visitor, cart = bag_in(house, "EUR", case="gold")
    carts.change_currency(house, visitor, cart, "GBP")  # in another tab; fewer pounds than euros
    with pytest.raises(ShopError, match="Your bag is reckoned in GBP now") as refusal, house.begin_nested():
        checkout.place(house, visitor, cart, selling.form(2_400_000, currency="EUR"), "key")
    assert (refusal.value.status, refusal.value.extra["currency"]) == (409, "GBP")
    assert orders.of_cart(house, cart.id) is None
    form = selling.form(2_160_000, currency="GBP")
    assert checkout.place(house, visitor, cart, form, "key").order.total == 2_160_000


def test_a_bag_whose_currency_is_given_up_is_reckoned_in_the_houses(
    house: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, cart = bag_in(house, "GBP", "strap")
    with_lists(monkeypatch, {})
    assert checkout.quote(house, visitor, cart).cart_view.currency == "EUR"
    with pytest.raises(ShopError, match="reckoned in EUR now"):
        checkout.place(house, visitor, cart, selling.form(29_000, currency="GBP"), "key")


def test_a_deposit_in_yen_is_charged_and_its_parts_add_up(open_house: None, provider: HandProvider) -> None:
    till = selling.till_of(provider)
    with db.transaction() as session:
        visitor, cart = bag_in(session, "JPY", case="gold")
        form = selling.form(10**9, currency="JPY", plan="deposit")
        order = checkout.place(session, visitor, cart, form, "key").order
        parts = schedule.of_orders(session, [order])[order.id]
        assert (order.total, [part.amount for part in parts]) == (4_440_000, [1_332_000, 3_108_000])
    reference = payment_pages.open_checkout(till, order.id).rsplit("/", 1)[1]
    assert (provider.opened[reference].amount, provider.opened[reference].currency) == (1_332_000, "JPY")
    provider.pay(reference)
    settling.settle(till, reference)
    with db.transaction(read_only=True) as session:
        (payment,) = session.exec(select(Payment)).all()
        found = session.get_one(Order, order.id)
        assert (payment.currency, found.state, found.received) == ("JPY", "paid", 1_332_000)
        # 4,440,000 yen hold 740,000 of VAT; at 180 yen for a euro the rest is 20,555.56 euros.
        row = profit.shop_total(session)
        assert (row.revenue_net, row.cost) == (2_055_556, 1_270_000)
        assert profit.row_profit(session, found.customer_id) == row


AMOUNTS = st.integers(0, 10**10)


@hypothesis_settings(suppress_health_check=[HealthCheck.differing_executors])
@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=9), currency=st.sampled_from(["EUR", "CHF", "GBP", "JPY"]))
def test_a_price_list_never_loses_more_than_half_a_step(amounts: list[int], currency: str) -> None:
    prices = price_lists.of(currency)
    for amount in amounts:
        exact, whole = amount * prices.factor[0], prices.factor[1]
        assert abs(prices.price(amount) * whole - exact) * 2 <= prices.step * whole
        there = prices.converted(amount)
        assert abs(prices.at_home(there) - amount) * 2 * prices.here_units <= prices.home_units + 2 * prices.here_units


# -- the house file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            {"CHF": {}},
            "house.yaml: currencies.CHF must name its rate, such as rate: [94, 100], so many for so many EUR.",
        ),
        ({"CHF": {"rate": 0.94}}, "house.yaml: currencies.CHF.rate must be two whole numbers below a million"),
        ({"CHF": {"rate": [94, 0]}}, "house.yaml: currencies.CHF.rate must be two whole numbers below a million"),
        ({"EUR": {"rate": [1, 1]}}, "house.yaml: currencies.EUR: the house's own currency needs no price list."),
        ({"XYZ": {"rate": [1, 1]}}, "house.yaml: currencies: 'XYZ' is no currency that this shop can charge."),
        ({"ISK": {"rate": [150, 1]}}, "house.yaml: currencies: 'ISK' is no currency that this shop can charge."),
        ({"KWD": {"rate": [1, 3]}}, "house.yaml: currencies: KWD has thousandths, which this shop cannot charge."),
        ({"CHF": {"rate": [1, 1], "step": 0}}, "house.yaml: currencies.CHF.step must be minor units to round to"),
        ({"CHF": {"rate": [1, 1], "factor": 2}}, "house.yaml: currencies.CHF knows no `factor`."),
        (
            {"CHF": {"rate": [1, 1], "overrides": {"meridien": 5}}},
            "house.yaml: currencies.CHF.overrides.meridien must name prices in minor units, such as {base: 950000}.",
        ),
    ],
)
def test_a_mistake_in_the_currencies_is_one_sentence(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_currencies(raw, "EUR")
    assert str(refusal.value).startswith(sentence)


def test_a_list_that_names_a_price_no_product_has_stops_the_start(
    house: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_lists(monkeypatch, {"CHF": {"rate": [94, 100], "overrides": {"watch": {"case/silver": 1}}}})
    with pytest.raises(SettingsError) as refusal:
        selling.open_house(house, tmp_path / "again")
    expected = "house.yaml: currencies.CHF.overrides.watch: the product has no price 'case/silver'."
    assert str(refusal.value) == expected


def test_terms_of_a_destination_apply_to_a_list(house: Session) -> None:
    visitor, cart = bag_in(house, "CHF", "strap")
    view = carts.view(house, cart, visitor, to=Destination("CH"))
    (line,) = view.lines
    assert line.worth is not None
    assert sum(row["amount"] for row in line.worth.price_lines) == line.unit_price == 23_750
