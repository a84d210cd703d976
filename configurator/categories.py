"""The departments of the house: slugs, labels and their order."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from configurator.yaml_tree import documents

FILE = Path(__file__).parent / "categories.yaml"


@dataclass(frozen=True, slots=True)
class Category:
    """A department of the catalogue."""

    slug: str
    label: str
    sentence: str = ""


@cache
def categories() -> tuple[Category, ...]:
    """The departments in the order shown."""
    found = []
    for node, _ in documents(FILE.read_text(encoding="utf-8"), str(FILE)):
        for item in node.value if isinstance(node.value, list) else []:
            words = item.plain()
            assert isinstance(words, dict)
            found.append(Category(str(words["slug"]), str(words["label"]), str(words.get("sentence", ""))))
    return tuple(found)


def category(slug: str) -> Category:
    """The department of a slug; one that the house does not list is shown by its slug."""
    known = next((entry for entry in categories() if entry.slug == slug), None)
    return known or Category(slug, slug.replace("-", " ").replace("_", " ").capitalize())
