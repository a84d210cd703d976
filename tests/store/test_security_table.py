"""The table of what protects the shop names tests that are there."""

import ast
import re
from pathlib import Path

import pytest

from store.settings import ROOT

TABLE = ROOT / "store" / "SECURITY.md"
HONEST = ("not applicable", "missing", "~ ")


def rows() -> list[tuple[str, str, str]]:
    """Requirement, words, proof; headings of chapters left out."""
    lines = [line.strip("|\n ").split(" | ") for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [(line[0], line[1], line[2]) for line in lines[1:] if not line[0].startswith("**")]


def named_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split(",")[0])
def test_each_row_is_proved_by_a_test_that_exists_or_says_honestly_that_it_is_not(row: tuple[str, str, str]) -> None:
    requirement, words, proof = row
    assert re.fullmatch(r"\d+(\.\d+)*((,| to) \d+(\.\d+)*)*", requirement)
    assert len(words) >= 3
    if proof.startswith("`tests/"):
        file, _, name = proof.strip("`").partition("::")
        assert (ROOT / file).is_file()
        assert not name or name in named_in(ROOT / file)
    else:
        assert proof.startswith(HONEST)


def test_no_chapter_is_left_out() -> None:
    chapters = re.findall(r"^\| \*\*V(\d+) ", TABLE.read_text(), flags=re.MULTILINE)
    assert chapters == [str(number) for number in range(1, 15)]
    assert len(rows()) > 50
