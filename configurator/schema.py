"""The JSON Schema of the product language, made from the words the reader obeys, so that editors complete it."""

from collections.abc import Mapping
from typing import Any

from configurator.language import GROUP_KINDS, OF_PARTS, PATTERNS, PRICE_FORMS, RULE_FORMS, SHAPES, Key
from configurator.spans import WEEKDAYS

Schema = dict[str, Any]

_WORD = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_NAME: Schema = {"type": ["string", "integer"], "pattern": rf"^{_WORD}(\.{_WORD})*$"}
_SCALAR: Schema = {"type": ["string", "integer", "boolean"]}
_TEXT: Schema = {"type": ["string", "number"]}
_NUMBER: Schema = {"type": "integer"}
_CONDITION: Schema = {"$ref": "#/$defs/condition"}


def _list(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    limits = {"minItems": least} if least else {}
    return {"type": "array", "items": items, **limits, **({} if most is None else {"maxItems": most})}


def _mapping(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


_PLAIN: dict[str, Schema] = {
    "id": {"type": ["string", "integer"], "pattern": f"^{_WORD}$"},
    "name": _NAME,
    "text": _TEXT,
    "words": {"$ref": "#/$defs/words"},
    "integer": _NUMBER,
    "amount": _NUMBER,
    "boolean": {"type": "boolean"},
    "list": {"type": "array"},
    "mapping": {"type": "object"},
    "condition": _CONDITION,
}
_TERM: Schema = {
    "oneOf": [
        _NAME,
        {
            "type": "object",
            "properties": {"of": _NAME, "times": _NUMBER},
            "required": ["of"],
            "additionalProperties": False,
        },
    ]
}
_DAY: Schema = {"type": "string", "format": "date"}
_DAYS: Schema = {
    "type": "object",
    "properties": {"from": _DAY, "to": _DAY},
    "required": ["from", "to"],
    "additionalProperties": False,
}
_QUANTITY: Schema = {
    "type": "object",
    "properties": {"each_of": _NAME, "plus": _NUMBER},
    "required": ["each_of"],
    "additionalProperties": False,
}
_PART: Schema = _mapping({"oneOf": [_SCALAR, _list(_SCALAR)]})
_NAMES: Schema = _list(_NAME, 1)
_CONDITIONS: Schema = _list(_CONDITION, 2)
# what the lists and free values of a shape hold, where that is no shape itself
_HOLDS: dict[tuple[str, str], Schema] = {
    ("product", "attributes"): _mapping(_SCALAR),
    ("product", "fits"): {"oneOf": [_mapping(_TEXT), _list({"$ref": "#/$defs/fit"})]},
    ("product", "renamed_from"): _list(_PLAIN["id"]),
    ("group", "renamed_from"): _list(_PLAIN["id"]),
    ("option", "renamed_from"): _list(_PLAIN["id"]),
    ("option", "attributes"): _mapping(_SCALAR),
    ("flag", "attributes"): _mapping(_SCALAR),
    ("date", "weekdays"): _list({"enum": list(WEEKDAYS)}),
    ("date", "except"): _list({"oneOf": [_DAY, _DAYS]}),
    ("rule", "requires"): _CONDITIONS,
    ("rule", "excludes"): _CONDITIONS,
    ("rule", "allow"): _NAMES,
    ("rule", "forbid"): _NAMES,
    ("rule", "rows"): _list({"type": "array"}),
    ("rule", "of"): _list(_CONDITION, 1),
    ("rule", "sum"): _list(_TERM, 1),
    ("rule", "compare"): _list(
        {"oneOf": [*_TERM["oneOf"], _NUMBER, {"enum": ["<", "<=", "=", "==", "!=", ">=", ">"]}]}, 3, 3
    ),
    ("rule", "same"): _list(_NAME, 2, 2),
    ("rule", "different"): _list(_NAME, 2, 2),
    ("rule", "distinct"): {"oneOf": [_NAME, _list(_NAME, 1)]},
    ("price", "of"): {"oneOf": [_NAME, _NAMES]},
    ("price", "matrix"): _NAMES,
    ("price", "rows"): _list({"type": "array"}, 1),
    ("part", "quantity"): {"oneOf": [{"type": "integer", "minimum": 0}, _QUANTITY]},
    ("preset", "choices"): _mapping({"oneOf": [_SCALAR, _list({"oneOf": [_SCALAR, _PART]})]}),
    ("preset", "texts"): _mapping(_TEXT),
    ("visual", "pictures"): _list(_TEXT),
    ("fit", "when"): _mapping({"oneOf": [_SCALAR, _list(_SCALAR)]}),
    ("fit", "same"): _mapping(_TEXT),
}


def product_schema() -> Schema:
    """The schema of one product document (draft 2020-12)."""
    shapes = {name: _shape(name, keys) for name, keys in SHAPES.items()}
    shapes["group"]["oneOf"] = _group_kinds()
    shapes["rule"]["oneOf"] = _forms(RULE_FORMS)
    shapes["price"]["oneOf"] = _forms(PRICE_FORMS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A product of the house",
        "$ref": "#/$defs/product",
        "$defs": {**shapes, "words": _words(), "condition": _condition(), "answer": _answer()},
    }


def _shape(name: str, keys: dict[str, Key]) -> Schema:
    shape: Schema = {
        "type": ["object", "null"] if name in ("flag", "upload") else "object",
        "properties": {key: _key(name, key, spec) for key, spec in keys.items()},
        "required": [key for key, spec in keys.items() if spec.required],
        "additionalProperties": False,
    }
    if name in PATTERNS:
        shape["patternProperties"] = {f"^{PATTERNS[name]}$": _NUMBER}
    return shape


def _key(shape: str, name: str, key: Key) -> Schema:
    if key.shape:
        inner: Schema = {"$ref": f"#/$defs/{key.shape}"}
        return {"description": key.doc, **(_list(inner) if key.kind == "list" else inner)}
    schema = {"description": key.doc, **_HOLDS.get((shape, name), _PLAIN.get(key.kind, {}))}
    if key.choices:
        schema["enum"] = list(key.choices)
    return schema


def _words() -> Schema:
    """A text, or one for each language."""
    languages = {"type": "object", "patternProperties": {"^[a-z]{2}(-[A-Z]{2})?$": _TEXT}, "minProperties": 1}
    return {"oneOf": [_TEXT, {**languages, "additionalProperties": False}]}


def _condition() -> Schema:
    """A mapping of groups to what they must be, and of all, any and not to further conditions."""
    conditions = _list(_CONDITION, 1)
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {"all": conditions, "any": conditions, "not": _CONDITION},
        "additionalProperties": {"$ref": "#/$defs/answer"},
    }


def _answer() -> Schema:
    """What a group must be: a value, several of which one, or a span; of repeated parts what some or every one is."""
    limit: Schema = {"type": ["integer", "string"]}
    values: Schema = {"oneOf": [_SCALAR, _list(_SCALAR, 1)]}
    words: dict[str, Schema] = {
        **dict.fromkeys(("at_least", "at_most", "from", "to"), limit),
        "months": {"oneOf": [_NUMBER, _list({"type": "integer", "minimum": 1, "maximum": 12}, 1)]},
        "weekdays": {"oneOf": [{"enum": list(WEEKDAYS)}, _list({"enum": list(WEEKDAYS)}, 1)]},
        **dict.fromkeys(("not", "is"), values),
        **dict.fromkeys(("some", "every", "first", "last", "each"), _CONDITION),
    }
    return {
        "oneOf": [
            *values["oneOf"],
            {"type": "object", "minProperties": 1, "properties": words, "additionalProperties": False},
        ]
    }


def _group_kinds() -> list[Schema]:
    """One-of has options alone; every other kind is made by its key, and nothing of another kind stands beside it."""
    kinds = {"options": (), **GROUP_KINDS}
    return [
        {
            "title": "one of" if kind == "options" else kind,
            "required": [kind, *beside],
            "properties": dict.fromkeys(
                [
                    *(other for other in kinds if other != kind and other not in beside),
                    *(() if kind == "repeated" else OF_PARTS),
                ],
                False,
            ),
        }
        for kind, beside in kinds.items()
    ]


def _forms(forms: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> list[Schema]:
    """One form each: what must stand beside it, and nothing that goes with other forms only."""
    every = {name for form, (needed, allowed) in forms.items() for name in (form, *needed, *allowed)}
    return [
        {
            "title": form,
            "required": [form, *needed],
            "properties": dict.fromkeys(sorted(every - {form, *needed, *allowed} - _common(forms)), False),
        }
        for form, (needed, allowed) in forms.items()
    ]


def _common(forms: Mapping[str, object]) -> set[str]:
    """`when` stands beside every price."""
    return {"when"} if forms is PRICE_FORMS else set()
