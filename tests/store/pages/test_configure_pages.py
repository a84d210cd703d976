"""The configurator as forms: every choice a post that redirects, or the same form swapped in place."""

import html
import json
import re
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import Engine
from sqlmodel import select

from store import db
from store.events import Event
from store.shop.bags import CartLine
from store.shop.designs import Design
from tests.browsers import PageBrowser
from tests.store import selling

WATCH = "/products/watch"
TRUNK = """\
product: trunk
name: Trunk
sentence: A trunk.
category: trunks
currency: EUR
base: {price: 800000, lead_days: 70}
groups:
  - id: fittings
    label: Fittings
    step: Inside
    several: {at_most: 2}
    options:
      - {id: desk, label: Desk, price: 90000}
      - {id: drawers, label: Drawers, price: 50000, lead_days: 7}
      - {id: rail, label: Rail, price: 30000}
  - id: wheels
    label: Wheels
    step: Outside
    flag: {price: 40000}
  - id: trays
    label: Trays
    step: Inside
    integer: {min: 0, max: 20, step: 1}
prices:
  - {id: tray, each_of: trays, add: 10000, label: Trays}
presets:
  - {id: writer, label: Writer, choices: {fittings: [desk], wheels: true}}
"""


@pytest.fixture
def shop(engine: Engine, visitor: PageBrowser, tmp_path: Path) -> PageBrowser:
    """A visitor at the door of the small house, with a trunk in the window."""
    with db.transaction() as session:
        selling.open_house(session, tmp_path / "products", f"{selling.PRODUCTS}---\n{TRUNK}")
    visitor.get(WATCH)
    return visitor


def price(browser: PageBrowser) -> str:
    found = re.search(r'<output id="price"[^>]*>([^<]+)</output>', browser.page)
    assert found
    return found[1]


def pressed(browser: PageBrowser) -> list[str]:
    return re.findall(r'value="([^"]+)" id="o-[^"]+" aria-pressed="true"', browser.page)


def swapped(browser: PageBrowser, url: str, **data: str) -> Response:
    """The same form sent by our script."""
    headers = {"X-Partial": "1", "Origin": "http://testserver"}
    return browser._client.post(url, data={"csrf": browser.token(), **data}, headers=headers)


def events_of(kind: str) -> list[dict[str, object]]:
    with db.transaction(read_only=True) as session:
        return [event.facts for event in session.exec(select(Event).where(Event.kind == kind).order_by(Event.id)).all()]


# -- choosing ----------------------------------------------------------------------------------------------------------


def test_the_first_screen_is_a_whole_design_with_price_and_time(shop: PageBrowser) -> None:
    assert price(shop) == "€9,800"
    assert pressed(shop) == ["case:steel", "strap:calf"]
    assert "8 to 10 weeks" in shop.text()
    assert "+€14,200" in shop.text()
    assert "+14 days" in shop.text()


def test_a_choice_posts_redirects_and_is_found_again_without_the_address(shop: PageBrowser) -> None:
    answer = shop.submit(WATCH, {"choose": "case:gold"}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/products/watch#g-case")
    shop.get(WATCH)
    assert price(shop) == "€24,000"
    assert "−€14,200" in shop.text()


def test_the_script_gets_the_same_form_in_place(shop: PageBrowser) -> None:
    answer = swapped(shop, WATCH, choose="case:gold")
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<form id="configurator"')
    assert "€24,000" in answer.text
    assert "<html" not in answer.text


def test_undo_and_redo_walk_twenty_five_steps_and_survive_a_reload(shop: PageBrowser) -> None:
    for step in range(25):
        shop.submit(WATCH, {"choose": f"case:{'steel' if step % 2 else 'gold'}"})
    assert price(shop) == "€24,000"
    for _ in range(25):
        shop.submit(WATCH, {"act": "undo"})
    shop.get(WATCH)
    assert price(shop) == "€9,800"
    assert 'id="undo" aria-disabled="true"' in shop.page
    for _ in range(25):
        shop.submit(WATCH, {"act": "redo"})
    assert price(shop) == "€24,000"
    assert 'id="redo" aria-disabled="true"' in shop.page


def test_several_flags_and_numbers_are_buttons_too(shop: PageBrowser) -> None:
    shop.get("/products/trunk")
    assert price(shop) == "€8,000"
    for press in ("fittings:+drawers", "fittings:+desk", "wheels:true", "trays:1", "trays:2"):
        assert f'value="{press}"' in shop.page, press
        shop.submit("/products/trunk", {"choose": press})
    assert price(shop) == "€10,000"
    assert pressed(shop) == ["fittings:-desk", "fittings:-drawers", "wheels:true"]
    shop.submit("/products/trunk", {"choose": "fittings:-desk"})
    assert price(shop) == "€9,100"


def test_a_preset_changes_choices_and_price_in_one_request(shop: PageBrowser) -> None:
    shop.submit("/products/trunk", {"preset": "writer"})
    assert price(shop) == "€9,300"
    assert 'value="writer" id="preset-writer" aria-pressed="true"' in shop.page


def test_a_choice_can_be_given_back_to_the_house(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    assert 'value="case:" id="g-case-clear"' in shop.page
    shop.submit(WATCH, {"choose": "case:"})
    assert price(shop) == "€9,800"
    assert "g-case-clear" not in shop.page


def test_choices_are_events_where_consent_allows(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    assert events_of("choice") == []
    shop.submit("/consent", {"answer": "all", "next": "/"})
    shop.get(WATCH)
    shop.submit(WATCH, {"choose": "case:steel"})
    assert [(fact["group"], fact["value"]) for fact in events_of("choice")] == [("case", "steel")]
    assert [(fact["group"], fact["value"]) for fact in events_of("unchoice")] == [("case", "gold")]


def test_the_price_trace_adds_up(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold", "text:engraving": "AMELIE"})
    trace = shop.page[shop.page.index('class="trace"') :]
    amounts = [int(text.replace(",", "")) for text in re.findall(r"<dd[^>]*>€([\d,]+)</dd>", trace)]
    assert amounts == [9800, 14200, 45, 24045]
    assert sum(amounts[:-1]) == amounts[-1]


# -- what does not go together -----------------------------------------------------------------------------------------


def test_an_impossible_value_stays_within_reach_and_names_what_stands_against_it(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    rubber = re.search(r'<button[^>]*value="strap:rubber"[^>]*>.*?</button>', shop.page, re.DOTALL)
    assert rubber
    assert 'data-state="impossible"' in rubber[0]
    assert "disabled" not in rubber[0]
    assert "Not with Gold" in rubber[0]


def test_wanting_it_explains_and_offers_ways_and_leaves_the_design_alone(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    answer = shop.submit(WATCH, {"choose": "strap:rubber"}, follow=False)
    assert answer.headers["location"].endswith("#repairs")
    shop.get(answer.headers["location"])
    assert '<dialog class="dialog repairs" id="repairs" open' in shop.page
    assert "Rubber straps close with a steel clasp only." in shop.text()
    assert "Case: Steel instead of Gold" in shop.text()
    assert "−€14,200 −14 days" in shop.text()
    assert price(shop) == "€24,000"
    shop.get(WATCH)
    assert "repairs" not in re.findall(r'id="([\w-]+)"', shop.page)


def test_a_way_is_taken_as_offered_and_undone_in_one_step(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    shop.submit(WATCH, {"choose": "strap:rubber"})
    value = re.search(r'name="repair" value="([^"]+)"', shop.page)
    assert value
    shop.submit(WATCH, {"repair": html.unescape(value[1])})
    assert price(shop) == "€9,800"
    assert pressed(shop) == ["case:steel", "strap:rubber"]
    shop.submit(WATCH, {"act": "undo"})
    assert pressed(shop) == ["case:gold", "strap:calf"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"choose": "case:diamond"}, 422),
        ({"choose": "colour:red"}, 404),
        ({"choose": "engraving:x"}, 422),
        ({"preset": "none"}, 404),
        ({"repair": "{}"}, 422),
        ({"repair": "no json"}, 422),
        ({"repair": json.dumps({"set": {"case": "diamond"}, "drop": []})}, 422),
        ({"repair": json.dumps({"set": {"strap": "rubber", "case": "gold"}, "drop": []})}, 409),
        ({"choose": "case:gold", "csrf": "forged"}, 403),
    ],
)
def test_what_no_form_of_ours_sends_is_refused_and_changes_nothing(
    shop: PageBrowser, sent: dict[str, str], status: int
) -> None:
    assert shop.submit(WATCH, dict(sent)).status_code == status
    assert 'class="wordmark"' in shop.page
    shop.get(WATCH)
    assert price(shop) == "€9,800"
    assert 'id="undo" aria-disabled="true"' in shop.page


# -- words -------------------------------------------------------------------------------------------------------------


def test_words_are_checked_priced_and_kept_beside_the_next_choice(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold", "text:engraving": " C. 14 "})
    assert 'value="C. 14"' in shop.page
    assert price(shop) == "€24,030"


def test_words_that_cannot_be_cut_stay_in_their_field_with_the_reason(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"text:engraving": "AB", "act": "texts"})
    answer = shop.submit(WATCH, {"text:engraving": "A€ <b>", "act": "texts"})
    assert answer.status_code == 422
    assert 'value="A€ &lt;b&gt;"' in shop.page
    assert 'aria-invalid="true"' in shop.page
    assert "cannot be written" in shop.text()
    shop.get(WATCH)
    assert 'value="AB"' in shop.page


def test_nothing_is_saved_while_words_are_wrong(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"text:engraving": "€€", "act": "save"})
    with db.transaction(read_only=True) as session:
        assert session.exec(select(Design)).all() == []


# -- designs -----------------------------------------------------------------------------------------------------------


def saved(browser: PageBrowser, **data: str) -> str:
    browser.get(WATCH)
    browser.submit(WATCH, {"act": "save", **data})
    found = re.search(r'href="/designs/(\w+)"', browser.page)
    assert found
    return found[1]


def test_a_saved_design_opens_by_its_code_and_saving_again_keeps_the_code(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    code = saved(shop)
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{8}", code)
    assert saved(shop) == code
    shop.get(f"/designs/{code.lower()}")
    assert "€24,000" in shop.text()
    assert "Gold" in shop.text()
    picture = shop.get(f"/designs/{code}/qr.svg")
    assert picture.headers["content-type"] == "image/svg+xml"


def test_somebody_else_reads_a_design_without_its_words_and_makes_a_copy(
    shop: PageBrowser, another: PageBrowser
) -> None:
    shop.submit(WATCH, {"choose": "case:gold", "text:engraving": "SECRET"})
    code = saved(shop)
    shop.get(f"/designs/{code}")
    assert "SECRET" in shop.text()
    another.get(f"/designs/{code}")
    assert "SECRET" not in another.page
    assert "Make it yours" in another.text()
    another.submit(f"/designs/{code}/copy")
    assert price(another) == "€24,000"
    assert "SECRET" not in another.page
    another.submit(WATCH, {"choose": "case:steel"})
    theirs = saved(another)
    assert theirs != code
    with db.transaction(read_only=True) as session:
        rows = {row.code: row for row in session.exec(select(Design)).all()}
        assert rows[theirs].parent_code == code
        assert rows[code].choices == {"case": "gold"}


@pytest.mark.parametrize("url", ["/designs/22222222", "/designs/zz", "/designs/22222222/qr.svg", "/compare?a=1&b=2"])
def test_an_unknown_code_is_a_404_in_style(shop: PageBrowser, url: str) -> None:
    assert shop.get(url).status_code == 404
    assert "We could not find that design." in shop.text()


def test_guessing_codes_is_slowed_down(shop: PageBrowser) -> None:
    answers = [shop.get(f"/designs/222222{number:02}").status_code for number in range(10, 75)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_two_designs_are_compared_by_what_differs(shop: PageBrowser) -> None:
    first = saved(shop)
    shop.submit(WATCH, {"choose": "case:gold"})
    second = saved(shop)
    shop.get(f"/compare?a={first}&b={second}")
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>', shop.page)
    assert rows == ["Case", "Price", "Time"]
    assert "(+€14,200)" in shop.text()
    assert "(+14 days)" in shop.text()


# -- into the bag ------------------------------------------------------------------------------------------------------


def lines() -> list[tuple[str, int]]:
    with db.transaction(read_only=True) as session:
        held = session.exec(select(CartLine)).all()
        return [(session.get_one(Design, line.design_id).choices.get("case", ""), line.quantity) for line in held]


def test_the_bag_takes_the_design_with_and_without_script(shop: PageBrowser) -> None:
    shop.submit(WATCH, {"choose": "case:gold"})
    answer = shop.submit(WATCH, {"act": "bag"}, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    swapped_in = swapped(shop, WATCH, act="bag")
    assert '<span id="bag-now" hidden>2</span>' in swapped_in.text
    assert "Your Watch is in the bag." in swapped_in.text
    assert lines() == [("gold", 2)]


def test_a_line_opened_from_the_bag_is_replaced_by_what_comes_of_it(shop: PageBrowser) -> None:
    code = saved(shop)
    shop.submit(f"/designs/{code}/bag", follow=False)
    with db.transaction(read_only=True) as session:
        (line,) = session.exec(select(CartLine)).all()
    shop.get(f"/designs/{code}")
    shop.submit(f"/designs/{code}/copy", {"line": line.id})
    assert "Change in bag" in shop.text()
    shop.submit(WATCH, {"choose": "case:gold"})
    shop.submit(WATCH, {"act": "bag"}, follow=False)
    assert lines() == [("gold", 1)]
