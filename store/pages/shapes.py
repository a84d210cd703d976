"""The shapes of the JSON calls, as OpenAPI tells them: what comes in is checked here, what goes out is named here."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Annotated, Any, Literal

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from configurator import ChoiceValue

Word = Annotated[str, StringConstraints(max_length=200)]
Choices = dict[str, Any]
Texts = dict[str, str]


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": meaning}
    for code, meaning in {
        403: "Somebody else's, or sent from another site",
        404: "There is no such thing",
        409: "Cannot be done as things stand",
        422: "Not in the form asked for",
        429: "Too many tries",
    }.items()
}


class ModelRoute(APIRoute):
    """Writes the model that a call answers in the call's own thread, once; another thread would check it again."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        status = options.get("status_code") or 200

        @wraps(endpoint)
        def told(*args: Any, **values: Any) -> Any:
            answer = endpoint(*args, **values)
            if not isinstance(answer, BaseModel):
                return answer
            other = next((one.status_code for one in values.values() if type(one) is Response), None)
            return Response(answer.model_dump_json(), other or status, media_type="application/json")

        super().__init__(path, told, **options)


# -- configuring -----------------------------------------------------------------------------------------------------


MOST = 10**15  # minor units; more is a mistake, not an amount


class Money(BaseModel):
    """An amount in minor units."""

    amount: int
    currency: str


class Line(BaseModel):
    """A line of a price trace."""

    label: str
    amount: int


class Price(Money):
    """A price with its trace; the lines add up to the amount."""

    lines: list[Line]


class Days(BaseModel):
    """Days from order to delivery."""

    min_days: int
    max_days: int


class Product(BaseModel):
    """A piece in the list."""

    slug: str
    name: str
    configurable: bool
    from_price: Money


class Chosen(BaseModel):
    """What the customer chose and wrote."""

    choices: Choices = {}
    texts: Texts = {}


class Wanted(Chosen):
    """What the customer chose, and what they would like beside it."""

    want: Choices


class Completing(Chosen):
    """Choices to be completed."""

    objective: Literal["default", "cheapest", "fastest", "taste"] = "default"


class Value(BaseModel):
    """A value of a group and what it would change."""

    id: str | int | bool
    label: str
    state: Literal["chosen", "open", "forced", "impossible"]
    price_delta: int | None
    lead_time_delta_days: int | None


class Group(BaseModel):
    """A question of the configurator; one of kind `repeated` asks how many parts there are, and holds them."""

    id: str
    label: str
    kind: str
    needed: bool
    values: list[Value]
    name: str | None = None  # within a part
    min: int | None = None
    max: int | None = None
    parts: list["RepeatedPart"] | None = None


class RepeatedPart(BaseModel):
    """One of several like parts; its groups have ids such as `stops.2.place`."""

    number: int
    label: str
    groups: list[Group]


class Analysis(BaseModel):
    """Where a configuration stands."""

    choices: Choices
    complete: bool
    groups: list[Group]
    price: Price
    lead_time: Days
    model_version: str


class Culprit(BaseModel):
    """A choice that stands in the way."""

    group: str
    value: Any


class Reason(BaseModel):
    """A rule with its reason in the owner's words."""

    id: str
    reason: str


class Explanation(BaseModel):
    """Why a value is impossible."""

    culprits: list[Culprit]
    rules: list[Reason]


class Repair(BaseModel):
    """A way to have the value wanted."""

    set: Choices
    drop: list[str]
    price_delta: int | None
    lead_time_delta_days: int | None


class Repairs(BaseModel):
    """Up to three ways, the smallest change first."""

    repairs: list[Repair]


class NewDesign(Chosen):
    """A design to be saved."""

    slug: Word


class Changed(BaseModel):
    """One thing that changed since a design was saved; amounts in minor units where it is the price."""

    kind: Literal["renamed", "retired", "removed", "repaired", "private", "words", "price"]
    group: str | None
    before: ChoiceValue | None
    after: ChoiceValue | None
    words: str


class SavedDesign(BaseModel):
    """A saved design on the newest version of its product; texts only for its owner."""

    code: str
    url: str
    slug: str
    name: str
    choices: Choices
    texts: Texts
    sentence: str
    price: Price
    lead_time: Days
    model_version: str
    saved_version: str
    changes: list[Changed]


# -- buying ----------------------------------------------------------------------------------------------------------


class NewLine(BaseModel):
    """A piece for the bag: a saved design by its code, or a product as it comes."""

    design: Word | None = None
    slug: Word | None = None
    quantity: Annotated[StrictInt, Field(ge=1, le=99)] = 1


class BagLine(BaseModel):
    """A line of a bag."""

    id: str
    slug: str
    name: str
    design: str
    choices: Choices
    texts: Texts
    sentence: str
    quantity: int
    unit_price: int
    amount: int
    price: Price | None
    lead_time: Days | None
    problem: str | None


class Tax(BaseModel):
    """What is taxed at one rate: net and tax; over all rates they add up to the total.

    `treatment`: domestic, destination, reverse-charge or export.
    """

    rate_basis_points: int
    category: str
    treatment: str
    net: int
    tax: int


class Sums(BaseModel):
    """total = subtotal − discount + shipping; `tax` is contained in it."""

    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


class Bag(BaseModel):
    """A bag as it stands now."""

    id: str
    currency: str
    lines: list[BagLine]
    problems: list[str]
    totals: Sums
    taxes: list[Tax]  # at which rates the tax in the total came about
    tax_note: str  # what is different about the tax where it goes; empty at home


class Suggestion(BaseModel):
    """A piece that goes with the bag, configured to match, and a true reason."""

    id: str
    slug: str
    name: str
    reason: str
    choices: Choices
    sentence: str
    price: Price
    fits: Literal[True] = True
    in_cart: Literal[False] = False


class Suggestions(BaseModel):
    """At most three."""

    items: list[Suggestion]


class Address(BaseModel):
    """Where an order goes."""

    name: Annotated[str, StringConstraints(max_length=120)]
    line1: Annotated[str, StringConstraints(max_length=200)]
    line2: Annotated[str, StringConstraints(max_length=200)] | None = None
    city: Annotated[str, StringConstraints(max_length=100)]
    postal_code: Annotated[str, StringConstraints(max_length=20)]
    country: Annotated[str, StringConstraints(max_length=2)]


class Company(BaseModel):
    """Who buys, when it is a business; one of another country of the Union with a VAT ID buys without VAT."""

    name: Annotated[str, StringConstraints(max_length=120)]
    vat_id: Annotated[str, StringConstraints(max_length=24)] | None = None


class NewBag(BaseModel):
    """How a bag begins."""

    currency: Annotated[str, StringConstraints(max_length=3)] | None = None  # of its prices; the house's when absent


class NewOrder(BaseModel):
    """An order to be placed; `seen_total` is the total agreed to, at this address."""

    cart: Word
    email: Annotated[str, StringConstraints(max_length=254)]
    address: Address
    company: Company | None = None
    seen_total: Annotated[StrictInt, Field(ge=0, le=MOST)]
    currency: Annotated[str, StringConstraints(max_length=3)] | None = None  # in which the total was seen
    plan: Annotated[str, StringConstraints(max_length=40)] | None = None


class Part(BaseModel):
    """One payment of the plan; the parts add up to the total. `due`: now, ready, or the milestone that asks for it."""

    label: str
    amount: int
    due: str
    when: str = ""


class PlacedOrder(BaseModel):
    """An order and where to pay and see it."""

    number: str
    currency: str
    total: int
    tax: int
    tax_note: str  # what the law wants said where there is no VAT
    due_now: int
    schedule: list[Part]
    promised_from: date
    promised_by: date
    payment_url: str
    order_url: str
