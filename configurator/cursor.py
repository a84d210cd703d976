"""Reads one node of a product file as one shape of the language, refusing what does not belong there."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from configurator.errors import ModelError
from configurator.language import PATTERNS, SHAPES, Key
from configurator.yaml_tree import Node

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?\Z")
MAIN = "en"  # shown where a text does not stand in the language asked for


@dataclass(frozen=True, slots=True)
class Tongue:
    """The language a file is read in, and all languages that its texts have."""

    language: str = MAIN
    found: set[str] = field(default_factory=set)


class Cursor:
    """A mapping of a product file, read as a shape."""

    def __init__(self, node: Node, shape: str, source: str, where: str, tongue: Tongue | None = None) -> None:
        self.node = node
        self.tongue = tongue or Tongue()
        self.shape = shape
        self.source = source
        self.where = where
        if not isinstance(node.value, dict):
            raise self.refuse(f"{where} must be a mapping of {', '.join(SHAPES[shape]) or 'nothing'}")
        self.items: dict[str, Node] = node.value
        keys = SHAPES[shape]
        for name, item in self.items.items():
            if name not in keys and not re.fullmatch(PATTERNS.get(shape, r"(?!)"), name):
                near = difflib.get_close_matches(name, keys, n=1)
                meant = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(keys) or 'nothing'}"
                raise self.refuse(f"{where} has no key {name!r}; {meant}", item)
        for name, key in keys.items():
            if key.required and name not in self.items:
                raise self.refuse(f"{where} needs {name!r} ({key.doc})")
        for name in self.items:
            self._check(name, keys.get(name, Key("amount", "")))

    def refuse(self, message: str, node: Node | None = None) -> ModelError:
        """The refusal of this place, or of a node within it."""
        return ModelError(self.source, (node or self.node).line, message)

    def _check(self, name: str, key: Key) -> None:
        value = self.items[name].value
        wanted = {
            "id": isinstance(value, str | int) and not isinstance(value, bool) and bool(ID.match(str(value))),
            "name": isinstance(value, str | int)
            and not isinstance(value, bool)
            and all(ID.match(word) for word in str(value).split(".")),
            "text": isinstance(value, str | int | float) and not isinstance(value, bool),
            "words": (isinstance(value, str | int | float) and not isinstance(value, bool)) or isinstance(value, dict),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "amount": isinstance(value, int) and not isinstance(value, bool),
            "boolean": isinstance(value, bool),
            "list": isinstance(value, list),
            "mapping": isinstance(value, dict) or (value is None and name in ("upload", "flag")),
            "condition": isinstance(value, dict),
        }.get(key.kind, True)
        if not wanted:
            meant = {
                "id": "an id: letters, digits, - and _",
                "name": "the name of a group",
                "amount": "a whole number of minor units",
                "integer": "a whole number",
                "boolean": "true or false",
                "words": "a text, or a mapping language: text",
                "condition": "a mapping group: value",
            }.get(key.kind, f"a {key.kind}")
            raise self.refuse(f"{self.where}: {name!r} must be {meant} ({key.doc})", self.items[name])
        if key.kind == "words" and isinstance(value, dict):
            self._check_languages(name, value)
        if key.choices and value not in key.choices:
            raise self.refuse(f"{self.where}: {name!r} must be one of {', '.join(key.choices)}", self.items[name])

    def _check_languages(self, name: str, words: dict[str, Node]) -> None:
        for language, node in words.items():
            if not LANGUAGE.match(language):
                raise self.refuse(f"{self.where}: {name!r}: {language!r} is no language such as en, fr or pt-BR", node)
            if not isinstance(node.value, str | int | float) or isinstance(node.value, bool):
                raise self.refuse(f"{self.where}: {name!r} must name a text for each language", node)
        if not words:
            raise self.refuse(f"{self.where}: {name!r} must name a text for each language", self.items[name])
        self.tongue.found.update(words)

    def has(self, name: str) -> bool:
        """Whether the key stands there."""
        return name in self.items

    def text(self, name: str, default: str = "") -> str:
        """A text or id; of a text in several languages the one read, else the English, else the first by name."""
        node = self.items.get(name)
        if node is None or node.value is None:
            return default
        if not isinstance(node.value, dict):
            return str(node.value).strip()
        words = node.value
        language = next((language for language in (self.tongue.language, MAIN) if language in words), min(words))
        return str(words[language].value).strip()

    def integer(self, name: str, default: int = 0, low: int | None = None) -> int:
        """A whole number, not below `low`."""
        node = self.items.get(name)
        if node is None:
            return default
        if not isinstance(node.value, int):
            raise self.refuse(f"{self.where}: {name!r} must be a whole number", node)
        if low is not None and node.value < low:
            raise self.refuse(f"{self.where}: {name!r} must be at least {low}", node)
        return int(node.value)

    def maybe_integer(self, name: str, low: int | None = None) -> int | None:
        """A whole number or None."""
        return self.integer(name, low=low) if name in self.items else None

    def boolean(self, name: str, default: bool = False) -> bool:
        """True or false."""
        node = self.items.get(name)
        return default if node is None else bool(node.value)

    def each(self, name: str) -> list[Node]:
        """The items of a list."""
        node = self.items.get(name)
        return node.value if node is not None and isinstance(node.value, list) else []

    def mapping(self, name: str) -> dict[str, Node]:
        """The items of a mapping."""
        node = self.items.get(name)
        return node.value if node is not None and isinstance(node.value, dict) else {}

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = []
        for node in self.each(name):
            if not isinstance(node.value, str | int) or isinstance(node.value, bool):
                raise self.refuse(f"{self.where}: {name!r} must be a list of texts", node)
            found.append(str(node.value))
        return tuple(found)

    def scalars(self, name: str) -> dict[str, str | int]:
        """A mapping of names to texts or whole numbers."""
        found: dict[str, str | int] = {}
        for key, node in self.mapping(name).items():
            if isinstance(node.value, bool):
                found[key] = "true" if node.value else "false"
            elif isinstance(node.value, str | int):
                found[key] = node.value
            else:
                raise self.refuse(f"{self.where}: {name}.{key} must be a text or a whole number", node)
        return found

    def inner(self, name: str) -> "Cursor":
        """The mapping under a key, read as the shape the language gives it."""
        node = self.items[name]
        shape = SHAPES[self.shape][name].shape or name
        given = node if node.value is not None else Node({}, node.line)
        return Cursor(given, shape, self.source, f"{self.where}, {name}", self.tongue)

    def parts(self, name: str) -> Iterator["Cursor"]:
        """The mappings of a list, each read as the shape the language gives them and named by its id."""
        shape = SHAPES[self.shape][name].shape or name
        for number, node in enumerate(self.each(name), 1):
            inner = node.value if isinstance(node.value, dict) else {}
            named = (k for k in ("id", "part", "product") if k in inner and isinstance(inner[k].value, str | int))
            key = next(named, None)
            title = f"{shape} {inner[key].value!r}" if key else f"{shape} no. {number}"
            yield Cursor(node, shape, self.source, title, self.tongue)
