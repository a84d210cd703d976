"""Stripe's own OpenAPI document as an oracle: fetched once into var/, never committed, and checked against."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

# A package that carries the document; it is read, not installed (it wants a newer Python than ours).
PACKAGE = "seahaven-stripe-world==0.3.0"
INSIDE = "seahaven_stripe_world/spec/spec3.json"
KEPT = Path(__file__).resolve().parents[3] / "var" / "cache" / "stripe-openapi.json"

# Fields that Stripe added in a version later than the document's.
NEWER = {"checkout.session": {"allowed_payment_method_types"}}


@cache
def document() -> dict[str, Any] | None:
    """The document, or none where it cannot be had."""
    if not KEPT.exists():
        with tempfile.TemporaryDirectory() as folder:
            text = _fetched(Path(folder))
        if text is None:
            return None
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        draft = KEPT.with_suffix(f".{os.getpid()}")
        draft.write_bytes(text)
        draft.replace(KEPT)
    read: dict[str, Any] = json.loads(KEPT.read_bytes())
    return read


def _fetched(folder: Path) -> bytes | None:
    """The document out of the package, fetched with whichever installer is here."""
    platform = ["--no-deps", "--only-binary=:all:", "--python-version=3.14", PACKAGE]
    for command in (
        [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), *platform],
        [_uv(), "pip", "install", "--quiet", "--target", str(folder), *platform],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError):
            continue
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                return archive.read(INSIDE)
        return (folder / INSIDE).read_bytes()
    return None


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or "uv"


def faults(value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
    """What of a value the schema does not allow, each with its place; unknown fields count."""
    spec = document()
    assert spec is not None
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return faults(value, spec["components"]["schemas"][name] | {"x-name": name}, at)
    if value is None:
        return [] if schema.get("nullable") else [f"{at}: null"]
    if "anyOf" in schema:
        tried = [faults(value, option, at) for option in schema["anyOf"]]
        return min(tried, key=len)
    found: list[str] = []
    kind = schema.get("type")
    if kind and not _is(value, kind):
        return [f"{at}: {value!r} is no {kind}"]
    if schema.get("enum") and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        found.append(f"{at}: too long")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += faults(inner, schema.get("items", {}), f"{at}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        found += _field_faults(value, schema, at)
    return found


def _field_faults(value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}.{name}: missing" for name in schema.get("required", []) if name not in value]
    for name, inner in value.items():
        if name in schema["properties"]:
            found += faults(inner, schema["properties"][name], f"{at}.{name}")
        elif name not in NEWER.get(schema.get("x-name", ""), ()):
            found.append(f"{at}.{name}: unknown")
    return found


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "array": list, "object": dict}[kind])


def answer_schema(method: str, path: str) -> dict[str, Any]:
    """The schema of a call's good answer."""
    spec = document()
    assert spec is not None
    found: dict[str, Any] = spec["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    return found


def parameters(method: str, path: str) -> set[str]:
    """The names of the parameters that a call takes."""
    spec = document()
    assert spec is not None
    call = spec["paths"][path][method]
    names = {one["name"] for one in call.get("parameters", []) if one["in"] == "query"}
    for body in call.get("requestBody", {}).get("content", {}).values():
        names |= set(body["schema"].get("properties", {}))
    return names
