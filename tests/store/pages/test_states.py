"""An analysis as JSON: repeated parts hold their groups, one part for each there is."""

from configurator import Analysis, analyse, compile_model, differences, parse
from store.pages import states
from tests.configurator.journey import VOYAGE


def test_repeated_parts_stand_in_their_group_with_their_own_groups() -> None:
    voyage = compile_model(parse(VOYAGE, "voyage.yaml")[0])
    found = analyse(voyage, {"stops": 2, "stops.2.place": "nara"})
    assert isinstance(found, Analysis)
    travellers, stops = states.groups(voyage.model, found, differences(voyage, found.choices))
    assert (travellers["id"], travellers["kind"]) == ("travellers", "integer")
    assert (stops["kind"], stops["min"], stops["max"]) == ("repeated", 1, 3)
    assert [(value["id"], value["state"]) for value in stops["values"]] == [
        (1, "impossible"),
        (2, "chosen"),
        (3, "open"),
    ]
    assert [(part["number"], part["label"]) for part in stops["parts"]] == [(1, "Stop 1"), (2, "Stop 2")]
    place, nights, ryokan, note = stops["parts"][1]["groups"]
    assert (place["id"], place["name"], place["label"], place["kind"]) == ("stops.2.place", "place", "Place", "one")
    assert [value["state"] for value in place["values"]] == ["open", "chosen", "open"]
    assert (nights["kind"], ryokan["needed"], note["values"]) == ("integer", True, [])
