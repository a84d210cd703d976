"""The configurator with its script: in place, focus kept, one dialog, and the same price as without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.live import DESKTOP, PHONE, LiveShop, new_page

pytestmark = pytest.mark.browser

COVERED = """() => {
  const control = document.activeElement;
  if (control === document.body) return null;
  const box = control.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 30));
  return [control.id || control.textContent.trim(), Boolean(top) && (control.contains(top) || top.contains(control))];
}"""
WATCH_SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext, live: LiveShop) -> Page:
    """The Méridien, opened for the first time."""
    page = new_page(context)
    page.goto(f"{live.url}/products/meridien")
    return page


def press(page: Page, selector: str) -> None:
    """Press a button of the form and wait for the answer to be in place."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click(selector)


def test_a_choice_changes_price_picture_and_words_in_place(watch: Page) -> None:
    watch.evaluate(WATCH_SHIFTS)
    expect(watch.locator("#price")).to_have_text("€10,700")
    press(watch, "#o-case-rose-gold")
    expect(watch.locator("#price")).to_have_text("€24,900")
    expect(watch.locator("#o-case-rose-gold")).to_be_focused()
    expect(watch.locator("#o-case-rose-gold")).to_have_attribute("aria-pressed", "true")
    assert watch.locator("[data-stills] img[src*='rose-gold']").count() > 0
    assert "Rose gold" in (watch.locator("[data-stills]").get_attribute("aria-label") or "")
    assert watch.locator("#price").get_attribute("aria-live") == "polite"
    assert watch.evaluate("window.shifted") < 0.01
    watch.reload()
    expect(watch.locator("#price")).to_have_text("€24,900")


def test_a_wish_opens_a_dialog_and_cancelling_leaves_everything(watch: Page) -> None:
    press(watch, "#preset-soiree")
    before = "€26,830"
    expect(watch.locator("#price")).to_have_text(before)
    press(watch, "#o-size-mm38")
    dialog = watch.locator("#repairs")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("(dialog) => dialog.matches(':modal')")
    expect(dialog).to_contain_text("The small seconds need a dial of at least 40 mm.")
    watch.click("#repairs-cancel")
    expect(dialog).to_be_hidden()
    expect(watch.locator("#o-size-mm38")).to_be_focused()
    expect(watch.locator("#price")).to_have_text(before)
    press(watch, "#o-size-mm38")
    expect(dialog).to_be_visible()
    watch.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    press(watch, "#o-size-mm38")
    expect(dialog).to_be_visible()
    press(watch, "#repair-1")
    expect(watch.locator("#o-size-mm38")).to_have_attribute("aria-pressed", "true")
    press(watch, "#undo")
    expect(watch.locator("#price")).to_have_text(before)


def test_words_are_priced_while_typing_and_stay_in_the_field(watch: Page) -> None:
    with watch.expect_response(lambda answer: answer.request.method == "POST"):
        watch.locator("#g-engraving-input").press_sequentially("Amélie")
    expect(watch.locator("#g-engraving-input")).to_be_focused()
    expect(watch.locator("#g-engraving-input")).to_have_value("Amélie")
    expect(watch.locator("#price")).to_have_text("€10,745")
    with watch.expect_response(lambda answer: answer.request.method == "POST"):
        watch.locator("#g-engraving-input").press_sequentially("€")
    expect(watch.locator("#g-engraving-wrong")).to_contain_text("cannot be written")


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_control_in_focus_is_never_under_a_bar(browser: Browser, live: LiveShop, window: ViewportSize) -> None:
    context = browser.new_context(viewport=window)
    page = new_page(context)
    page.goto(f"{live.url}/products/meridien")
    seen, covered = [], []
    for _ in range(150):
        page.keyboard.press("Tab")
        found = page.evaluate(COVERED)
        if found is None:
            break
        seen.append(found[0])
        if not found[1]:
            covered.append(found[0])
    assert covered == []
    assert {"o-case-steel", "g-engraving-input", "save", "bag"} <= set(seen)
    assert page.evaluate("document.documentElement.scrollWidth") == window["width"]
    context.close()


def test_the_same_steps_without_script_end_at_the_same_price(browser: Browser, live: LiveShop) -> None:
    prices = []
    for script in (True, False):
        context = browser.new_context(viewport=DESKTOP, java_script_enabled=script)
        page = new_page(context)
        page.goto(f"{live.url}/products/meridien")
        for step in ("#preset-soiree", "#o-size-mm38", "#repair-1", "#o-leather-black"):
            press(page, step)
            page.wait_for_load_state()
        prices.append(page.inner_text("#price"))
        context.close()
    assert prices[0] == prices[1]
