"""Reads Stripe's form-encoded nested parameters and checks them the way Stripe does."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from store.shop.stripe_sandbox.problems import StripeProblem, missing, wrong

LARGEST_CHARGE = 99_999_999  # minor units: one card charge ends at 999,999.99
SMALLEST_CHARGE = 50
LARGEST_REQUEST = 1_000_000  # bytes of a body
MOST_PARAMETERS = 2_000

Params = dict[str, Any]


def decode(encoded: str) -> Params:
    """Decode `a[b][0][c]=d` into nested dictionaries and lists."""
    tree: Params = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise StripeProblem(400, "Too many parameters.") from error
    for name, value in pairs:
        path = re.findall(r"[^\[\]]+", name)
        if not path:
            raise StripeProblem(400, f"Invalid parameter name: {name!r}.")
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise StripeProblem(400, f"Invalid parameter: {name}.", param=name)
        _put(node, path[-1], value, appending=name.endswith("[]"))
    return {name: _lists(value) for name, value in tree.items()}


def _put(node: Params, step: str, value: str, *, appending: bool) -> None:
    if appending:
        branch = node.setdefault(step, {})
        if isinstance(branch, dict):
            branch[str(len(branch))] = value
            return
    elif not isinstance(node.get(step), dict):
        node[step] = value
        return
    raise StripeProblem(400, f"Invalid parameter: {step}.", param=step)


def _lists(value: Any) -> Any:
    """Turn dictionaries with the keys 0, 1, 2 … into lists, at every depth."""
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(child) for name, child in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def only(params: Mapping[str, Any], allowed: Sequence[str], inside: str = "") -> None:
    """Refuse a parameter that the sandbox does not know, so that a misspelt one is never silently ignored."""
    for name in params:
        if name not in allowed:
            full = f"{inside}[{name}]" if inside else name
            raise wrong(full, f"Received unknown parameter: {full}", "parameter_unknown")


def text(params: Mapping[str, Any], name: str, longest: int = 5_000) -> str | None:
    """An optional text; an empty one counts as none, as Stripe has it."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise wrong(name, "Invalid string.")
    if len(value) > longest:
        raise wrong(name, f"Invalid string: must be at most {longest} characters", "parameter_invalid_string")
    return value


def required(params: Mapping[str, Any], name: str) -> str:
    """A text that must be there."""
    value = text(params, name)
    if value is None:
        raise missing(name)
    return value


def integer(params: Mapping[str, Any], name: str) -> int | None:
    """An optional whole number."""
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise wrong(name, f"Invalid integer: {value}", "parameter_invalid_integer")
    return int(value)


def flag(params: Mapping[str, Any], name: str) -> bool:
    """A boolean, false when it was not sent."""
    value = params.get(name, "false")
    if value not in ("true", "false"):
        raise wrong(name, f"Invalid boolean: {value}")
    return bool(value == "true")


def one_of(params: Mapping[str, Any], name: str, allowed: Sequence[str]) -> str | None:
    """An optional value out of a closed list."""
    value = text(params, name)
    if value is not None and value not in allowed:
        raise wrong(name, f"Invalid {name}: must be one of {', '.join(allowed)}")
    return value


def mapping(params: Mapping[str, Any], name: str) -> Params:
    """An optional nested group of parameters."""
    value = params.get(name, {})
    if not isinstance(value, dict):
        raise wrong(name, "Invalid object")
    return value


def items(params: Mapping[str, Any], name: str) -> list[Any]:
    """An optional list."""
    value = params.get(name, [])
    if not isinstance(value, list):
        raise wrong(name, "Invalid array")
    return value


def metadata(params: Mapping[str, Any]) -> dict[str, str]:
    """The caller's own notes: at most 50, with Stripe's limits of length."""
    notes = mapping(params, "metadata")
    if len(notes) > 50:
        raise wrong("metadata", "Metadata can have at most 50 keys")
    for key, value in notes.items():
        if len(key) > 40:
            raise wrong("metadata", "Metadata keys can have at most 40 characters")
        if not isinstance(value, str) or len(value) > 500:
            raise wrong(f"metadata[{key}]", "Metadata values must be text of at most 500 characters")
    return dict(notes)


def currency(params: Mapping[str, Any], name: str = "currency") -> str:
    """A three-letter currency, in lower case as Stripe answers it."""
    value = required(params, name).lower()
    if not re.fullmatch(r"[a-z]{3}", value):
        raise wrong(name, f"Invalid currency: {value}", "invalid_currency")
    return value


def charge_amount(amount: int | None, param: str = "amount") -> int:
    """An amount that one card charge can carry."""
    if amount is None:
        raise missing(param)
    if amount < SMALLEST_CHARGE:
        raise wrong(param, f"Amount must be at least {SMALLEST_CHARGE}", "amount_too_small")
    if amount > LARGEST_CHARGE:
        raise wrong(param, f"Amount must be no more than {LARGEST_CHARGE}", "amount_too_large")
    return amount
