"""Who comes to the demo house and when: the whole plan follows from a seed, before anybody has come."""

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

YEARS = timedelta(days=730)
TEST_CUSTOMER = ("Camille Laurent", "camille@example.com")  # the first person, who can sign in


@dataclass(frozen=True)
class Archetype:
    """A planted taste: how much likelier than chance each value, category and piece is."""

    name: str
    piece: Mapping[str, int]
    pace_weeks: int
    spends_percent: int
    options: Mapping[str, int]
    categories: Mapping[str, int]


@dataclass(frozen=True)
class Person:
    """Somebody who comes to the house; the address is in a domain that can never receive mail."""

    index: int
    name: str
    email: str
    place: Mapping[str, str]
    archetype: Archetype
    registers: bool
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """One coming; `number` counts a person's visits from 0, `seed` makes what happens in it repeatable."""

    at: datetime
    person: Person
    number: int
    seed: str


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "tastes.yaml").read_text(encoding="utf-8"))
    return content


def people(customers: int, seed: int) -> list[Person]:
    """The people of the house, the same for the same seed; more customers leave the first ones as they are."""
    return [_person(index, seed) for index in range(customers)]


def visits(customers: int, seed: int, end: datetime) -> list[Visit]:
    """All visits in the two years before `end`, in order of time."""
    planned: list[Visit] = []
    for person in people(customers, seed):
        chance = random.Random(f"{seed}:visits:{person.index}")  # noqa: S311 - reproducible on purpose
        # More people come in the second year than in the first: the square root leans arrivals to the end.
        at = end - YEARS + YEARS * (chance.random() ** 0.8) * 0.96
        number = 0
        while at < end and number < 14:
            planned.append(Visit(_in_the_day(at, chance), person, number, f"{seed}:{person.index}:{number}"))
            weeks = chance.expovariate(1 / person.archetype.pace_weeks)
            # The visit after a first look follows soon: a design is slept over, then ordered.
            at += timedelta(weeks=weeks if number % 2 else min(weeks, 2.0)) + timedelta(hours=20)
            number += 1
    return sorted(planned, key=lambda visit: (visit.at, visit.person.index))


def pick(chance: random.Random, weights: Mapping[str, int]) -> str:
    """One key, by its weight."""
    return chance.choices(list(weights), weights=list(weights.values()))[0]


def _person(index: int, seed: int) -> Person:
    chance = random.Random(f"{seed}:person:{index}")  # noqa: S311 - reproducible on purpose
    file = _file()
    first, last = chance.choice(file["names"]["first"]), chance.choice(file["names"]["last"])
    place = _by_share(chance, file["places"])
    kind = pick(chance, {name: body["share"] for name, body in file["archetypes"].items()})
    body = file["archetypes"][kind]
    name, email = f"{first} {last}", f"{_plain(first)}.{_plain(last)}.{index}@customers.example"
    if index == 0:
        name, email = TEST_CUSTOMER
    purposes = [purpose for purpose, odds in (("personalisation", 0.82), ("messages", 0.62)) if chance.random() < odds]
    return Person(
        index=index,
        name=name,
        email=email,
        place={
            "line1": f"{chance.randint(1, 90)} {place['line1']}",
            "city": place["city"],
            "postal_code": place["postal_code"],
            "country": place["country"],
        },
        archetype=Archetype(kind, body["piece"], body["pace"], body["spends"], body["options"], body["categories"]),
        registers=chance.random() < 0.72,
        purposes=tuple(purposes),
    )


def _by_share(chance: random.Random, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return chance.choices(rows, weights=[row["share"] for row in rows])[0]


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(char for char in decomposed if char.isascii() and char.isalpha())


def _in_the_day(at: datetime, chance: random.Random) -> datetime:
    """Between nine in the morning and eleven at night."""
    day = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return day + timedelta(minutes=chance.randint(9 * 60, 22 * 60), seconds=chance.randint(0, 59))
