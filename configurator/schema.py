"""The JSON Schema of the product language, made from the words the reader obeys, so that editors complete it."""

from typing import Any

from configurator.language import PATTERNS, SHAPES, Key

_PLAIN: dict[str, dict[str, Any]] = {
    "id": {"type": ["string", "integer"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"},
    "name": {
        "type": ["string", "integer"],
        "pattern": r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9][A-Za-z0-9_-]{0,63})*$",
    },
    "text": {"type": ["string", "number"]},
    "words": {"type": ["string", "integer", "object"]},
    "integer": {"type": "integer"},
    "amount": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "scalar": {"type": ["string", "integer", "boolean"]},
    "list": {"type": "array"},
    "mapping": {"type": "object"},
    "condition": {"type": "object", "minProperties": 1},
    "value": {},
    "json": {"type": ["object", "array"]},
}


def product_schema() -> dict[str, Any]:
    """The schema of one product document (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A product of the house",
        "$ref": "#/$defs/product",
        "$defs": {name: _shape(name, keys) for name, keys in SHAPES.items()},
    }


def _shape(name: str, keys: dict[str, Key]) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "type": ["object", "null"] if name in ("flag", "upload") else "object",
        "properties": {key: _key(spec) for key, spec in keys.items()},
        "required": [key for key, spec in keys.items() if spec.required],
        "additionalProperties": False,
    }
    if name in PATTERNS:
        shape["patternProperties"] = {f"^{PATTERNS[name]}$": {"type": "integer"}}
    return shape


def _key(key: Key) -> dict[str, Any]:
    schema: dict[str, Any] = {**_PLAIN[key.kind], "description": key.doc}
    if key.choices:
        schema["enum"] = list(key.choices)
    if key.shape and key.kind == "list":
        schema["items"] = {"$ref": f"#/$defs/{key.shape}"}
    elif key.shape:
        schema = {"$ref": f"#/$defs/{key.shape}", "description": key.doc}
    return schema
