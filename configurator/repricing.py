"""The same product at the prices of another list: every amount of its file converted once, so that traces add up."""

from collections.abc import Iterator
from dataclasses import replace

from configurator.model import OptionGroup, PriceRule, Repricing
from configurator.product import ProductModel

BASE = "base"  # how the price before any option is named among those that are fixed


def repriced(model: ProductModel, by: Repricing) -> ProductModel:
    """The version at the prices of a list; costs stay as they are, in the currency of the file."""
    fixed = dict(by.fixed)
    return replace(
        model,
        currency=by.currency,
        base_price=fixed.get(BASE, by.of(model.base_price)),
        groups=tuple(_group(group, by, fixed) for group in model.groups),
        prices=tuple(_rule(rule, by, fixed) for rule in model.prices),
        rounding=by.step,
        repricing=by,
    )


def priced_paths(model: ProductModel) -> Iterator[str]:
    """What of a product a list may fix."""
    yield BASE
    for group in model.groups:
        yield from (f"{group.id}/{option.id}" for option in group.options)
    yield from (rule.id for rule in model.prices if rule.kind in ("add", "each", "each_character"))


def _group(group: OptionGroup, by: Repricing, fixed: dict[str, int]) -> OptionGroup:
    options = tuple(
        replace(option, price=fixed.get(f"{group.id}/{option.id}", by.of(option.price))) for option in group.options
    )
    return replace(group, options=options)


def _rule(rule: PriceRule, by: Repricing, fixed: dict[str, int]) -> PriceRule:
    if rule.kind == "percent":  # a share of amounts that are converted already
        return rule
    return replace(
        rule,
        amount=fixed.get(rule.id, by.of(rule.amount)),
        tiers=tuple((start, by.of(amount)) for start, amount in rule.tiers),
        amounts=tuple(by.of(amount) for amount in rule.amounts),
    )
