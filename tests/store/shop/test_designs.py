"""Designs: saved once per owner, opened by a code, their words for the owner only."""

from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import people
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import catalog, designs
from store.shop.designs import Design
from tests.store import selling


def test_the_same_design_of_the_same_session_is_saved_once(house: Session) -> None:
    first = designs.save(house, selling.guest(), "watch", {"case": "gold"}, {"engraving": " C. "})
    again = designs.save(house, selling.guest(), "watch", {"case": "gold"}, {"engraving": "C."})
    other = designs.save(house, selling.guest("ses_other"), "watch", {"case": "gold"}, {"engraving": "C."})
    assert first.id == again.id
    assert other.id != first.id
    assert other.hash == first.hash
    assert (first.price, first.lead_min_days, first.lead_max_days) == (2400000, 70, 84)
    assert len(house.exec(select(Event).where(Event.kind == "design-saved")).all()) == 2


def test_what_was_chosen_is_kept_even_where_it_is_the_default(house: Session) -> None:
    plain = designs.save(house, selling.guest(), "watch", {}, {})
    chosen = designs.save(house, selling.guest(), "watch", {"case": "steel"}, {})
    assert plain.hash == chosen.hash
    assert (plain.choices, chosen.choices) == ({}, {"case": "steel"})


def test_a_code_opens_its_design_however_it_is_typed(house: Session) -> None:
    design = designs.save(house, selling.guest(), "watch", {}, {})
    assert designs.by_code(house, f" {design.code.lower()[:4]} {design.code[4:]}").id == design.id
    for wrong in ("", "00000000", "ABCDEFGH" * 20, "not a code"):
        with pytest.raises(ShopError) as refusal:
            designs.by_code(house, wrong)
        assert refusal.value.status == 404


def test_words_are_for_the_owner_and_staff_only(house: Session) -> None:
    design = designs.save(house, selling.guest(), "watch", {}, {"engraving": "Hidden"})
    assert designs.texts_for(design, selling.guest()) == {"engraving": "Hidden"}
    assert designs.texts_for(design, selling.guest("ses_other")) == {}
    assert designs.texts_for(design, Visitor()) == {}
    assert designs.texts_for(design, Visitor(staff_id="stf_1")) == {"engraving": "Hidden"}


def test_signing_in_adopts_the_designs_of_the_session(house: Session) -> None:
    design = designs.save(house, selling.guest(), "watch", {}, {"engraving": "Mine"})
    customer = people.new_customer(house, "camille@example.com")
    assert designs.adopt(house, "ses_guest", customer.id) == 1
    house.refresh(design)
    signed_in = Visitor(session_id="ses_new", customer_id=customer.id)
    assert designs.texts_for(design, signed_in) == {"engraving": "Mine"}
    assert designs.texts_for(design, selling.guest()) == {}
    assert designs.save(house, signed_in, "watch", {}, {"engraving": "Mine"}).id == design.id


@pytest.mark.parametrize(
    ("choices", "texts", "status"),
    [
        ({"case": "platinum"}, {}, 422),
        ({"nothing": "steel"}, {}, 422),
        ({"case": 7}, {}, 422),
        ({"case": "gold", "strap": "rubber"}, {}, 409),
        ({}, {"engraving": "♥"}, 422),
        ({}, {"engraving": "x" * 25}, 422),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_saved(
    house: Session, choices: dict[str, object], texts: dict[str, str], status: int
) -> None:
    with pytest.raises(ShopError) as refusal:
        designs.save(house, selling.guest(), "watch", choices, texts)
    assert refusal.value.status == status
    assert house.exec(select(Design)).all() == []


def test_a_conflict_names_its_culprits_and_the_owners_reason(house: Session) -> None:
    with pytest.raises(ShopError) as refusal:
        designs.save(house, selling.guest(), "watch", {"case": "gold", "strap": "rubber"}, {})
    assert refusal.value.extra["rules"] == [
        {"id": "rubber-clasp", "reason": "Rubber straps close with a steel clasp only."}
    ]
    assert {culprit["group"] for culprit in refusal.value.extra["culprits"]} == {"case", "strap"}


def test_an_older_design_is_carried_to_the_newest_version_with_what_changed(house: Session, tmp_path: Path) -> None:
    design = designs.save(house, selling.guest(), "watch", {"case": "gold"}, {"engraving": "Mine"})
    dearer = selling.PRODUCTS.replace("id: gold, label: Gold", "id: gold, retired: true, label: Gold")
    selling.open_house(house, tmp_path / "products", dearer.replace("price: 980000", "price: 990000"))
    catalog.refresh(house)
    now = designs.renewed(house, design)
    assert now.choices == {}
    assert now.texts == {"engraving": "Mine"}
    assert now.price == 990000 + 1500
    assert now.changes == (
        "Case: Gold is no longer made; Steel takes its place.",
        "The price is now €9,915, it was €24,015.",
    )
