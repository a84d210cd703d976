"""Money: integers in minor units, basis points, one rounding rule, and how amounts are written.

The rounding rule of the whole shop: half away from zero, once, on the final figure of each line.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_name, get_currency_precision, get_currency_symbol

FULL = 10_000  # basis points in one whole


def share(amount: int, basis_points: int) -> int:
    """`amount` × `basis_points` / 10,000 in minor units, half away from zero."""
    return divide(amount * basis_points, FULL)


def divide(numerator: int, denominator: int) -> int:
    """Integer quotient, half away from zero."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    quotient, rest = divmod(abs(numerator), denominator)
    rounded = quotient + (1 if rest * 2 >= denominator else 0)
    return rounded if numerator >= 0 else -rounded


def contained_tax(gross: int, rate_basis_points: int) -> int:
    """The tax contained in a gross amount."""
    return divide(gross * rate_basis_points, FULL + rate_basis_points)


def scale(amount: int, factor: tuple[int, int]) -> int:
    """`amount` × numerator / denominator in minor units, half away from zero."""
    numerator, denominator = factor
    return amount if numerator == denominator else divide(amount * numerator, denominator)


def percent(basis_points: int) -> str:
    """A rate as a person reads it: "20 %", "5.5 %"."""
    return f"{Decimal(basis_points).scaleb(-2).normalize():f} %"


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights so that the parts add up exactly (largest remainder, ties to the first).

    Raises:
        ValueError: no weight is positive, or one is negative.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative with a positive sum")
    sign = -1 if amount < 0 else 1
    floors = [abs(amount) * weight // total for weight in weights]
    remainders = [abs(amount) * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: abs(amount) - sum(floors)]:
        floors[index] += 1
    return [sign * part for part in floors]


def major(amount: int, currency: str) -> Decimal:
    """The exact amount in major units, for writing only."""
    return Decimal(amount).scaleb(-get_currency_precision(currency))


@lru_cache(maxsize=4096)
def write(amount: int, currency: str, locale: str = "en") -> str:
    """An amount as a person reads it; whole amounts carry no decimals ("€9,800", "−€1,250.50", "CHF 285")."""
    value = major(amount, currency)
    whole = value == value.to_integral_value()
    pattern = None
    if locale.startswith("en"):
        # Letters stand apart from the figures; Babel leaves that to the pattern.
        apart = "\N{NO-BREAK SPACE}" if get_currency_symbol(currency, locale)[-1].isalpha() else ""
        pattern = f"¤{apart}#,##0" if whole else f"¤{apart}#,##0.00"
    return format_currency(value, currency, format=pattern, locale=locale, currency_digits=not whole).replace("-", "−")


def write_full(amount: int, currency: str, locale: str = "en") -> str:
    """An amount with all its decimals, as it stands in the columns of an invoice ("€9,800.00", "−€1,250.50")."""
    return format_currency(major(amount, currency), currency, locale=locale).replace("-", "−")


def currency_name(currency: str, locale: str = "en") -> str:
    """A currency as a person chooses it: "CHF, Swiss Franc"."""
    return f"{currency}, {get_currency_name(currency, locale=locale)}"


def write_difference(amount: int, currency: str, locale: str = "en") -> str:
    """A price difference as an option shows it: "+€1,200", "−€300" or "included"."""
    if amount == 0:
        return "included"
    # Options are narrow: there the letters of a currency may stand on a line of their own.
    return ("+" if amount > 0 else "−") + write(abs(amount), currency, locale).replace("\N{NO-BREAK SPACE}", " ")
