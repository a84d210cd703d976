"""Design codes that carry the choices themselves: `product.version.choices.check`, without a database."""

import base64
import binascii
import hashlib
import re

from configurator.compile import Compiled
from configurator.errors import ChoiceError
from configurator.model import Answers, Choices, ChoiceValue
from configurator.space import SpaceGroup

_CODE = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9a-f]{16})\.([A-Z2-7]{0,4000})\.([A-Z2-7]{4})\Z")


def encode(c: Compiled, choices: Answers) -> str:
    """The code of checked choices; uploads and texts are hers and never part of it."""
    number = 0
    for code in reversed(c.space.groups):
        size, digit = _size(c, code), _digit(c, code, choices.get(code.id))
        number = number * size + digit
    body = base64.b32encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")
    text = f"{c.model.slug}.{c.model.version}.{body}"
    return f"{text}.{_check(text)}"


def address(code: str) -> tuple[str, str] | None:
    """Product and version that a code was made with; None when it is no code."""
    match = _CODE.match(code)
    if match is None or _check(code.rpartition(".")[0]) != match[4]:
        return None
    return match[1], match[2]


def decode_choices(c: Compiled, code: str) -> Choices:
    """The choices of a code made with this very version.

    Raises:
        ChoiceError: no code, a slip of the pen, or another product or version.
    """
    match = _CODE.match(code)
    if match is None or address(code) != (c.model.slug, c.model.version):
        raise ChoiceError(f"this is no design code of {c.model.slug} {c.model.version}", "")
    try:
        number = int.from_bytes(base64.b32decode(match[3] + "=" * (-len(match[3]) % 8)), "big")
    except binascii.Error:
        raise ChoiceError("the choices of this code cannot be read", "") from None
    choices: Choices = {}
    for group in c.space.groups:
        number, digit = divmod(number, _size(c, group))
        if digit:
            choices[group.id] = _value(group, digit)
    if number:
        raise ChoiceError("this code holds more than the product has", "")
    return choices


def _check(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()[:3]).decode()[:4]


def _size(c: Compiled, code: SpaceGroup) -> int:
    """How many digits a group has: not chosen, or one of its answers."""
    group = c.model.group(code.id)
    if group is None or group.kind in ("text", "upload"):
        return 1
    return 1 + (1 << len(code.values) if code.kind == "several" else len(code.values))


def _digit(c: Compiled, code: SpaceGroup, value: ChoiceValue | None) -> int:
    if value is None or _size(c, code) == 1:
        return 0
    if isinstance(value, list):
        return 1 + sum(1 << code.values.index(option) for option in value)
    return 1 + code.values.index(value)


def _value(code: SpaceGroup, digit: int) -> ChoiceValue:
    if code.kind == "several":
        return sorted(str(value) for place, value in enumerate(code.values) if (digit - 1) >> place & 1)
    return code.values[digit - 1]
