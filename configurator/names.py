"""Resolves the names a product file uses — groups, options, attributes, numbers — into conditions over them."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from configurator.conditions import All, Answered, Any, Condition, Is, Not, Value, groups_of
from configurator.errors import ModelError
from configurator.model import OptionGroup
from configurator.yaml_tree import Node

_BOUNDS = ("at_least", "at_most", "not", "is")


class Names:
    """The groups of a product, by id, and what may be said about them."""

    def __init__(self, groups: Iterable[OptionGroup], source: str) -> None:
        self.groups = {group.id: group for group in groups}
        self.source = source

    def refuse(self, node: Node, message: str) -> ModelError:
        """The refusal of a node."""
        return ModelError(self.source, node.line, message)

    def with_needs(self, conditions: Mapping[str, Node]) -> tuple[OptionGroup, ...]:
        """The groups with the conditions under which they apply; refuses groups that wait for each other."""
        needs = {name: self.condition(node, f"group {name!r}, needed_when") for name, node in conditions.items()}
        done: set[str] = set()
        while len(done) < len(needs):
            ready = [n for n in needs if n not in done and not (groups_of(needs[n]) & needs.keys()) - done]
            if not ready:
                waiting = next(name for name in needs if name not in done)
                raise self.refuse(conditions[waiting], f"group {waiting!r} is needed only when it is itself answered")
            done.update(ready)
        self.groups = {
            name: replace(group, needed_when=needs[name]) if name in needs else group
            for name, group in self.groups.items()
        }
        return tuple(self.groups.values())

    def group(self, name: str, node: Node, where: str) -> OptionGroup:
        """The group of that name."""
        group = self.groups.get(name)
        if group is None:
            raise self.refuse(node, f"{where}: there is no group {name!r}{_near(name, self.groups)}")
        return group

    def condition(self, node: Node, where: str) -> Condition:
        """A mapping of groups to what they must be, all of which must hold."""
        if not isinstance(node.value, dict) or not node.value:
            raise self.refuse(node, f"{where} must be a mapping such as {{strap: rubber}}")
        parts: list[Condition] = []
        for name, spec in node.value.items():
            if name in ("all", "any"):
                if not isinstance(spec.value, list) or not spec.value:
                    raise self.refuse(spec, f"{where}: {name!r} takes a list of conditions")
                inner = tuple(self.condition(item, where) for item in spec.value)
                parts.append(All(inner) if name == "all" else Any(inner))
            elif name == "not":
                parts.append(Not(self.condition(spec, where)))
            else:
                parts.append(self._about(name, spec, where))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _about(self, name: str, spec: Node, where: str) -> Condition:
        group_id, _, attribute = name.partition(".")
        group = self.group(group_id, spec, where)
        if group.kind == "text":
            raise self.refuse(spec, f"{where}: {group_id!r} is a text group; conditions cannot look at it")
        if attribute:
            return self._attribute(group, attribute, spec, where)
        plain_words = {option.id for option in group.options}
        if spec.value == "any" and "any" not in plain_words:
            return Answered(group.id)
        if spec.value == "none" and "none" not in plain_words:
            return Not(Answered(group.id))
        if group.kind == "upload":
            if not isinstance(spec.value, bool):
                raise self.refuse(spec, f"{where}: {group_id!r} is an upload; say true or false")
            return Answered(group.id) if spec.value else Not(Answered(group.id))
        if isinstance(spec.value, dict):
            return self._bounds(group, spec, where)
        return Is(group.id, frozenset(self.values(group, spec, where)))

    def _bounds(self, group: OptionGroup, spec: Node, where: str) -> Condition:
        assert isinstance(spec.value, dict)
        for key, node in spec.value.items():
            if key not in _BOUNDS:
                raise self.refuse(node, f"{where}: {group.id!r} takes {', '.join(_BOUNDS)}, not {key!r}")
        if "not" in spec.value:
            excluded = self.values(group, spec.value["not"], where)
            return All((Answered(group.id), Not(Is(group.id, frozenset(excluded)))))
        if "is" in spec.value:
            return Is(group.id, frozenset(self.values(group, spec.value["is"], where)))
        if group.kind == "integer":
            fits = self._between(spec.value, where, int)
            return Is(group.id, frozenset(number for number in group.numbers() if fits(number)))
        if group.kind == "date":
            fits_day = self._between(spec.value, where, str)
            return Is(group.id, frozenset(day for day in group.dates if fits_day(day)))
        raise self.refuse(spec, f"{where}: {group.id!r} is no number; to count options use a rule with `of`")

    def _between(self, bounds: "dict[str, Node]", where: str, kind: type) -> Callable[[Value], bool]:
        for node in bounds.values():
            if not isinstance(node.value, kind) or isinstance(node.value, bool):
                raise self.refuse(node, f"{where}: {node.value!r} is not a {'whole number' if kind is int else 'day'}")
        low = bounds["at_least"].value if "at_least" in bounds else None
        high = bounds["at_most"].value if "at_most" in bounds else None

        def fits(value: Value) -> bool:
            return (low is None or value >= low) and (high is None or value <= high)  # type: ignore[operator]

        return fits

    def _attribute(self, group: OptionGroup, attribute: str, spec: Node, where: str) -> Condition:
        known = {name for option in group.options for name in option.attributes}
        if attribute not in known:
            raise self.refuse(spec, f"{where}: no option of {group.id!r} has {attribute!r}{_near(attribute, known)}")
        if isinstance(spec.value, dict) and not spec.value.keys() - {"at_least", "at_most"}:
            between = self._between(spec.value, where, int)

            def fits(value: Value) -> bool:
                return isinstance(value, int) and between(value)
        else:
            items = spec.value if isinstance(spec.value, list) else [spec]
            wanted = {str(item.value).lower() if isinstance(item.value, bool) else item.value for item in items}

            def fits(value: Value) -> bool:
                return value in wanted

        chosen = frozenset(o.id for o in group.options if attribute in o.attributes and fits(o.attributes[attribute]))
        if group.kind == "flag":
            return Is(group.id, frozenset({True} if "true" in chosen else set()))
        return Is(group.id, frozenset(chosen))

    def values(self, group: OptionGroup, spec: Node, where: str) -> list[Value]:
        """The values that a node names: one, or a list."""
        items = spec.value if isinstance(spec.value, list) else [spec]
        return [self.value(group, item, where) for item in items]

    def value(self, group: OptionGroup, node: Node, where: str) -> Value:
        """One value of a group."""
        value = node.value
        if group.kind == "flag":
            if not isinstance(value, bool):
                raise self.refuse(node, f"{where}: {group.id!r} is true or false, not {value!r}")
            return value
        if group.kind == "integer":
            if not isinstance(value, int) or isinstance(value, bool) or value not in group.numbers():
                raise self.refuse(
                    node,
                    f"{where}: {group.id!r} takes {group.minimum} to {group.maximum} in steps of "
                    f"{group.number_step}, not {value!r}",
                )
            return value
        if group.kind == "date":
            if value not in group.dates:
                raise self.refuse(node, f"{where}: {value!r} is not an open day of {group.id!r}")
            return str(value)
        known = {option.id for option in group.options}
        if isinstance(value, bool) or not isinstance(value, str | int) or str(value) not in known:
            raise self.refuse(node, f"{where}: group {group.id!r} has no option {value!r}{_near(str(value), known)}")
        return str(value)


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known)[:12]) or 'none'}"
