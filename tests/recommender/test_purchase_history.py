"""Histories in columns: order, merging, unknown customers, files."""

import gzip
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recommender.history import History, Interaction, read_csv

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_order_of_the_input_never_matters(usual: History) -> None:
    rows = [
        Interaction(f"c{n % 3}", f"b{n // 3}", AT.replace(day=1 + n // 3), f"i{n % 7}", 1 + n % 2, 100 + n % 5)
        for n in range(40)
    ]
    shuffled = rows.copy()
    random.Random(5).shuffle(shuffled)
    first, second = History.of(rows), History.of(shuffled)
    assert first.customers == second.customers
    assert first.items == second.items
    for name in ("basket_customer", "basket_at", "line_basket", "line_item", "line_quantity", "line_price"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_an_item_counts_once_a_basket_and_its_pieces_add_up() -> None:
    history = History.of([Interaction("a", "b", AT, "x", 2, 50), Interaction("a", "b", AT, "x", 3, 50)])
    assert history.line_quantity.tolist() == [5]
    assert history.baskets.toarray().tolist() == [[1.0]]


def test_returns_are_no_purchase() -> None:
    assert History.of([Interaction("a", "b", AT, "x", -1, 50)]).items == ()


def test_one_basket_id_under_two_customers_is_two_baskets() -> None:
    history = History.of([Interaction("a", "1", AT, "x", 1, 1), Interaction("b", "1", AT, "y", 1, 1)])
    assert len(history.basket_at) == 2


def test_unknown_customers_are_in_baskets_but_in_no_row(history_of: Callable[..., History]) -> None:
    history = history_of([(None, "b0", 0, "x"), ("a", "b1", 1, "x")])
    assert history.basket_customer.tolist() == [-1, 0]
    assert history.per_customer().toarray().tolist() == [[1.0]]


def test_places_count_back_from_each_customers_last_basket(history_of: Callable[..., History]) -> None:
    history = history_of([("a", "b0", 0, "x"), ("b", "b1", 1, "x"), ("a", "b2", 2, "x"), (None, "b3", 3, "x")])
    assert history.basket_place.tolist() == [1, 0, 0, 0]


def test_reads_plain_and_compressed_files_alike(tmp_path: Path) -> None:
    text = "item,customer,basket,at,quantity,price\nx,a,1,2026-03-01T12:00:00Z,,\ny,,,2026-03-02,2,150\n"
    plain, packed = tmp_path / "h.csv", tmp_path / "h.csv.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    for history in (read_csv(plain), read_csv(packed)):
        assert history.items == ("x", "y")
        assert history.customers == ("a",)
        assert history.basket_at.tolist() == [1772366400, 1772409600]
        assert history.line_quantity.tolist() == [1, 2]
        assert history.line_price.tolist() == [0, 150]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("customer,basket\n", "h.csv:1: no column at, item, quantity, price"),
        ("customer,basket,at,item,quantity,price\na,b,yesterday,x,1,1\n", "h.csv:2: Invalid isoformat"),
        ("customer,basket,at,item,quantity,price\na,b,2026-01-01,x,1,1\na,b\n", "h.csv:3: list index"),
        ("", "h.csv:1: no column customer"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "h.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_csv(tmp_path / "h.csv")
