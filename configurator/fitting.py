"""What fits what: an accessory's own choices for a design of another product, by the attributes of both."""

from collections.abc import Mapping

from configurator.analysis import Analysis, analyse
from configurator.choices import completion_of, decode
from configurator.compile import Compiled
from configurator.completion import complete
from configurator.model import Answers, Attribute, Choices, ChoiceValue, FitRule
from configurator.pricing import chosen_options
from configurator.product import ProductModel

ANY = "any"


def attributes(c: Compiled, choices: Answers) -> dict[str, Attribute]:
    """The facts of a design: the product's own and those of every option of the default completion.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    return _attributes(c, decode(c, completion_of(c, choices), choices))


def _attributes(c: Compiled, values: Mapping[str, ChoiceValue]) -> dict[str, Attribute]:
    found = dict(c.model.attributes)
    for _, option in chosen_options(c, values):
        found.update(option.attributes)
    return found


def _facts(c: Compiled, choices: Answers) -> dict[str, list[Attribute]]:
    """Attributes and, by group id, the values of a design: what a fit rule's `when` may look at."""
    values = decode(c, completion_of(c, choices), choices)
    facts: dict[str, list[Attribute]] = {}
    for group, value in values.items():
        if isinstance(value, list):
            facts[group] = [item for item in value if isinstance(item, str)]
        else:
            facts[group] = [("true" if value else "false") if isinstance(value, bool) else value]
    for name, fact in _attributes(c, values).items():
        facts.setdefault(name, []).append(fact)
    return facts


def concerns(accessory: ProductModel | Compiled, slug: str) -> bool:
    """Whether the accessory states a fit rule for that product (or for any)."""
    model = accessory.model if isinstance(accessory, Compiled) else accessory
    return model.accessory is not None or any(rule.product in (slug, ANY) for rule in model.fits_rules)


def _rules_for(accessory: Compiled, other: Compiled) -> list[FitRule] | None:
    """The rules that speak about the other product; None when nothing at all is said."""
    model, met = accessory.model, other.model
    rules = [rule for rule in model.fits_rules if rule.product in (met.slug, ANY)]
    if model.accessory is not None and model.accessory in met.fits_by:
        attribute = met.fits_by[model.accessory]
        rules.append(FitRule(met.slug, {}, {} if attribute == ANY else {attribute: attribute}))
    if not model.fits_rules and model.accessory is None:
        return None
    return rules


def fit(accessory: Compiled, other: Compiled, other_choices: Answers) -> Choices | None:
    """The choices that make the accessory fit the design: {} when anything goes, None when it cannot fit."""
    rules = _rules_for(accessory, other)
    if rules is None:
        return {}
    facts = _facts(other, other_choices)
    for rule in rules:
        found = _choices_for(accessory, rule, facts)
        if found is not None:
            return found
    return None


def _choices_for(accessory: Compiled, rule: FitRule, facts: Mapping[str, list[Attribute]]) -> Choices | None:
    for name, wanted in rule.when.items():
        if not set(wanted) & set(facts.get(name, [])):
            return None
    chosen: Choices = {}
    for own, theirs in rule.same.items():
        if theirs not in facts:
            return None
        if own in accessory.model.attributes:
            if accessory.model.attributes[own] not in facts[theirs]:
                return None
            continue
        narrowed = _choose(accessory, own, facts[theirs], chosen)
        if narrowed is None:
            return None
        chosen = narrowed
    return chosen if isinstance(analyse(accessory, chosen), Analysis) else None


def _choose(accessory: Compiled, attribute: str, wanted: list[Attribute], chosen: Answers) -> Choices | None:
    """The choices with the first option, in order, that carries one of the wanted facts and is possible."""
    state = analyse(accessory, chosen)
    if not isinstance(state, Analysis):
        return None
    possible = {(g.id, v.id) for g in state.groups for v in g.values if v.state != "impossible"}
    carried = False
    for group in accessory.model.groups:
        if group.kind != "one" or group.id in chosen:
            continue
        for option in group.options:
            if attribute in option.attributes and not option.audience:
                carried = True
                if option.attributes[attribute] in wanted and (group.id, option.id) in possible:
                    return {**chosen, group.id: option.id}
    values = state.completion
    has = _attributes(accessory, values).get(attribute)
    return dict(chosen) if not carried and has in wanted else None


def fits(accessory: Compiled, accessory_choices: Answers, other: Compiled, other_choices: Answers) -> bool:
    """Whether this design of the accessory fits that design of the other product."""
    return _rules_for(accessory, other) is None or bool(binding(accessory, accessory_choices, other, other_choices))


def binding(accessory: Compiled, accessory_choices: Answers, other: Compiled, other_choices: Answers) -> FitRule | None:
    """The first of its rules by which this design of the accessory fits that design; None when none does."""
    facts = _facts(other, other_choices)
    own = attributes(accessory, accessory_choices)
    for rule in _rules_for(accessory, other) or ():
        if all(set(wanted) & set(facts.get(name, [])) for name, wanted in rule.when.items()) and all(
            mine in own and own[mine] in facts.get(theirs, []) for mine, theirs in rule.same.items()
        ):
            return rule
    return None


def match(
    accessory: Compiled,
    other: Compiled,
    other_choices: Answers,
    weights: Mapping[tuple[str, str], float] | None = None,
) -> Choices | None:
    """The accessory made to fit the design and to go with it; None when it cannot fit.

    Attributes that both know (the metal, the leather) are made equal where that is possible, group by group; what is
    then still open follows the weights, if any are given.
    """
    chosen = fit(accessory, other, other_choices)
    if chosen is None:
        return None
    theirs = attributes(other, other_choices)
    for group in accessory.model.groups:
        if group.kind != "one" or group.id in chosen:
            continue
        state = analyse(accessory, chosen)
        assert isinstance(state, Analysis)
        possible = {v.id for g in state.groups if g.id == group.id for v in g.values if v.state != "impossible"}
        for option in group.options:
            shared = [name for name in option.attributes if name in theirs]
            agrees = bool(shared) and all(option.attributes[name] == theirs[name] for name in shared)
            if agrees and option.id in possible and not option.audience:
                chosen = {**chosen, group.id: option.id}
                break
    ordered = {group.id: chosen[group.id] for group in accessory.model.groups if group.id in chosen}
    return complete(accessory, ordered, "taste", weights) if weights else ordered
