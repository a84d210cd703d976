"""Amounts and percentages as staff type them: read exactly, without a float."""

import re

from babel.numbers import get_currency_precision

from store.errors import invalid

NUMBER = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,4}))?")


def read_amount(text: str, currency: str, field: str) -> int:
    """Minor units of what was typed ("120", "1'250.50", "€1,250.50"); nothing typed is 0.

    Raises:
        ShopError: 422.
    """
    return _read(text, get_currency_precision(currency), field, "an amount such as 120 or 120.50")


def read_percent(text: str, field: str) -> int:
    """Basis points of what was typed ("15", "12.5 %"); nothing typed is 0.

    Raises:
        ShopError: 422.
    """
    return _read(text.replace("%", ""), 2, field, "a percentage such as 15 or 12.5")


def _read(text: str, digits: int, field: str, wanted: str) -> int:
    bare = re.sub(r"[\s'’€$£]", "", text)
    bare = re.sub(r",(?=\d{3}(?:\D|$))", "", bare)  # thousands
    if not bare:
        return 0
    match = NUMBER.fullmatch(bare)
    if match is None or len(match.group(2) or "") > digits:
        raise invalid(f"Please write {wanted}.", field=field)
    whole, rest = match.group(1), match.group(2) or ""
    return int(whole + rest.ljust(digits, "0"))
