"""Finds and reads product files: one file, a folder of files, or a text, each with one or several products."""

from pathlib import Path

from configurator.errors import ModelError
from configurator.product import ProductModel, build
from configurator.yaml_tree import documents


def load(path: Path | str) -> list[ProductModel]:
    """The product models of a file, or of every YAML file of a folder.

    Raises:
        ModelError: naming file, line, id and what was meant.
    """
    path = Path(path)
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    models: list[ProductModel] = []
    homes: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(str(file), 1, f"cannot be read: {error}") from None
        for model in parse(text, str(file)):
            if model.slug in homes:
                raise ModelError(str(file), 1, f"product {model.slug!r} also stands in {homes[model.slug]}")
            homes[model.slug] = str(file)
            models.append(model)
    return models


def parse(text: str, source: str) -> list[ProductModel]:
    """The product models of a YAML text, one per document.

    Raises:
        ModelError: naming file, line, id and what was meant.
    """
    models: list[ProductModel] = []
    for node, own_text in documents(text, source):
        model = build(node, own_text, source)
        if any(model.slug == other.slug for other in models):
            raise ModelError(source, node.line, f"product {model.slug!r} stands twice in this file")
        models.append(model)
    if not models:
        raise ModelError(source, 1, "no product stands in this file")
    return models
