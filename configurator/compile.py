"""Compiles a product model: groups to literals, rules to clauses, once, into something immutable and picklable."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from configurator.conditions import Value, groups_of
from configurator.encoding import Encoder
from configurator.formula import Disj, negate
from configurator.live import Live
from configurator.model import Option, OptionGroup, Repricing, Table
from configurator.product import ProductModel
from configurator.repricing import repriced
from configurator.space import Space, SpaceBuilder, SpaceGroup


@dataclass(frozen=True, eq=False)
class Compiled:
    """A product model ready to answer."""

    model: ProductModel
    space: Space

    def __getstate__(self) -> dict[str, object]:
        return {"model": self.model, "space": self.space}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

    @cached_property
    def live(self) -> Live:
        """Solvers and memos; grown on use, never part of the compiled model."""
        return Live(self.space)

    @cached_property
    def tongues(self) -> dict[str, "Compiled"]:
        """The same product in other languages, as asked for."""
        return {}

    def in_language(self, language: str) -> "Compiled":
        """The same product with its words in a language, as far as they stand in it; solvers and memos are shared."""
        if language == self.model.language or language not in self.model.languages:
            return self
        if language not in self.tongues:
            model = self.model.in_language(language)
            if self.model.repricing is not None:
                model = repriced(model, self.model.repricing)
            other = Compiled(model, self.space)
            other.__dict__["live"] = self.live
            self.tongues[language] = other
        return self.tongues[language]

    def at_prices(self, prices: Repricing) -> "Compiled":
        """The same product at the prices of a list; solvers are shared."""
        other = Compiled(repriced(self.model, prices), self.space)
        other.__dict__["live"] = self.live.at_other_prices()
        return other

    @cached_property
    def codes(self) -> dict[str, SpaceGroup]:
        """Group id → the group as the solver sees it."""
        return {group.id: group for group in self.space.groups}

    @cached_property
    def literals(self) -> dict[str, dict[Value, int]]:
        """Group id → value → literal."""
        return {group.id: dict(zip(group.values, group.literals, strict=True)) for group in self.space.groups}

    @cached_property
    def shown(self) -> dict[str, dict[int, Value]]:
        """Group id → the group's bits in a design → the one value they show."""
        return {
            group.id: {1 << literal if literal > 0 else 0: value for value, literal in self.literals[group.id].items()}
            for group in self.space.groups
        }

    @cached_property
    def options(self) -> dict[str, dict[Value, Option]]:
        """Group id → value → its option; a flag's true and false are its two options."""
        return {
            group.id: {(option.id == "true" if group.kind == "flag" else option.id): option for option in group.options}
            for group in self.model.groups
        }

    @cached_property
    def labels(self) -> dict[str, str]:
        """Group id → label."""
        return {group.id: group.label for group in self.model.groups}

    @cached_property
    def private(self) -> tuple[tuple[str, int], ...]:
        """Audience and literal of every private option, and of what a private group holds beside its default."""
        options = [
            (option.audience, self.literals[group.id][option.id])
            for group in self.model.groups
            for option in group.options
            if option.audience
        ]
        groups = [
            (group.audience, literal)
            for group in self.model.groups
            if group.audience
            for value, literal in self.literals[group.id].items()
            if value != (False if group.kind == "upload" else group.default)
        ]
        return tuple(dict.fromkeys((*options, *groups)))


def compile_model(model: ProductModel) -> Compiled:
    """The compiled model.

    Raises:
        ModelError: a rule is too large to compile, saying what to change.
    """
    builder = SpaceBuilder()
    encoder = Encoder(builder, model.source or model.slug)
    for group in model.groups:
        _variables(group, builder, encoder)
    needs = {group.id: builder.new() for group in model.groups if group.needed_when is not None}
    tracked = builder.tracked = builder.variables
    for group in model.groups:
        if group.needed_when is not None:
            formula = encoder.formula(group.needed_when)
            builder.require(Disj((-needs[group.id], formula)))
            builder.require(Disj((needs[group.id], negate(formula))))
    parts = _Parts(builder, encoder, needs, _depths(model.groups), [])
    groups = tuple(_structure(group, parts) for group in model.groups)
    _rules(model, builder, encoder)
    space = Space(
        groups=groups,
        variables=builder.variables,
        tracked=tracked,
        clauses=tuple(builder.clauses),
        owners=tuple(builder.owners),
        rules=tuple(rule.id for rule in model.rules),
        conditional=tuple(parts.conditional),
        inert=frozenset(builder.inert),
        diagrams=tuple(builder.diagrams),
        diagram_owners=tuple(builder.diagram_owners),
        linears=tuple(builder.linears),
    )
    return Compiled(model, space)


def values_of(group: OptionGroup) -> tuple[Value, ...]:
    """Every value a group can take, in order."""
    if group.kind in ("one", "several"):
        return tuple(option.id for option in group.options)
    if group.kind in ("flag", "upload"):
        return (True, False)
    if group.kind == "integer":
        return tuple(group.numbers())
    return group.dates


def _variables(group: OptionGroup, builder: SpaceBuilder, encoder: Encoder) -> None:
    values = values_of(group)
    if group.kind in ("flag", "upload") and group.needed_when is None:
        yes = builder.new()
        encoder.literals[group.id] = {True: yes, False: -yes}
    else:
        encoder.literals[group.id] = {value: builder.new() for value in values}
    by_option = {option.id: dict(option.attributes) for option in group.options}
    if group.kind == "flag":
        by_option = {True: by_option["true"]}  # type: ignore[dict-item]
    encoder.attributes[group.id] = by_option  # type: ignore[assignment]
    if group.kind == "upload":
        encoder.answered[group.id] = encoder.literals[group.id][True]
    elif group.kind == "several":
        encoder.many.add(group.id)
    elif group.kind != "text" and group.needed_when is None:
        encoder.always_answered.add(group.id)


@dataclass
class _Parts:
    """What the structure of the groups is put together with."""

    builder: SpaceBuilder
    encoder: Encoder
    needs: dict[str, int]
    depths: dict[str, int]
    conditional: list[tuple[int, int, int]]

    def if_needed(self, needed: int, literal: int) -> int:
        """A literal equivalent to "not needed, or the literal"."""
        if not needed:
            return literal
        name = self.builder.new()
        self.builder.inert.add(name)
        self.builder.add(-name, -needed, literal)
        self.builder.add(name, needed)
        self.builder.add(name, -literal)
        self.conditional.append((name, needed, literal))
        return name


def _depths(groups: tuple[OptionGroup, ...]) -> dict[str, int]:
    depths = {group.id: 0 for group in groups}
    for _ in groups:
        for group in groups:
            if group.needed_when is not None:
                depths[group.id] = 1 + max((depths[name] for name in groups_of(group.needed_when)), default=0)
    return depths


def _structure(group: OptionGroup, parts: _Parts) -> SpaceGroup:
    builder, known = parts.builder, parts.encoder.literals[group.id]
    needed, depth = parts.needs.get(group.id, 0), parts.depths[group.id]
    values, literals = tuple(known), tuple(known.values())
    if group.kind == "several":
        unless = (-needed,) if needed else ()
        for literal in literals if needed else ():
            builder.add(-literal, needed)
        builder.count(literals, group.minimum, group.maximum, unless)
        wishes = tuple(known[option.id] if option.default else -known[option.id] for option in group.options)
        defaults = tuple(parts.if_needed(needed, wish) for wish in wishes)
    elif len(literals) == 2 and literals[0] == -literals[1]:
        return SpaceGroup(group.id, "flag", values, literals, 0, (known[bool(group.default)],))
    else:
        if literals:
            builder.add(*literals, *((-needed,) if needed else ()))
            builder.exclusive(literals)
            for literal in literals if needed else ():
                builder.add(-literal, needed)
        default = False if group.kind in ("flag", "upload") and group.default is None else group.default
        wanted = known.get(default) if isinstance(default, str | int) else None
        defaults = () if wanted is None else (parts.if_needed(needed, wanted),)
    for option in group.options:
        if option.retired:
            builder.add(-known[option.id])
    kind: Literal["one", "several"] = "several" if group.kind == "several" else "one"
    return SpaceGroup(group.id, kind, values, literals, needed, defaults, depth)


def _rules(model: ProductModel, builder: SpaceBuilder, encoder: Encoder) -> None:
    """Tables over the same groups are read together: a combination that one of them allows is allowed."""
    tables: dict[frozenset[str], list[int]] = defaultdict(list)
    for index, rule in enumerate(model.rules):
        if isinstance(rule.form, Table) and rule.form.allowed:
            tables[frozenset(rule.form.groups)].append(index)
        else:
            builder.owner = index
            encoder.rule(rule)
    for indices in tables.values():
        forms = [form for form in (model.rules[i].form for i in indices) if isinstance(form, Table)]
        groups = forms[0].groups
        rows = []
        for form in forms:
            order = [form.groups.index(group) for group in groups]
            rows += [tuple(row[i] for i in order) for row in form.rows]
        builder.owner = indices[0]
        encoder.allow(groups, rows)
    builder.owner = -1
