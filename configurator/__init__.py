"""What can be chosen, what fits and what it costs: pure Python over python-sat, no web, no database."""

from pathlib import Path

from configurator.analysis import Analysis, Conflict, GroupState, ValueState, analyse
from configurator.catalogue import load, parse
from configurator.categories import Category, categories, category
from configurator.choices import check_choices, check_texts, from_form
from configurator.codes import Carried, Change
from configurator.compile import Compiled, compile_model
from configurator.completion import Bounds, bounds, complete, from_price
from configurator.contrast import Contrast, DifferentAmount, DifferentAnswer, difference
from configurator.counting import count
from configurator.differences import Difference, differences
from configurator.errors import ChoiceError, ModelError, NotKnownInTime, TextError, Unsatisfiable
from configurator.fitting import attributes, binding, concerns, fit, fits, match
from configurator.lint import Finding, lint
from configurator.model import (
    Choices,
    ChoiceValue,
    Option,
    OptionGroup,
    Preset,
    Repricing,
    Supply,
    Texts,
    Visual,
)
from configurator.nesting import Nested, flatten, nest, nested_changes, rearranged
from configurator.pricing import LeadTime, Price, PriceLine, bill_of_materials, lead_time, price, unit_cost
from configurator.product import ProductModel
from configurator.reasons import Explanation, RuleReason, explain
from configurator.repairs import Repair, repairs
from configurator.repricing import priced_paths
from configurator.schema import product_schema
from configurator.wording import Described, describe, design_hash, sentence

PRODUCTS = Path(__file__).parent / "products"  # the owner's product files

__all__ = [
    "PRODUCTS",
    "Analysis",
    "Bounds",
    "Carried",
    "Category",
    "Change",
    "ChoiceError",
    "ChoiceValue",
    "Choices",
    "Compiled",
    "Conflict",
    "Contrast",
    "Described",
    "Difference",
    "DifferentAmount",
    "DifferentAnswer",
    "Explanation",
    "Finding",
    "GroupState",
    "LeadTime",
    "ModelError",
    "Nested",
    "NotKnownInTime",
    "Option",
    "OptionGroup",
    "Preset",
    "Price",
    "PriceLine",
    "ProductModel",
    "Repair",
    "Repricing",
    "RuleReason",
    "Supply",
    "TextError",
    "Texts",
    "Unsatisfiable",
    "ValueState",
    "Visual",
    "analyse",
    "attributes",
    "bill_of_materials",
    "binding",
    "bounds",
    "categories",
    "category",
    "check_choices",
    "check_texts",
    "compile_model",
    "complete",
    "concerns",
    "count",
    "describe",
    "design_hash",
    "difference",
    "differences",
    "explain",
    "fit",
    "fits",
    "flatten",
    "from_form",
    "from_price",
    "lead_time",
    "lint",
    "load",
    "match",
    "nest",
    "nested_changes",
    "parse",
    "price",
    "priced_paths",
    "product_schema",
    "rearranged",
    "repairs",
    "sentence",
    "unit_cost",
]
