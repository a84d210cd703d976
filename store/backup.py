"""A consistent copy of database and uploads in one file, restorable on another machine and either kind of database."""

import base64
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    LargeBinary,
    Table,
    TypeDecorator,
    func,
    insert,
    select,
    update,
)

from store import schema
from store.errors import SettingsError
from store.settings import Settings

FORMAT = 1
BATCH = 500
UPLOADS = "uploads"


def back_up(engine: Engine, settings: Settings, file: Path) -> dict[str, int]:
    """Write database and uploads to `file`; the shop may go on selling meanwhile.

    Returns:
        The number of rows by table.
    """
    counts: dict[str, int] = {}
    partial = file.with_name(file.name + ".part")
    with _snapshot(engine) as connection, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        revision = MigrationContext.configure(connection).get_current_revision()
        for table in schema.METADATA.sorted_tables:
            with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as lines:
                counts[table.name] = 0
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
                    lines.write(json.dumps(dict(row), default=_plain, ensure_ascii=False).encode() + b"\n")
                    counts[table.name] += 1
        for upload in sorted((settings.data_dir / UPLOADS).glob("**/*")):
            if upload.is_file():
                archive.write(upload, f"{UPLOADS}/{upload.relative_to(settings.data_dir / UPLOADS)}")
        archive.writestr("manifest.json", json.dumps({"format": FORMAT, "revision": revision, "rows": counts}))
    partial.replace(file)  # a killed backup leaves no half file under the name asked for
    return counts


def restore(engine: Engine, settings: Settings, file: Path) -> dict[str, int]:
    """Fill an empty database from a backup.

    Returns:
        The number of rows by table.

    Raises:
        SettingsError: the file is no backup of this version, or the database is not empty.
    """
    with _opened(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        schema.upgrade(engine)
        with engine.begin() as connection:
            _refuse_mismatch(connection, manifest, file)
            counts = _fill(connection, archive)
            if counts != manifest["rows"]:
                raise SettingsError(f"{file} is damaged: it holds other numbers of rows than it says.")
        for name in archive.namelist():
            if name.startswith(f"{UPLOADS}/"):
                archive.extract(name, settings.data_dir)
    return counts


def _snapshot(engine: Engine) -> Connection:
    """A connection that sees one moment throughout."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ").connect()
    return engine.execution_options(read_only=True).connect()


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(file)
        if json.loads(archive.read("manifest.json")).get("format") == FORMAT:
            return archive
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise SettingsError(f"{file} is not a backup of this shop.") from error
    raise SettingsError(f"{file} was made by another version of the shop.")


def _refuse_mismatch(connection: Connection, manifest: dict[str, Any], file: Path) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if manifest["revision"] != revision:
        raise SettingsError(f"{file} was made at migration {manifest['revision']}; this version is at {revision}.")
    for table in schema.METADATA.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise SettingsError(f"The database is not empty (table {table.name}); restore into a new place.")


def _fill(connection: Connection, archive: zipfile.ZipFile) -> dict[str, int]:
    """Insert table by table; keys that point to rows not there yet are set in a second pass."""
    counts: dict[str, int] = {}
    later: list[tuple[Table, dict[str, Any], dict[str, Any]]] = []
    filled: set[str] = set()
    for table in schema.METADATA.sorted_tables:
        forward = [column.name for column in table.columns if _points_forward(column.foreign_keys, filled)]
        counts[table.name] = 0
        for batch in _batches(_rows(archive, table)):
            for row in batch:
                waiting = {name: row[name] for name in forward if row[name] is not None}
                if waiting:
                    later.append((table, {key.name: row[key.name] for key in table.primary_key}, waiting))
                    row.update(dict.fromkeys(waiting))
            connection.execute(insert(table), batch)
            counts[table.name] += len(batch)
        filled.add(table.name)
    for table, key, values in later:
        matches = [table.c[name] == value for name, value in key.items()]
        connection.execute(update(table).where(*matches).values(**values))
    return counts


def _points_forward(keys: Iterable[ForeignKey], filled: set[str]) -> bool:
    return any(key.column.table.name not in filled for key in keys)


def _rows(archive: zipfile.ZipFile, table: Table) -> Iterator[dict[str, Any]]:
    with archive.open(f"tables/{table.name}.jsonl") as lines:
        for line in lines:
            stored = json.loads(line)
            yield {column.name: _typed(column, stored[column.name]) for column in table.columns}


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    raise TypeError(f"cannot back up a {type(value).__name__}")


def _typed(column: Column[Any], value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return value
