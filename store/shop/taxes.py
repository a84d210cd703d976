"""How a destination is taxed: which rate each piece bears there, what that does to its price, and the sums by rate.

The rule, once: list prices contain home VAT. Where VAT is due elsewhere the list price stays (`keep_gross`) or the net
price does (`keep_net`), as house.yaml says; where none is due, home VAT is taken off. Each line of a price trace is
rounded by itself, so that a trace adds up to its price. The tax is rounded once for each rate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from store import money
from store.errors import invalid
from store.settings import House, house
from store.shop.appraisal import Appraisal
from store.shop.catalog import Published
from store.shop.orders import Order, OrderLine
from store.vat import STANDARD, WITHOUT_VAT, Place, Treatment

AS_LISTED = (1, 1)  # the factor of a price that stays as it is


@dataclass(frozen=True)
class Destination:
    """Where an order goes and, when a business of the VAT area buys, its checked VAT ID."""

    country: str
    postal_code: str = ""
    vat_id: str = ""


@dataclass(frozen=True)
class Charge:
    """How one piece, or the delivery, is taxed.

    Args:
        factor: what its list price (with home VAT) is multiplied by: numerator and denominator.
    """

    treatment: Treatment
    category: str
    rate: int  # basis points
    factor: tuple[int, int] = AS_LISTED


@dataclass(frozen=True)
class Terms:
    """How an order to one destination is taxed; `home` for the shop's own country."""

    place: Place
    treatment: Treatment
    vat_id: str
    house: House

    def charge(self, category: str = STANDARD, *, at_home: bool = False) -> Charge:
        """How a piece of that tax category is taxed."""
        vat = self.house.vat
        home = vat.home_rates[category]
        if at_home or self.treatment == "domestic":
            return Charge("domestic", category, home)
        if self.treatment in WITHOUT_VAT:
            return Charge(self.treatment, category, 0, (money.FULL, money.FULL + home))
        rate = (self.place.rates or {})[category]
        kept = AS_LISTED if vat.prices == "keep_gross" else (money.FULL + rate, money.FULL + home)
        return Charge(self.treatment, category, rate, kept)

    def of(self, item: Published) -> Charge:
        """How a product is taxed."""
        vat = self.house.vat
        return self.charge(
            vat.category_of(item.model.category, item.model.tax), at_home=item.model.category in vat.at_home
        )

    def delivery(self, pieces: Iterable[Charge]) -> Charge:
        """How the delivery is taxed: like the pieces, at home when all of them are; its price is its zone's."""
        if all(charge.treatment == "domestic" for charge in pieces):
            return self.charge(at_home=True)
        charge = self.charge()
        if charge.treatment == "reverse-charge":
            return replace(charge, factor=(money.FULL, money.FULL + (self.place.rates or {})[STANDARD]))
        return replace(charge, factor=AS_LISTED)


@dataclass(frozen=True)
class TaxRow:
    """What is taxed at one rate and in one way: net and tax in minor units."""

    rate_basis_points: int
    category: str
    treatment: str
    net: int
    tax: int


# -- where it goes ---------------------------------------------------------------------------------------------------


def terms(destination: Destination | None, of: House | None = None) -> Terms:
    """How an order to that destination is taxed; without one, to the shop's own country.

    Raises:
        ShopError: 422, the VAT ID is of another country than the one it goes to.
    """
    facts = of or house()
    to = destination or Destination(facts.country)
    place, home = facts.vat.place(to.country, to.postal_code), facts.vat.place(facts.country)
    if to.vat_id and not to.vat_id.startswith(place.vat_prefix or "-"):
        raise invalid(mismatch(to.vat_id, place, facts), field="vat_id")
    treatment: Treatment = "destination"
    if place.rates is None:
        treatment = "export"
    elif place == home:
        treatment = "domestic"
    elif to.vat_id and place.vat_prefix != home.vat_prefix:
        treatment = "reverse-charge"
    return Terms(place, treatment, to.vat_id, facts)


def mismatch(vat_id: str, place: Place, facts: House) -> str:
    """Why a VAT ID does not go with a destination, as its owner reads it."""
    where = where_to(place, facts)
    if place.vat_prefix is None:
        return f"For delivery to {where} no VAT ID is needed; please leave this empty."
    return f"A VAT ID for delivery to {where} begins with {place.vat_prefix}; {vat_id} does not. It may be left empty."


def where_to(place: Place, facts: House) -> str:
    """A destination in words."""
    return place.territory or facts.country_name(place.country)


# -- what it does to prices ------------------------------------------------------------------------------------------


def charged(worth: Appraisal, factor: tuple[int, int]) -> Appraisal:
    """A design at what it costs there: each line of its trace rounded by itself, the price their sum."""
    if factor == AS_LISTED:
        return worth
    lines = tuple(replace(line, amount=money.scale(line.amount, factor)) for line in worth.price.lines)
    price = replace(worth.price, amount=sum(line.amount for line in lines), lines=lines)
    return replace(worth, price=price)


# -- the sums by rate ------------------------------------------------------------------------------------------------


def share(charges: Sequence[Charge], amounts: Sequence[int]) -> list[int]:
    """The tax in each amount: rounded once for each rate and treatment, shared so that the parts add up exactly."""
    taxes = [0] * len(amounts)
    groups = dict.fromkeys((charge.treatment, charge.rate) for charge in charges)
    for group in groups:
        places = [index for index, charge in enumerate(charges) if (charge.treatment, charge.rate) == group]
        gross = sum(amounts[index] for index in places)
        if gross > 0:
            parts = money.split(money.contained_tax(gross, group[1]), [amounts[index] for index in places])
            for index, part in zip(places, parts, strict=True):
                taxes[index] = part
    return taxes


def rows(charges: Sequence[Charge], amounts: Sequence[int], taxes: Sequence[int]) -> tuple[TaxRow, ...]:
    """Net and tax by rate, the highest rate first; what costs nothing makes no row of its own."""
    sums: dict[tuple[int, str, str], tuple[int, int]] = {}
    for charge, amount, tax in zip(charges, amounts, taxes, strict=True):
        key = (charge.rate, charge.category, charge.treatment)
        net, before = sums.get(key, (0, 0))
        sums[key] = (net + amount - tax, before + tax)
    found = [TaxRow(*key, net, tax) for key, (net, tax) in sums.items() if net or tax]
    return tuple(sorted(found, key=lambda row: (-row.rate_basis_points, row.treatment, row.category)))


def breakdown(order: Order, lines: Sequence[OrderLine]) -> tuple[TaxRow, ...]:
    """Net and tax of an order by rate; the taxes add up to its tax, net and tax together to its total."""
    return rows(*_as_sold(order, lines))


def rounded_as_agreed(order: Order, lines: Sequence[OrderLine]) -> bool:
    """Whether the taxes of an order's lines and delivery are those of its rates."""
    charges, amounts, taxes = _as_sold(order, lines)
    return share(charges, amounts) == taxes


def _as_sold(order: Order, lines: Sequence[OrderLine]) -> tuple[list[Charge], list[int], list[int]]:
    """How each line was taxed, what was paid for it and the tax in that; the delivery last."""
    sold = [(line.tax_treatment, line.tax_category, line.tax_basis_points) for line in lines]
    sold.append((order.tax_treatment, STANDARD, order.tax_basis_points))
    return (
        [Charge(*how) for how in sold],  # type: ignore[arg-type]  # a column holds text
        [*(line.amount - line.discount for line in lines), order.shipping],
        [*(line.tax for line in lines), order.shipping_tax],
    )


# -- in words --------------------------------------------------------------------------------------------------------


def label(row: TaxRow) -> str:
    """A row of the breakdown as the reckoning names it."""
    if row.treatment == "reverse-charge":
        return "Without VAT: reverse charge"
    if row.treatment == "export":
        return "Without VAT: export"
    return f"VAT {money.percent(row.rate_basis_points)} contained"


def written(found: Sequence[TaxRow]) -> list[tuple[str, int | str, str]]:
    """The breakdown as rows of a reckoning; a way without VAT is said once."""
    said = [(label(row), row.tax if row.treatment not in WITHOUT_VAT else "", "minor") for row in found]
    return list(dict.fromkeys(said))


def note(terms: Terms, treatment: str) -> str:
    """What the law wants said beside an order of that treatment."""
    return terms.house.vat.notes.get(treatment, "")


def sentence(terms: Terms, treatment: str) -> str:
    """What is different about the tax of an order, and why, in one calm sentence; empty at home."""
    facts = terms.house
    where = where_to(terms.place, facts)
    if treatment == "export":
        home = facts.country_name(facts.country)
        return f"Delivery to {where}: the VAT of {home} is taken off; import duties and taxes there are yours to pay."
    if treatment == "reverse-charge":
        return f"Delivery to {where} for VAT ID {terms.vat_id}: without VAT, which your company accounts for itself."
    if treatment == "destination":
        home_rate, rate = facts.vat.home_rates[STANDARD], terms.charge().rate
        if rate == home_rate:
            return f"Delivery to {where}: {money.percent(rate)} VAT included."
        kept = "the prices stay as they are"
        if facts.vat.prices == "keep_net":
            kept = f"the prices are {'lower' if rate < home_rate else 'higher'} by the difference"
        return f"Delivery to {where}: {money.percent(rate)} VAT included instead of {money.percent(home_rate)}; {kept}."
    return ""
