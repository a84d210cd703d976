"""The whole schema: every module with tables, and bringing a database to the newest migration."""

from collections.abc import Sequence
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from store import auth, events, experiments, invitations, mail, people, tasks
from store.accounts import registration
from store.crm import contacts, offers
from store.errors import SettingsError
from store.settings import ROOT
from store.shop import (
    bags,
    catalog,
    designs,
    disputes,
    invoices,
    notices,
    orders,
    payments,
    publishing,
    reconciliation,
    refunds,
    schedule,
    stock,
    suggestions,
    uploads,
    vat_checks,
)

TABLE_MODULES = (
    *(auth, events, experiments, invitations, mail, people, registration, tasks),
    *(bags, catalog, designs, orders, publishing, stock, suggestions, uploads),
    *(disputes, invoices, notices, payments, reconciliation, refunds, schedule, vat_checks),
    *(contacts, offers),
)
METADATA = SQLModel.metadata


def _config(connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest migration, all in one transaction.

    Raises:
        SettingsError: the database cannot be reached, or holds something these migrations did not make.
    """
    try:
        with engine.begin() as connection:
            _refuse_unknown(connection)
            command.upgrade(_config(connection), "head")
    except DBAPIError as error:
        place = engine.url.render_as_string(hide_password=True)
        raise SettingsError(f"The database {place} cannot be used: {str(error.orig).strip()}") from error


def _refuse_unknown(connection: Any) -> None:
    place = connection.engine.url.render_as_string(hide_password=True)
    present = set(inspect(connection).get_table_names()) & set(METADATA.tables)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None and present:
        raise SettingsError(
            f"The database {place} is half migrated: it holds tables ({', '.join(sorted(present)[:3])}, …) but no "
            "record of a migration. Restore a backup, or point DATA_DIR or DATABASE_URL to an empty place."
        )
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise SettingsError(
            f"The database {place} was made by another version of the shop (migration {current} is unknown here). "
            "Use that version, or restore a backup of this one."
        )
    if current is not None and len(present) < len(METADATA.tables) and current == _head():
        missing = sorted(set(METADATA.tables) - present)
        raise SettingsError(f"The database {place} is half migrated: the tables {missing} are missing.")


def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def drift(engine: Engine) -> Sequence[Any]:
    """What differs between the migrated database and the tables in the code; empty when all is well."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def new_migration(engine: Engine, message: str) -> None:
    """Write a migration for what changed in the tables (development)."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")
        command.revision(_config(connection), message, autogenerate=True)
