"""Signed links to an order: they open it for whoever holds them; the number alone never does."""

import hmac

from store import links


def key(number: str) -> str:
    """What a link to this order carries; always the same, so that repeated answers are equal."""
    return links.digest("order-link", number)[:40]


def opens(number: str, given: str | None) -> bool:
    """Whether the key of a link is this order's."""
    return given is not None and hmac.compare_digest(given.encode(), key(number).encode())


def path(number: str) -> str:
    """The order's page within this shop."""
    return f"/orders/{number}?key={key(number)}"


def page(number: str) -> str:
    """The whole address of the order's page."""
    return links.absolute(f"/orders/{number}", key=key(number))


def unsigned(number: str, under: str = "") -> str:
    """The address without a key: it opens for the order's own session, its customer and staff."""
    return links.absolute(f"/orders/{number}{under}")


def payment(number: str) -> str:
    """The shop's own address that opens the payment page."""
    return links.absolute(f"/orders/{number}/payment", key=key(number))


def returning(number: str) -> str:
    """Where the payment page sends the customer back to."""
    return links.absolute(f"/orders/{number}/return", key=key(number))


def invoice(number: str, invoice_number: str) -> str:
    """The whole address of an invoice or credit note of the order."""
    return links.absolute(invoice_path(number, invoice_number), key=key(number))


def invoice_path(number: str, invoice_number: str) -> str:
    """Where it lies within this shop."""
    return f"/orders/{number}/invoices/{invoice_number}.pdf"
