"""Reads what a product file says about its groups — conditions, values, spans of numbers and days — by their names."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from configurator.conditions import All, Answered, Any, Condition, Is, Not, Value, both, groups_of, moved
from configurator.model import OptionGroup
from configurator.references import NoSuchPart, Reference, References, near
from configurator.spans import is_span, span
from configurator.yaml_tree import Node

_SOME_PARTS = ("some", "every", "first", "last")
_WORDS_OF_ONE = ("not", "is")


class Names(References):
    """The groups of a product and what may be said about them."""

    def with_needs(self, needs: "Mapping[str, tuple[Node, tuple[str, int] | None]]") -> tuple[OptionGroup, ...]:
        """The groups with the conditions under which they apply; refuses groups that wait for each other.

        Args:
            needs: group id → the condition as written, and the part it was written in.
        """
        found: dict[str, Condition] = {}
        for name, (node, at) in needs.items():
            seen = self.inside(*at) if at else self
            found[name] = seen.condition(node, f"group {name!r}, needed_when")
        for group in self.groups.values():
            if group.part is not None:
                needed = both(self.exists(group.part.of, group.part.number), found.get(group.id))
                if needed is not None:
                    found[group.id] = needed
        done: set[str] = set()
        while len(done) < len(found):
            ready = [n for n in found if n not in done and not (groups_of(found[n]) & found.keys()) - done]
            if not ready:
                waiting = next(name for name in needs if name not in done)
                raise self.refuse(needs[waiting][0], f"group {waiting!r} is needed only when it is itself answered")
            done.update(ready)
        for name, condition in found.items():
            self.groups[name] = replace(self.groups[name], needed_when=condition)
        return tuple(self.groups.values())

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

    def counted(self, node: Node, where: str) -> list[Condition]:
        """An entry of a list of conditions that are counted; `{stops: {each: …}}` is one for every part."""
        if isinstance(node.value, dict) and len(node.value) == 1:
            name, spec = next(iter(node.value.items()))
            group = self.groups.get(name)
            if group is not None and group.repeated and isinstance(spec.value, dict) and set(spec.value) == {"each"}:
                return [held for _, held in self._of_parts(group, spec.value["each"], where)]
        return [self.condition(node, where)]

    def _of_parts(self, group: OptionGroup, node: Node, where: str) -> list[tuple[int, Condition]]:
        """For every part: it is there, and the condition holds in it."""
        found: list[tuple[int, Condition]] = []
        for number, inside in self.from_each_part(group.id):
            try:
                held = inside.condition(node, f"{where}, {group.id} {number}")
            except NoSuchPart:
                continue
            there = both(inside.there(), held)
            assert there is not None
            found.append((number, there))
        if not found:
            raise self.refuse(node, f"{where}: {group.id!r} has one part only, so there is no next one")
        return found

    def _parts(self, group: OptionGroup, word: str, node: Node, where: str) -> Condition:
        """What is said of some, every, the first or the last part."""
        if word == "every":
            refuted = Node({"not": node}, node.line)
            return Not(Any(tuple(held for _, held in self._of_parts(group, refuted, where))))
        found = self._of_parts(group, node, where)
        if word == "some":
            return Any(tuple(held for _, held in found))
        if word == "first":
            return Any(tuple(held for number, held in found if number == 1))
        low = group.minimum or 0
        ends = (All((Is(group.id, frozenset({number})), held)) for number, held in found if number >= low)
        return Any(tuple(ends))

    def _about(self, name: str, spec: Node, where: str) -> Condition:
        reference = self.refer(name, spec, where)
        group = reference.first
        if group.kind == "text":
            raise self.refuse(spec, f"{where}: {name!r} is a text group; conditions cannot look at it")
        about = self._attribute(reference, spec, where) if reference.attribute else self._answer(group, spec, where)
        if not reference.every_part:
            return about
        none = about == Not(Answered(group.id))
        said = about.part if none and isinstance(about, Not) else about
        some = Any(tuple(moved(said, {group.id: other.id}) for other in reference.groups))
        return Not(some) if none else some

    def _answer(self, group: OptionGroup, spec: Node, where: str) -> Condition:
        plain_words = {option.id for option in group.options}
        if spec.value == "any" and "any" not in plain_words:
            return Answered(group.id)
        if spec.value == "none" and "none" not in plain_words:
            return Not(Answered(group.id))
        if group.kind == "upload":
            if not isinstance(spec.value, bool):
                raise self.refuse(spec, f"{where}: {group.id!r} is an upload; say true or false")
            return Answered(group.id) if spec.value else Not(Answered(group.id))
        if not isinstance(spec.value, dict):
            return Is(group.id, frozenset(self.values(group, spec, where)))
        if group.repeated is not None:
            return self._count_of_parts(group, spec, where)
        return self._bounds(group, spec, where)

    def _count_of_parts(self, group: OptionGroup, spec: Node, where: str) -> Condition:
        assert isinstance(spec.value, dict)
        found = [self._parts(group, w, node, where) for w, node in spec.value.items() if w in _SOME_PARTS]
        bounds = {word: node for word, node in spec.value.items() if word not in _SOME_PARTS}
        if "each" in bounds:
            raise self.refuse(spec, f"{where}: `each` is for lists that are counted (`of`); say some or every here")
        known = (*_SOME_PARTS, *_WORDS_OF_ONE, "at_least", "at_most")
        stray = next((word for word in bounds if word not in known), None)
        if stray is not None:
            raise self.refuse(spec, f"{where}: {group.id!r} does not take {stray!r}{near(stray, known)}")
        if bounds:
            found.append(self._bounds(group, Node(bounds, spec.line), where))
        return found[0] if len(found) == 1 else All(tuple(found))

    def _bounds(self, group: OptionGroup, spec: Node, where: str) -> Condition:
        assert isinstance(spec.value, dict)
        word = next((word for word in _WORDS_OF_ONE if word in spec.value), None)
        if word is not None and len(spec.value) > 1:
            raise self.refuse(spec, f"{where}: `{word}` stands alone")
        if word == "not":
            excluded = self.values(group, spec.value["not"], where)
            return All((Answered(group.id), Not(Is(group.id, frozenset(excluded)))))
        if word == "is":
            return Is(group.id, frozenset(self.values(group, spec.value["is"], where)))
        return Is(group.id, self.span(group, spec, where))

    def span(self, group: OptionGroup, spec: Node, where: str) -> frozenset[Value]:
        """The numbers or days between two limits, or of some months and weekdays."""
        if group.kind not in ("integer", "date"):
            words = "takes `not` and `is`; to count options use a rule with `of`"
            raise self.refuse(spec, f"{where}: {group.id!r} is no number and no day; it {words}")
        fits = span(spec, group.kind, lambda node, message: self.refuse(node, f"{where}: {message}"))
        values = group.numbers() if group.kind == "integer" else group.dates
        return frozenset(value for value in values if fits(value))

    def _attribute(self, reference: Reference, spec: Node, where: str) -> Condition:
        group, attribute = reference.first, reference.attribute or ""
        fits: Callable[[Value], bool]
        if isinstance(spec.value, dict):
            fits = span(spec, "integer", lambda node, message: self.refuse(node, f"{where}: {message}"))
        else:
            items = spec.value if isinstance(spec.value, list) else [spec]
            wanted = {str(item.value).lower() if isinstance(item.value, bool) else item.value for item in items}
            fits = wanted.__contains__
        chosen = frozenset(o.id for o in group.options if attribute in o.attributes and fits(o.attributes[attribute]))
        if group.kind == "flag":
            return Is(group.id, frozenset({True} if "true" in chosen else set()))
        return Is(group.id, frozenset(chosen))

    def values(self, group: OptionGroup, spec: Node, where: str) -> list[Value]:
        """The values that a node names: one, or a list."""
        items = spec.value if isinstance(spec.value, list) else [spec]
        return [self.value(group, item, where) for item in items]

    def cell(self, group: OptionGroup, node: Node, where: str) -> frozenset[Value] | None:
        """A cell of a table: a value, a list of values, a span of numbers or days, or any (None)."""
        if node.value == "any" and group.option("any") is None:
            return None
        if is_span(node):
            return self.span(group, node, where)
        items = node.value if isinstance(node.value, list) else [node]
        found: set[Value] = set()
        for item in items:
            found |= self.span(group, item, where) if is_span(item) else {self.value(group, item, where)}
        return frozenset(found)

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
                    f"{group.number_step}, not {said(value)}",
                )
            return value
        if group.kind == "date":
            if value not in group.dates:
                raise self.refuse(node, f"{where}: {said(value)} is not an open day of {group.id!r}")
            return str(value)
        known = {option.id for option in group.options}
        if isinstance(value, bool) or not isinstance(value, str | int) or str(value) not in known:
            name = said(value)
            raise self.refuse(node, f"{where}: group {group.id!r} has no option {name}{near(str(value), known)}")
        return str(value)


def said(value: object) -> str:
    """A value as a refusal quotes it."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return repr(value)
