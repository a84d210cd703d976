"""Reads any model there is a reader for — the house's own YAML, UVL, DIMACS, grouped JSON — as something to measure."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configurator.catalogue import load
from configurator.compile import Compiled, compile_model
from configurator.dimacs import read_dimacs
from configurator.errors import ModelError
from configurator.grouped import read_grouped
from configurator.space import Space
from configurator.uvl import read_uvl

_READERS: dict[str, Callable[[str, str], Space]] = {
    ".uvl": read_uvl,
    ".dimacs": read_dimacs,
    ".cnf": read_dimacs,
    ".json": read_grouped,
}
_FORMATS = {".uvl": "uvl", ".dimacs": "dimacs", ".cnf": "dimacs", ".json": "grouped"}


@dataclass(frozen=True)
class Foreign:
    """A model of any format; `compiled` when it is a product of the house."""

    format: str
    name: str
    space: Space
    compiled: Compiled | None = None


def read_any(path: Path) -> list[Foreign]:
    """The models of a file, by its ending; a YAML file may hold several.

    Raises:
        ModelError: naming file and line.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        models = [compile_model(model) for model in load(path)]
        return [Foreign("yaml", c.model.slug, c.space, c) for c in models]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(str(path), 1, f"cannot be read: {error}") from None
    return [Foreign(_FORMATS[path.suffix.lower()], path.stem, reader(text, str(path)))]
