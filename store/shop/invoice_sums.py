"""What of an amount falls to each treatment and rate of tax: parts of an order's sums that add up to the cent.

An order is paid, and paid back, in parts. Each part takes its share of what is left of every net and every tax by
largest remainder, so that the last part takes exactly the rest and no sum is ever a cent apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from store import money

BEYOND = "beyond"  # the treatment of money that came in beyond the total: nothing is supplied for it, no tax is due


@dataclass(frozen=True)
class Share:
    """What falls to one treatment and rate; minor units."""

    treatment: str
    rate_basis_points: int
    net: int
    tax: int

    @property
    def gross(self) -> int:
        """Net and tax together."""
        return self.net + self.tax

    @property
    def key(self) -> tuple[str, int]:
        """What shares are added up by."""
        return self.treatment, self.rate_basis_points


def total(shares: Iterable[Share]) -> int:
    """Net and tax of all shares."""
    return sum(share.gross for share in shares)


def tax(shares: Iterable[Share]) -> int:
    """The tax of all shares."""
    return sum(share.tax for share in shares)


def less(whole: Sequence[Share], *taken: Sequence[Share]) -> list[Share]:
    """What is left of the whole when these were taken; money beyond it counts for itself."""
    left = {share.key: share for share in whole}
    for share in (one for shares in taken for one in shares):
        known = left.get(share.key)
        if known is not None:
            left[share.key] = replace(known, net=known.net - share.net, tax=known.tax - share.tax)
    return list(left.values())


def for_payment(left: Sequence[Share], amount: int) -> list[Share]:
    """What a payment is for: its share of what is left of the order, and what it brings beyond that.

    Args:
        left: what of the order no payment has covered yet.
        amount: what came in.
    """
    covered = min(amount, total(left))
    shares = _take(left, covered)
    if amount > covered:
        shares.append(Share(BEYOND, 0, amount - covered, 0))
    return shares


def for_refund(left: Sequence[Share], amount: int) -> list[Share]:
    """What a refund takes back of a payment: first what was beyond the total, then its share of every rate.

    Raises:
        ValueError: more than is left.
    """
    if amount > total(left):
        raise ValueError("more than is left of the payment")
    beyond = sum(share.gross for share in left if share.treatment == BEYOND)
    first = min(amount, beyond)
    taken = [Share(BEYOND, 0, first, 0)] if first else []
    return _take([share for share in left if share.treatment != BEYOND], amount - first) + taken


def _take(left: Sequence[Share], amount: int) -> list[Share]:
    if not amount:
        return []
    weights = [weight for share in left for weight in (share.net, share.tax)]
    parts = money.split(amount, weights)
    return [
        replace(share, net=net, tax=tax)
        for share, net, tax in zip(left, parts[::2], parts[1::2], strict=True)
        if net or tax
    ]
