"""Small random products in the owner's language: every kind of group, rule and price, drawn from one seed."""

import random
from typing import Any

import yaml

from configurator import Compiled, compile_model, parse


class RandomModel:
    """Draws one product."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.groups: list[dict[str, Any]] = []

    def document(self) -> dict[str, Any]:
        """The product as plain data."""
        for number in range(self.random.randint(2, 5)):
            self.groups.append(self._group(number))
        rules = [self._rule(number) for number in range(self.random.randint(0, 5))]
        prices = [self._price(number) for number in range(self.random.randint(0, 5))]
        days = [self.random.randint(1, 9) for _ in range(self.random.randint(0, 2))]
        lead = [{"days": number, "when": self._condition()} for number in days]
        return {
            "product": "thing",
            "name": "Thing",
            "category": "things",
            "currency": "EUR",
            "base": {"price": self.random.randint(0, 90_000), "cost": 100, "lead_days": 10},
            "rounding": self.random.choice([1, 1, 10, 100]),
            "groups": self.groups,
            "rules": rules,
            "prices": prices,
            "lead": lead,
        }

    def _group(self, number: int) -> dict[str, Any]:
        r = self.random
        group: dict[str, Any] = {"id": f"g{number}", "label": f"Group {number}"}
        kind = r.choice(["one", "one", "one", "flag", "several", "integer"])
        if kind in ("one", "several"):
            group["options"] = [self._option(i) for i in range(r.randint(1, 4))]
            if kind == "one" and r.random() < 0.7:
                r.choice(group["options"])["default"] = True
        if kind == "several":
            n = len(group["options"])
            low = r.randint(0, 1)
            group["several"] = {"at_least": low, "at_most": r.randint(max(1, low), n)}
            for option in group["options"]:
                if r.random() < 0.2:
                    option["default"] = True
        elif kind == "flag":
            group["flag"] = {"price": r.randint(0, 5000), "lead_days": r.randint(0, 9), "default": r.random() < 0.3}
        elif kind == "integer":
            low = r.randint(0, 2)
            group["integer"] = {"min": low, "max": low + r.randint(0, 4), "step": r.randint(1, 2)}
        if self.groups and r.random() < 0.3:
            group["needed_when"] = self._condition(plain=True)
        return group

    def _option(self, number: int) -> dict[str, Any]:
        r = self.random
        option: dict[str, Any] = {"id": f"o{number}", "label": f"Option {number}"}
        if r.random() < 0.6:
            option["price"] = r.randint(-500, 9000)
        if r.random() < 0.3:
            option["lead_days"] = r.randint(1, 20)
        if r.random() < 0.7:
            option["attributes"] = {"width": r.randint(1, 3)}
        return option

    def _condition(self, plain: bool = False) -> dict[str, Any]:
        r = self.random
        if not plain and r.random() < 0.2:
            word = r.choice(["all", "any", "not"])
            inner = [self._condition(plain=True) for _ in range(r.randint(1, 3))]
            return {word: inner[0] if word == "not" else inner}
        chosen = r.sample(self.groups, min(len(self.groups), r.randint(1, 2)))
        return dict(self._about(group) for group in chosen)

    def _about(self, group: dict[str, Any]) -> tuple[str, Any]:
        r = self.random
        name = group["id"]
        if "flag" in group:
            return name, r.random() < 0.6
        if "integer" in group:
            spec = group["integer"]
            numbers = list(range(spec["min"], spec["max"] + 1, spec["step"]))
            return name, r.choice([{"at_least": r.choice(numbers)}, {"at_most": r.choice(numbers)}, r.choice(numbers)])
        ids = [option["id"] for option in group["options"]]
        if any("attributes" in option for option in group["options"]) and r.random() < 0.3:
            return f"{name}.width", r.choice([r.randint(1, 3), {"at_least": 2}, {"at_most": 2}])
        if "several" not in group and r.random() < 0.2:
            return name, {"not": r.choice(ids)}
        return name, r.choice([r.choice(ids), sorted(r.sample(ids, r.randint(1, len(ids))))])

    def _rule(self, number: int) -> dict[str, Any]:
        r = self.random
        rule: dict[str, Any] = {"id": f"r{number}", "reason": f"Reason {number}."}
        single = [g for g in self.groups if "several" not in g]
        wide = [g for g in single if any("attributes" in option for option in g.get("options", []))]
        forms = ["if", "never", "requires", "excludes", "of"]
        forms += ["allow", "forbid"] * (len(single) >= 2) + ["same", "different"] * (len(wide) >= 2)
        forms += ["sum", "compare"] * bool(self._terms())
        form = r.choice(forms)
        if form == "if":
            rule |= {"if": self._condition(), "then": self._condition()}
        elif form == "never":
            rule["never"] = self._condition()
        elif form in ("requires", "excludes"):
            rule[form] = [self._condition() for _ in range(r.randint(2, 3))]
        elif form == "of":
            rule["of"] = [self._condition() for _ in range(r.randint(1, 4))]
            rule |= r.choice([{"at_most": 1}, {"at_least": 1}, {"exactly": 1}, {"at_least": 1, "at_most": 2}])
        elif form in ("allow", "forbid"):
            table = r.sample(single, r.randint(2, min(3, len(single))))
            rule[form] = [group["id"] for group in table]
            rule["rows"] = [[self._cell(group) for group in table] for _ in range(r.randint(1, 4))]
        elif form in ("same", "different"):
            rule[form] = [f"{group['id']}.width" for group in r.sample(wide, 2)]
        elif form == "sum":
            terms = r.sample(self._terms(), min(len(self._terms()), r.randint(1, 3)))
            rule["sum"] = [t if r.random() < 0.7 else {"of": t, "times": r.choice([-1, 2])} for t in terms]
            rule |= r.choice([{"at_most": 4}, {"at_least": 2}, {"exactly": 3}])
        else:
            sign = r.choice(["<", "<=", "=", ">=", ">", "!="])
            rule["compare"] = [r.choice(self._terms()), sign, r.choice([*self._terms(), 2])]
        return rule

    def _terms(self) -> list[str]:
        found = []
        for group in self.groups:
            if "integer" in group:
                found.append(group["id"])
            elif any("attributes" in option for option in group.get("options", [])):
                found.append(f"{group['id']}.width")
        return found

    def _cell(self, group: dict[str, Any]) -> Any:
        if self.random.random() < 0.25:
            return "any"
        name, spec = self._about(group)
        while "." in name or isinstance(spec, dict):
            name, spec = self._about(group)
        return spec

    def _price(self, number: int) -> dict[str, Any]:
        r = self.random
        rule: dict[str, Any] = {"id": f"p{number}", "label": f"Price {number}"}
        counted = [g["id"] for g in self.groups if "integer" in g or "several" in g]
        single = [g for g in self.groups if "several" not in g]
        form = r.choice(["add", "percent"] + ["each"] * bool(counted) + ["matrix"] * bool(single))
        if r.random() < 0.5:
            rule["when"] = self._condition()
        if form == "add":
            rule["add"] = r.randint(-900, 3000)
        elif form == "percent":
            earlier = [f"p{n}" for n in range(number)]
            rule["percent"] = r.choice([-750, 125, 333, 1000])
            names = [*earlier, "base", "options", "subtotal", *(g["id"] for g in self.groups)]
            rule["of"] = r.choice([r.choice(names), r.sample(names, min(2, len(names)))])
        elif form == "each":
            rule |= {"each_of": r.choice(counted), "add": r.randint(-200, 900), "from_2": r.randint(0, 700)}
            if r.random() < 0.5:
                rule["free"] = 1
        else:
            table = r.sample(single, r.randint(1, min(2, len(single))))
            rule["matrix"] = [group["id"] for group in table]
            rule["rows"] = [[*map(self._cell, table), r.randint(-500, 2000)] for _ in range(r.randint(1, 4))]
        return rule


def compiled(document: dict[str, Any]) -> Compiled:
    """The product, read and compiled."""
    (model,) = parse(yaml.safe_dump(document, sort_keys=False), "thing.yaml")
    return compile_model(model)
