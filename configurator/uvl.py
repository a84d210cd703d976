"""Reads and writes the Universal Variability Language: the Boolean level with group cardinalities.

Everything beyond it — numbers, strings, feature cardinalities, imports — is refused naming the line.
"""

import re
from dataclasses import dataclass, field

from configurator.dimacs import features_space
from configurator.errors import ModelError
from configurator.formula import Conj, Disj, Formula, negate
from configurator.space import Space, SpaceBuilder

MAX_LINES = 2_000_000
MAX_NESTING = 60

_TOKEN = re.compile(r'\s*(?:(//.*)|("[^"\n]*")|(<=>|=>|[!&|()])|([^\s!&|()<=>"{}\[\],]+)|(.))')
_CARDINALITY = re.compile(r"\[\s*(\d+)\s*(?:\.\.\s*(\d+|\*)\s*)?\]\Z")
_GROUPS = ("mandatory", "optional", "or", "alternative")
_TYPES = ("Integer", "Real", "String", "Boolean")


@dataclass
class _Feature:
    name: str
    variable: int
    groups: list[tuple[str, int, list["_Feature"]]] = field(default_factory=list)


class _Reader:
    """One UVL text while it is read."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.lines = text.expandtabs(4).splitlines()
        self.builder = SpaceBuilder()
        self.variables: dict[str, int] = {}
        self.rules: list[str] = []
        self.section = ""

    def refuse(self, line: int, message: str) -> ModelError:
        return ModelError(self.source, line, message)

    def read(self) -> Space:
        """The space, with one rule per group of the tree and per constraint."""
        tree: list[tuple[int, int, str]] = []
        for number, raw in enumerate(self.lines, 1):
            line = raw.split("//", 1)[0].rstrip() if '"' not in raw else raw.rstrip()
            if not line.strip():
                continue
            indent = len(line) - len(line.lstrip())
            if indent == 0:
                self._open_section(line, number)
            elif self.section == "features":
                tree.append((number, indent, line.strip()))
            elif self.section == "constraints":
                self._constraint(line, number, tree)
            elif self.section == "include":
                self._level(line.strip(), number)
        if not tree:
            raise self.refuse(len(self.lines) or 1, "there is no `features` section with a feature")
        if not self.variables:
            self._features(tree)
        return features_space(list(self.variables), self.builder, self.rules)

    def _open_section(self, line: str, number: int) -> None:
        word = line.split()[0]
        if word == "namespace":
            return
        if word == "imports":
            raise self.refuse(number, "imports are not read: put the model into one file")
        if word not in ("features", "constraints", "include"):
            raise self.refuse(number, f"expected features or constraints, not {word!r}")
        if word == "features" and self.section == "constraints":
            raise self.refuse(number, "features must stand before constraints")
        self.section = word

    def _level(self, level: str, number: int) -> None:
        if level not in ("Boolean", "Boolean.*", "Boolean.group-cardinality"):
            raise self.refuse(number, f"the language level {level} is not read; Boolean with group cardinalities is")

    # --- the tree

    def _features(self, tree: list[tuple[int, int, str]]) -> None:
        """Features and groups alternate by indentation; walked with an explicit stack."""
        stack: list[tuple[int, _Feature | None, tuple[str, list[_Feature]] | None]] = []
        roots: list[_Feature] = []
        pending: list[tuple[_Feature, str, int, list[_Feature]]] = []
        for number, indent, text in tree:
            while stack and stack[-1][0] >= indent:
                stack.pop()
            keyword = self._group_keyword(text)
            parent = stack[-1] if stack else None
            if keyword is not None and (parent is None or parent[1] is not None):
                if parent is None or parent[1] is None:
                    raise self.refuse(number, f"{keyword!r} must stand below a feature")
                children: list[_Feature] = []
                pending.append((parent[1], keyword, number, children))
                stack.append((indent, None, (keyword, children)))
                continue
            if parent is not None and parent[2] is None:
                raise self.refuse(
                    number, f"{text.split()[0]!r} must stand below mandatory, optional, or, alternative, [n..m]"
                )
            feature = self._feature(text, number)
            (roots if parent is None or parent[2] is None else parent[2][1]).append(feature)
            stack.append((indent, feature, None))
        if len(roots) != 1:
            raise self.refuse(tree[0][0], f"a model has one root feature, this has {len(roots)}")
        self.builder.owner = -1
        self.builder.add(roots[0].variable)
        for feature, keyword, number, children in pending:
            self._group(feature, keyword, number, children)

    def _group_keyword(self, text: str) -> str | None:
        return text if text in _GROUPS or _CARDINALITY.match(text) else None

    def _feature(self, text: str, number: int) -> _Feature:
        word, rest = self._name(text, number)
        if word in _TYPES and rest and not rest.startswith(("{", "cardinality")):
            raise self.refuse(number, f"a feature of type {word} is not read; Boolean features are")
        if rest.startswith("cardinality"):
            raise self.refuse(number, "feature cardinalities are not read; group cardinalities are")
        if rest and not (rest.startswith("{") and rest.endswith("}")):
            raise self.refuse(number, f"not understood after the feature's name: {rest[:40]!r}")
        if word in self.variables:
            raise self.refuse(number, f"feature {word!r} stands twice")
        self.variables[word] = self.builder.new()
        return _Feature(word, self.variables[word])

    def _name(self, text: str, number: int) -> tuple[str, str]:
        if text.startswith('"'):
            end = text.find('"', 1)
            if end < 2:
                raise self.refuse(number, "a quoted name must end with a quote")
            return text[1:end], text[end + 1 :].strip()
        match = re.match(r"[^\s{}\[\]()\"!&|=<>,]+", text)
        if match is None:
            raise self.refuse(number, f"{text[:40]!r} is not a feature")
        return match.group(), text[match.end() :].strip()

    def _group(self, parent: _Feature, keyword: str, number: int, children: list[_Feature]) -> None:
        if not children:
            raise self.refuse(number, f"{keyword!r} has no features below it")
        builder, above = self.builder, parent.variable
        literals = tuple(child.variable for child in children)
        builder.owner = len(self.rules)
        self.rules.append(f"line {number}: {keyword} of {parent.name}")
        for literal in literals:
            builder.add(-literal, above)
        if keyword == "mandatory":
            for literal in literals:
                builder.add(-above, literal)
            return
        match = _CARDINALITY.match(keyword)
        low, high = {"optional": (0, len(literals)), "or": (1, len(literals)), "alternative": (1, 1)}.get(
            keyword, (0, 0)
        )
        if match:
            low = int(match[1])
            high = low if match[2] is None else len(literals) if match[2] == "*" else int(match[2])
            if low > min(high, len(literals)):
                raise self.refuse(number, f"{keyword} cannot be met by {len(literals)} features")
        if low:
            builder.count(literals, low, None, (-above,))
        if high < len(literals):
            builder.count(literals, None, high)

    # --- constraints

    def _constraint(self, line: str, number: int, tree: list[tuple[int, int, str]]) -> None:
        if not self.variables:
            if not tree:
                raise self.refuse(number, "there is no `features` section before this")
            self._features(tree)
        self.builder.owner = len(self.rules)
        self.rules.append(f"line {number}: {line.strip()}")
        tokens = [self._token(match, number) for match in _TOKEN.finditer(line.strip()) if not match[1]]
        self.builder.require(_Parser(tokens, self.variables, self, number).parse())

    def _token(self, match: "re.Match[str]", number: int) -> tuple[str, str]:
        if match[2]:
            return "name", match[2][1:-1]
        if match[3]:
            return match[3], match[3]
        if match[4]:
            return "name", match[4]
        raise self.refuse(number, f"{match[5]!r} is not read: constraints here are Boolean")


class _Parser:
    """Precedence, loosest first: <=> => | & !, as UVL has it."""

    def __init__(self, tokens: list[tuple[str, str]], known: dict[str, int], reader: _Reader, number: int) -> None:
        self.tokens = tokens
        self.known = known
        self.reader = reader
        self.number = number
        self.place = 0
        self.depth = 0

    def parse(self) -> Formula:
        """The whole line as one formula."""
        formula = self._equivalence()
        if self.place < len(self.tokens):
            raise self.reader.refuse(self.number, f"not understood from {self.tokens[self.place][1]!r} on")
        return formula

    def _take(self, kind: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place][0] == kind:
            self.place += 1
            return True
        return False

    def _equivalence(self) -> Formula:
        left = self._implication()
        while self._take("<=>"):
            right = self._implication()
            left = Conj((Disj((negate(left), right)), Disj((left, negate(right)))))
        return left

    def _implication(self) -> Formula:
        left = self._disjunction()
        if self._take("=>"):
            self._deeper()
            right = self._implication()
            self.depth -= 1
            return Disj((negate(left), right))
        return left

    def _disjunction(self) -> Formula:
        parts = [self._conjunction()]
        while self._take("|"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Disj(tuple(parts))

    def _conjunction(self) -> Formula:
        parts = [self._atom()]
        while self._take("&"):
            parts.append(self._atom())
        return parts[0] if len(parts) == 1 else Conj(tuple(parts))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.reader.refuse(self.number, f"nested deeper than {MAX_NESTING}")

    def _atom(self) -> Formula:
        if self._take("!"):
            self._deeper()
            inner = negate(self._atom())
            self.depth -= 1
            return inner
        if self._take("("):
            self._deeper()
            inner = self._equivalence()
            self.depth -= 1
            if not self._take(")"):
                raise self.reader.refuse(self.number, "a parenthesis is not closed")
            return inner
        if self.place >= len(self.tokens) or self.tokens[self.place][0] != "name":
            said = self.tokens[self.place][1] if self.place < len(self.tokens) else "the end of the line"
            raise self.reader.refuse(self.number, f"expected a feature, not {said}")
        name = self.tokens[self.place][1]
        self.place += 1
        if name not in self.known:
            raise self.reader.refuse(self.number, f"there is no feature {name!r}")
        return self.known[name]


def read_uvl(text: str, source: str) -> Space:
    """The space of a UVL text, every feature in or out.

    Raises:
        ModelError: naming the line.
    """
    return _Reader(text, source).read()
