"""Amounts and percentages as they are typed."""

import pytest

from store.errors import ShopError
from store.office.amounts import read_amount, read_percent


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("", 0),
        ("120", 12_000),
        ("120.5", 12_050),
        ("120,50", 12_050),
        ("€1,250.50", 125_050),
        ("1'250", 125_000),
        ("1 250,75", 125_075),
        ("12,345", 1_234_500),
    ],
)
def test_an_amount_is_read_exactly(text: str, minor: int) -> None:
    assert read_amount(text, "EUR", "amount") == minor


def test_an_amount_follows_its_currencys_decimals() -> None:
    assert read_amount("1200", "JPY", "amount") == 1_200


@pytest.mark.parametrize("text", ["-5", "1.234", "ten", "1.2.3", "١٢", "9" * 10])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ShopError) as refusal:
        read_amount(text, "EUR", "amount")
    assert (refusal.value.status, refusal.value.extra) == (422, {"field": "amount"})


def test_a_percentage_is_read_as_basis_points() -> None:
    assert [read_percent(text, "percent") for text in ("15", "12.5 %", "0,01", "")] == [1_500, 1_250, 1, 0]
