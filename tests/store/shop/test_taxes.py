"""The tax of a destination: exact sums by rate, what happens to prices, and what an order keeps of it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import Session

from configurator import parse
from store import checkout, money
from store.errors import ShopError
from store.settings import House, house
from store.shop import carts, orders, snapshots, taxes
from store.shop.catalog import Published
from store.shop.delivery import check_form, destination_of
from store.shop.orders import Order, OrderLine
from store.shop.taxes import Destination, TaxRow, terms
from store.shop.totals import Discount, Priced, compute
from tests.store import selling

GERMAN, ITALIAN, FRENCH = "DE136695976", "IT00743110157", "FR40303265045"


def keeping_net() -> House:
    """The house, if it earned the same everywhere."""
    return replace(house(), vat=replace(house().vat, prices="keep_net"))


@pytest.mark.parametrize(
    ("to", "treatment", "rate", "costs"),
    [
        (Destination("FR"), "domestic", 2000, 12_000),
        (Destination("DE"), "destination", 1900, 12_000),
        (Destination("IT"), "destination", 2200, 12_000),
        (Destination("CH"), "export", 0, 10_000),
        (Destination("US", "02108"), "export", 0, 10_000),
        (Destination("ES", "28001"), "destination", 2100, 12_000),
        (Destination("ES", "35 001"), "export", 0, 10_000),  # Las Palmas
        (Destination("AT", "6991"), "destination", 1900, 12_000),  # the Mittelberg
        (Destination("GB", "SW1A 1AA"), "export", 0, 10_000),
        (Destination("GB", "bt1 5gs"), "destination", 2000, 12_000),  # Belfast
        (Destination("FR", "97400"), "export", 0, 10_000),  # La Réunion
        (Destination("FR", "98000"), "domestic", 2000, 12_000),  # Monaco is taxed as France is
        (Destination("DE", "10115", GERMAN), "reverse-charge", 0, 10_000),
        (Destination("FR", "75001", FRENCH), "domestic", 2000, 12_000),
        (Destination("GB", "BT1 5GS", "XI123456782"), "reverse-charge", 0, 10_000),
    ],
)
def test_a_destination_decides_rate_and_price(to: Destination, treatment: str, rate: int, costs: int) -> None:
    charge = terms(to).charge()
    assert (charge.treatment, charge.rate, money.scale(12_000, charge.factor)) == (treatment, rate, costs)


@pytest.mark.parametrize(("country", "costs"), [("FR", 12_000), ("DE", 11_900), ("IT", 12_200), ("CH", 10_000)])
def test_the_net_price_is_kept_where_the_house_says_so(country: str, costs: int) -> None:
    assert money.scale(12_000, terms(Destination(country), keeping_net()).charge().factor) == costs


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (
            Destination("DE", "10115", ITALIAN),
            "A VAT ID for delivery to Germany begins with DE; IT00743110157 does not.",
        ),
        (
            Destination("CH", "8001", GERMAN),
            "For delivery to Switzerland no VAT ID is needed; please leave this empty.",
        ),
        (Destination("ES", "35001", GERMAN), "For delivery to the Canary Islands no VAT ID is needed"),
    ],
)
def test_a_vat_id_of_another_country_is_refused(to: Destination, words: str) -> None:
    with pytest.raises(ShopError, match=words):
        terms(to)


def test_a_customer_reads_what_changed_and_why() -> None:
    abroad = {country: terms(Destination(country)) for country in ("FR", "DE", "AT", "CH")}
    said = {country: taxes.sentence(there, there.treatment) for country, there in abroad.items()}
    duties = "import duties and taxes there are yours to pay."
    assert said == {
        "FR": "",
        "DE": "Delivery to Germany: 19 % VAT included instead of 20 %; the prices stay as they are.",
        "AT": "Delivery to Austria: 20 % VAT included.",
        "CH": f"Delivery to Switzerland: the VAT of France is taken off; {duties}",
    }
    net = terms(Destination("IT"), keeping_net())
    said_net = "Delivery to Italy: 22 % VAT included instead of 20 %; the prices are higher by the difference."
    assert taxes.sentence(net, net.treatment) == said_net
    business = terms(Destination("DE", "", GERMAN))
    assert taxes.sentence(business, business.treatment) == (
        "Delivery to Germany for VAT ID DE136695976: without VAT, which your company accounts for itself."
    )


def item_of(category: str, more: str = "") -> Published:
    """A published piece of a category."""
    text = f"product: thing\nname: Thing\ncategory: {category}\ncurrency: EUR\nbase: {{price: 100}}\n{more}"
    (model,) = parse(text, "thing.yaml")
    return Published(model.slug, model)


def test_a_piece_is_taxed_by_its_own_category_else_by_that_of_its_kind() -> None:
    german = terms(Destination("DE"))
    assert german.of(item_of("straps")).rate == 1900
    assert german.of(item_of("straps", "tax: reduced\n")).rate == 700
    assert terms(None).of(item_of("straps", "tax: reduced\n")).rate == 550
    books = replace(house(), vat=replace(house().vat, categories={"gifts": "zero"}))
    assert terms(Destination("DE"), books).of(item_of("gifts")).rate == 0
    assert terms(Destination("DE"), books).of(item_of("gifts", "tax: reduced\n")).rate == 700


def test_a_journey_is_taxed_at_home_wherever_she_lives() -> None:
    swiss, business = terms(Destination("CH")), terms(Destination("DE", "", GERMAN))
    for there in (swiss, business):
        charge = there.of(item_of("journeys"))
        assert (charge.treatment, charge.rate, charge.factor) == ("domestic", 2000, (1, 1))
        # An order of journeys alone is no export, and what is sent with it is taxed at home too.
        assert there.delivery([charge]).treatment == "domestic"
        assert there.delivery([charge, there.charge()]).treatment == there.treatment


def test_a_bag_of_two_rates_adds_up_by_rate() -> None:
    german = terms(Destination("DE"))
    lines = [Priced("watch", 980_000, german.charge()), Priced("book", 4_999, german.charge("reduced"))]
    sums = compute(lines, [Discount("Off", 10_000, "off_1", "watch")], german)
    assert (sums.subtotal, sums.discount, sums.shipping, sums.total) == (984_999, 10_000, 0, 974_999)
    assert sums.line_taxes == (money.contained_tax(970_000, 1900), money.contained_tax(4_999, 700)) == (154_874, 327)
    assert sums.taxes == (
        TaxRow(1900, "standard", "destination", 815_126, 154_874),
        TaxRow(700, "reduced", "destination", 4_672, 327),
    )


def test_a_business_pays_the_delivery_without_its_vat() -> None:
    there = terms(Destination("DE", "", GERMAN))
    sums = compute([Priced("strap", 24_167, there.charge())], [], there)
    assert (sums.shipping, sums.tax, sums.total) == (2_101, 0, 26_268)  # 2500 with 19 % are 2101 without


PLACES = [
    *(Destination(country) for country in ("FR", "DE", "LU", "CH", "US")),
    *(Destination("GB", "BT1"), Destination("DE", "", GERMAN)),
]


@given(
    to=st.sampled_from(PLACES),
    pieces=st.lists(
        st.tuples(st.integers(0, 10**9), st.sampled_from(["standard", "reduced", "zero", "home"])),
        min_size=1,
        max_size=8,
    ),
    off=st.integers(0, 10**9),
    kept=st.booleans(),
)
def test_the_sums_by_rate_add_up_for_every_bag(
    to: Destination, pieces: list[tuple[int, str]], off: int, kept: bool
) -> None:
    there = terms(to, keeping_net() if kept else house())
    charges = [there.charge(at_home=True) if name == "home" else there.charge(name) for _, name in pieces]
    lines = [
        Priced(f"l{index}", money.scale(amount, charge.factor), charge)
        for index, ((amount, _), charge) in enumerate(zip(pieces, charges, strict=True))
    ]
    sums = compute(lines, [Discount("x", off, "off")], there)
    assert sums.total == sums.subtotal - sums.discount + sums.shipping
    assert sums.tax == sum(sums.line_taxes) + sums.shipping_tax == sum(row.tax for row in sums.taxes)
    assert sums.total - sums.tax == sum(row.net for row in sums.taxes)
    paid = [line.amount - less for line, less in zip(lines, sums.line_discounts, strict=True)]
    for rate in {charge.rate for charge in charges}:
        of_rate = [index for index, charge in enumerate(charges) if charge.rate == rate]
        tax = sum(sums.line_taxes[index] for index in of_rate)
        exact = [index for index in of_rate if charges[index].treatment == "domestic"]
        assert abs(tax - money.contained_tax(sum(paid[index] for index in of_rate), rate)) <= 1 + bool(exact)


# -- at checkout -----------------------------------------------------------------------------------------------------


def typed(**changed: str) -> dict[str, str]:
    """What a checkout's form holds."""
    form = {"email": "camille@example.com", "name": "Camille Arnaud", "line1": "Linienstr. 3", "city": "Berlin"}
    return {**form, "postal_code": "10115", "country": "DE", "seen_total": "99999999", **changed}


def test_a_vat_id_is_checked_by_form_checksum_and_country() -> None:
    right, wrong = check_form(typed(company="Acme GmbH", vat_id="de 136 695 976"))
    assert (wrong, right and right.company, right and right.vat_id) == ({}, "Acme GmbH", GERMAN)
    assert check_form(typed(vat_id=GERMAN))[1] == {"company": "Please name the company that the VAT ID belongs to."}
    refused = {
        "DE136695975": "This VAT ID has a wrong digit; please compare it with your papers.",
        "CHE123456788": "A VAT ID begins with its country, such as DE136695976. It may be left empty.",
        ITALIAN: "A VAT ID for delivery to Germany begins with DE; IT00743110157 does not. It may be left empty.",
    }
    for vat_id, words in refused.items():
        assert check_form(typed(company="Acme", vat_id=vat_id)) == (None, {"vat_id": words})


def test_what_is_only_typed_so_far_never_stops_the_reckoning() -> None:
    assert destination_of(typed(vat_id="DE1366")) == Destination("DE", "10115")
    assert destination_of(typed(vat_id=ITALIAN)) == Destination("DE", "10115")
    assert destination_of(typed(vat_id=GERMAN)) == Destination("DE", "10115", GERMAN)
    assert destination_of({"country": "XX"}) == Destination("FR")


def placed(house: Session, slug: str, choices: dict[str, Any] | None = None, **changed: Any) -> tuple[Order, OrderLine]:
    """An order of one piece to that address, and its line."""
    visitor = selling.guest()
    cart = selling.fill(house, visitor, slug, choices)
    order = checkout.place(house, visitor, cart, selling.form(**changed), f"key-{cart.id}").order
    (line,) = orders.lines_of(house, [order])[order.id]
    return order, line


def test_an_order_abroad_keeps_how_it_was_taxed(house: Session) -> None:
    order, line = placed(house, "watch", {"case": "gold"}, country="DE", postal_code="10115")
    assert (order.total, order.tax, order.tax_treatment, order.tax_note) == (2_400_000, 383_193, "destination", "")
    assert (line.tax_basis_points, line.tax_category, line.tax_treatment, line.pricing) == (
        *(1900, "standard", "destination"),
        {},
    )
    assert taxes.breakdown(order, [line]) == (TaxRow(1900, "standard", "destination", 2_016_807, 383_193),)
    assert snapshots.replay(house, order) == []


def test_an_export_goes_without_vat_and_says_so(house: Session) -> None:
    order, line = placed(house, "watch", {"case": "gold"}, country="CH", postal_code="8001")
    assert (order.subtotal, order.shipping, order.tax, order.total) == (2_000_000, 0, 0, 2_000_000)
    assert [row["amount"] for row in line.price_lines] == [816_667, 1_183_333]
    assert sum(row["amount"] for row in line.price_lines) == line.unit_price == 2_000_000
    assert (line.tax_treatment, line.pricing) == ("export", {"tax": [10_000, 12_000]})
    assert order.tax_note.startswith("Export, exempt from VAT (Directive 2006/112/EC, Article 146).")
    assert snapshots.replay(house, order) == []


def test_a_business_abroad_buys_by_reverse_charge(house: Session) -> None:
    order, line = placed(house, "strap", country="DE", postal_code="10115", company="Acme GmbH", vat_id=GERMAN)
    assert (order.subtotal, order.shipping, order.tax, order.total) == (24_167, 2_101, 0, 26_268)
    assert (order.company, order.vat_id, order.tax_treatment) == ("Acme GmbH", GERMAN, "reverse-charge")
    assert order.tax_note.startswith("Reverse charge:")
    assert line.net == 24_167
    assert snapshots.replay(house, order) == []


def test_a_business_at_home_pays_its_vat(house: Session) -> None:
    order, _ = placed(house, "strap", company="Maison Petit", vat_id=FRENCH)
    assert (order.total, order.tax, order.tax_treatment, order.vat_id) == (29_000, 4_833, "domestic", FRENCH)
    assert snapshots.replay(house, order) == []


def test_the_total_seen_is_that_of_the_address(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    swiss: dict[str, Any] = {"country": "CH", "postal_code": "8001"}
    with pytest.raises(ShopError) as refusal, house.begin_nested():
        checkout.place(house, visitor, cart, selling.form(30_166, **swiss), "key")
    assert refusal.value.status == 409
    assert refusal.value.extra["totals"] == {
        **{"subtotal": 24_167, "discount": 0, "shipping": 6_000},
        **{"tax": 0, "total": 30_167},
    }
    assert refusal.value.extra["taxes"] == [
        {"rate_basis_points": 0, "category": "standard", "treatment": "export", "net": 30_167, "tax": 0}
    ]
    assert refusal.value.extra["lines"][0]["trace"] == [{"label": "Calf strap", "amount": 24_167}]
    assert orders.of_cart(house, cart.id) is None
    assert checkout.place(house, visitor, cart, selling.form(30_167, **swiss), "key").order.total == 30_167


def test_a_place_that_costs_more_than_was_seen_is_asked_about(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    seen = checkout.quote(house, visitor, cart, "GB").totals.total
    with pytest.raises(ShopError, match="risen") as refusal, house.begin_nested():
        checkout.place(house, visitor, cart, selling.form(seen, country="GB", postal_code="BT1 5GS"), "key")
    assert (seen, refusal.value.extra["totals"]["total"]) == (30_167, 35_000)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (Order, {"tax_treatment": "domestic"}),
        (Order, {"tax_note": ""}),
        (Order, {"company": "Acme AG"}),
        (Order, {"vat_id": "DE136695977"}),
        (Order, {"home_units": 2}),
        (OrderLine, {"tax_treatment": "export"}),
        (OrderLine, {"tax_category": "reduced"}),
        (OrderLine, {"tax_basis_points": 1}),
        (OrderLine, {"pricing": {}}),
    ],
)
def test_an_altered_tax_breaks_the_seal(
    house: Session, table: type[Order] | type[OrderLine], values: dict[str, Any]
) -> None:
    order, _ = placed(house, "strap", country="DE", postal_code="10115", company="Acme GmbH", vat_id=GERMAN)
    house.execute(update(table).values(**values))
    house.expire_all()
    assert snapshots.replay(house, house.get_one(Order, order.id)) != []


def test_the_seal_of_an_order_at_home_is_that_of_before(house: Session) -> None:
    order, line = placed(house, "strap")
    assert snapshots._said(order, snapshots.AGREED_LATER) == {}
    assert snapshots._said(line, snapshots.SOLD_LATER) == {}


def test_a_bag_shows_prices_of_home_until_a_place_is_named(house: Session) -> None:
    visitor = selling.guest()
    cart = selling.fill(house, visitor, "strap")
    assert carts.view(house, cart, visitor).totals.total == 29_000
    assert carts.view(house, cart, visitor, to=Destination("CH")).totals.subtotal == 24_167
