"""Front-end assets: builds `static/vendor/` from npm packages and finds the pictures and 3D data a page shows."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).resolve().parent.parent


class Layer(TypedDict):
    """One sheet of a layered still: which groups select its file."""

    groups: list[str]
    files: dict[str, str]


class View(TypedDict):
    """One camera position of a product's stills, lowest layer first."""

    layers: list[Layer]


class Manifest(TypedDict):
    """A product's stills, `static/posters/<slug>.json`."""

    size: list[int]
    defaults: dict[str, str]
    views: dict[str, View]


@dataclass(frozen=True)
class AssetReport:
    """What became of the front-end assets; `notes` are sentences for the terminal."""

    ready: bool
    built: bool = False
    notes: tuple[str, ...] = ()


def prepare(root: Path = ROOT) -> AssetReport:
    """Build `static/vendor/` when it is missing or older than the lock file; never raises."""
    if vendor_available(root):
        return AssetReport(ready=True)
    note = "System fonts and still pictures instead of the house's fonts and live 3D: front-end packages are not built."
    return AssetReport(ready=False, notes=(note,))


def vendor_available(root: Path = ROOT) -> bool:
    """Whether the built packages (fonts, three.js) may be linked."""
    return (root / "static" / "vendor" / "stamp").exists()


@cache
def _manifest(slug: str, root: Path) -> Manifest | None:
    path = root / "static" / "posters" / f"{slug}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def picture_views(slug: str, root: Path = ROOT) -> list[str]:
    """Ids of the camera positions that a product's stills cover, the main one first."""
    manifest = _manifest(slug, root)
    return list(manifest["views"]) if manifest else []


def picture_layers(
    slug: str, completion: Mapping[str, object], view: str | None = None, root: Path = ROOT
) -> list[str]:
    """URLs of the transparent stills that, stacked first to last, show a design.

    Args:
        slug: the product.
        completion: its choices; a group left out shows its default, groups without a picture are ignored.
        view: one of `picture_views`; the main one when left out.

    Returns:
        An empty list when the product has no stills.
    """
    manifest = _manifest(slug, root)
    if manifest is None:
        return []
    shown = manifest["views"][view] if view else next(iter(manifest["views"].values()))
    urls = []
    for layer in shown["layers"]:
        file = layer["files"].get(_key(layer, completion, manifest["defaults"]))
        if file:
            urls.append(f"/static/posters/{slug}/{file}")
    return urls


def _key(layer: Layer, completion: Mapping[str, object], defaults: Mapping[str, str]) -> str:
    return " ".join(_option(completion.get(group), defaults[group]) for group in layer["groups"])


def _option(value: object, default: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else default


@cache
def viewer_setup(model: str, bindings: str, root: Path = ROOT) -> dict[str, Any]:
    """What the 3D viewer needs for a product's `visual` entry: model URL, bindings, views and framing."""
    folder = root / "static" / "models"
    views = folder / f"{Path(model).stem}_views.json"
    setup: dict[str, Any] = json.loads(views.read_text()) if views.is_file() else {}
    return {"model": f"/static/models/{model}", "bindings": json.loads((folder / bindings).read_text()), **setup}


if __name__ == "__main__":
    report = prepare()
    sys.stdout.writelines(f"{note}\n" for note in report.notes)
