"""The work in progress: undo and redo that survive a reload, a republication, and a second tab."""

from concurrent.futures import ThreadPoolExecutor

from store.shop import workbench
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.pages.test_republished import RETIRED, republish

WORK = "/api/products/watch/work"


def step(browser: PageBrowser, act: str, **more: object) -> dict:  # type: ignore[type-arg]
    answer = browser.call("POST", WORK, {"act": act, **more})
    assert answer.status_code == 200, answer.text
    found: dict = answer.json()  # type: ignore[type-arg]
    return found


def test_steps_go_back_and_forth_by_json_and_by_form_alike(buyer: PageBrowser) -> None:
    step(buyer, "choose", choices={"case": "gold"})
    step(buyer, "choose", choices={"case": "gold"}, texts={"engraving": "C."})
    buyer.get("/products/watch")
    assert "€24,000" in buyer.text()
    buyer.submit("/products/watch", {"act": "undo"})
    assert (now := buyer.call("GET", WORK).json())["choices"] == {"case": "gold"}
    assert (now["texts"], now["undo"], now["redo"]) == ({}, 1, 1)
    assert step(buyer, "redo")["texts"] == {"engraving": "C."}
    for _ in range(5):
        step(buyer, "undo")
    assert (now := buyer.call("GET", WORK).json())["choices"] == {}
    assert (now["undo"], now["redo"]) == (0, 2)


def test_the_history_is_bounded(buyer: PageBrowser) -> None:
    for number in range(workbench.STEPS_KEPT + 10):
        step(buyer, "choose", choices={"case": ("gold", "steel")[number % 2]})
    assert buyer.call("GET", WORK).json()["undo"] == workbench.STEPS_KEPT


def test_a_tab_that_has_not_seen_the_newest_step_is_told_and_loses_nothing(buyer: PageBrowser) -> None:
    seen = step(buyer, "choose", choices={"case": "gold"})["revision"]
    step(buyer, "choose", choices={"case": "gold"}, texts={"engraving": "C."}, revision=seen)
    refused = buyer.call("POST", WORK, {"act": "choose", "choices": {"strap": "rubber"}, "revision": seen})
    assert refused.status_code == 409
    assert refused.json()["texts"] == {"engraving": "C."}
    assert buyer.call("GET", WORK).json()["choices"] == {"case": "gold"}


def test_two_tabs_that_choose_at_once_both_keep_their_choice(buyer: PageBrowser) -> None:
    buyer.get("/products/watch")
    token = buyer.token()
    wishes = ("case:gold", "strap:calf")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda wish: buyer.submit("/products/watch", {"choose": wish}, csrf=token, follow=False), wishes))
    assert buyer.call("GET", WORK).json()["choices"] == {"case": "gold", "strap": "calf"}


def test_a_choice_that_does_not_go_is_refused_and_changes_nothing(buyer: PageBrowser) -> None:
    step(buyer, "choose", choices={"case": "gold"})
    assert (
        buyer.call("POST", WORK, {"act": "choose", "choices": {"case": "gold", "strap": "rubber"}}).status_code == 409
    )
    assert buyer.call("GET", WORK).json()["choices"] == {"case": "gold"}


def test_work_survives_a_new_version_saying_what_changed(buyer: PageBrowser) -> None:
    step(buyer, "choose", choices={"case": "gold", "strap": "calf"})
    republish(RETIRED)
    now = buyer.call("GET", WORK).json()
    assert now["choices"] == {"strap": "calf"}
    assert now["changes"][0] == "Case: Gold is no longer made; Steel takes its place."
    buyer.get("/products/watch")
    assert "Gold is no longer made" in buyer.text()
    assert selling.WATCH != RETIRED
