"""A second, naive reading of the language: every design enumerated, every rule and price evaluated straight from the
owner's words. It shares no code with the configurator but the YAML parser's plain data."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

Design = dict[str, Any]


class Oracle:
    """Everything there is to know about a small model, by looking at each of its designs."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.doc = document
        self.groups: list[dict[str, Any]] = document.get("groups", [])
        self.by_id = {group["id"]: group for group in self.groups}
        self.designs = [design for design in self._all() if self._valid(design)]

    # --- groups

    def values(self, group: dict[str, Any]) -> list[Any]:
        """Answers of a group, a several group's as frozensets."""
        if "flag" in group:
            return [True, False]
        if "integer" in group:
            spec = group["integer"]
            return list(range(spec["min"], spec["max"] + 1, spec.get("step", 1)))
        ids = [option["id"] for option in group["options"]]
        if "several" in group:
            low, high = group["several"].get("at_least", 0), group["several"].get("at_most", len(ids))
            return [frozenset(some) for n in range(low, high + 1) for some in combinations(ids, n)]
        return ids

    def _all(self) -> Iterator[Design]:
        spaces = []
        for group in self.groups:
            space = self.values(group)
            spaces.append([*space, None] if "needed_when" in group else space)
        for answers in product(*spaces):
            design = {g["id"]: a for g, a in zip(self.groups, answers, strict=True) if a is not None}
            if all(
                (g["id"] in design) == self.holds(g["needed_when"], design) for g in self.groups if "needed_when" in g
            ):
                yield design

    # --- conditions and rules

    def holds(self, condition: dict[str, Any], design: Design) -> bool:
        return all(self._part(name, spec, design) for name, spec in condition.items())

    def _part(self, name: str, spec: Any, design: Design) -> bool:
        if name == "all":
            return all(self.holds(part, design) for part in spec)
        if name == "any":
            return any(self.holds(part, design) for part in spec)
        if name == "not":
            return not self.holds(spec, design)
        group, _, attribute = name.partition(".")
        if attribute:
            found = [value for value in self.carried(group, attribute, design) if self._says(spec, value)]
            return bool(found)
        if group not in design:
            return bool(spec == "none")
        answer = design[group]
        if isinstance(answer, frozenset):
            wanted = spec if isinstance(spec, list) else [spec]
            return any(item in answer for item in wanted)
        return self._says(spec, answer)

    def _says(self, spec: Any, value: Any) -> bool:
        if isinstance(spec, dict):
            if "not" in spec:
                excluded = spec["not"] if isinstance(spec["not"], list) else [spec["not"]]
                return value not in excluded
            return bool(spec.get("at_least", value) <= value <= spec.get("at_most", value))
        return value in spec if isinstance(spec, list) else value == spec

    def chosen(self, group: str, design: Design) -> list[dict[str, Any]]:
        """The options that a design holds in a group."""
        answer = design.get(group)
        options = self.by_id[group].get("options", [])
        if isinstance(answer, frozenset):
            return [option for option in options if option["id"] in answer]
        return [option for option in options if option["id"] == answer]

    def carried(self, group: str, attribute: str, design: Design) -> list[Any]:
        return [o["attributes"][attribute] for o in self.chosen(group, design) if attribute in o.get("attributes", {})]

    def _valid(self, design: Design) -> bool:
        tables: dict[frozenset[str], list[bool]] = {}
        for rule in self.doc.get("rules", []):
            if "allow" in rule:
                speaks = all(group in design for group in rule["allow"])
                allowed = not speaks or any(self._row(rule["allow"], row, design) for row in rule["rows"])
                tables.setdefault(frozenset(rule["allow"]), []).append(allowed)
            elif not self._rule(rule, design):
                return False
        return all(any(allowed) for allowed in tables.values())

    def _row(self, groups: list[str], row: list[Any], design: Design) -> bool:
        return all(g in design and (c == "any" or self._says(c, design[g])) for g, c in zip(groups, row, strict=False))

    def _rule(self, rule: dict[str, Any], design: Design) -> bool:
        if "if" in rule:
            return not self.holds(rule["if"], design) or self.holds(rule["then"], design)
        if "never" in rule:
            return not self.holds(rule["never"], design)
        if "requires" in rule:
            first, *others = rule["requires"]
            return not self.holds(first, design) or all(self.holds(other, design) for other in others)
        if "excludes" in rule:
            return sum(self.holds(part, design) for part in rule["excludes"]) <= 1
        if "forbid" in rule:
            return not any(self._row(rule["forbid"], row, design) for row in rule["rows"])
        if "of" in rule:
            return self._within(rule, sum(self.holds(part, design) for part in rule["of"]))
        if "sum" in rule:
            return self._within(rule, sum(self._number(term, design) for term in rule["sum"]))
        if "compare" in rule:
            left, sign, right = rule["compare"]
            a, b = self._number(left, design), self._number(right, design)
            return {
                "<": a < b, "<=": a <= b, "=": a == b, "==": a == b, ">=": a >= b, ">": a > b, "!=": a != b,
            }[sign]  # fmt: skip
        left, right = rule.get("same") or rule["different"]
        ours, theirs = self._fact(left, design), self._fact(right, design)
        if not ours or not theirs:
            return True
        return (ours == theirs) == ("same" in rule)

    def _fact(self, name: str, design: Design) -> list[Any]:
        group, _, attribute = name.partition(".")
        return self.carried(group, attribute, design) if attribute else [design[group]] if group in design else []

    def _number(self, term: Any, design: Design) -> int:
        if isinstance(term, int):
            return term
        if isinstance(term, dict):
            return int(term.get("times", 1)) * self._number(term["of"], design)
        return sum(self._fact(term, design))

    def _within(self, rule: dict[str, Any], number: int) -> bool:
        if "exactly" in rule:
            return bool(number == rule["exactly"])
        return bool(rule.get("at_least", number) <= number <= rule.get("at_most", number))

    # --- choices

    def agrees(self, design: Design, choices: Design, aside: tuple[str, Any] | None = None) -> bool:
        """Whether a design holds the choices; `aside` is the (group, value) whose own choice does not count."""
        for group, value in choices.items():
            answer = design.get(group)
            if isinstance(answer, frozenset) or "several" in self.by_id[group]:
                wanted, held = frozenset(value), answer if answer is not None else frozenset()
                difference = wanted ^ held
                if difference - ({aside[1]} if aside and aside[0] == group else set()):
                    return False
            elif answer != value and not (aside and aside[0] == group):
                return False
        return True

    def with_value(self, group: str, value: Any, choices: Design) -> list[Design]:
        """The designs that have the value, its own choice set aside."""
        several = "several" in self.by_id[group]
        return [
            design
            for design in self.designs
            if group in design
            and (value in design[group] if several else design[group] == value)
            and self.agrees(design, choices, (group, value))
        ]

    def completion(self, designs: list[Design]) -> Design:
        """Defaults kept greedily in group order, then each group by its first possible value."""
        left = list(designs)
        for group in self.groups:
            for wish in self._wishes(group):
                left = [design for design in left if wish(design)] or left
        for group in sorted(self.groups, key=self._depth):
            for value in self.values(group):
                kept = [design for design in left if design.get(group["id"]) == value]
                if kept:
                    left = kept
                    break
        assert len(left) == 1
        return left[0]

    def _depth(self, group: dict[str, Any]) -> int:
        if "needed_when" not in group:
            return 0
        return 1 + max((self._depth(self.by_id[n.partition(".")[0]]) for n in group["needed_when"]), default=0)

    def _wishes(self, group: dict[str, Any]) -> list[Any]:
        name = group["id"]
        if "several" in group:
            defaults = {option["id"] for option in group["options"] if option.get("default")}
            return [
                lambda d, o=option["id"]: name not in d or (o in d[name]) == (o in defaults)
                for option in group["options"]
            ]
        if "flag" in group:
            default: Any = group["flag"].get("default", False)
        elif "integer" in group:
            default = group["integer"].get("default", group["integer"]["min"])
        else:
            default = next((option["id"] for option in group["options"] if option.get("default")), None)
            if default is None:
                return []
        return [lambda d: name not in d or d[name] == default]

    # --- money and days

    def price(self, design: Design) -> int:
        base = self.doc["base"]["price"]
        options = {g["id"]: self._option_price(g, design) for g in self.groups}
        running = base + sum(options.values())
        amounts: dict[str, int] = {}
        for rule in self.doc.get("prices", []):
            amount = 0
            if "when" not in rule or self.holds(rule["when"], design):
                amount = self._price_rule(rule, design, base, options, running, amounts)
            amounts[rule["id"]] = amount
            running += amount
        return int(running)

    def _option_price(self, group: dict[str, Any], design: Design) -> int:
        if "flag" in group:
            return int(group["flag"].get("price", 0)) if design.get(group["id"]) else 0
        return sum(option.get("price", 0) for option in self.chosen(group["id"], design))

    def _price_rule(
        self, rule: dict[str, Any], design: Design, base: int, options: dict[str, int], running: int, amounts: Design
    ) -> int:
        if "percent" in rule:
            names = rule["of"] if isinstance(rule["of"], list) else [rule["of"]]
            totals = {"base": base, "options": sum(options.values()), "subtotal": running} | options | amounts
            exact = sum(totals[name] for name in names) * rule["percent"]
            unit = self.doc.get("rounding", 1)
            return int(((exact + 5_000 * unit) // (10_000 * unit)) * unit)
        if "matrix" in rule:
            return int(next((row[-1] for row in rule["rows"] if self._row(rule["matrix"], row[:-1], design)), 0))
        if "each_of" in rule:
            answer = design.get(rule["each_of"], 0)
            number = len(answer) if isinstance(answer, frozenset) else answer
            each = rule.get("add", 0)
            for key in sorted((k for k in rule if k.startswith("from_")), key=lambda k: int(k[5:])):
                if number >= int(key[5:]):
                    each = rule[key]
            return int(max(0, number - rule.get("free", 0)) * each)
        return int(rule["add"])

    def days(self, design: Design) -> int:
        waits = [0]
        for group in self.groups:
            if "flag" in group:
                waits.append(group["flag"].get("lead_days", 0) if design.get(group["id"]) else 0)
            waits += [option.get("lead_days", 0) for option in self.chosen(group["id"], design)]
        added = sum(r["days"] for r in self.doc.get("lead", []) if "when" not in r or self.holds(r["when"], design))
        return int(self.doc["base"].get("lead_days", 0) + max(waits) + added)
