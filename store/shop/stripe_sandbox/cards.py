"""The test cards: what each one does, and the check of what a customer typed."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Behaviour = Literal["pays", "declines", "asks_once", "asks_always", "declines_later"]
Afterwards = Literal["", "disputed", "refund_fails"]  # what becomes of the payment


@dataclass(frozen=True)
class TestCard:
    """A number with a known fate; `off_session` is its fate when the shop charges the saved card alone."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    number: str
    brand: str
    does: str
    behaviour: Behaviour
    decline_code: str = ""
    afterwards: Afterwards = ""
    listed: bool = True

    @property
    def spaced(self) -> str:
        """The number as it is printed on a card."""
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))

    @property
    def fingerprint(self) -> str:
        """The same for the same number, and says nothing about it."""
        return hashlib.sha256(f"sandbox:{self.number}".encode()).hexdigest()[:16]


CARDS = {
    card.number: card
    for card in (
        TestCard("4242424242424242", "visa", "is paid at once", "pays"),
        TestCard("4000000000000002", "visa", "is declined", "declines", "generic_decline"),
        TestCard("4000002500003155", "visa", "asks for 3-D Secure", "asks_once"),
        TestCard("4000000000000259", "visa", "is paid, then disputed", "pays", afterwards="disputed"),
        # At Stripe this card can be kept and never charged; here its holder pays once, so that a balance can fail.
        TestCard("4000000000000341", "visa", "is paid, and declined later", "declines_later", "generic_decline"),
        TestCard("4000000000005126", "visa", "has refunds fail", "pays", afterwards="refund_fails", listed=False),
        TestCard("5555555555554444", "mastercard", "is paid at once", "pays", listed=False),
        TestCard("4000000000009995", "visa", "has too little on it", "declines", "insufficient_funds", listed=False),
        TestCard("4000002760003184", "visa", "asks for 3-D Secure every time", "asks_always", listed=False),
    )
}
BY_FINGERPRINT = {card.fingerprint: card for card in CARDS.values()}


@dataclass(frozen=True)
class TypedCard:
    """What a customer typed, checked; the number itself is not kept."""

    card: TestCard
    exp_month: int
    exp_year: int


def read_typed(number: str, exp: str, cvc: str, today: datetime) -> TypedCard | dict[str, str]:
    """The card that was typed, or a sentence for each field that cannot be used."""
    wrong: dict[str, str] = {}
    digits = re.sub(r"[\s-]", "", number)
    card = CARDS.get(digits)
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not _luhn(digits):
        wrong["number"] = "This card number is not complete or has a typing error."
    elif card is None:
        wrong["number"] = "This is a test page: please use one of the test cards listed below."
    expiry = _expiry(exp)
    if expiry is None:
        wrong["exp"] = "Write month and year, such as 12/34."
    elif expiry < (today.year, today.month):
        wrong["exp"] = "This card has expired."
    if not re.fullmatch(r"[0-9]{3,4}", cvc.strip()):
        wrong["cvc"] = "Write three or four digits; any will do."
    if wrong or card is None or expiry is None:
        return wrong
    return TypedCard(card, exp_month=expiry[1], exp_year=expiry[0])


def _expiry(text: str) -> tuple[int, int] | None:
    """Year and month of `MM/YY`, `MM / YYYY`, `MMYY` or `YYYY-MM` (what browsers fill in)."""
    match = re.fullmatch(r"\s*([0-9]{1,2})\s*[/.\- ]\s*([0-9]{4}|[0-9]{2})\s*", text) or re.fullmatch(
        r"\s*([0-9]{2})([0-9]{2})\s*", text
    )
    if match:
        month, year = int(match[1]), int(match[2])
    else:
        iso = re.fullmatch(r"\s*([0-9]{4})-([0-9]{2})\s*", text)
        if not iso:
            return None
        month, year = int(iso[2]), int(iso[1])
    if not 1 <= month <= 12:
        return None
    return (year if year > 99 else 2000 + year), month


def _luhn(digits: str) -> bool:
    """Whether the check digit is right."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
