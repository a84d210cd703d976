"""Large invented models, drawn from a seed: products in the owner's language, and feature models as DIMACS."""

import random
from typing import Any

Document = dict[str, Any]
PLANTED = 12  # selections that every clause of a feature model leaves valid


class Luxury:
    """A product with many options and rules, around one planted design that fulfils them all."""

    def __init__(self, groups: int, options: int, rules: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.sizes = self._sizes(groups, options)
        self.rules = rules
        self.planted = [self.random.randrange(size) for size in self.sizes]
        self.sometimes: set[int] = set()

    def _sizes(self, groups: int, options: int) -> list[int]:
        """Options of each group: from half to one and a half of the mean, adding up to `options`."""
        mean = options // groups
        sizes = [self.random.randint(mean // 2 + 1, mean + mean // 2) for _ in range(groups)]
        while (missing := options - sum(sizes)) != 0:
            index = self.random.randrange(groups)
            sizes[index] += 1 if missing > 0 else -1 if sizes[index] > 2 else 0
        return sizes

    def document(self) -> Document:
        """The product as plain data, to be written as YAML."""
        groups = [self._group(index) for index in range(len(self.sizes))]
        extras = [
            {
                "id": "extras",
                "label": "Extras",
                "options": [self._option(i) for i in range(6)],
                "several": {"at_most": 3},
            },
            {"id": "boxed", "label": "Boxed", "flag": {"price": 12000}},
            {"id": "spares", "label": "Spares", "integer": {"min": 0, "max": 6}},
        ]
        rules: list[Document] = []
        while len(rules) < self.rules:
            rule = self._rule()
            if rule:
                rules.append({"id": f"r{len(rules)}", "reason": f"Reason {len(rules)}.", **rule})
        rules += [
            {
                "id": "boxed-extras",
                "reason": "A box holds one.",
                "if": {"boxed": True},
                "then": {"spares": {"at_most": 4}},
            },
            {"id": "room", "reason": "Room.", "sum": ["spares", {"of": "g0.weight", "times": 1}], "at_most": 14},
        ]
        return {
            "product": f"synthetic-{sum(self.sizes)}",
            "name": "Synthetic",
            "category": "things",
            "currency": "EUR",
            "base": {"price": 500_000, "cost": 1000, "lead_days": 30},
            "groups": groups + extras,
            "rules": rules,
            "prices": [self._price(number) for number in range(len(self.sizes) // 2)],
            "presets": [{"id": "planted", "label": "Planted", "choices": {}}],
        }

    def _group(self, index: int) -> Document:
        options = [self._option(number) for number in range(self.sizes[index])]
        self.random.choice(options)["default"] = True
        group: Document = {"id": f"g{index}", "label": f"Group {index}", "options": options}
        if index > 3 and self.random.random() < 0.15:
            before = self.random.randrange(index)
            if before not in self.sometimes:
                self.sometimes.add(index)
                group["needed_when"] = {f"g{before}": self._some(before, 0.5)}
        return group

    def _option(self, number: int) -> Document:
        return {
            "id": f"o{number}",
            "label": f"Option {number}",
            "price": self.random.randint(0, 900) * 100,
            "lead_days": self.random.choice([0, 0, 0, 5, 14]),
            "attributes": {"weight": number % 9, "tone": "light" if number % 2 else "dark"},
        }

    def _some(self, group: int, share: float, always: bool = True) -> list[str]:
        size = self.sizes[group]
        numbers = set(self.random.sample(range(size), max(1, int(size * share))))
        if always:
            numbers.add(self.planted[group])
        return [f"o{number}" for number in sorted(numbers)]

    def _rule(self) -> Document | None:
        """One rule that the planted design keeps, or None when this draw would forbid it."""
        kind = self.random.random()
        count = 3 if 0.6 < kind < 0.7 else 2
        chosen = self.random.sample([g for g in range(len(self.sizes)) if g not in self.sometimes], count)
        names = [f"g{group}" for group in chosen]
        if kind < 0.45:
            one = self.random.randrange(self.sizes[chosen[0]])
            return {"if": {names[0]: f"o{one}"}, "then": {names[1]: self._some(chosen[1], 0.6)}}
        if kind < 0.8:
            numbers = [self.random.randrange(self.sizes[group]) for group in chosen]
            if numbers == [self.planted[group] for group in chosen]:
                return None
            return {"never": {name: f"o{number}" for name, number in zip(names, numbers, strict=True)}}
        rows = [[f"o{number}", self._some(chosen[1], 0.8)] for number in range(self.sizes[chosen[0]])]
        return {"allow": names, "rows": rows}

    def _price(self, number: int) -> Document:
        pair = self.random.sample(range(len(self.sizes)), 2)
        when = {f"g{group}": f"o{self.random.randrange(self.sizes[group])}" for group in pair}
        return {"id": f"p{number}", "label": "Together", "when": when, "add": self.random.randint(-50, 200) * 100}


def feature_model(features: int, clauses: int, seed: int) -> str:
    """A tree of features with cross-tree clauses that a few planted selections fulfil, as DIMACS.

    As in models of cars, most clauses say that no two of a wide group go together; one in ten features is in a
    constraint across the tree.

    Args:
        features: variables; each but the first needs its parent.
        clauses: about how many clauses the tree has; its groups are so wide.
        seed: the same seed draws the same model.
    """
    drawn = _Tree(features, max(2, 3 * clauses // features), random.Random(seed))
    drawn.cross(features // 10)
    names = "\n".join(f"c {feature} F{feature}" for feature in range(1, features + 1))
    lines = "\n".join(f"{' '.join(map(str, clause))} 0" for clause in drawn.clauses)
    return f"{names}\np cnf {features} {len(drawn.clauses)}\n{lines}\n"


class _Tree:
    """Features below features: needed, optional, or as groups of which one (or some) must be taken."""

    def __init__(self, features: int, wide: int, r: random.Random) -> None:
        self.random = r
        self.wide = wide
        self.features = features
        self.clauses: list[tuple[int, ...]] = [(1,)]
        self.planted = [bytearray([0, 1]) + bytearray(features - 1) for _ in range(PLANTED)]
        following, parent = 2, 1
        while following <= features:
            for _ in range(r.randint(1, 3)):
                size = min(r.choice((1, 1, 2, 3, 5, 8, wide)), features + 1 - following)
                if size:
                    self._below(parent, range(following, following + size))
                following += size
            parent += 1

    def _below(self, parent: int, children: range) -> None:
        kinds = ("needed", "optional", "optional", "one", "some")
        kind = self.random.choice(kinds) if len(children) < self.wide else "one"
        self.clauses += [(-child, parent) for child in children]
        if kind == "needed":
            self.clauses += [(-parent, child) for child in children[:2]]
        elif kind != "optional":
            self.clauses.append((-parent, *children))
        if kind == "one":
            self.clauses += [(-left, -right) for left in children for right in range(children.start, left)]
        for design in self.planted:
            if design[parent]:
                taken = [child for child in children if self.random.random() < 0.5]
                if kind == "needed":
                    taken += children[:2]
                elif kind == "one" or (kind == "some" and not taken):
                    taken = [self.random.choice(children)]
                for child in taken:
                    design[child] = 1

    def cross(self, clauses: int) -> None:
        """Adds so many clauses that hold in every planted selection."""
        r, seen = self.random, [f for f in range(2, self.features + 1) if any(d[f] for d in self.planted)]
        until = len(self.clauses) + clauses
        while len(self.clauses) < until:
            first = r.randrange(len(seen))
            width = r.choice((2, 3, 3, 4, 5))
            near = {first, *(r.randint(max(0, first - 300), min(len(seen) - 1, first + 300)) for _ in range(width - 1))}
            clause = tuple(seen[i] if r.random() < 0.4 else -seen[i] for i in sorted(near))
            if len(clause) > 1 and all(any(d[abs(x)] == (x > 0) for x in clause) for d in self.planted):
                self.clauses.append(clause)
