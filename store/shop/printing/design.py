"""The spec sheet of a design on paper: what it is, what it costs and why, how it is paid, and the way back to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from store.money import write_full
from store.paper import (
    AMOUNT,
    BRONZE,
    LEFT,
    RIGHT,
    SERIF,
    SMALL,
    STRONG,
    TITLE,
    Column,
    Sheet,
    Style,
)
from store.rendering import day
from store.settings import house

TRACE = (Column(LEFT, 120), Column(LEFT + 124, 42, True))
PAYMENTS = (Column(LEFT, 52), Column(LEFT + 56, 66), Column(LEFT + 124, 42, True))
CODE = Style(SERIF, 15, BRONZE, 7)


@dataclass(frozen=True)
class DesignSheet:
    """What the sheet says; the words on the piece only where its owner asks."""

    name: str
    code: str
    address: str  # of the design's page, as the QR code holds it
    made_on: date
    valid_until: date
    words: str  # the whole design in one sentence
    layers: Sequence[Path]  # the picture's, the lowest first
    options: Sequence[tuple[str, str]]
    price: int
    currency: str
    trace: Sequence[tuple[str, int]]
    payments: Sequence[tuple[str, str, int]]  # label, when, amount
    ready: str
    final_sale: bool


def print_design(content: DesignSheet) -> bytes:
    """The sheet as a PDF; the same content gives the same bytes."""
    imprint = (" · ".join((house().seller.name, *house().seller.address)), house().email)
    sheet = Sheet(f"{content.name}, design {content.code}", content.made_on, imprint)
    _head(sheet, content)
    sheet.heading("As designed")
    sheet.facts(content.options, names=0.42, abreast=2)
    _price(sheet, content)
    _payments(sheet, content)
    _right(sheet, content)
    return sheet.made()


def _head(sheet: Sheet, content: DesignSheet) -> None:
    sheet.put(content.name, LEFT, 38, TITLE)
    top = 54.0
    if content.layers:
        sheet.picture(content.layers, LEFT, top, 96, 78, content.words)
    x = LEFT + 104 if content.layers else LEFT
    wide = RIGHT - x
    y = sheet.put("Design", x, top, SMALL, width=wide)
    y = sheet.put(content.code, x, y, CODE, width=wide)
    y = sheet.put(write_full(content.price, content.currency), x, y + 2, AMOUNT, width=wide)
    y = sheet.put(f"VAT included. Ready {content.ready}, if it is ordered today.", x, y, SMALL, width=wide)
    until = f"As of {day(content.made_on)}. Valid until {day(content.valid_until)}."
    y = sheet.put(until, x, y + 1, SMALL, width=wide)
    sheet.code_square(content.address, x, y + 4, 24)
    y = sheet.put(content.address, x, y + 30, Style(size=7, leading=3.6), width=wide)
    sheet.set_y(max(y, top + 78 if content.layers else 0) + 4)


def _price(sheet: Sheet, content: DesignSheet) -> None:
    sheet.heading("Why this price")
    for label, amount in content.trace:
        sheet.row(TRACE, (label, write_full(amount, content.currency)), after=0.5)
    sheet.line_below()
    sheet.row(TRACE, ("Price, VAT included", write_full(content.price, content.currency)), STRONG)


def _payments(sheet: Sheet, content: DesignSheet) -> None:
    sheet.heading("How it is paid", 20 + 6 * len(content.payments))
    for label, when, amount in content.payments:
        sheet.row(PAYMENTS, (label, when, write_full(amount, content.currency)), after=0.5)


def _right(sheet: Sheet, content: DesignSheet) -> None:
    sheet.heading("Withdrawal")
    if content.final_sale:
        words = "What is your own on it makes it personal: final sale, without a right of withdrawal."
    else:
        words = "It can be sent back within fourteen days of its receipt."
    sheet.paragraph(words)
    sheet.gap(1)
    sheet.paragraph(
        "Valid until the day named above, unless the piece itself is changed before; its page then says what changed. "
        "What is ordered stays as it was agreed.",
        SMALL,
    )
