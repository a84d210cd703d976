"""The words of the product language: every shape, its keys, what each takes, and what it is for.

`words` are a text, or a mapping of languages to texts: {en: Dial, fr: Cadran}.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "id",
    "name",
    "text",
    "words",
    "integer",
    "amount",
    "boolean",
    "scalar",
    "list",
    "mapping",
    "condition",
    "value",
    "json",
]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a shape; `shape` names what a list or mapping holds."""

    kind: Kind
    doc: str
    required: bool = False
    shape: str | None = None
    choices: tuple[str, ...] = ()


SHAPES: dict[str, dict[str, Key]] = {
    "product": {
        "product": Key("id", "the product's slug; never reused", required=True),
        "name": Key("words", "the name shown", required=True),
        "sentence": Key("words", "one line under the name"),
        "description": Key("words", "a paragraph or two"),
        "category": Key("id", "slug of the category", required=True),
        "currency": Key("text", "ISO 4217 code, such as EUR", required=True),
        "tax": Key("id", "its tax category, one the shop knows; that of its category when absent"),
        "kind": Key("text", "how it comes to be", choices=("made-to-order", "stock", "service")),
        "base": Key("mapping", "price, cost and days before any option", shape="base"),
        "supply": Key("mapping", "pieces in stock, numbered or not, days to send", shape="supply"),
        "attributes": Key("mapping", "facts of every design of this product, matched by other products"),
        "groups": Key("list", "the questions, in order", shape="group"),
        "rules": Key("list", "what fits what, with reasons", shape="rule"),
        "prices": Key("list", "surcharges and discounts after base and options, in order", shape="price"),
        "rounding": Key("integer", "minor units to which percentages are rounded, half up (default 1)"),
        "lead": Key("list", "days that come on top under a condition", shape="lead"),
        "parts": Key("list", "the bill of materials", shape="part"),
        "presets": Key("list", "named designs to start from", shape="preset"),
        "visual": Key("mapping", "3D model, bindings, pictures", shape="visual"),
        "picture": Key("text", "file name of a still picture"),
        "accessory": Key("id", "the kind of accessory this is, named by other products' fits"),
        "fits": Key("json", "mapping kind: attribute (what accessories are matched by), or a list of products it fits"),
        "renamed_from": Key("list", "earlier slugs"),
    },
    "base": {
        "price": Key("amount", "minor units, home VAT included"),
        "cost": Key("amount", "unit cost in minor units"),
        "lead_days": Key("integer", "days from order to delivery"),
        "margin_days": Key("integer", "how many days later it may be at most (default 0)"),
    },
    "supply": {
        "stock": Key("integer", "pieces to sell; absent when made to order"),
        "numbered": Key("boolean", "each piece carries its number"),
        "lead_days": Key("integer", "days to send it; base.lead_days when absent"),
    },
    "group": {
        "id": Key("id", "never reused", required=True),
        "label": Key("words", "shown", required=True),
        "phrase": Key("words", "its part of the sentence that describes a design, such as {value} dial"),
        "step": Key("words", "the heading under which it stands (default: the label)"),
        "sentence": Key("words", "a line of explanation"),
        "options": Key("list", "the values of a one-of or several group", shape="option"),
        "several": Key("mapping", "any number of options: at_least, at_most", shape="several"),
        "flag": Key("mapping", "yes or no, with what yes costs", shape="flag"),
        "integer": Key("mapping", "a whole number", shape="integer"),
        "date": Key("mapping", "a day among those available", shape="date"),
        "text": Key("mapping", "free words", shape="text"),
        "upload": Key("mapping", "a file of hers", shape="upload"),
        "repeated": Key("mapping", "a number of like parts, such as the stops of a journey", shape="repeated"),
        "groups": Key("list", "of a repeated group: the questions of one part", shape="group"),
        "rules": Key("list", "of a repeated group: within one part, and with the next one", shape="rule"),
        "prices": Key("list", "of a repeated group: for each part", shape="price"),
        "lead": Key("list", "of a repeated group: for each part", shape="lead"),
        "parts": Key("list", "of a repeated group: for each part", shape="part"),
        "needed_when": Key("condition", "otherwise the group has no answer"),
        "audience": Key("id", "only for these customers; everyone else gets its default, which costs nothing"),
        "renamed_from": Key("list", "earlier ids"),
    },
    "option": {
        "id": Key("id", "never reused", required=True),
        "label": Key("words", "shown", required=True),
        "sentence": Key("words", "a line of explanation"),
        "price": Key("amount", "added to the base"),
        "cost": Key("amount", "added to the unit cost"),
        "lead_days": Key("integer", "days; the longest of all options counts"),
        "attributes": Key("mapping", "facts that rules and other products look at"),
        "default": Key("boolean", "taken when nothing else was chosen"),
        "audience": Key("id", "only for these customers"),
        "swatch": Key("text", "a colour such as #9a5527, or a picture"),
        "retired": Key("boolean", "no longer chosen; kept for old designs"),
        "renamed_from": Key("list", "earlier ids"),
        "unpriced": Key("boolean", "the price is not known yet: cannot be published"),
    },
    "several": {
        "at_least": Key("integer", "how many at least"),
        "at_most": Key("integer", "how many at most"),
    },
    "flag": {
        "price": Key("amount", "added when yes"),
        "cost": Key("amount", "added when yes"),
        "lead_days": Key("integer", "days when yes"),
        "attributes": Key("mapping", "facts when yes"),
        "default": Key("boolean", "yes unless she says no"),
    },
    "integer": {
        "min": Key("integer", "the smallest", required=True),
        "max": Key("integer", "the largest", required=True),
        "step": Key("integer", "the distance between two numbers (default 1)"),
        "unit": Key("words", "shown after the number"),
        "default": Key("integer", "taken when nothing else was chosen (default: min)"),
    },
    "repeated": {
        "min": Key("integer", "how many parts at least", required=True),
        "max": Key("integer", "how many parts at most", required=True),
        "default": Key("integer", "how many when nothing else was chosen (default: min)"),
        "label": Key("words", "of one part, such as Stop {number}"),
    },
    "date": {
        "from": Key("text", "first day, such as 2026-05-01", required=True),
        "to": Key("text", "last day", required=True),
        "weekdays": Key("list", "only these: mon tue wed thu fri sat sun"),
        "except": Key("list", "days, or {from, to} spans, that are taken"),
        "default": Key("text", "taken when nothing else was chosen (default: the first day)"),
    },
    "text": {
        "max_length": Key("integer", "user-visible characters", required=True),
        "characters": Key("text", "letters digits space newline, and single characters, separated by spaces"),
        "min_length": Key("integer", "user-visible characters, when anything is written"),
    },
    "upload": {},
    "rule": {
        "id": Key("id", "named in explanations", required=True),
        "reason": Key("words", "in the owner's words", required=True),
        "if": Key("condition", "when this holds"),
        "then": Key("condition", "this must hold"),
        "never": Key("condition", "this must not hold"),
        "requires": Key("list", "the first needs all the others"),
        "excludes": Key("list", "no two of these together"),
        "allow": Key("list", "groups of a table whose rows are the only ones allowed"),
        "forbid": Key("list", "groups of a table whose rows are forbidden"),
        "rows": Key("list", "of the table: a value, a list of values, or any"),
        "of": Key("list", "conditions to count"),
        "sum": Key("list", "integer groups, group.attribute, or {of, times}"),
        "at_least": Key("integer", "of `of` or `sum`"),
        "at_most": Key("integer", "of `of` or `sum`"),
        "exactly": Key("integer", "of `of` or `sum`"),
        "compare": Key("list", "three: number, one of < <= = >= > !=, number"),
        "same": Key("list", "two group.attribute that must be equal"),
        "different": Key("list", "two group.attribute that must differ"),
        "distinct": Key("value", "a group or attribute of a repeated part, or a list of groups: no two alike"),
        "when": Key("condition", "of `of`, `sum` and `compare`: otherwise the rule says nothing"),
    },
    "price": {
        "id": Key("id", "named in the trace", required=True),
        "label": Key("words", "shown in the trace"),
        "when": Key("condition", "only when this holds"),
        "add": Key("amount", "added once, or for each character or unit"),
        "cost": Key("amount", "unit cost added alike"),
        "each_character_of": Key("name", "a text group, or that of every part: stops.note"),
        "each_of": Key("name", "an integer or several group, a repeated one, or that of every part: stops.nights"),
        "free": Key("integer", "characters or units without surcharge"),
        "percent": Key("integer", "basis points, negative for a discount"),
        "of": Key("value", "base, options, subtotal, or groups and rules by id"),
        "matrix": Key("list", "the groups of a table of amounts"),
        "rows": Key("list", "of the matrix: values, then the amount; the first that matches counts"),
        "once": Key("boolean", "once per order line, whatever its quantity"),
    },
    "lead": {
        "days": Key("integer", "added", required=True),
        "when": Key("condition", "only when this holds"),
    },
    "part": {
        "part": Key("id", "what is taken from stock", required=True),
        "quantity": Key("value", "a number, or {each_of: group, plus: number}"),
        "when": Key("condition", "only when this holds"),
    },
    "preset": {
        "id": Key("id", "never reused", required=True),
        "label": Key("words", "shown", required=True),
        "sentence": Key("words", "a line of explanation"),
        "choices": Key("mapping", "group: value", required=True),
        "texts": Key("mapping", "group: words"),
        "audience": Key("id", "only for these customers"),
    },
    "visual": {
        "model": Key("text", "file name of a glTF model"),
        "bindings": Key("text", "file name of its bindings"),
        "pictures": Key("list", "file names of still pictures"),
    },
    "fit": {
        "product": Key("id", "its slug, or any", required=True),
        "when": Key("mapping", "group or attribute of that product: value or list of values"),
        "same": Key("mapping", "own attribute: attribute of that product"),
    },
}

# keys of a shape that follow a pattern instead of a name
PATTERNS: dict[str, str] = {"price": r"from_[1-9][0-9]{0,5}"}

# the kinds of question: the key that makes it one, and the key that must stand beside it
GROUP_KINDS: dict[str, tuple[str, ...]] = {
    "several": ("options",),
    "flag": (),
    "integer": (),
    "date": (),
    "text": (),
    "upload": (),
    "repeated": ("groups",),
}
OF_PARTS = ("groups", "rules", "prices", "lead", "parts")  # of repeated groups only

# the forms of a rule or price, each with what must and what may stand beside it
_LIMITS = ("at_least", "at_most", "exactly")
RULE_FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "if": (("then",), ()),
    "never": ((), ()),
    "requires": ((), ()),
    "excludes": ((), ()),
    "allow": (("rows",), ()),
    "forbid": (("rows",), ()),
    "of": ((), (*_LIMITS, "when")),
    "sum": ((), (*_LIMITS, "when")),
    "compare": ((), ("when",)),
    "same": ((), ()),
    "different": ((), ()),
    "distinct": ((), ()),
}
PRICE_FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "each_character_of": ((), ("add", "cost", "free")),
    "each_of": ((), ("add", "cost", "free")),
    "percent": (("of",), ()),
    "matrix": (("rows",), ("once",)),
    "add": ((), ("cost", "once")),
}
