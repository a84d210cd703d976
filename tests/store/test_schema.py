"""Migrations: they make the tables of the code, on both databases, and refuse what they did not make."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from store import db, schema
from store.errors import SettingsError


def test_the_migrated_database_equals_the_tables_in_the_code(engine: Engine) -> None:
    assert schema.drift(engine) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.drift(engine) == []


def test_a_half_migrated_database_is_named_in_one_sentence(tmp_path: Path) -> None:
    engine = db.make_engine(f"sqlite:///{tmp_path / 'half.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customer (id TEXT PRIMARY KEY)"))
    with pytest.raises(SettingsError, match=r"half migrated: it holds tables \(customer, …\)"):
        schema.upgrade(engine)
    engine.dispose()


def test_a_database_that_lost_a_table_is_not_served(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE contact"))
    with pytest.raises(SettingsError, match=r"half migrated: the tables \['contact'\] are missing"):
        schema.upgrade(engine)


def test_a_database_of_another_version_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffffffffffff'"))
    with pytest.raises(SettingsError, match="made by another version"):
        schema.upgrade(engine)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear house, this is a letter and no database at all." * 40)
    engine = db.make_engine(f"sqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(SettingsError, match="cannot be used"):
        schema.upgrade(engine)
    engine.dispose()
