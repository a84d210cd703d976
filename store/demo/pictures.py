"""Development command: renders the layered stills of the demo products with the shop's own viewer in Chromium."""

import argparse
import base64
import hashlib
import itertools
import json
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page, Route, sync_playwright

from store import assets

SHEETS = Path(__file__).with_name("sheets.json")
ORIGIN = "http://pictures.test"
SIZE = 800
LIMIT = 40_000  # bytes a sheet
QUALITY = 0.86
GROUND = "#f3f0ea"  # the stage's colour, for comparisons
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu-watchdog",
]
PAGE = f"""<!doctype html><meta charset=utf-8><link rel=icon href="data:,">
<style>html,body{{margin:0}}#stage{{width:{SIZE}px;height:{SIZE}px}}</style><div id=stage></div>"""
CALL = "async ([name, argument]) => (await import('/pictures.js'))[name](argument)"

Json = dict[str, Any]


def main() -> None:
    """Render all stills, or compare random designs with full renders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("products", nargs="*", help="slugs; all when left out")
    parser.add_argument("--compare", type=int, metavar="N", help="compare N random designs a view instead of rendering")
    parser.add_argument("--out", type=Path, default=Path("var/pictures"), help="where comparisons are written")
    options = parser.parse_args()
    plans: Json = json.loads(SHEETS.read_text())
    with studio() as page:
        for slug in options.products or plans:
            setup = assets.viewer_setup(f"{plans[slug]['model']}.glb", f"{plans[slug]['model']}_bindings.json")
            assert setup is not None
            page.evaluate(CALL, ["open", setup])
            if options.compare:
                compare(page, slug, setup, options.compare, options.out)
            else:
                render(page, slug, setup, plans[slug])


@contextmanager
def studio() -> Iterator[Page]:
    """A browser page that is served the project's static files without a server."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = browser.new_page(viewport={"width": SIZE, "height": SIZE})
        page.route("**/*", _answer)
        page.goto(f"{ORIGIN}/")
        yield page
        browser.close()


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        route.fulfill(content_type="text/html", body=PAGE)
    elif path == "/pictures.js":
        route.fulfill(path=Path(__file__).with_name("pictures.js"))
    else:
        route.fulfill(path=assets.ROOT / path.lstrip("/"))


def render(page: Page, slug: str, setup: Json, plan: Json) -> None:
    """Render every sheet and preset of a product, put them in place in one step, and write the manifest."""
    folder = assets.ROOT / "static" / "posters" / slug
    fresh = folder.with_name(f"{slug}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    options = {group: list(values) for group, values in setup["bindings"].items()}
    cameras = {view["id"]: view for view in setup["views"]}
    views = {}
    for view, sheets in plan["views"].items():
        drawn = [at for at, sheet in enumerate(sheets) if not sheet.get("glass")]
        layers = [_render_sheet(page, fresh, cameras[view], sheets, at, options) for at in drawn]
        views[view] = assets.View(layers=layers)
    used = {group for view in views.values() for layer in view["layers"] for group in layer["groups"]}
    manifest = assets.Manifest(
        size=[SIZE, SIZE],
        options={group: values for group, values in options.items() if group in used},
        views=views,
        posters=_render_presets(page, fresh, setup["views"][0], plan["product"], used),
    )
    sizes = [file.stat().st_size for file in fresh.iterdir()]
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    folder.with_suffix(".json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    _say(f"{slug}: {len(sizes)} files, {sum(sizes) // 1000} kB, largest {max(sizes) // 1000} kB")


def _render_presets(page: Page, folder: Path, camera: Json, product: str, used: set[str]) -> list[assets.Poster]:
    """A flat picture of every preset of the product file."""
    source: Json = yaml.safe_load((assets.ROOT / "configurator" / "products" / product).read_text())
    defaults = {
        group["id"]: option["id"]
        for group in source["groups"]
        for option in group.get("options", [])
        if "default" in option
    }
    posters = []
    for preset in source["presets"]:
        choices = {group: value for group, value in (defaults | preset["choices"]).items() if group in used}
        call = {"view": camera, "choices": choices, "ground": GROUND, "quality": QUALITY}
        file = f"preset-{preset['id']}.jpg"
        (folder / file).write_bytes(base64.b64decode(page.evaluate(CALL, ["poster", call])))
        posters.append(assets.Poster(choices=choices, file=file))
    return posters


def _render_sheet(
    page: Page, folder: Path, camera: Json, sheets: list[Json], at: int, options: dict[str, list[str]]
) -> assets.Layer:
    sheet = sheets[at]
    groups: dict[str, list[str]] = sheet["groups"]
    layer = assets.Layer(groups=list(groups), files={})
    known: dict[str, str] = {}
    for values in itertools.product(*(picked or options[group] for group, picked in groups.items())):
        choices = dict(zip(groups, values, strict=True)) | camera.get("choices", {})
        call = {"view": camera, "sheets": sheets, "at": at, "choices": choices, "quality": QUALITY, "limit": LIMIT}
        encoded: str | None = page.evaluate(CALL, ["sheet", call])
        if encoded is None:
            continue
        picture = base64.b64decode(encoded)
        name = "-".join((camera["id"], sheet["name"], *values)) + ".webp"
        file = known.setdefault(hashlib.sha256(picture).hexdigest(), name)
        layer["files"][" ".join(values)] = file
        if file == name:
            (folder / name).write_bytes(picture)
    _say(f"  {camera['id']} {sheet['name']}: {len(known)}")
    return layer


def compare(page: Page, slug: str, setup: Json, count: int, out: Path) -> None:
    """Measure how far stacks of sheets are from full renders of random designs, and write both side by side."""
    out.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)  # noqa: S311 - a sample, not a secret
    for view in assets.picture_views(slug):
        camera = next(each for each in setup["views"] if each["id"] == view)
        for number in range(count):
            design = {group: draw.choice(list(values)) for group, values in setup["bindings"].items()}
            design |= {"presentation": "worn", "lid": "closed"} | camera.get("choices", {})
            call = {
                "view": camera,
                "choices": design,
                "urls": assets.picture_layers(slug, design, view),
                "ground": GROUND,
            }
            found: Json = page.evaluate(CALL, ["compare", call])
            (out / f"{slug}-{view}-{number}.png").write_bytes(base64.b64decode(found["picture"]))
            _say(f"{slug} {view}: mean {found['mean']:.2f}, 99.9 % {found['p999']:.0f} of 255; {design}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
