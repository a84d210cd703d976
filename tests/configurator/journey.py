"""A small journey with repeated stops, and every design of it counted out by hand, part by part."""

from itertools import pairwise, product
from typing import Any

VOYAGE = """product: voyage
name: Voyage
category: journeys
currency: EUR
base: {price: 100000, lead_days: 10}
groups:
  - id: travellers
    label: Travellers
    integer: {min: 3, max: 4}
  - id: stops
    label: Stops
    step: Route
    repeated: {min: 1, max: 3, default: 2, label: "Stop {number}"}
    groups:
      - id: place
        label: Place
        options:
          - {id: kyoto, label: Kyoto, attributes: {region: japan}, price: 500, default: true}
          - {id: nara, label: Nara, attributes: {region: japan}, price: 300}
          - {id: naxos, label: Naxos, attributes: {region: aegean}, price: 400}
      - {id: nights, label: Nights, integer: {min: 1, max: 3, default: 2}}
      - id: ryokan
        label: Ryokan
        needed_when: {place.region: japan}
        flag: {price: 90}
      - {id: note, label: Note, text: {max_length: 20}}
    rules:
      - {id: not-twice, distinct: place, reason: Nobody should see the same place twice.}
      - {id: no-flight, never: {place: naxos, next.place: nara}, reason: There is no flight from Naxos to Nara.}
      - {id: ferry, if: {place: naxos}, then: {nights: {at_least: 2}}, reason: The ferry sails every other day.}
      - {id: slower, compare: [nights, "<=", next.nights], when: {place: kyoto}, reason: Kyoto is an introduction.}
    prices:
      - {id: room, each_of: nights, add: 100, from_3: 80, label: Nights}
      - {id: note, each_character_of: note, free: 1, add: 1, label: Note}
      - {id: inn, when: {ryokan: true}, percent: 1000, of: [place, room], label: Inn}
    lead:
      - {days: 3, when: {place: naxos}}
    parts:
      - {part: room, quantity: {each_of: nights}}
rules:
  - {id: two-weeks, sum: [stops.nights], at_most: 6, reason: Six nights at most.}
  - {id: for-four, if: {travellers: 4}, then: {stops: {some: {place.region: japan, nights: 2}}}, reason: Two nights.}
  - {id: last-naxos, never: {travellers: 4, stops: {last: {place: naxos}}}, reason: Four come home by Japan.}
  - {id: one-inn, of: [{stops: {each: {ryokan: true}}}], at_most: 1, reason: One inn is enough.}
prices:
  - {id: transfer, each_of: stops, add: 50, label: Transfers}
  - {id: nights, each_of: stops.nights, free: 4, add: 7, label: Long journeys}
  - {id: aegean, when: {stops.place: naxos}, add: 11, label: Boats}
  - {id: service, percent: 1000, of: stops.place, label: Service}
presets:
  - {id: grand, label: Grand, choices: {stops: [{place: nara}, {place: naxos, nights: 2}, {}]}}
"""
PRICES = {"kyoto": 500, "nara": 300, "naxos": 400}


def designs() -> list[dict[str, Any]]:
    """Every valid design, by flat names."""
    parts = [
        {"place": place, "nights": nights} | ({} if place == "naxos" else {"ryokan": ryokan})
        for place in PRICES
        for nights in (1, 2, 3)
        for ryokan in ((True, False) if place != "naxos" else (False,))
    ]
    routes = [route for count in (1, 2, 3) for route in product(parts, repeat=count)]
    return [_flat(number, route) for number in (3, 4) for route in routes if _valid(number, route)]


def _valid(travellers: int, route: tuple[dict[str, Any], ...]) -> bool:
    if len({stop["place"] for stop in route}) < len(route) or sum(stop["nights"] for stop in route) > 6:
        return False
    if any(stop["place"] == "naxos" and stop["nights"] < 2 for stop in route):
        return False
    if sum(stop.get("ryokan", False) for stop in route) > 1:
        return False
    for stop, following in pairwise(route):
        if (stop["place"], following["place"]) == ("naxos", "nara"):
            return False
        if stop["place"] == "kyoto" and stop["nights"] > following["nights"]:
            return False
    if travellers == 4:
        in_japan = any(stop["place"] != "naxos" and stop["nights"] == 2 for stop in route)
        return in_japan and route[-1]["place"] != "naxos"
    return True


def _flat(travellers: int, route: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    flat: dict[str, Any] = {"travellers": travellers, "stops": len(route)}
    for number, stop in enumerate(route, 1):
        flat |= {f"stops.{number}.{name}": value for name, value in stop.items()}
    return flat


def price(design: dict[str, Any]) -> int:
    """The price of a design without words."""
    total = 100_000
    places = nights = 0
    for number in range(1, design["stops"] + 1):
        place, stay = PRICES[design[f"stops.{number}.place"]], design[f"stops.{number}.nights"]
        inn = design.get(f"stops.{number}.ryokan", False)
        room = stay * (80 if stay >= 3 else 100)
        total += place + room
        if inn:
            total += 90 + ((place + room) * 1000 + 5000) // 10_000
        places, nights = places + place, nights + stay
    boats = 11 if "naxos" in design.values() else 0
    return int(total + 50 * design["stops"] + 7 * max(0, nights - 4) + boats + (places * 1000 + 5000) // 10_000)


def days(design: dict[str, Any]) -> int:
    """The days of a design."""
    return 10 + 3 * list(design.values()).count("naxos")
