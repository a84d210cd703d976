"""The audit log is append-only

Revision: d80b6c3e5a19
After: c41f7a2d9e08
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text


revision = 'd80b6c3e5a19'
down_revision = 'c41f7a2d9e08'
branch_labels = None
depends_on = None

# What staff did and when. Whose row it is may change: joined guests become the customer they turned out to be.
COLUMNS = 'id, at, kind, staff_id, subject, product, facts'
SENTENCE = 'What staff did is appended, never changed or deleted.'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            f"CREATE FUNCTION event_is_appended() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$"
        )
        for name, moment in (('kept', 'DELETE'), ('unchanged', f'UPDATE OF {COLUMNS}')):
            op.execute(
                f'CREATE TRIGGER event_of_staff_{name} BEFORE {moment} ON event FOR EACH ROW '
                f'WHEN (OLD.staff_id IS NOT NULL) EXECUTE FUNCTION event_is_appended()'
            )
        return
    for name, moment in (('kept', 'DELETE'), ('unchanged', f'UPDATE OF {COLUMNS}')):
        op.execute(
            f"CREATE TRIGGER event_of_staff_{name} BEFORE {moment} ON event "
            f"WHEN OLD.staff_id IS NOT NULL BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
        )


def downgrade() -> None:
    on = ' ON event' if op.get_bind().dialect.name == 'postgresql' else ''
    for name in ('kept', 'unchanged'):
        op.execute(f'DROP TRIGGER event_of_staff_{name}{on}')
    if on:
        op.execute('DROP FUNCTION event_is_appended()')
