"""Which published version serves: one small file, read without the numeric stack, moved by a rename."""

import os
import tempfile
from pathlib import Path

CURRENT = "current"


def current_version(directory: Path) -> str | None:
    """The version that is to be served, by one small read; None when nothing was published."""
    return next(iter(pointed(directory)), None)


def pointed(directory: Path) -> list[str]:
    """The current version and the one before it."""
    try:
        return (directory / CURRENT).read_text(encoding="utf-8").split()
    except OSError:
        return []


def point(directory: Path, version: str, previous: str | None) -> None:
    """Serve a version from now on, remembering the one before."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=directory, prefix=".pointing-", delete=False) as new:
        new.write(f"{version} {previous or ''}\n")
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(directory / CURRENT)
