"""Answers `expand[]`: puts whole objects where an answer holds their ids."""

from typing import Any

from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.problems import wrong
from store.shop.stripe_sandbox.sandbox import Sandbox

# field of an answer → the kind of object whose id it holds
POINTS_TO = {
    "customer": "customer",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "latest_charge": "charge",
    "charge": "charge",
}
DEEPEST = 4


def expanded(box: Sandbox, body: Body, paths: Any) -> Body:
    """The answer with each dotted path of `paths` expanded, to Stripe's depth of four."""
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise wrong("expand", "Invalid array")
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise wrong("expand", "You cannot expand more than 4 levels of a property")
        _expand(box, body, steps, path)
    return body


def _expand(box: Sandbox, node: Any, steps: list[str], whole: str) -> None:
    if isinstance(node, list):
        for inner in node:
            _expand(box, inner, steps, whole)
        return
    step, rest = steps[0], steps[1:]
    if step == "data" and isinstance(node.get("data"), list):
        _expand(box, node["data"], rest, whole)
        return
    if step == "line_items" and node["object"] == "checkout.session":
        node["line_items"] = line_items(box, node["id"])
        return
    if step not in POINTS_TO or step not in node:
        raise wrong("expand", f"This property cannot be expanded ({whole}).")
    if isinstance(node[step], str):
        node[step] = box.shown(box.get(POINTS_TO[step], node[step]))
    if rest and node[step] is not None:
        _expand(box, node[step], rest, whole)


def line_items(box: Sandbox, session: str) -> Body:
    """The list object of a session's lines."""
    lines = box.get("checkout.session", session)["_lines"]
    return {
        "object": "list",
        "data": lines,
        "has_more": False,
        "url": f"/v1/checkout/sessions/{session}/line_items",
    }
