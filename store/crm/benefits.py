"""What a benefit takes off a bag and what it leaves the house: integer arithmetic, with the margin floor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from store import money
from store.shop.totals import Discount

Kind = Literal["privilege", "gift", "amount", "percent"]
KINDS: dict[str, str] = {
    "privilege": "A privilege",
    "gift": "A gift",
    "amount": "An amount off",
    "percent": "A percentage off",
}


@dataclass(frozen=True)
class LineValue:
    """A line of a bag as the arithmetic sees it; prices with tax, the cost without."""

    line_id: str
    slug: str
    design_id: str | None
    quantity: int
    unit_price: int
    unit_cost: int
    tax_basis_points: int


@dataclass(frozen=True)
class Terms:
    """What an offer grants.

    Attributes:
        label: how the line is called at checkout.
        slug: the piece it is for; None: the whole bag.
        design_id: the ready design, taken first when the bag holds the piece in several designs.
        benefit_cost: what a privilege costs the house when it is used.
        floor_basis_points: the share of the net price that must be left after cost and benefit.
    """

    offer_id: str
    label: str
    kind: str
    amount: int
    basis_points: int
    gift_slug: str | None
    slug: str | None
    design_id: str | None
    benefit_cost: int
    floor_basis_points: int
    currency: str


@dataclass(frozen=True)
class Left:
    """What is left of a sale after its benefit, without tax."""

    net: int
    margin: int

    @property
    def basis_points(self) -> int:
        """The margin's share of the net price, rounded down: a floor is never met by rounding."""
        return self.margin * money.FULL // self.net if self.net > 0 else 0

    def reaches(self, floor_basis_points: int) -> bool:
        """Whether the floor is kept."""
        return self.net > 0 and self.margin * money.FULL >= floor_basis_points * self.net


@dataclass(frozen=True)
class Applied:
    """What a customer's offers do to a bag: the discounts, and a sentence for each offer that could not be used."""

    discounts: list[Discount] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Use:
    """One offer used on some lines: what it takes off, the lines that no other may use, what is left."""

    discount: Discount
    lines: tuple[str, ...]
    left: Left


def apply(terms: Iterable[Terms], lines: Sequence[LineValue]) -> Applied:
    """Use each offer at most once, to her best: a piece never carries two benefits, the larger goes first.

    An offer for the whole bag stands alone: it is used when it gives more than all offers for pieces together.
    Privileges take nothing off and go with everything.
    """
    notes: list[str] = []
    pieces: list[Use] = []
    bags: list[Use] = []
    taken: set[str] = set()
    for term in sorted(terms, key=lambda term: (-_largest(term, lines), term.offer_id)):
        privilege, whole = term.kind == "privilege", term.slug is None
        use = _use(term, lines if privilege or whole else [line for line in lines if line.line_id not in taken])
        if isinstance(use, str):
            notes.append(use)
        elif use is not None and not use.left.reaches(term.floor_basis_points):
            notes.append(f"{term.label}: not possible with this bag, because the house would not keep its margin.")
        elif use is not None:
            (bags if whole and not privilege else pieces).append(use)
            if not whole and not privilege:
                taken.update(use.lines)
    return _best(pieces, bags, notes)


def _best(pieces: list[Use], bags: list[Use], notes: list[str]) -> Applied:
    if not bags:
        return Applied([use.discount for use in pieces], notes)
    bag, *others = bags
    if bag.discount.amount <= sum(use.discount.amount for use in pieces):
        kept, left_out = pieces, bags
    else:
        kept = [bag, *(use for use in pieces if not use.discount.amount)]
        left_out = [*others, *(use for use in pieces if use.discount.amount)]
    notes += [f"{use.discount.label}: kept for another order, because offers do not add up." for use in left_out]
    return Applied([use.discount for use in kept], notes)


def tried(term: Terms, lines: Sequence[LineValue]) -> Use | None:
    """What the benefit alone does to these lines, whatever its floor; None when they lack the piece or the gift."""
    use = _use(term, lines)
    return use if isinstance(use, Use) else None


def most(term: Terms, lines: Sequence[LineValue]) -> int:
    """The largest amount off that keeps the floor, in minor units."""
    low, high = 0, sum(line.unit_price * line.quantity for line in lines)
    while low < high:
        middle = (low + high + 1) // 2
        if _left(term, lines, middle).reaches(term.floor_basis_points):
            low = middle
        else:
            high = middle - 1
    return low


def _use(term: Terms, lines: Sequence[LineValue]) -> Use | str | None:
    """How the offer is used on the lines; None: its piece is not there; a sentence: it lacks the gift."""
    if term.kind == "gift":
        return _gift(term, lines)
    eligible = _eligible(term, lines)
    if not eligible:
        return None
    value = sum(line.unit_price * line.quantity for line in eligible)
    off = 0
    if term.kind == "percent":
        off = money.share(value, term.basis_points)
    elif term.kind == "amount":
        off = min(term.amount, value)
    line_id = eligible[0].line_id if term.slug is not None else None
    discount = Discount(label=term.label, amount=off, offer_id=term.offer_id, line_id=line_id)
    return Use(discount, tuple(line.line_id for line in eligible), _left(term, eligible, off))


def _eligible(term: Terms, lines: Sequence[LineValue]) -> list[LineValue]:
    """One piece of the product offered, the ready design first; every line when the offer is for the whole bag."""
    if term.slug is None:
        return list(lines)
    of_piece = [line for line in lines if line.slug == term.slug]
    if not of_piece:
        return []
    return [replace(min(of_piece, key=lambda line: (line.design_id != term.design_id, line.line_id)), quantity=1)]


def _gift(term: Terms, lines: Sequence[LineValue]) -> Use | str | None:
    """A gift is one piece of `gift_slug`, free beside what the offer is for."""
    eligible = _eligible(term, [line for line in lines if line.slug != term.gift_slug])
    gifts = sorted((line for line in lines if line.slug == term.gift_slug), key=lambda line: line.line_id)
    if not eligible:
        return None
    if not gifts:
        return f"{term.label}: add the gift to your bag, it will cost you nothing."
    gift = gifts[0]
    left = _left(term, eligible, 0)
    discount = Discount(label=term.label, amount=gift.unit_price, offer_id=term.offer_id, line_id=gift.line_id)
    taken = (*(line.line_id for line in eligible), gift.line_id)
    return Use(discount, taken, Left(left.net, left.margin - gift.unit_cost))


def _left(term: Terms, lines: Sequence[LineValue], off: int) -> Left:
    values = [line.unit_price * line.quantity for line in lines]
    shares = money.split(off, values) if sum(values) > 0 else [0] * len(values)
    net = margin = 0
    for line, value, part in zip(lines, values, shares, strict=True):
        line_net = value - part - money.contained_tax(value - part, line.tax_basis_points)
        net += line_net
        margin += line_net - line.unit_cost * line.quantity
    return Left(net, margin - (term.benefit_cost if term.kind == "privilege" else 0))


def _largest(term: Terms, lines: Sequence[LineValue]) -> int:
    use = _use(term, lines)
    return use.discount.amount if isinstance(use, Use) else 0
