"""Stock: what is promised is there, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from store import db
from store.errors import ShopError
from store.shop import stock


def test_reserving_and_releasing_and_taking_add_up(session: Session) -> None:
    stock.begin(session, "strap", 5, numbered=False)
    stock.reserve(session, "strap", 3)
    assert stock.available(session, ["strap", "made-to-order"]) == {"strap": 2}
    stock.release(session, {"strap": 1})
    stock.take(session, {"strap": 2})
    assert stock.available(session, ["strap"]) == {"strap": 3}


def test_more_than_is_free_is_refused_in_a_sentence(session: Session) -> None:
    stock.begin(session, "strap", 2, numbered=False)
    with pytest.raises(ShopError) as refusal:
        stock.reserve(session, "strap", 3, "Calf strap")
    assert (refusal.value.status, refusal.value.title) == (409, "Sold out")
    assert refusal.value.detail == "Only 2 of Calf strap are left. Please change the quantity in your bag."
    assert stock.available(session, ["strap"]) == {"strap": 2}


def test_counting_again_keeps_what_is_there(session: Session) -> None:
    stock.begin(session, "edition", 5, numbered=True)
    stock.reserve(session, "edition", 1)
    stock.begin(session, "edition", 9, numbered=True)
    assert stock.available(session, ["edition"]) == {"edition": 4}


def test_an_inventory_cannot_go_below_what_is_promised(session: Session) -> None:
    stock.begin(session, "strap", 5, numbered=False)
    stock.reserve(session, "strap", 3)
    with pytest.raises(ShopError):
        stock.set_on_hand(session, "strap", 2)
    stock.set_on_hand(session, "strap", 4)
    assert stock.available(session, ["strap"]) == {"strap": 1}


def test_numbered_pieces_are_given_lowest_first_and_come_back(session: Session) -> None:
    stock.begin(session, "edition", 5, numbered=True)
    assert stock.number_pieces(session, "edition", "line-a", 2) == [1, 2]
    assert stock.number_pieces(session, "edition", "line-b", 1) == [3]
    stock.free_pieces(session, ["line-a"])
    assert stock.number_pieces(session, "edition", "line-c", 3) == [1, 2, 4]
    with pytest.raises(ShopError):
        stock.number_pieces(session, "edition", "line-d", 2)


def test_forty_who_ask_at_once_get_five(engine: Engine) -> None:
    with db.transaction() as session:
        stock.begin(session, "edition", 5, numbered=True)

    def ask(number: int) -> list[int]:
        try:
            with db.transaction() as session:
                stock.reserve(session, "edition", 1)
                return stock.number_pieces(session, "edition", f"line-{number}", 1)
        except ShopError:
            return []

    with ThreadPoolExecutor(16) as pool:
        given = [numbers for numbers in pool.map(ask, range(40)) if numbers]
    assert sorted(number for numbers in given for number in numbers) == [1, 2, 3, 4, 5]
    with db.transaction() as session:
        assert stock.available(session, ["edition"]) == {"edition": 0}
