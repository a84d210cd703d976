"""Looks a model over before it is published: errors stop it, warnings are for the owner to judge."""

import time
from dataclasses import dataclass
from typing import Literal

from pysat.solvers import Solver

from configurator.analysis import domains_of
from configurator.choices import key, literals_of
from configurator.compile import Compiled
from configurator.engine import Domains, Engine
from configurator.live import Live
from configurator.model import PriceRule
from configurator.reasons import conflict, explain_conflict
from configurator.search import domains_under
from configurator.space import Space
from configurator.survey import survey

REDUNDANCY_SECONDS = 1.0
LISTED = 100  # findings of one kind that are told one by one


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before publishing; `rule` names the rule, price or group it is about."""

    severity: Literal["error", "warning"]
    rule: str | None
    message: str


def lint(c: Compiled, seconds: float = REDUNDANCY_SECONDS) -> tuple[Finding, ...]:
    """The findings, errors first; `seconds` of CPU time may go into looking for redundant rules."""
    found = [*_unpriced(c), *_price_cycles(c)]
    domains = domains_of(c, (), ())
    if domains is None:
        found.append(_void(c))
    else:
        found += _values(c, domains)
        found += _presets(c)
        found += _redundant(c, seconds)
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _unpriced(c: Compiled) -> list[Finding]:
    return [
        Finding("error", None if name == "base" else name, f"{name} has no price; it cannot be published")
        for name in c.model.unpriced
    ]


def _price_cycles(c: Compiled) -> list[Finding]:
    rules = {rule.id: rule for rule in c.model.prices}
    needs = {rule.id: _needs(rule, c) for rule in c.model.prices}
    done: set[str] = set()
    while ready := [name for name in rules if name not in done and not needs[name] - done]:
        done.update(ready)
    circle = [name for name in rules if name not in done]
    if not circle:
        return []
    return [Finding("error", circle[0], f"prices wait for each other: {', '.join(circle)}")]


def _needs(rule: PriceRule, c: Compiled) -> set[str]:
    names = {other.id for other in c.model.prices}
    needed = {name for name in rule.of if name in names}
    if "subtotal" in rule.of:
        needed |= {other.id for other in c.model.prices[: c.model.prices.index(rule)]}
    return needed


def _void(c: Compiled) -> Finding:
    conflict = explain_conflict(c, {}, ())
    rules = ", ".join(f"{rule.id} ({rule.reason})" if rule.reason else rule.id for rule in conflict.rules)
    if not rules:
        return Finding("error", None, "no design is valid: the groups' own numbers contradict each other")
    return Finding("error", conflict.rules[0].id, f"no design is valid: these rules contradict each other: {rules}")


def _values(c: Compiled, domains: Domains) -> list[Finding]:
    found = []
    for group, code in zip(c.model.groups, c.space.groups, strict=True):
        possible = [
            value
            for value, literal in zip(code.values, code.literals, strict=True)
            if (domains.true if literal > 0 else domains.false) >> abs(literal) & 1
        ]
        retired = {option.id for option in group.options if option.retired}
        name = {"integer": "number", "date": "day"}.get(group.kind, "option")
        dead = [value for value in code.values if value not in possible and str(value) not in retired]
        if len(dead) > 5:
            found.append(Finding("warning", group.id, f"{len(dead)} values of {group.id} can never be chosen"))
        else:
            found += [
                Finding(
                    "warning", f"{group.id}.{key(value)}", f"{name} {key(value)!r} of {group.id} can never be chosen"
                )
                for value in dead
            ]
        if code.kind == "several":
            always = [v for v, x in zip(code.values, code.literals, strict=True) if not domains.false >> x & 1]
            found += [
                Finding("warning", f"{group.id}.{value}", f"option {value!r} of {group.id} is part of every design")
                for value in always
            ]
        elif len(possible) == 1 and len(code.values) > 1:
            found.append(Finding("warning", group.id, f"{group.id} has one value left: {key(possible[0])!r}"))
    return found


def _presets(c: Compiled) -> list[Finding]:
    found = []
    for preset in c.model.presets:
        with c.live.engine() as engine:
            if not engine.holds(literals_of(c, preset.choices)):
                found.append(Finding("warning", preset.id, f"preset {preset.id!r} is not a valid design"))
    return found


def _redundant(c: Compiled, seconds: float) -> list[Finding]:
    """Rules that the other rules already say: each is left out in turn, and tried to be broken."""
    space = c.space
    started = time.thread_time()
    found: list[Finding] = []
    first = space.variables + 1
    own: dict[int, list[tuple[int, ...]]] = {}
    with Solver(name="minisat22") as solver:
        for clause, owner in zip(space.clauses, space.owners, strict=True):
            solver.add_clause(clause if owner < 0 else (*clause, -(first + owner)))
            if owner >= 0:
                own.setdefault(owner, []).append(clause)
        owners = sorted(own)
        for checked, owner in enumerate(owners):
            if time.thread_time() - started > seconds:
                rest = f"checked {checked} of {len(owners)} rules for redundancy in the time given"
                return [*found, Finding("warning", None, rest)]
            if any(abs(literal) > space.tracked for clause in own[owner] for literal in clause):
                continue  # its auxiliary variables mean nothing without it
            others = [first + other for other in owners if other != owner]
            if not any(solver.solve(assumptions=[*others, *(-x for x in clause)]) for clause in own[owner]):
                rule = space.rules[owner]
                found.append(Finding("warning", rule, f"rule {rule!r} says nothing that the other rules do not"))
    return found


def lint_space(space: Space, engine: Engine) -> tuple[Finding, ...]:
    """The findings of a model from elsewhere, which has groups and rules but no prices."""
    domains = domains_under(engine, ())
    if domains is None:
        found = conflict(Live(space), (), ())
        names = ", ".join(space.rules[index] for index in (found[1] if found else ())[:20])
        return (Finding("error", None, f"no design is valid: these rules contradict each other: {names}"),)
    facts = survey(space, engine)
    named = facts.dead[:LISTED]
    findings = [Finding("warning", group, f"{value} of {group} can never be chosen") for group, value in named]
    if len(facts.dead) > LISTED:
        findings.append(Finding("warning", None, f"{len(facts.dead) - LISTED} further values can never be chosen"))
    if facts.core:
        findings.append(Finding("warning", None, f"{len(facts.core)} values are part of every design"))
    return tuple(findings)
