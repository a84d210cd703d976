"""Where every value stands, as the JSON of an analysis tells it; the groups of repeated parts stand in their part."""

from collections.abc import Mapping
from typing import Any

from configurator import Analysis, Difference, GroupState, OptionGroup, ProductModel
from configurator.choices import key
from configurator.nesting import present
from configurator.wording import value_label

Changes = Mapping[tuple[str, str], Difference]


def groups(model: ProductModel, found: Analysis, changes: Changes) -> list[dict[str, Any]]:
    """The groups in order, with the states of their values and what each value would change.

    Plain values, correct by construction: an analysis is asked for after every click.
    """
    rows: list[dict[str, Any]] = []
    parts: dict[str, list[dict[str, Any]]] = {}
    states = {state.id: state for state in found.groups}
    for group in model.groups:
        state = states.get(group.id)
        if state is None:  # somebody else's private group
            continue
        row = _row(group, state, changes)
        if group.repeated is not None:
            parts[group.id] = row["parts"] = []
            row |= {"kind": "repeated", "min": group.minimum, "max": group.maximum}
        if group.part is None:
            rows.append(row)
        elif present(group, found.completion):
            homes = parts[group.part.of]
            if len(homes) < group.part.number:
                homes.append({"number": group.part.number, "label": group.part.label, "groups": []})
            homes[-1]["groups"].append(row | {"name": group.part.group, "label": group.part.title})
    return rows


def _row(group: OptionGroup, state: GroupState, changes: Changes) -> dict[str, Any]:
    values = []
    for value in state.values:
        change = changes.get((state.id, key(value.id)))
        values.append(
            {
                "id": value.id,
                "label": value_label(group, [str(value.id)] if group.kind == "several" else value.id),
                "state": value.state,
                "price_delta": change.price_delta if change else None,
                "lead_time_delta_days": change.lead_time_delta_days if change else None,
            }
        )
    return {"id": state.id, "label": group.label, "kind": group.kind, "needed": state.needed, "values": values}
