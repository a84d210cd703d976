"""Backup and restore: everything comes back, on either kind of database, and nothing is written over."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect
from sqlmodel import Session, select

from store import backup, db, events, people, schema
from store.errors import SettingsError
from store.events import NOBODY
from store.people import Customer
from store.settings import Settings


def _live_a_little(engine: Engine) -> None:
    with db.transaction() as session:
        account = people.new_customer(session, "ada@example.com", "Ada")
        guest = people.new_customer(session, "ada@example.com", "Ada B.")
        people.verify_email(session, account, "ada@example.com")
        events.record(session, NOBODY, "contact", customer_id=guest.id, facts={"minutes": 4})


def _rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key))]
            for table in schema.METADATA.sorted_tables
        }


def _empty(folder: Path, name: str) -> Engine:
    return db.make_engine(f"sqlite:///{folder / name}")


def test_a_restored_database_holds_the_same_rows(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    _live_a_little(engine)
    uploads = settings.data_dir / "uploads"
    uploads.mkdir()
    (uploads / "crest.png").write_bytes(b"drawn")
    counts = backup.back_up(engine, settings, tmp_path / "copy.zip")
    assert counts["customer"] == 2
    elsewhere = _empty(tmp_path, "elsewhere.db")
    (settings.data_dir / "uploads" / "crest.png").unlink()
    assert backup.restore(elsewhere, settings, tmp_path / "copy.zip") == counts
    assert _rows(elsewhere) == _rows(engine)
    assert (uploads / "crest.png").read_bytes() == b"drawn"
    elsewhere.dispose()


def test_rows_that_point_at_later_rows_come_back_whole(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    _live_a_little(engine)
    backup.back_up(engine, settings, tmp_path / "copy.zip")
    elsewhere = _empty(tmp_path, "elsewhere.db")
    backup.restore(elsewhere, settings, tmp_path / "copy.zip")
    with Session(elsewhere) as session:
        guest = session.exec(select(Customer).where(Customer.name == "Ada B.")).one()
        account = session.exec(select(Customer).where(Customer.name == "Ada")).one()
        assert guest.merged_into_id == account.id
    elsewhere.dispose()


def test_a_database_that_is_not_empty_is_left_alone(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    _live_a_little(engine)
    backup.back_up(engine, settings, tmp_path / "copy.zip")
    before = _rows(engine)
    with pytest.raises(SettingsError, match="not empty"):
        backup.restore(engine, settings, tmp_path / "copy.zip")
    assert _rows(engine) == before


def test_a_file_that_is_no_backup_is_refused_before_anything_is_made(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "letter.zip").write_text("Dear house")
    elsewhere = _empty(tmp_path, "elsewhere.db")
    with pytest.raises(SettingsError, match="not a backup"):
        backup.restore(elsewhere, settings, tmp_path / "letter.zip")
    assert inspect(elsewhere).get_table_names() == []
    elsewhere.dispose()


def test_a_backup_that_lost_rows_is_refused_and_nothing_of_it_stays(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    _live_a_little(engine)
    backup.back_up(engine, settings, tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip") as whole, zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "tables/identity.jsonl":
                content = b""
            cut.writestr(name, content)
    elsewhere = _empty(tmp_path, "elsewhere.db")
    with pytest.raises(SettingsError, match="damaged"):
        backup.restore(elsewhere, settings, tmp_path / "cut.zip")
    with elsewhere.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM customer").scalar_one() == 0
    elsewhere.dispose()


def test_a_backup_names_its_rows_and_its_migration(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    backup.back_up(engine, settings, tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == 1
    assert manifest["rows"]["customer"] == 0
