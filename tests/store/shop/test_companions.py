"""Companions: pieces made to fit a design, matched to what its owner chose, and only what is true said of it."""

from typing import Any

import configurator
from store.shop.catalog import Published
from store.shop.companions import Anchor, Companion, alike, companion, fitting

PIECES = """\
product: watch
name: Watch
sentence: A watch.
category: timepieces
currency: EUR
base: {price: 980000, cost: 410000}
groups:
  - id: size
    label: Diameter
    options:
      - {id: mm38, label: 38 mm, attributes: {lug_width: 18}}
      - {id: mm40, label: 40 mm, default: true, attributes: {lug_width: 20}}
  - id: case
    label: Case
    options:
      - {id: steel, label: Steel, default: true, attributes: {metal: steel}}
      - {id: gold, label: Rose gold, attributes: {metal: gold}}
---
product: strap
name: Strap
sentence: A strap.
category: straps
currency: EUR
base: {price: 29000, cost: 9200}
groups:
  - id: width
    label: Width
    options:
      - {id: mm20, label: 20 mm, default: true, attributes: {lug_width: 20}}
      - {id: mm18, label: 18 mm, attributes: {lug_width: 18}}
  - id: buckle
    label: Buckle
    options:
      - {id: steel, label: Steel, default: true, attributes: {metal: steel}}
      - {id: gold, label: Gold, attributes: {metal: gold}}
fits:
  - {product: watch, same: {lug_width: lug_width}}
---
product: tray
name: Tray
sentence: A tray.
category: care
currency: EUR
base: {price: 9000, cost: 2000}
fits:
  - {product: watch, when: {case: [gold]}}
---
product: pouch
name: Pouch
sentence: A pouch.
category: care
currency: EUR
base: {price: 9000, cost: 2000}
fits:
  - {product: watch}
---
product: cloth
name: Cloth
sentence: A cloth.
category: care
currency: EUR
base: {price: 900, cost: 200}
fits:
  - {product: any}
---
product: trunk-stand
name: Stand
sentence: A stand.
category: care
currency: EUR
base: {price: 9000, cost: 2000}
fits:
  - {product: trunk}
"""
MODELS = {model.slug: Published(model.slug, model) for model in configurator.parse(PIECES, "pieces.yaml")}


def watch(owned: bool = False, chosen: bool = True, **choices: Any) -> Anchor:
    return Anchor(MODELS["watch"], choices, owned=owned, own=frozenset(choices if chosen else ()))


def made_for(slug: str, anchor: Anchor) -> Companion:
    found = fitting(MODELS[slug], [anchor])
    assert found is not None
    return companion(MODELS[slug], found[0], found[1], None)


def test_a_companion_takes_the_width_and_the_metal_of_the_design() -> None:
    strap = made_for("strap", watch(size="mm38", case="gold"))
    assert strap.choices == {"width": "mm18", "buckle": "gold"}
    assert made_for("strap", watch()).choices == {"width": "mm20", "buckle": "steel"}


def test_a_likeness_is_claimed_only_of_what_the_owner_chose_and_goes_with_that_choice() -> None:
    chose = made_for("strap", watch(case="gold")).likeness
    assert chose is not None
    assert (chose["label"], chose["group"], chose["name"], chose["owned"]) == ("Rose gold", "case", "Watch", False)
    assert made_for("strap", watch()).likeness is None  # steel like the watch, but by default
    assert made_for("strap", watch(case="gold", chosen=False)).likeness is None  # the house composed it


def test_what_looks_alike_comes_before_what_only_fits() -> None:
    def order(anchor: Anchor) -> int:
        found = fitting(MODELS["strap"], [anchor])
        assert found is not None
        return alike(MODELS["strap"], *found)

    assert order(watch(case="gold")) < order(watch())
    assert order(watch(case="gold", chosen=False)) == order(watch())


def test_made_to_fit_names_the_facts_that_bind_and_follows_them() -> None:
    small, large = made_for("strap", watch(size="mm38")).fitted_to, made_for("strap", watch()).fitted_to
    assert small is not None
    assert large is not None
    assert (small["by"], large["by"]) == (["38 mm"], ["40 mm"])
    gilded = made_for("tray", watch(case="gold")).fitted_to
    assert gilded is not None
    assert gilded["by"] == ["Rose gold"]


def test_a_rule_that_asks_nothing_of_the_design_makes_nothing_to_fit() -> None:
    pouch, cloth = made_for("pouch", watch()), made_for("cloth", watch())
    assert pouch.fitted_to is None
    assert pouch.made_for is not None
    assert pouch.made_for["name"] == "Watch"
    assert (cloth.fitted_to, cloth.made_for) == (None, None)


def test_what_does_not_fit_is_no_companion() -> None:
    assert fitting(MODELS["tray"], [watch(case="steel")]) is None
    assert fitting(MODELS["trunk-stand"], [watch()]) is None
    assert fitting(MODELS["watch"], [watch()]) is None


def test_a_design_in_the_bag_comes_before_one_that_is_owned() -> None:
    found = fitting(MODELS["strap"], [watch(size="mm38"), watch(owned=True)])
    assert found is not None
    assert (found[0].owned, found[1]["width"]) == (False, "mm18")
    later = fitting(MODELS["tray"], [watch(), watch(owned=True, case="gold")])
    assert later is not None
    assert later[0].owned
