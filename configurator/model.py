"""What a product model is made of: groups of options, rules, prices, parts and presets, all frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from configurator.conditions import Condition

ChoiceValue = str | int | bool | list[str]
Choices = dict[str, ChoiceValue]
Answers = Mapping[str, ChoiceValue]  # choices that are only read
Texts = dict[str, str]
Attribute = str | int
GroupKind = Literal["one", "flag", "several", "integer", "date", "text", "upload"]
ProductKind = Literal["made-to-order", "stock", "service"]


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a group; its id is never reused."""

    id: str
    label: str
    sentence: str = ""
    price: int = 0
    cost: int = 0
    lead_days: int = 0
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    default: bool = False
    audience: str | None = None
    swatch: str | None = None
    retired: bool = False
    renamed_from: tuple[str, ...] = ()
    unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """What a number of like parts is made of; its group holds how many there are."""

    groups: tuple[str, ...]  # ids within one part
    label: str  # of one part, such as "Stop {number}"


@dataclass(frozen=True, slots=True)
class Part:
    """Where a group stands that belongs to one of several like parts."""

    of: str  # the repeated group
    number: int  # from 1
    group: str  # its id within the part
    label: str  # of the part, such as "Stop 2"
    title: str  # of the group within the part


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """A question of the configurator: what kind of answer it takes, and which."""

    id: str
    label: str
    step: str
    kind: GroupKind
    sentence: str = ""
    options: tuple[Option, ...] = ()
    needed_when: Condition | None = None
    minimum: int | None = None
    maximum: int | None = None
    number_step: int = 1
    unit: str = ""
    default: ChoiceValue | None = None
    max_length: int | None = None
    characters: str | None = None
    dates: tuple[str, ...] = ()
    renamed_from: tuple[str, ...] = ()
    phrase: str = ""
    audience: str | None = None
    language: str = "en"  # in which the shop's own words for answers are said
    repeated: Repeated | None = None
    part: Part | None = None

    def option(self, option_id: str) -> Option | None:
        """The option of that id, or None."""
        return next((option for option in self.options if option.id == option_id), None)

    def numbers(self) -> range:
        """The numbers an integer group takes."""
        return range(self.minimum or 0, (self.maximum or 0) + 1, self.number_step)


@dataclass(frozen=True, slots=True)
class IfThen:
    """When the condition holds, the consequence must hold."""

    when: Condition
    then: Condition


@dataclass(frozen=True, slots=True)
class Never:
    """The condition must not hold."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values that are allowed (or forbidden) together; None in a row means any value."""

    groups: tuple[str, ...]
    rows: tuple[tuple[frozenset[str | int | bool] | None, ...], ...]
    allowed: bool


@dataclass(frozen=True, slots=True)
class Count:
    """At least `low` and at most `high` of the conditions hold."""

    conditions: tuple[Condition, ...]
    low: int | None
    high: int | None
    when: Condition | None = None  # otherwise it says nothing


@dataclass(frozen=True, slots=True)
class Term:
    """A number that a design has: an integer group, or a numeric attribute of the options chosen in a group."""

    group: str
    attribute: str | None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of the terms lies between `low` and `high` (or outside); terms without an answer count nothing."""

    terms: tuple[Term, ...]
    low: int | None
    high: int | None
    outside: bool = False
    when: Condition | None = None  # otherwise it says nothing


@dataclass(frozen=True, slots=True)
class Same:
    """Two attributes are equal (or differ); it speaks only when both options chosen carry the attribute."""

    left: Term
    right: Term
    equal: bool


RuleForm = IfThen | Never | Table | Count | Sum | Same


@dataclass(frozen=True, slots=True)
class Rule:
    """What fits what, with the reason in the owner's words."""

    id: str
    reason: str
    form: RuleForm
    line: int = field(default=0, compare=False)


PriceKind = Literal["add", "each_character", "each", "percent", "matrix"]


@dataclass(frozen=True, slots=True)
class PriceRule:
    """A surcharge or discount as data; kinds and meanings are listed in the README."""

    id: str
    kind: PriceKind
    label: str
    when: Condition | None = None
    amount: int = 0
    cost: int = 0
    groups: tuple[str, ...] = ()  # whose characters or units are counted together
    free: int = 0
    tiers: tuple[tuple[int, int], ...] = ()
    of: tuple[str, ...] = ()
    matrix: Table | None = None
    amounts: tuple[int, ...] = ()
    once: bool = False


@dataclass(frozen=True, slots=True)
class PartRule:
    """A line of the bill of materials."""

    part: str
    quantity: int
    when: Condition | None = None
    each_of: tuple[str, ...] = ()  # groups whose units are counted together


@dataclass(frozen=True, slots=True)
class LeadRule:
    """Days that come on top when the condition holds."""

    days: int
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A named design to start from."""

    id: str
    label: str
    sentence: str
    choices: Choices
    texts: Texts
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Visual:
    """The 3D model and the bindings from options to its parts, or still pictures."""

    model: str | None
    bindings: str | None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supply:
    """Where the piece comes from: pieces in stock (None: made for her), numbered or not, and the days it takes."""

    stock: int | None
    numbered: bool
    lead_days: int


@dataclass(frozen=True, slots=True)
class FitRule:
    """What this accessory fits: a product (or any), when its design is so, and which attributes must be equal."""

    product: str
    when: Mapping[str, tuple[Attribute, ...]]
    same: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Repricing:
    """A price list for one product.

    Args:
        numerator: what an amount of the file is multiplied by, over `denominator`, in minor units of either currency.
        step: minor units to which each amount is rounded, half away from zero; what costs something costs a step.
        fixed: amounts that the list names itself: of `base`, of an option (`group/option`), or of a price rule.
    """

    currency: str
    numerator: int
    denominator: int
    step: int = 1
    fixed: tuple[tuple[str, int], ...] = ()

    def of(self, amount: int) -> int:
        """An amount of the file in the list."""
        whole = self.denominator * self.step
        units = (2 * abs(amount) * self.numerator + whole) // (2 * whole)
        found = max(units, 1 if amount else 0) * self.step
        return found if amount >= 0 else -found
