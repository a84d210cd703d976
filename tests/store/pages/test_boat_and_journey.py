"""The boat and the journey are sold as they come from their files: stops that move, days by month, a paid order."""

import re
from typing import Any

import pytest
from httpx2 import Response

from tests.browsers import PageBrowser

JOURNEY = "/products/echappee"
ADDRESS = {"name": "Ada Laurent", "line1": "1 rue de Rivoli", "city": "Paris", "postal_code": "75001", "country": "FR"}
ROUTE: list[dict[str, Any]] = [{"place": "kyoto", "nights": 3}, {"place": "kanazawa"}, {"place": "takayama"}]
DESIGNS: dict[str, dict[str, Any]] = {
    "sillage": {"hull": "midnight", "metal": "gold-tone", "aboard": ["plotter", "sound"], "launch": "2028-05-23"},
    "echappee": {"region": "kyoto", "season": "spring", "departure": "2027-04-13", "stops": ROUTE},
}


def choose(visitor: PageBrowser, value: str) -> Response:
    return visitor.submit(JOURNEY, {"choose": value})


def arrange(visitor: PageBrowser, move: str) -> Response:
    return visitor.submit(JOURNEY, {"part": move})


def places(page: str) -> list[str]:
    """The places of the stops, in order, as the summary says them."""
    return re.findall(r"<dt>Stop \d · Place</dt><dd>([^<]*)</dd>", page)


@pytest.fixture
def traveller(visitor: PageBrowser) -> PageBrowser:
    """A visitor with three stops chosen."""
    visitor.get(JOURNEY)
    for value in ("stops:3", "stops.1.place:kyoto", "stops.2.place:kanazawa", "stops.3.place:takayama"):
        assert choose(visitor, value).status_code == 200
    return visitor


def test_a_stop_moves_with_all_that_was_chosen_in_it(traveller: PageBrowser) -> None:
    choose(traveller, "stops.3.nights:4")
    page = arrange(traveller, "stops:earlier:3").text
    assert places(page) == ["Kyoto", "Takayama", "Kanazawa"]
    assert "<dt>Stop 2 · Nights</dt><dd>4</dd>" in page
    assert places(arrange(traveller, "stops:later:1").text) == ["Takayama", "Kyoto", "Kanazawa"]


def test_a_stop_goes_and_undo_brings_it_back(traveller: PageBrowser) -> None:
    assert places(arrange(traveller, "stops:remove:2").text) == ["Kyoto", "Takayama"]
    assert places(traveller.submit(JOURNEY, {"act": "undo"}).text) == ["Kyoto", "Kanazawa", "Takayama"]


def test_where_no_stop_may_go_nothing_goes(traveller: PageBrowser) -> None:
    arrange(traveller, "stops:remove:2")
    page = arrange(traveller, "stops:remove:2").text
    assert "takes 2 to 7" in page
    assert places(page) == ["Kyoto", "Takayama"]


def test_a_move_that_breaks_a_rule_says_the_reason_and_changes_nothing(traveller: PageBrowser) -> None:
    for value in ("stops.1.lodging:camp", "stops.3.lodging:camp"):
        choose(traveller, value)
    page = arrange(traveller, "stops:earlier:3").text
    assert "After a camp comes a bed beneath a roof." in page
    assert places(page) == ["Kyoto", "Kanazawa", "Takayama"]


@pytest.mark.parametrize("move", ["stops:remove:9", "stops:sideways:1", "region:remove:1", "nothing", "stops:remove:x"])
def test_a_move_that_is_none_is_not_found(traveller: PageBrowser, move: str) -> None:
    assert arrange(traveller, move).status_code == 404


def test_days_stand_by_month_and_those_of_another_season_lead_through_a_repair(visitor: PageBrowser) -> None:
    visitor.get(JOURNEY)
    choose(visitor, "region:kyoto")
    page = choose(visitor, "season:autumn").text
    assert "<summary>September 2027</summary>" in page
    assert "<summary>March 2027 <span" in page
    assert 'id="repairs"' in choose(visitor, "departure:2027-03-02").text


def test_places_of_another_region_stand_apart_once_the_region_is_chosen(visitor: PageBrowser) -> None:
    visitor.get(JOURNEY)
    page = choose(visitor, "region:kyoto").text
    assert "<summary>21 more, with another choice</summary>" in page


@pytest.mark.parametrize("slug", list(DESIGNS))
def test_it_is_analysed_completed_kept_and_ordered_by_json(visitor: PageBrowser, slug: str) -> None:
    choices = DESIGNS[slug]
    analysis = visitor.call("POST", f"/api/products/{slug}/analysis", {"choices": choices}).json()
    assert analysis["choices"] == choices
    for objective in ("default", "cheapest", "fastest", "taste"):
        body = {"choices": choices, "objective": objective}
        whole = visitor.call("POST", f"/api/products/{slug}/completion", body)
        assert (whole.status_code, whole.json()["complete"]) == (200, True)
    design = visitor.call("POST", "/api/designs", {"slug": slug, "choices": choices, "texts": {}}).json()
    assert design["price"]["amount"] == analysis["price"]["amount"]
    cart = visitor.call("POST", "/api/carts").json()["id"]
    visitor.call("POST", f"/api/carts/{cart}/lines", {"design": design["code"], "quantity": 1})
    read = visitor.call("GET", f"/api/carts/{cart}").json()
    assert read["lines"][0]["choices"] == DESIGNS[slug]  # repeated parts are lists of objects here, too
    total = read["totals"]["total"]
    assert total == analysis["price"]["amount"]
    body = {"cart": cart, "email": "ada@example.com", "address": ADDRESS, "seen_total": total}
    order = visitor.call("POST", "/api/orders", body, Idempotency_Key="key-1")
    assert (order.status_code, order.json()["total"]) == (201, total)


def test_repeated_parts_are_a_list_in_the_analysis(visitor: PageBrowser) -> None:
    analysis = visitor.call("POST", "/api/products/echappee/analysis", {"choices": {"stops": ROUTE}}).json()
    stops = next(group for group in analysis["groups"] if group["id"] == "stops")
    assert (stops["kind"], stops["min"], stops["max"]) == ("repeated", 2, 7)
    assert [part["label"] for part in stops["parts"]] == ["Stop 1", "Stop 2", "Stop 3"]
    place = stops["parts"][1]["groups"][0]
    assert (place["id"], place["name"]) == ("stops.2.place", "place")
    states = {value["id"]: value["state"] for value in place["values"]}
    assert (states["kanazawa"], states["kyoto"], states["shirakawa"]) == ("chosen", "impossible", "open")


def test_a_wish_in_a_part_is_explained_and_repaired(visitor: PageBrowser) -> None:
    body: dict[str, Any] = {"choices": {"stops": ROUTE}, "want": {"stops.2.place": "kyoto"}}
    why = visitor.call("POST", "/api/products/echappee/explanation", body).json()
    assert why["culprits"] == [{"group": "stops.1.place", "value": "kyoto"}]
    assert why["rules"][0]["reason"] == "No place twice; it would be a different journey."
    ways = visitor.call("POST", "/api/products/echappee/repairs", body).json()["repairs"]
    assert ways[0]["set"].keys() == {"stops"}
    assert ways[0]["drop"] == []
    mended = {**body["choices"], **ways[0]["set"]}
    assert [stop["place"] for stop in mended["stops"]][1:] == ["kyoto", "takayama"]
    assert visitor.call("POST", "/api/products/echappee/analysis", {"choices": mended}).status_code == 200
