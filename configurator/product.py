"""A product model as a whole: read from one document, frozen, hashed by its content, kept as a row and read back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from configurator.cursor import MAIN, Cursor, Tongue
from configurator.errors import ModelError
from configurator.model import (
    Attribute,
    FitRule,
    LeadRule,
    OptionGroup,
    PartRule,
    Preset,
    PriceRule,
    ProductKind,
    Repricing,
    Rule,
    Supply,
    Visual,
)
from configurator.names import Names
from configurator.reading_parts import read_groups
from configurator.reading_prices import read_lead, read_parts, read_prices
from configurator.reading_rules import read_rules
from configurator.reading_starts import read_fits, read_presets
from configurator.yaml_tree import Node, from_plain


@dataclass(frozen=True, slots=True)
class ProductModel:
    """One immutable version of a product."""

    slug: str
    name: str
    sentence: str
    description: str
    category: str
    currency: str
    kind: ProductKind
    groups: tuple[OptionGroup, ...]
    rules: tuple[Rule, ...]
    prices: tuple[PriceRule, ...]
    parts: tuple[PartRule, ...]
    lead_rules: tuple[LeadRule, ...]
    presets: tuple[Preset, ...]
    visual: Visual | None
    picture: str | None
    supply: Supply
    base_price: int
    base_cost: int
    margin_days: int
    rounding: int
    attributes: Mapping[str, Attribute]
    fits_rules: tuple[FitRule, ...]
    fits_by: Mapping[str, str]
    accessory: str | None
    renamed_from: tuple[str, ...]
    unpriced: tuple[str, ...]
    version: str
    document: str = field(repr=False)
    source_text: str = field(repr=False)
    source: str = field(default="", compare=False)
    language: str = MAIN
    tax: str | None = None  # its tax category, when not that of its category
    repricing: Repricing | None = None  # at the prices of which list, when not those of its file
    languages: tuple[str, ...] = ()  # in which some text stands

    @property
    def configurable(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self.groups)

    def group(self, group_id: str) -> OptionGroup | None:
        """The group of that id, or None."""
        return next((group for group in self.groups if group.id == group_id), None)

    @property
    def audiences(self) -> frozenset[str]:
        """For whom something of this product is private."""
        named = [option.audience for group in self.groups for option in group.options]
        named += [group.audience for group in self.groups]
        named += [preset.audience for preset in self.presets]
        return frozenset(audience for audience in named if audience)

    def presets_for(self, audiences: frozenset[str]) -> tuple[Preset, ...]:
        """The named designs that somebody of these audiences knows."""
        return tuple(preset for preset in self.presets if not preset.audience or preset.audience in audiences)

    def in_language(self, language: str) -> "ProductModel":
        """The same version with its texts in a language; those that do not stand in it as they are."""
        return build(from_plain(json.loads(self.document), 1), self.source_text, self.source, language)

    def to_json(self) -> str:
        """The version as one row keeps it."""
        row = {"format": 1, "document": json.loads(self.document), "source_text": self.source_text}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "ProductModel":
        """The identical version from what `to_json` wrote.

        Raises:
            ModelError: the text is not a version.
        """
        try:
            row = json.loads(text)
            document, source_text = row["document"], row["source_text"]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError("version", 1, f"this is not a published version: {error}") from None
        return build(from_plain(document, 1), str(source_text), "version")


def build(node: Node, source_text: str, source: str, language: str = MAIN) -> ProductModel:
    """The product model of one document.

    Raises:
        ModelError: naming file, line, id and what was meant.
    """
    tongue = Tongue(language)
    top = Cursor(node, "product", source, "the product", tongue)
    top.where = f"product {top.text('product')!r}"
    document = json.dumps(node.plain(), ensure_ascii=False, separators=(",", ":"))
    canonical = json.dumps(node.plain(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    plain, needs = read_groups(top)
    names = Names({group.id: group for group in plain}, source, frozenset(needs))
    groups = names.with_needs(needs)
    prices = read_prices(top, names)
    base = top.inner("base") if top.has("base") else Cursor(Node({}, node.line), "base", source, top.where, tongue)
    fits_rules, fits_by = read_fits(top)
    return ProductModel(
        slug=top.text("product"),
        name=top.text("name"),
        sentence=top.text("sentence"),
        description=top.text("description"),
        category=top.text("category"),
        currency=_currency(top),
        kind=_kind(top),
        groups=groups,
        rules=read_rules(top, names),
        prices=prices,
        parts=read_parts(top, names),
        lead_rules=read_lead(top, names),
        presets=read_presets(top, names),
        visual=_visual(top),
        picture=top.text("picture") or None,
        supply=_supply(top, base.integer("lead_days", low=0)),
        base_price=base.integer("price", low=0),
        base_cost=base.integer("cost", low=0),
        margin_days=base.integer("margin_days", low=0),
        rounding=top.integer("rounding", 1, low=1),
        attributes=top.scalars("attributes"),
        fits_rules=fits_rules,
        fits_by=fits_by,
        accessory=top.text("accessory") or None,
        renamed_from=top.texts("renamed_from"),
        tax=top.text("tax") or None,
        unpriced=_unpriced(base, groups),
        version=hashlib.sha256(canonical.encode()).hexdigest()[:16],
        document=document,
        source_text=source_text,
        source=source,
        language=language,
        languages=tuple(sorted(tongue.found)),
    )


def _currency(top: Cursor) -> str:
    currency = top.text("currency")
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise top.refuse(f"{top.where}: currency must be three capitals, not {currency!r}", top.items["currency"])
    return currency


def _kind(top: Cursor) -> ProductKind:
    kind = top.text("kind")
    if kind == "service":
        return "service"
    if kind == "stock" or (not kind and top.has("supply")):
        return "stock"
    return "made-to-order"


def _supply(top: Cursor, lead_days: int) -> Supply:
    if not top.has("supply"):
        return Supply(stock=None, numbered=False, lead_days=lead_days)
    supply = top.inner("supply")
    return Supply(
        stock=supply.maybe_integer("stock", low=0),
        numbered=supply.boolean("numbered"),
        lead_days=supply.integer("lead_days", lead_days, low=0),
    )


def _visual(top: Cursor) -> Visual | None:
    if not top.has("visual"):
        return None
    visual = top.inner("visual")
    return Visual(
        model=visual.text("model") or None,
        bindings=visual.text("bindings") or None,
        pictures=visual.texts("pictures"),
    )


def _unpriced(base: Cursor, groups: tuple[OptionGroup, ...]) -> tuple[str, ...]:
    """What has no price yet: the base, or options the owner marked so."""
    missing = [] if base.has("price") else ["base"]
    missing += [f"{group.id}.{option.id}" for group in groups for option in group.options if option.unpriced]
    return tuple(missing)
