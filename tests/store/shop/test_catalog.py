"""The catalogue: what files bring, what versions keep, what a search finds."""

from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from configurator import ModelError, parse
from store.errors import ShopError
from store.events import NOBODY, Event
from store.shop import catalog, stock
from store.shop.catalog import PublishedModel
from tests.store import selling


def test_files_are_published_once_per_content(house: Session, tmp_path: Path) -> None:
    before = sorted(house.exec(select(PublishedModel.version, PublishedModel.published_at)).all())
    selling.open_house(house, tmp_path / "products")
    assert sorted(house.exec(select(PublishedModel.version, PublishedModel.published_at)).all()) == before
    assert [item.slug for item in catalog.listing(house)] == ["watch", "strap", "print-one"]
    assert stock.available(house, ["watch", "strap", "print-one"]) == {"strap": 24, "print-one": 5}


def test_a_changed_file_makes_a_new_version_and_keeps_the_old_one(house: Session, tmp_path: Path) -> None:
    old = catalog.published(house, "watch").version
    selling.open_house(house, tmp_path / "products", selling.PRODUCTS.replace("price: 980000", "price: 990000"))
    catalog.refresh(house)
    new = catalog.published(house, "watch")
    assert new.version != old
    assert (new.from_price, catalog.version(house, old).from_price) == (990000, 980000)
    assert [row.current for row in catalog.versions_of(house, "watch")].count(True) == 1


def test_an_office_version_outlives_the_next_start(house: Session, tmp_path: Path) -> None:
    (model,) = parse(selling.STRAP.replace("price: 29000", "price: 31000"), "office")
    catalog.publish(house, model, NOBODY)
    selling.open_house(house, tmp_path / "products")
    catalog.refresh(house)
    assert catalog.published(house, "strap").from_price == 31000


def test_the_same_words_read_by_a_newer_reader_are_not_brought_back(house: Session, tmp_path: Path) -> None:
    older = update(PublishedModel).where(col(PublishedModel.slug) == "strap").values(version="0" * 16)
    house.execute(older)  # as if the reader of then had made another version of these words
    (model,) = parse(selling.STRAP.replace("price: 29000", "price: 31000"), "office")
    catalog.publish(house, model, NOBODY)
    selling.open_house(house, tmp_path / "products")
    catalog.refresh(house)
    assert catalog.published(house, "strap").from_price == 31000
    assert len(catalog.versions_of(house, "strap")) == 2


def test_of_two_editors_the_second_is_refused_and_nothing_is_written(house: Session) -> None:
    begun = catalog.published(house, "strap").version
    first, second = (parse(selling.STRAP.replace("29000", price), "office")[0] for price in ("31000", "32000"))
    catalog.publish(house, first, NOBODY, instead_of=begun)
    with pytest.raises(ShopError) as refusal:
        catalog.publish(house, second, NOBODY, instead_of=begun)
    assert refusal.value.status == 409
    catalog.refresh(house)
    assert catalog.published(house, "strap").version == first.version
    assert len(catalog.versions_of(house, "strap")) == 2


def test_a_model_with_nothing_to_sell_is_refused(house: Session) -> None:
    void = selling.WATCH.replace("price: 980000, ", "")
    (model,) = parse(void, "void.yaml")
    with pytest.raises(ModelError):
        catalog.publish(house, model, NOBODY)


def test_what_is_not_sold_is_not_found(house: Session) -> None:
    for ask in (catalog.published, catalog.version):
        with pytest.raises(ShopError) as refusal:
            ask(house, "nothing")
        assert refusal.value.status == 404


def test_search_finds_words_without_accents_and_case(house: Session) -> None:
    assert [item.slug for item in catalog.listing(house, query="CÀLF soft")] == ["strap"]
    assert [item.slug for item in catalog.listing(house, category="editions")] == ["print-one"]
    assert catalog.listing(house, query="boat") == []
    assert [slug for slug, _ in catalog.categories(house)] == ["timepieces", "straps", "editions"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("wacth", ["watch"]),
        ("wach", ["watch"]),
        ("a stap", ["strap"]),
        ("calfe", ["strap"]),
        ("strap of coth", []),
        ("xyz", []),
        ("…", []),
    ],
)
def test_search_forgives_a_slip_of_the_pen(house: Session, query: str, found: list[str]) -> None:
    assert [item.slug for item in catalog.listing(house, query=query)] == found


def test_publishing_is_recorded(house: Session) -> None:
    kinds = house.exec(select(Event.kind).where(Event.product == "strap")).all()
    assert sorted(kinds) == ["model-published", "product-published"]
