"""The house's own products: valid, priced, and fitting each other as the rules say."""

import json
from pathlib import Path

import pytest

from configurator import (
    PRODUCTS,
    Analysis,
    Choices,
    Compiled,
    analyse,
    attributes,
    bill_of_materials,
    compile_model,
    complete,
    concerns,
    fit,
    fits,
    from_price,
    lead_time,
    lint,
    load,
    match,
    price,
    unit_cost,
)

BINDINGS = Path(__file__).parents[2] / "static" / "models"


@pytest.fixture(scope="module")
def house() -> dict[str, Compiled]:
    return {model.slug: compile_model(model) for model in load(PRODUCTS)}


SLUGS = [model.slug for model in load(PRODUCTS)]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_product_has_no_findings_and_its_prices_add_up(house: dict[str, Compiled], slug: str) -> None:
    c = house[slug]
    assert lint(c) == ()
    trace = price(c, {})
    assert sum(line.amount for line in trace.lines) == trace.amount >= from_price(c) > 0
    assert 0 < unit_cost(c, {}) < trace.amount
    for preset in c.model.presets:
        assert isinstance(analyse(c, preset.choices), Analysis)


def test_the_house_sells_thirty_accessories_and_twelve_editions(house: dict[str, Compiled]) -> None:
    editions = [c.model for slug, c in house.items() if slug.startswith("edition-")]
    assert sorted(model.slug for model in editions) == [f"edition-{n:02}" for n in range(1, 13)]
    assert all(model.supply.numbered and model.supply.stock == 5 for model in editions)
    assert sum(1 for c in house.values() if c.model.fits_rules) - len(editions) >= 30
    for slug in ("meridien", "voyageur"):
        assert 8 <= len(house[slug].model.groups) <= 20
        assert len(house[slug].model.presets) >= 3


@pytest.mark.parametrize(("slug", "file"), [("meridien", "watch_bindings.json"), ("voyageur", "trunk_bindings.json")])
def test_every_choice_that_the_picture_knows_is_a_choice(house: dict[str, Compiled], slug: str, file: str) -> None:
    if not (BINDINGS / file).exists():
        pytest.skip(f"{file} is not there: the 3D models have not been put in place")
    bindings = json.loads((BINDINGS / file).read_text())
    views = {"presentation", "lid"}  # ways to look at a piece, not choices
    for name, options in bindings.items():
        group = house[slug].model.group(name)
        if name in views or group is None or not isinstance(options, dict):
            continue
        known = {option.id for option in group.options}
        assert known <= set(options) | {"family-crest", "crest"}, name


def test_the_soiree_costs_what_its_lines_say(house: dict[str, Compiled]) -> None:
    watch = house["meridien"]
    soiree = next(preset for preset in watch.model.presets if preset.id == "soiree")
    lines = [(line.label, line.amount) for line in price(watch, soiree.choices, {"engraving": "À midi"}).lines]
    assert lines == [
        ("Méridien", 980_000),
        ("Case: Rose gold", 1_420_000),
        ("Case back: Sapphire", 55_000),
        ("Dial: Salmon", 45_000),
        ("Indexes: Arabic numerals", 28_000),
        ("Complication: Small seconds", 90_000),
        ("Strap: Alligator", 65_000),
        ("Engraving", 4_500),
    ]
    days = lead_time(watch, soiree.choices)
    assert (days.min_days, days.max_days) == (70, 84)


def test_gold_of_the_largest_size_costs_its_percentage(house: dict[str, Compiled]) -> None:
    choices: Choices = {"size": "mm42", "case": "rose-gold", "strap": "calf", "spare_straps": 3}
    lines = {line.rule: line.amount for line in price(house["meridien"], choices).lines if line.rule}
    assert lines == {"large-gold": 92_300, "spare": 78_000}


def test_the_bill_of_materials_counts_every_strap(house: dict[str, Compiled]) -> None:
    choices: Choices = {"strap": "alligator", "spare_straps": 2, "case": "yellow-gold"}
    assert bill_of_materials(house["meridien"], choices) == (
        ("movement-automatic", 1),
        ("case-blank-gold", 1),
        ("alligator-hide", 3),
    )


def test_a_strap_is_cut_to_the_lugs_and_closed_in_the_metal_of_the_case(house: dict[str, Compiled]) -> None:
    watch, strap = house["meridien"], house["strap-alligator-havana"]
    design = {"size": "mm42", "case": "rose-gold"}
    assert fit(strap, watch, design) == {"width": "mm22"}
    matched = match(strap, watch, design)
    assert matched == {"width": "mm22", "buckle": "rose-gold"}
    assert fits(strap, matched, watch, design)
    assert not fits(strap, {"width": "mm18"}, watch, design)
    assert attributes(strap, matched)["metal"] == "rose-gold"


def test_what_cannot_fit_says_so(house: dict[str, Compiled]) -> None:
    watch, trunk = house["meridien"], house["voyageur"]
    assert fit(house["strap-calf-natural"], watch, {"size": "mm42"}) is None
    assert fit(house["bracelet-steel"], watch, {"case": "rose-gold"}) is None
    assert fit(house["strap-rubber-black"], watch, {"case": "rose-gold"}) is None
    assert fit(house["clasp-rose-gold"], watch, {"case": "rose-gold", "strap": "bracelet"}) is None
    assert fit(house["clasp-rose-gold"], watch, {"case": "rose-gold"}) == {}
    assert fit(house["winder-black"], watch, {"movement": "hand-wound"}) is None
    assert fit(house["tray-large"], trunk, {"size": "M"}) is None
    assert fit(house["tray-large"], trunk, {"size": "L"}) == {}
    assert fit(house["strap-calf-navy"], trunk, {}) is None
    assert fit(house["gift-box-ivory"], trunk, {}) == {}
    assert match(house["tray-large"], trunk, {"size": "M"}) is None


def test_an_accessory_says_which_products_it_concerns(house: dict[str, Compiled]) -> None:
    assert concerns(house["strap-calf-navy"].model, "meridien")
    assert not concerns(house["strap-calf-navy"].model, "voyageur")
    assert concerns(house["gift-box-ivory"].model, "voyageur")
    assert not concerns(house["meridien"].model, "voyageur")


def test_the_cheapest_and_the_fastest_watch_are_exact(house: dict[str, Compiled]) -> None:
    watch = house["meridien"]
    assert from_price(watch) == price(watch, complete(watch, {}, "cheapest")).amount == 1_040_000
    slow = {"rotor": "waves", "dial": "onyx"}
    assert lead_time(watch, complete(watch, slow, "fastest")).min_days == 56 + 10
