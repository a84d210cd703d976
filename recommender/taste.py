"""What chosen options say: which choices go together, and how each customer leans, smoothed toward everyone's."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property

# How many choices of everyone's stand beside the customer's own, and beside a pair's.
OWN_PRIOR = 2.0
PAIR_PRIOR = 4.0
VALUE_PRIOR = 0.5
# A choice of two years ago counts half.
HALF_LIFE_DAYS = 730.0

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TasteSample:
    """One design that somebody chose: only what was chosen, never defaults.

    Attributes:
        choices: group → ids of the chosen values.
        attributes: what the design has in common with other products, as metal=rose-gold.
        weight: how much it says (a bought design more than a saved one); negative for an un-chosen one.
    """

    customer: str | None
    product: str
    choices: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, str]
    weight: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaning:
    """A customer's choice of one attribute value: its share of their choices and how many designs it rests on."""

    attribute: str
    value: str
    share: float
    evidence: int


@dataclass
class Taste:
    """Counts of choices, of pairs of choices, and of attributes; of everyone and of each customer.

    Keys: `values` (product, group, value) · `groups` (product, group) · `pairs` (product, group, value, group, value)
    · `shared` (product, group, value, attribute, value) · `attributes` (attribute, value), each also with the
    customer in front in `own` and `own_attributes`; `evidence` counts designs by (customer, attribute, value).
    """

    values: dict[Key, float] = field(default_factory=dict)
    groups: dict[Key, float] = field(default_factory=dict)
    pairs: dict[Key, float] = field(default_factory=dict)
    shared: dict[Key, float] = field(default_factory=dict)
    attributes: dict[Key, float] = field(default_factory=dict)
    own: dict[Key, float] = field(default_factory=dict)
    own_attributes: dict[Key, float] = field(default_factory=dict)
    evidence: dict[Key, float] = field(default_factory=dict)

    def weights(
        self, customer: str | None, product: str, given: Mapping[str, tuple[str, ...]] | None = None
    ) -> dict[tuple[str, str], float]:
        """How much more likely than an even choice each known value is, as a logarithm.

        Args:
            customer: whose leaning is added; None for everyone's.
            product: which product's groups.
            given: choices already made; values that go together with them gain, others lose.
        """
        found: dict[tuple[str, str], float] = {}
        own_of_group = self._own_of_groups.get((customer, product), {}) if customer is not None else {}
        shifts = self._shifts(customer) if customer is not None else {}
        for (group, value), share, even in self._shares(product):
            weight = math.log(share / even)
            if customer is not None:
                count = self.own.get((customer, product, group, value), 0.0)
                weight += math.log((count + OWN_PRIOR * share) / (own_of_group.get(group, 0.0) + OWN_PRIOR) / share)
                weight += sum(math.log(self._carried(product, group, value, *shift)) for shift in shifts.items())
            if given:
                weight += self._together(product, group, value, share, given)
            found[group, value] = weight
        return found

    @cached_property
    def _values_of(self) -> dict[str, dict[tuple[str, str], float]]:
        """Product → (group, value) → count."""
        found: dict[str, dict[tuple[str, str], float]] = {}
        for (product, group, value), count in self.values.items():
            found.setdefault(product, {})[group, value] = count
        return found

    @cached_property
    def _own_of_groups(self) -> dict[tuple[str, str], dict[str, float]]:
        """(customer, product) → group → count."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        for (customer, product, group, _), count in self.own.items():
            totals = found.setdefault((customer, product), {})
            totals[group] = totals.get(group, 0.0) + count
        return found

    @cached_property
    def _usual(self) -> dict[str, dict[str, float]]:
        """Attribute → value → everyone's share."""
        found: dict[str, dict[str, float]] = {}
        for (attribute, value), count in sorted(self.attributes.items()):
            found.setdefault(attribute, {})[value] = count
        totals = {attribute: sum(of.values()) for attribute, of in found.items()}
        return {a: {v: c / totals[a] for v, c in of.items() if c > 0} for a, of in found.items() if totals[a] > 0}

    def _shares(self, product: str) -> Iterator[tuple[tuple[str, str], float, float]]:
        """Each known value of a product with its smoothed share among its group's and the even share."""
        known = self._values_of.get(product, {})
        sizes = Counter(group for group, _ in known)
        for (group, value), count in known.items():
            size = sizes[group]
            share = (count + VALUE_PRIOR) / (self.groups[product, group] + VALUE_PRIOR * size)
            yield (group, value), share, 1 / size

    def _shifts(self, customer: str) -> dict[str, dict[str, float]]:
        """Attribute → value → the customer's smoothed share over everyone's, for attributes that she ever chose."""
        found: dict[str, dict[str, float]] = {}
        for attribute, usual in self._usual.items():
            own = {value: self.own_attributes.get((customer, attribute, value), 0.0) for value in usual}
            total = sum(own.values())
            if total:
                shares = {v: (own[v] + OWN_PRIOR * usual[v]) / (total + OWN_PRIOR) for v in usual}
                found[attribute] = {value: share / usual[value] for value, share in shares.items()}
        return found

    def _carried(self, product: str, group: str, value: str, attribute: str, shift: Mapping[str, float]) -> float:
        """The customer's shift of an attribute, averaged over what the value brings.

        A value that says nothing about the attribute brings everyone's shares, and the average is 1.
        """
        brought = {name: self.shared.get((product, group, value, attribute, name), 0.0) for name in shift}
        seen = sum(brought.values())
        usual = self._usual[attribute]
        return sum((brought[name] + usual[name]) / (seen + 1) * ratio for name, ratio in shift.items())

    def _together(
        self, product: str, group: str, value: str, share: float, given: Mapping[str, tuple[str, ...]]
    ) -> float:
        """How much likelier the value is beside the given choices than without them."""
        terms = []
        for other, chosen in given.items():
            for known in chosen if other != group else ():
                seen = self.values.get((product, other, known), 0.0)
                both = self.pairs.get(_pair(product, group, value, other, known), 0.0)
                terms.append(math.log((both + PAIR_PRIOR * share) / (seen + PAIR_PRIOR) / share))
        # The given choices are not independent of each other: their evidence grows with the root of their number.
        return sum(terms) / math.sqrt(len(terms)) if terms else 0.0

    def leaning(self, customer: str) -> list[Leaning]:
        """The attribute values that the customer chose more often than others do, strongest first."""
        totals: dict[str, float] = {}
        everyone: dict[str, float] = {}
        for (attribute, _), count in self.attributes.items():
            everyone[attribute] = everyone.get(attribute, 0.0) + count
        mine = {key[1:]: count for key, count in self.own_attributes.items() if key[0] == customer and count > 0}
        for (attribute, _), count in mine.items():
            totals[attribute] = totals.get(attribute, 0.0) + count
        found: list[tuple[float, Leaning]] = []
        for (attribute, value), count in mine.items():
            usual = self.attributes[attribute, value] / everyone[attribute]
            own = (count + OWN_PRIOR * usual) / (totals[attribute] + OWN_PRIOR)
            share, evidence = count / totals[attribute], int(self.evidence[customer, attribute, value])
            if own >= usual:
                found.append((own * math.log(own / usual), Leaning(attribute, value, share, evidence)))
        found.sort(key=lambda pair: (-pair[0], pair[1].attribute, pair[1].value))
        return [leaning for _, leaning in found]

    def _parts(self) -> list[tuple[str, dict[Key, float]]]:
        return [(part.name, getattr(self, part.name)) for part in fields(self)]

    def to_json(self) -> str:
        """All counts as text; `from_json` gives an equal taste."""
        return json.dumps(
            {name: [[*key, count] for key, count in sorted(part.items())] for name, part in self._parts()}
        )

    @classmethod
    def from_json(cls, text: str) -> "Taste":
        """Reads what `to_json` wrote."""
        parts = json.loads(text)
        return cls(**{name: {tuple(row[:-1]): row[-1] for row in rows} for name, rows in parts.items()})


def learn(samples: Iterable[TasteSample]) -> Taste:
    """Counts the samples; one of two years ago counts half of one of today's newest."""
    known = sorted(samples, key=lambda s: (s.at, s.customer or "", s.product, sorted(s.choices.items())))
    taste = Taste()
    for sample in known:
        age = (known[-1].at - sample.at).total_seconds() / 86_400
        _count(taste, sample, sample.weight * 0.5 ** (age / HALF_LIFE_DAYS))
    return _without_negatives(taste)


def _count(taste: Taste, sample: TasteSample, weight: float) -> None:
    chosen = [(group, value) for group, values in sorted(sample.choices.items()) for value in values]
    traits = sorted(sample.attributes.items())
    for group in sample.choices:
        _add(taste.groups, (sample.product, group), weight)
    for place, (group, value) in enumerate(chosen):
        _add(taste.values, (sample.product, group, value), weight)
        for other, known in chosen[:place]:
            _add(taste.pairs, _pair(sample.product, group, value, other, known), weight)
        for attribute, trait in traits:
            _add(taste.shared, (sample.product, group, value, attribute, trait), weight)
        if sample.customer is not None:
            _add(taste.own, (sample.customer, sample.product, group, value), weight)
    for attribute, trait in traits:
        _add(taste.attributes, (attribute, trait), weight)
        if sample.customer is not None:
            _add(taste.own_attributes, (sample.customer, attribute, trait), weight)
            _add(taste.evidence, (sample.customer, attribute, trait), 1.0 if weight > 0 else 0.0)


def _add(counts: dict[Key, float], key: Key, weight: float) -> None:
    counts[key] = counts.get(key, 0.0) + weight


def _pair(product: str, group: str, value: str, other: str, known: str) -> Key:
    first, second = sorted([(group, value), (other, known)])
    return (product, *first, *second)


def _without_negatives(taste: Taste) -> Taste:
    return Taste(**{name: {key: max(0.0, count) for key, count in part.items()} for name, part in taste._parts()})
