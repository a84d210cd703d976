"""YAML read safely into plain trees that remember their lines: no tags, no aliases, bounded size and depth."""

import re
from dataclasses import dataclass

import yaml

from configurator.errors import ModelError

MAX_BYTES = 4_000_000
MAX_DEPTH = 24
MAX_NODES = 400_000

Scalar = str | int | float | bool | None
Tree = "Scalar | list[Node] | dict[str, Node]"

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+\Z")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in: ten times faster


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line it stands on."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int

    def plain(self) -> object:
        """The value without its lines, as JSON would hold it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def from_plain(value: object, line: int = 0) -> Node:
    """A tree over JSON data, every node on the given line."""
    if isinstance(value, dict):
        return Node({str(key): from_plain(item, line) for key, item in value.items()}, line)
    if isinstance(value, list | tuple):
        return Node([from_plain(item, line) for item in value], line)
    if value is None or isinstance(value, str | int | float | bool):
        return Node(value, line)
    raise TypeError(f"not JSON data: {type(value).__name__}")


def documents(text: str, source: str) -> list[tuple[Node, str]]:
    """Every document of a YAML text with its own source text.

    Raises:
        ModelError: the text is not YAML, too large, too deep, or uses tags, anchors or duplicate keys.
    """
    if len(text) > MAX_BYTES:
        raise ModelError(source, 1, f"the file is larger than {MAX_BYTES:,} characters; split it into several products")
    lines = text.splitlines(keepends=True)
    found: list[tuple[Node, str]] = []
    builder = _Builder(source)
    start = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.DocumentStartEvent):
                start = _line(event.start_mark) - 1
                builder.begin()
            elif isinstance(event, yaml.DocumentEndEvent):
                if builder.root is not None and builder.root.value is not None:
                    found.append((builder.root, "".join(lines[start : _line(event.end_mark)]).removesuffix("---\n")))
            else:
                builder.feed(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ModelError(source, mark.line + 1 if mark else 1, f"this is not YAML: {problem}") from None
    return found


def _line(mark: object) -> int:
    return int(getattr(mark, "line", 0)) + 1


class _Builder:
    """Puts parser events together, on an explicit stack so that no nesting can exhaust the real one."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Node | None = None
        self.stack: list[tuple[Node, str | None]] = []
        self.nodes = 0

    def begin(self) -> None:
        self.root = None
        self.stack = []

    def feed(self, event: yaml.Event) -> None:
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ModelError(self.source, line, "anchors and aliases (& and *) are not part of the language")
        if isinstance(event, yaml.ScalarEvent):
            self._add(Node(self._scalar(event, line), line), event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if event.tag and not event.implicit:
                raise ModelError(self.source, line, f"tags are not part of the language: {event.tag}")
            if len(self.stack) >= MAX_DEPTH:
                raise ModelError(self.source, line, f"nested deeper than {MAX_DEPTH} levels")
            node = Node([] if isinstance(event, yaml.SequenceStartEvent) else {}, line)
            self._add(node, event)
            self.stack.append((node, None))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self.stack.pop()

    def _add(self, node: Node, event: yaml.Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ModelError(self.source, node.line, f"more than {MAX_NODES:,} values in one file")
        if not self.stack:
            self.root = node
            return
        parent, key = self.stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif isinstance(parent.value, dict):
            if key is None:
                self._open_key(parent, parent.value, node, event)
            else:
                parent.value[key] = node
                self.stack[-1] = (parent, None)

    def _open_key(self, parent: Node, mapping: "dict[str, Node]", node: Node, event: yaml.Event) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise ModelError(self.source, node.line, "a key must be a plain word")
        key = event.value
        if key in mapping:
            raise ModelError(self.source, node.line, f"the key {key!r} stands twice")
        self.stack[-1] = (parent, key)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Scalar:
        if event.tag and event.tag != "!" and not event.implicit[0]:
            raise ModelError(self.source, line, f"tags are not part of the language: {event.tag}")
        text: str = event.value
        if event.style:  # quoted or block: always text
            return text
        if text in ("", "~", "null"):
            return None
        if text in ("true", "false"):
            return text == "true"
        if _INTEGER.match(text):
            if len(text) > 18:
                raise ModelError(self.source, line, f"the number {text} is too large")
            return int(text)
        if _DECIMAL.match(text) and len(text) < 20:
            return float(text)
        return text
