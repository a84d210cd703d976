"""The rules of the house that no reader has to remember: who may import whom, who commits, how long a file may be."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [
    path
    for folder in ("store", "configurator", "recommender")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
] + [ROOT / "main.py"]
NO_NAMES = {"utils", "helpers", "common", "misc", "manager", "service", "base"}


def test_the_rooms_import_in_one_direction() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_db_and_tasks_commit() -> None:
    commits = {path.relative_to(ROOT).as_posix() for path in SOURCES if re.search(r"\.commit\(", path.read_text())}
    assert commits <= {"store/db.py", "store/tasks.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_says_what_it_is_for_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""'), "the module says in its first line what it is responsible for"
    assert len(text.splitlines()) <= 400
    assert path.stem not in NO_NAMES


def test_no_template_or_script_loads_anything_from_elsewhere() -> None:
    elsewhere = re.compile(
        r"""(?:src|href|action)=["'](?:https?:)?//|@import\s+url\(|url\(["']?https?:|from ['"]https?:"""
    )
    for folder, endings in (("templates", {".html"}), ("static/js", {".js"}), ("static/css", {".css"})):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in endings:
                assert not elsewhere.search(path.read_text()), path


def test_no_page_carries_inline_style_script_or_unescaped_text() -> None:
    forbidden = re.compile(r"\sstyle=|<style|\son\w+=\"|\|\s*safe\b")
    for path in (ROOT / "templates").rglob("*.html"):
        if "mail" in path.parts:
            continue  # mail clients read no stylesheets
        text = path.read_text()
        assert not forbidden.search(text), path
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in script or "application/" in script, path


def test_no_registry_address_and_no_path_of_a_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    address = re.compile(r"registry\.npm|files\.pythonhosted|pypi\.org|/root/|/work/|/home/\w")
    for name in listed:
        path = ROOT / name
        if (
            path.suffix in {".py", ".toml", ".txt", ".json", ".md", ".yaml", ".html", ".js", ".css", ""}
            and path.is_file()
        ):
            if name == "tests/test_architecture.py" or path.stat().st_size > 2_000_000:
                continue
            assert not address.search(path.read_text(encoding="utf-8", errors="ignore")), name
