"""The 3D viewer in a real Chromium, under the strict policy that the shop's pages carry."""

import base64
import mimetypes
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from store import assets
from tests.live import SWITCHES, chromium

pytestmark = pytest.mark.browser

# WebGL drawn in software; slow on a busy machine, which the watchdog would take for a hang.
SOFTWARE_3D = [
    *(switch for switch in SWITCHES if switch not in ("--disable-gpu", "--disable-3d-apis")),
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu-watchdog",
]
PATIENCE = 120_000  # milliseconds
ORIGIN = "http://shop.test"
WINDOW: ViewportSize = {"width": 400, "height": 400}
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'"
STAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Stage</title>
<link rel=stylesheet href=/stage.css><main><div id=stage data-label="Your Méridien"><div data-stills>%s</div></div>
<p id=elsewhere>Elsewhere</p></main>"""
STYLE = """body { margin: 0; background: #f3f0ea } #stage { position: relative; width: 300px; height: 300px }
[data-stills] img { position: absolute; inset: 0; width: 100%; height: 100% }"""
OPEN = """async ([setup, choices, texts]) => {
  const { createViewer } = await import('/static/js/viewer.js');
  window.viewer = createViewer(document.getElementById('stage'), { ...setup, choices, texts });
}"""
NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest);
};"""
# The mean difference of two pictures, 0…255.
DIFFERENCE = """async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (data) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const pen = new OffscreenCanvas(image.width, image.height).getContext('2d');
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, image.width, image.height).data;
  }));
  return one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
}"""
STEEL = {
    "case": "steel", "back": "solid", "dial": "midnight", "hands": "baton", "index": "baton",
    "complication": "small-seconds", "movement": "automatic", "rotor": "brushed", "strap": "calf", "leather": "navy",
    "stitching": "ecru",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    report = assets.prepare()
    if not report.ready:
        pytest.skip(" ".join(report.notes))
    with chromium(SOFTWARE_3D) as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WINDOW)
    yield context
    context.close()


@pytest.fixture(scope="module")
def calm_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose owner asked for reduced motion: nothing glides or fades, so nothing need be waited for."""
    context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture(scope="module")
def live_page(calm_context: BrowserContext) -> Page:
    """A watch in live 3D, shared by the tests that only look at it."""
    page = open_stage(calm_context)
    assert page.evaluate("viewer.start()") is True
    return page


@pytest.fixture
def live(live_page: Page) -> Page:
    """The live watch as it was at first."""
    live_page.evaluate("(choices) => viewer.apply(choices, {})", STEEL)
    live_page.evaluate("viewer.view('portrait')")
    drawn(live_page)
    return live_page


def answer(route: Route) -> None:
    """Serve the project's static files, and the stage's page and style, without a server."""
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        stills = "".join(f'<img src="{url}" alt="">' for url in assets.picture_layers("meridien", STEEL))
        route.fulfill(content_type="text/html", body=STAGE % stills, headers={"Content-Security-Policy": POLICY})
    elif path == "/stage.css":
        route.fulfill(content_type="text/css", body=STYLE)
    elif (file := assets.ROOT / path.lstrip("/")).is_file():
        route.fulfill(path=file, content_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream")
    else:
        route.fulfill(status=404, content_type="text/plain", body="")


def open_stage(
    context: BrowserContext, choices: Mapping[str, str] = STEEL, texts: Mapping[str, str] | None = None, **other: Any
) -> Page:
    """A stage with stills, watched over by the viewer."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")
    setup = (assets.viewer_setup("watch.glb", "watch_bindings.json") or {}) | other
    page.evaluate(OPEN, [setup, dict(choices), dict(texts or {})])
    return page


def state(page: Page) -> str:
    found: str = page.evaluate("document.getElementById('stage').dataset.viewer")
    return found


def drawn(page: Page) -> None:
    """Wait for the next frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def show(page: Page, choices: Mapping[str, str], texts: Mapping[str, str] | None = None) -> None:
    """Apply choices and words, and wait until they are drawn."""
    page.evaluate("([choices, texts]) => viewer.apply(choices, texts)", [dict(choices), dict(texts or {})])
    drawn(page)


def picture(page: Page) -> str:
    return base64.b64encode(page.locator("#stage").screenshot()).decode()


def difference(page: Page, one: str, other: str) -> float:
    """Measured on a page without a policy, where pictures may be read from data."""
    scratch = page.context.new_page()
    found: float = scratch.evaluate(DIFFERENCE, [one, other])
    scratch.close()
    return found


def test_stills_come_first_and_the_live_view_takes_over_without_a_jump(context: BrowserContext) -> None:
    page = open_stage(context)
    assert state(page) == "stills"
    assert page.locator("#stage canvas").count() == 0
    stills = picture(page)
    page.hover("#stage")
    page.wait_for_selector("#stage[data-viewer=live]")
    expect(page.locator("#stage canvas")).to_have_css("opacity", "1", timeout=PATIENCE)
    assert page.get_by_role("img", name="Your Méridien").evaluate("(node) => node.tagName") == "CANVAS"
    assert difference(page, stills, picture(page)) < 3


def test_a_choice_changes_the_picture_and_choosing_back_restores_it(live: Page) -> None:
    before = picture(live)
    show(live, STEEL | {"dial": "emerald"})
    assert difference(live, before, picture(live)) > 1
    show(live, STEEL)
    assert picture(live) == before


def test_words_are_cut_into_the_case_back(live: Page) -> None:
    assert live.evaluate("viewer.view('back')") is True
    show(live, STEEL)
    blank = picture(live)
    show(live, STEEL, {"engraving": "For Elena"})
    assert difference(live, blank, picture(live)) > 0.2
    show(live, STEEL, {"engraving": ""})
    assert picture(live) == blank


def test_arrow_keys_turn_the_piece(live: Page) -> None:
    before = picture(live)
    live.locator("#stage canvas").focus()
    live.keyboard.press("ArrowRight")
    drawn(live)
    assert difference(live, before, picture(live)) > 1


def test_reduced_motion_keeps_the_stills_until_a_view_is_asked_for(calm_context: BrowserContext) -> None:
    page = open_stage(calm_context)
    page.hover("#stage")
    show(page, STEEL)
    assert state(page) == "stills"
    assert page.evaluate("viewer.view('profile')") is True
    assert state(page) == "live"
    assert page.locator("#stage canvas").evaluate("(node) => node.style.transition").startswith("none")
    page.close()


def test_without_webgl_the_stills_stay(context: BrowserContext) -> None:
    context.add_init_script(NO_WEBGL)
    page = open_stage(context)
    stills = picture(page)
    assert page.evaluate("viewer.start()") is False
    assert page.evaluate("viewer.view('profile')") is False
    assert state(page) == "stills"
    assert difference(page, stills, picture(page)) == 0


def test_a_model_that_cannot_be_fetched_leaves_the_stills_and_tells_the_page(context: BrowserContext) -> None:
    page = open_stage(context, model="/static/models/absent.glb")
    page.evaluate("addEventListener('viewer:failed', () => { window.told = true; })")
    stills = picture(page)
    assert page.evaluate("viewer.start()") is False
    assert page.evaluate("window.told") is True
    assert state(page) == "stills"
    assert difference(page, stills, picture(page)) == 0


def test_leaving_gives_the_canvas_and_the_graphics_memory_back(calm_context: BrowserContext) -> None:
    page = open_stage(calm_context)
    stills = picture(page)
    page.evaluate("viewer.start()")
    canvas = page.locator("#stage canvas").element_handle()
    page.evaluate("viewer.dispose()")
    assert page.locator("#stage canvas").count() == 0
    assert page.evaluate("(canvas) => canvas.getContext('webgl2').isContextLost()", canvas) is True
    assert difference(page, stills, picture(page)) == 0
    page.close()


def test_a_viewer_that_was_left_does_not_start_again(calm_context: BrowserContext) -> None:
    page = open_stage(calm_context)
    page.evaluate("viewer.dispose()")
    assert page.evaluate("viewer.start()") is False
    assert page.locator("#stage canvas").count() == 0
    page.close()


@pytest.mark.trial
@pytest.mark.parametrize(
    ("model", "elsewhere"), [("trunk", {"lining": "open"}), ("boat", {"name": "stern", "stern": "stern"})]
)
def test_every_option_looks_different(calm_context: BrowserContext, model: str, elsewhere: dict[str, str]) -> None:
    setup = assets.viewer_setup(f"{model}.glb", f"{model}_bindings.json")
    assert setup is not None
    page = open_stage(calm_context, {}, **setup)
    for group, options in setup["bindings"].items():
        page.evaluate("(view) => viewer.view(view)", elsewhere.get(group, "portrait"))
        looks = []
        for option in options:
            show(page, {group: option}, {"name": "Aurora"})
            looks.append(picture(page))
        assert len(set(looks)) == len(options), group
    page.close()
