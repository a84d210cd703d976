"""What stands on an invoice or credit note: a value that holds every printed word and figure, and how it is sealed."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from store import money
from store.rendering import day
from store.settings import House
from store.shop import taxes
from store.shop.invoice_sums import BEYOND, Share, tax, total
from store.shop.orders import Order, OrderLine
from store.shop.payments import PAGE, SAVED, TRANSFER

Kind = Literal["invoice", "advance", "receipt", "credit-note", "reversal"]
TITLES: dict[str, str] = {
    "invoice": "Invoice",
    "advance": "Advance invoice",
    "receipt": "Receipt",
    "credit-note": "Credit note",
    "reversal": "Invoice",
}
WORDS = {"reverse-charge": "Reverse charge", "export": "Export, no VAT", BEYOND: "Beyond the total, not supplied"}
METHODS = {PAGE: "by card", SAVED: "by the card kept for this order", TRANSFER: "by bank transfer"}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Value):
    """Who sells or buys, as the law wants them named."""

    name: str
    address: tuple[str, ...]
    vat_id: str = ""
    registration: str = ""
    email: str = ""


class Piece(_Value):
    """One line of the order; minor units, tax contained in what is paid for it."""

    name: str
    sentence: str = ""
    code: str = ""  # of the design
    options: tuple[tuple[str, str], ...] = ()
    quantity: int = 1
    amount: int
    discount: int = 0
    rate_basis_points: int
    treatment: str
    tax: int

    @property
    def charged(self) -> int:
        """What is to be paid for it, tax included."""
        return self.amount - self.discount


class Sum(_Value):
    """Net and tax of one treatment and rate."""

    treatment: str
    rate_basis_points: int
    net: int
    tax: int

    def as_share(self) -> Share:
        """The same to reckon with."""
        return Share(self.treatment, self.rate_basis_points, self.net, self.tax)


class Reference(_Value):
    """Another document, and what it was for."""

    number: str
    issued_on: date
    net: int
    tax: int


class Document(_Value):
    """Everything that is printed, and nothing that is not."""

    format: Literal[1] = 1
    kind: Kind
    number: str
    issued_on: date
    currency: str
    seller: Party
    buyer: Party
    order_number: str
    ordered_on: date
    supply: str
    pieces: tuple[Piece, ...] = ()
    ordered: tuple[Sum, ...] = ()  # the whole order by rate
    deducted: tuple[Reference, ...] = ()  # the advance invoices before a last one
    sums: tuple[Sum, ...]  # what this document is for, by rate
    net: int
    tax: int
    amount: int
    home: tuple[str, int] | None = None  # currency and tax for the books, when the order's is another
    settlement: str  # how and when the money came or went
    refers_to: Reference | None = None
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called."""
        return TITLES[self.kind]

    @property
    def sign(self) -> int:
        """Whether it adds to what was charged, or takes from it."""
        return -1 if self.kind == "credit-note" else 1

    @property
    def shares(self) -> list[Share]:
        """What it is for, to reckon with."""
        return [one.as_share() for one in self.sums]


def written(document: Document) -> str:
    """The document as it is kept: the same bytes for the same document."""
    return document.model_dump_json()


def seal(text: str) -> str:
    """The hash over the kept bytes; one altered byte gives another."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str) -> Document:
    """A kept document.

    Raises:
        ValueError: it is none.
    """
    return Document.model_validate_json(text)


def problems(document: Document) -> list[str]:
    """What in a document does not add up; empty when all is well."""
    found = []
    if document.net != sum(one.net for one in document.sums) or document.tax != sum(one.tax for one in document.sums):
        found.append("the sums by rate do not add up to net and tax")
    if document.amount != document.net + document.tax:
        found.append("net and tax do not add up to the amount")
    if document.kind == "invoice":
        whole = total(one.as_share() for one in document.ordered)
        before = sum(one.net + one.tax for one in document.deducted)
        beyond = sum(one.net for one in document.sums if one.treatment == BEYOND)
        if whole - before + beyond != document.amount:
            found.append("the order less its advance invoices is not the amount")
    return found


# -- writing them ----------------------------------------------------------------------------------------------------


def seller_of(house: House) -> Party:
    """The house."""
    seller = house.seller
    return Party(
        name=seller.name,
        address=seller.address,
        vat_id=seller.vat_id,
        registration=seller.registration,
        email=house.email,
    )


def buyer_of(order: Order, house: House) -> Party:
    """Who ordered: the company with its VAT ID, if it is for one."""
    place = order.address
    person = place.get("name") or order.name
    city = f"{place.get('postal_code', '')} {place.get('city', '')}".strip()
    lines = (place.get("line1", ""), place.get("line2", ""), city, house.country_name(order.country))
    address = tuple(line for line in lines if line)
    if order.company:
        return Party(name=order.company, address=(person, *address), vat_id=order.vat_id)
    return Party(name=person, address=address)


def pieces_of(order: Order, lines: Sequence[OrderLine]) -> tuple[Piece, ...]:
    """The lines of an order with every option in words, and the delivery."""
    found = [
        Piece(
            name=line.name,
            sentence="" if line.sentence == line.name or line.described else line.sentence,
            code=line.design_code,
            options=tuple((str(row["label"]), str(row["value"])) for row in line.described),
            quantity=line.quantity,
            amount=line.amount,
            discount=line.discount,
            rate_basis_points=line.tax_basis_points,
            treatment=line.tax_treatment,
            tax=line.tax,
        )
        for line in lines
    ]
    if order.shipping:
        delivery = Piece(
            name="Insured delivery",
            amount=order.shipping,
            rate_basis_points=order.tax_basis_points,
            treatment=order.tax_treatment,
            tax=order.shipping_tax,
        )
        found.append(delivery)
    return tuple(found)


def whole_of(order: Order, lines: Sequence[OrderLine]) -> list[Share]:
    """An order by treatment and rate, the highest rate first."""
    found: dict[tuple[str, int], Share] = {}
    for row in taxes.breakdown(order, lines):
        share = Share(row.treatment, row.rate_basis_points, row.net, row.tax)
        before = found.get(share.key, Share(*share.key, 0, 0))
        found[share.key] = replace(share, net=share.net + before.net, tax=share.tax + before.tax)
    return list(found.values())


def rows_of(shares: Sequence[Share]) -> tuple[Sum, ...]:
    """Shares as they are printed."""
    return tuple(
        Sum(treatment=one.treatment, rate_basis_points=one.rate_basis_points, net=one.net, tax=one.tax)
        for one in shares
    )


def at_home(amount: int, order: Order) -> int:
    """An amount of the order in the house's currency, at the rate for the books."""
    return money.divide(amount * order.home_units, order.order_units)


def sums_of(shares: Sequence[Share]) -> dict[str, Any]:
    """The members of a document that say what it is for."""
    contained = tax(shares)
    return {"sums": rows_of(shares), "net": total(shares) - contained, "tax": contained, "amount": total(shares)}


def supply_of(order: Order) -> str:
    """When the pieces are handed over, as far as it is known."""
    if order.promised_from == order.promised_by:
        return f"At hand-over, promised for {day(order.promised_by)}"
    return f"At hand-over, promised between {day(order.promised_from)} and {day(order.promised_by)}"


def rate_words(treatment: str, rate_basis_points: int) -> str:
    """A treatment and rate as they are printed: "VAT 20 %"."""
    if treatment in WORDS:
        return WORDS[treatment]
    return f"VAT {money.percent(rate_basis_points)}"
