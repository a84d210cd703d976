"""Checks and normalises what a customer chose or wrote, and turns it into literals and back."""

import unicodedata
from collections.abc import Iterable, Mapping

from configurator.compile import Compiled
from configurator.conditions import Value
from configurator.course import default_completion
from configurator.errors import ChoiceError, TextError, Unsatisfiable
from configurator.model import Answers, Choices, ChoiceValue, OptionGroup, Texts
from configurator.nesting import flatten, implied, uncounted

MAX_UPLOAD_ID = 128
_ZERO_WIDTH = "\u200d"


def check_choices(
    c: Compiled, choices: object, audiences: frozenset[str] = frozenset(), *, wish: bool = False
) -> Choices:
    """The choices in their normal form, groups in order; those of repeated parts by flat names (`stops.2.place`).

    Args:
        choices: a JSON-decoded mapping of group to value; a repeated part is a list of such mappings.
        audiences: whose private options are known to this customer.
        wish: these come on top of others, so that naming a part does not say how many there are.

    Raises:
        ChoiceError: unknown group or value, or a value of the wrong type.
    """
    if not isinstance(choices, Mapping):
        raise ChoiceError("choices must be a mapping of group to value", "", choices)
    for name in choices:
        if not isinstance(name, str) or name not in c.labels:
            raise ChoiceError(f"there is no group {name!r}", str(name), choices[name])
    flat = flatten(c.model, choices)
    unknown = next((name for name in flat if name in hidden_groups(c, audiences)), None)
    if unknown is not None:
        raise ChoiceError(f"there is no group {unknown!r}", unknown, flat[unknown])
    checked = {g.id: _check(g, flat[g.id], audiences) for g in c.model.groups if g.id in flat}
    return checked if wish else _counted(c, checked)


def _counted(c: Compiled, choices: Choices) -> Choices:
    """With how many parts there are, where only their answers were given: as many as the default completion shows."""
    missing = uncounted(c.model, choices)
    if not missing:
        return choices
    mask = completed(c, literals_of(c, choices))
    values = {} if mask is None else decode(c, mask, choices)
    whole = choices | {g.id: values.get(g.id, implied(c.model, g, choices)) for g in missing}
    return {g.id: whole[g.id] for g in c.model.groups if g.id in whole}


def _check(group: OptionGroup, value: object, audiences: frozenset[str]) -> ChoiceValue:
    if group.kind == "one":
        return _option(group, value, audiences)
    if group.kind == "several":
        if not isinstance(value, list | tuple):
            raise ChoiceError(f"{group.id!r} takes a list of options", group.id, value)
        chosen = [_option(group, item, audiences) for item in value]
        if len(set(chosen)) < len(chosen):
            raise ChoiceError(f"{group.id!r} names an option twice", group.id, value)
        return sorted(chosen)
    if group.kind == "flag":
        if not isinstance(value, bool):
            raise ChoiceError(f"{group.id!r} takes true or false", group.id, value)
        return value
    if group.kind == "integer":
        if not isinstance(value, int) or isinstance(value, bool) or value not in group.numbers():
            raise ChoiceError(f"{group.id!r} takes {group.minimum} to {group.maximum}", group.id, value)
        return value
    if group.kind == "date":
        if not isinstance(value, str) or value not in group.dates:
            raise ChoiceError(f"{group.id!r} takes an open day such as {group.dates[0]}", group.id, value)
        return value
    if group.kind == "upload":
        if not isinstance(value, str) or not 0 < len(value) <= MAX_UPLOAD_ID:
            raise ChoiceError(f"{group.id!r} takes the id of an upload", group.id, value)
        return value
    raise ChoiceError(f"{group.id!r} is a {group.kind} group; its words go in texts", group.id, value)


def _option(group: OptionGroup, value: object, audiences: frozenset[str]) -> str:
    option = group.option(value) if isinstance(value, str) else None
    if option is None or option.retired or (option.audience and option.audience not in audiences):
        raise ChoiceError(f"{group.id!r} has no option {value!r}", group.id, value)
    return option.id


def from_form(c: Compiled, group_id: str, fields: Iterable[str]) -> ChoiceValue:
    """The value that the strings of a plain HTML form stand for (not yet checked against the model).

    Raises:
        ChoiceError: the group is unknown or the strings cannot be a value of its kind.
    """
    group = c.model.group(group_id)
    strings = list(fields)
    if group is None:
        raise ChoiceError(f"there is no group {group_id!r}", group_id, strings)
    if group.kind == "several":
        return sorted({string for string in strings if string})
    last = strings[-1] if strings else ""
    if group.kind == "flag" and last in ("true", "false"):
        return last == "true"
    if group.kind == "integer" and last.lstrip("-").isdecimal() and last.isascii() and len(last) < 12:
        return int(last)
    if group.kind in ("one", "date", "upload"):
        return last
    raise ChoiceError(f"{group_id!r} does not take {last!r}", group_id, last)


def literals_of(c: Compiled, choices: Answers) -> tuple[int, ...]:
    """The literals that the choices fix, in group order; a several group fixes every one of its options."""
    literals: list[int] = []
    for code in c.space.groups:
        if code.id in choices:
            literals += group_literals(c, code.id, choices[code.id])
    return tuple(literals)


def group_literals(c: Compiled, group_id: str, value: ChoiceValue) -> list[int]:
    """The literals that one choice fixes."""
    known = c.literals[group_id]
    group = c.model.group(group_id)
    if isinstance(value, list):
        return [literal if option in value else -literal for option, literal in known.items()]
    if group is not None and group.kind == "upload":
        return [known[True]]
    return [known[value]]


def banned(c: Compiled, audiences: frozenset[str]) -> tuple[int, ...]:
    """The literals that shut private options off for everyone outside their audience."""
    return tuple(-literal for audience, literal in c.private if audience not in audiences)


def hidden_groups(c: Compiled, audiences: frozenset[str]) -> frozenset[str]:
    """The groups that are unknown to everyone outside their audience."""
    return frozenset(g.id for g in c.model.groups if g.audience and g.audience not in audiences)


def decode(c: Compiled, mask: int, choices: Answers) -> dict[str, ChoiceValue]:
    """The values of a design; groups that do not apply are absent."""
    values: dict[str, ChoiceValue] = {}
    for code, group in zip(c.space.groups, c.model.groups, strict=True):
        if group.kind == "several":
            if not code.needed or mask >> code.needed & 1:
                values[group.id] = sorted(
                    str(v) for v, bit in zip(code.values, code.literals, strict=True) if mask >> bit & 1
                )
        elif group.kind == "upload":
            if group.id in choices:
                values[group.id] = choices[group.id]
        elif code.literals:
            value = c.shown[group.id].get(mask & code.mask)
            if value is not None:
                values[group.id] = value
    return values


def key(value: Value) -> str:
    """A value as the string that forms and difference tables use."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def graphemes(text: str) -> int:
    """User-visible characters: a base with its combining marks, joined emoji and flags count once."""
    count = 0
    joined = False
    flags = 0
    for character in text:
        code = ord(character)
        if 0x1F1E6 <= code <= 0x1F1FF:
            flags += 1
            count += flags % 2
            joined = False
            continue
        flags = 0
        extends = (
            unicodedata.combining(character)
            or unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
            or 0x1F3FB <= code <= 0x1F3FF
        )
        if not extends and not joined:
            count += 1
        joined = character == _ZERO_WIDTH
    return count


def check_texts(c: Compiled, choices: Answers, texts: object, audiences: frozenset[str] | None = None) -> Texts:
    """The texts in normal form (NFC, trimmed); empty ones and those of groups that do not apply are left out.

    Args:
        audiences: whose private groups are known; None for a design whose owner was asked before.

    Raises:
        TextError: unknown group, not a text, characters not allowed, too short or too long.
    """
    if not isinstance(texts, Mapping):
        raise TextError("texts must be a mapping of group to words", "")
    normal: Texts = {}
    for name, words in texts.items():
        group = c.model.group(name) if isinstance(name, str) else None
        private = group is not None and group.audience and audiences is not None and group.audience not in audiences
        if group is None or group.kind != "text" or private:
            raise TextError(f"there is no text {name!r}", str(name))
        if not isinstance(words, str):
            raise TextError(f"{name!r} must be a text", group.id)
        text = _normal_text(group, words)
        if text:
            normal[group.id] = text
    if not normal:
        return {}
    needed = needed_texts(c, choices)
    return {group.id: normal[group.id] for group in c.model.groups if group.id in normal and group.id in needed}


def needed_texts(c: Compiled, choices: Answers) -> frozenset[str]:
    """The text groups that apply to the default completion of the choices."""
    groups = [(g, code) for g, code in zip(c.model.groups, c.space.groups, strict=True) if g.kind == "text"]
    if all(not code.needed for _, code in groups):
        return frozenset(group.id for group, _ in groups)
    mask = completed(c, literals_of(c, choices))
    return frozenset(g.id for g, code in groups if not code.needed or (mask is not None and mask >> code.needed & 1))


def completed(c: Compiled, literals: tuple[int, ...]) -> int | None:
    """The default completion of literals, remembered; None when they contradict each other.

    Private options are filled in only when nothing else is possible, so that the answer is the same for everyone.
    """

    def answer() -> int | None:
        shut = tuple(-literal for _, literal in c.private if literal not in literals)
        with c.live.engine() as engine:
            found = default_completion(engine, [*literals, *shut])
            return default_completion(engine, literals) if found is None and shut else found

    return c.live.completions.get(literals, answer)


def completion_of(c: Compiled, choices: Answers) -> int:
    """The default completion of choices.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    mask = completed(c, literals_of(c, choices))
    if mask is None:
        raise Unsatisfiable(f"no valid {c.model.slug} has these choices")
    return mask


def _normal_text(group: OptionGroup, words: str) -> str:
    text = unicodedata.normalize("NFC", words).strip()
    if len(text) > 8 * (group.max_length or 1):
        raise TextError(f"{group.label}: at most {group.max_length} characters", group.id)
    for character in text:
        if not _allowed(group.characters, character):
            raise TextError(f"{group.label}: {character!r} cannot be written", group.id)
    length = graphemes(text)
    if group.max_length is not None and length > group.max_length:
        raise TextError(f"{group.label}: at most {group.max_length} characters, this has {length}", group.id)
    if text and length < (group.minimum or 0):
        raise TextError(f"{group.label}: at least {group.minimum} characters", group.id)
    return text


def _allowed(characters: str | None, character: str) -> bool:
    category = unicodedata.category(character)
    if character == "\n":
        return characters is not None and "newline" in characters.split()
    if category in ("Cc", "Cs", "Co", "Cn") or (category == "Cf" and character != _ZERO_WIDTH):
        return False
    if characters is None:
        return True
    classes = characters.split()
    if character == " ":
        return "space" in classes
    if "letters" in classes and category[0] in "LM":
        return True
    if "digits" in classes and category == "Nd":
        return True
    return any(character in word for word in classes if word not in ("letters", "digits", "space", "newline"))
