"""The language an answer is asked for in: `?language=`, else what the browser accepts."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query, Request

from store.shop.catalog import Published

MOST = 12  # languages looked at in one header


def asked(
    request: Request,
    language: Annotated[str | None, Query(max_length=16, description="such as en, fr or pt-BR")] = None,
) -> tuple[str, ...]:
    """The languages wanted, the dearest first."""
    if language:
        return (language,)
    weighed = []
    for place, entry in enumerate(request.headers.get("accept-language", "")[:400].split(",")[:MOST]):
        name, _, weight = entry.strip().partition(";q=")
        weighed.append((-_thousandths(weight), place, name))
    return tuple(name for weight, _, name in sorted(weighed) if name and weight)


def _thousandths(weight: str) -> int:
    whole, _, part = weight.strip().partition(".")
    if not weight.strip() or whole != "0":
        return 1000
    digits = part[:3].ljust(3, "0")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


Languages = Annotated[tuple[str, ...], Depends(asked)]


def spoken(item: Published, languages: tuple[str, ...]) -> Published:
    """The product in the first of the languages that its file has; else as it is."""
    known = {item.model.language, *item.model.languages}
    for language in languages:
        found = next((name for name in (language, language[:2]) if name in known), None)
        if found == item.model.language:
            return item
        if found is not None:
            compiled = item.compiled.in_language(found)
            other = replace(item, model=compiled.model)
            other.__dict__["compiled"] = compiled  # shares the solvers of the version
            return other
    return item
