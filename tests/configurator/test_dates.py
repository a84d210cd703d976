"""Days that are available are spoken of by rules, prices and lead times: spans, months, weekdays."""

import datetime as dt

import pytest

from configurator import Analysis, Compiled, ModelError, analyse, compile_model, explain, lead_time, parse, price

TRIP = """product: trip
name: Trip
category: journeys
currency: EUR
base: {price: 1000, lead_days: 5}
groups:
  - id: start
    label: Start
    date: {from: 2027-04-26, to: 2027-05-09, except: [2027-05-01, {from: 2027-05-04, to: 2027-05-05}]}
  - {id: guide, label: Guide, options: [{id: no, label: No, default: true}, {id: ida, label: Ida}, {id: jo, label: Jo}]}
rules:
  - {id: ida, if: {guide: ida}, then: {start: {from: 2027-04-28, to: 2027-05-03}}, reason: Ida is here then.}
  - {id: jo, if: {guide: jo}, then: {start: {weekdays: [sat, sun], months: 5}}, reason: Jo comes in May.}
prices:
  - {id: may, when: {start: {months: [5]}}, add: 70, label: May}
  - {id: late, when: {start: {at_least: 2027-05-08}}, add: 900, label: Late}
  - {id: seasons, matrix: [guide, start], rows: [[any, {to: 2027-04-30}, -5], [ida, {weekdays: [sun, mon]}, 11]]}
lead:
  - {days: 9, when: {start: {weekdays: mon}}}
"""
OPEN = ["2027-04-26", "2027-04-27", "2027-04-28", "2027-04-29", "2027-04-30", "2027-05-02", "2027-05-03"]
OPEN += ["2027-05-06", "2027-05-07", "2027-05-08", "2027-05-09"]


@pytest.fixture(scope="module")
def trip() -> Compiled:
    return compile_model(parse(TRIP, "trip.yaml")[0])


def days(c: Compiled, guide: str) -> list[str]:
    found = analyse(c, {"guide": guide})
    assert isinstance(found, Analysis)
    return [str(value.id) for value in found.groups[0].values if value.state != "impossible"]


def test_rules_narrow_the_days_that_are_available(trip: Compiled) -> None:
    assert days(trip, "no") == OPEN
    assert days(trip, "ida") == [day for day in OPEN if "2027-04-28" <= day <= "2027-05-03"]
    weekend = [day for day in OPEN if dt.date.fromisoformat(day).weekday() >= 5 and day >= "2027-05"]
    assert days(trip, "jo") == weekend == ["2027-05-02", "2027-05-08", "2027-05-09"]
    (rule,) = explain(trip, {"guide": "ida"}, {"start": "2027-05-08"}).rules
    assert rule.reason == "Ida is here then."


@pytest.mark.parametrize("day", OPEN)
@pytest.mark.parametrize("guide", ["no", "ida"])
def test_prices_and_days_follow_the_season(trip: Compiled, day: str, guide: str) -> None:
    if day not in days(trip, guide):
        return
    weekday = dt.date.fromisoformat(day).weekday()
    expected = 1000 + (70 if day >= "2027-05" else 0) + (900 if day >= "2027-05-08" else 0)
    expected += -5 if day <= "2027-04-30" else 11 if guide == "ida" and weekday in (6, 0) else 0
    trace = price(trip, {"start": day, "guide": guide})
    assert trace.amount == expected == sum(line.amount for line in trace.lines)
    assert lead_time(trip, {"start": day}).min_days == (14 if weekday == 0 else 5)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("{weekdays: [sat, sun], months: 5}", "{weekdays: [saturday]}", 13, "'saturday' is not a weekday: mon tue"),
        ("{weekdays: [sat, sun], months: 5}", "{months: 13}", 13, "13 is not a month from 1 to 12"),
        ("{weekdays: [sat, sun], months: 5}", "{month: 5}", 13, "a day takes at_least, at_most, from, to, months"),
        ("{weekdays: [sat, sun], months: 5}", "{from: May}", 13, "'May' is not a day such as 2026-05-01"),
        ("{weekdays: [sat, sun], months: 5}", "2027-05-01", 13, "'2027-05-01' is not an open day of 'start'"),
        ("to: 2027-05-09, except", "to: 2031-05-09, except", 9, "spans more than 1000 days; take a shorter season"),
    ],
)
def test_days_that_cannot_be_meant_name_the_line(old: str, new: str, line: int, says: str) -> None:
    assert old in TRIP
    with pytest.raises(ModelError) as caught:
        parse(TRIP.replace(old, new), "trip.yaml")
    assert f"trip.yaml:{line}: " in str(caught.value)
    assert says in str(caught.value)
