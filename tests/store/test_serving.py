"""Coming up: whatever stands in the way is one sentence, and nothing half-started stays behind."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import db, serving
from store.errors import SettingsError
from store.settings import ROOT, Settings


def run(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line, as somebody types it."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATA_DIR", "PORT")}
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("serve", "--port", str(port), DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use). Choose another: PORT=8001.\n"
    )
    assert not (tmp_path / "atelier.db").exists()


def test_an_unwritable_data_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("serve", DATA_DIR=str(tmp_path / "file" / "var"))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "cannot be written" in ended.stderr


def test_a_broken_product_file_stops_the_start_with_file_line_and_reason(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = tmp_path / "products"
    shutil.copytree(serving.PRODUCTS, products)
    (products / "broken.yaml").write_text(
        "product: broken\nname: Broken\ncategory: odd\ncurrency: EUR\nbase: {prize: 1}\n"
    )
    monkeypatch.setattr(serving, "PRODUCTS", products)
    with pytest.raises(SettingsError, match=r"A product file is wrong: .*broken\.yaml:5: .*prize"):
        serving.prepare(settings)
    db.current_engine().dispose()
    db.use_engine(engine)


def test_the_first_owner_is_made_on_the_command_line_and_can_sign_in(tmp_path: Path) -> None:
    words = "a lantern at the pier\n"
    typed = run("staff", "Ada Owner", "Ada@House.example", typed=words * 2, DATA_DIR=str(tmp_path))
    assert typed.returncode == 0, typed.stderr
    assert typed.stdout.endswith("Ada Owner can sign in at http://127.0.0.1:8000/sign-in as owner.\n")
    engine = db.make_engine(f"sqlite:///{tmp_path / 'atelier.db'}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT email, role FROM staff").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("ada@house.example", "owner")]


def test_a_weak_password_makes_no_owner(tmp_path: Path) -> None:
    ended = run("staff", "Ada Owner", "ada@house.example", typed="short\n" * 2, DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    engine = db.make_engine(f"sqlite:///{tmp_path / 'atelier.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM staff").scalar_one() == 0
    engine.dispose()


def test_an_order_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    ended = run("replay-order", "NOWHERE", DATA_DIR=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (1, "We could not find that order.\n")


def test_a_backup_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    ended = run("backup", str(tmp_path / "nowhere" / "copy.zip"), DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.endswith("copy.zip cannot be written (No such file or directory).\n")
    assert ended.stderr.count("\n") == 1
