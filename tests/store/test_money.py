"""Money: exact integers, one rounding rule, splits that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import money


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"), [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (7, 2, 4)]
)
def test_division_rounds_half_away_from_zero(numerator: int, denominator: int, quotient: int) -> None:
    assert money.divide(numerator, denominator) == quotient


def test_division_by_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        money.divide(1, 0)


def test_the_tax_contained_in_a_gross_price_is_exact() -> None:
    assert money.contained_tax(2_685_000, 2_000) == 447_500
    assert money.contained_tax(100, 2_000) == 17


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_the_parts_of_a_split_add_up_and_no_part_is_off_by_a_unit(amount: int, weights: list[int]) -> None:
    parts = money.split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount * weight) < sum(weights)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (980_000, "EUR", "en", "€9,800"),
        (125_050, "EUR", "en", "€1,250.50"),
        (30_000_000, "EUR", "en", "€300,000"),
        (1_000, "JPY", "en", "¥1,000"),
        (-5_000, "EUR", "en", "−€50"),
        (980_000, "EUR", "de", "9.800,00\xa0€"),
    ],
)
def test_an_amount_is_written_as_its_reader_expects(amount: int, currency: str, locale: str, written: str) -> None:
    assert money.write(amount, currency, locale) == written


def test_a_price_difference_says_included_when_it_is_nothing() -> None:
    assert money.write_difference(0, "EUR") == "included"
    assert money.write_difference(120_000, "EUR") == "+€1,200"
    assert money.write_difference(-30_000, "EUR") == "−€300"


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (28_500, "CHF", "CHF\N{NO-BREAK SPACE}285"),
        (-29_750, "CHF", "−CHF\N{NO-BREAK SPACE}297.50"),
        (180_000, "JPY", "¥180,000"),
        (120_050, "GBP", "£1,200.50"),
    ],
)
def test_each_currency_is_written_as_it_is_read(amount: int, currency: str, written: str) -> None:
    assert money.write(amount, currency) == written
    assert money.write_difference(-abs(amount), currency) == "−" + written.strip("−").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("rate", "words"), [(2000, "20 %"), (550, "5.5 %"), (0, "0 %"), (1225, "12.25 %"), (10, "0.1 %")]
)
def test_a_rate_is_written_without_needless_digits(rate: int, words: str) -> None:
    assert money.percent(rate) == words


@given(amount=st.integers(-(10**12), 10**12), factor=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)))
def test_scaling_rounds_half_away_from_zero(amount: int, factor: tuple[int, int]) -> None:
    scaled = money.scale(amount, factor)
    assert abs(scaled * factor[1] - amount * factor[0]) * 2 <= factor[1]
    assert money.scale(-amount, factor) == -scaled
