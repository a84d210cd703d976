"""The owner's rules for suggestions, propensities, what the house filled in, and what customers had forgotten

Revision: c41f7a2d9e08
After: 65913749e40b
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = 'c41f7a2d9e08'
down_revision = '65913749e40b'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('suggestion_rule',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('slug', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('basis_points', sa.Integer(), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('decided_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], name=op.f('fk_suggestion_rule_decided_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion_rule')),
    sa.UniqueConstraint('kind', 'slug', name=op.f('uq_suggestion_rule_kind_slug'))
    )
    op.create_table('forgotten',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('customer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('slug', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('group', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('value', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_forgotten_customer_id_customer')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forgotten')),
    sa.UniqueConstraint('customer_id', 'slug', 'group', 'value', name=op.f('uq_forgotten_customer_id_slug_group_value'))
    )
    # Columns are added one by one, not in a batch: SQLite would copy the table and drop the old one, to which rows point.
    op.add_column('suggestion', sa.Column('propensity', sa.Integer(), server_default='10000', nullable=False))
    op.add_column('design', sa.Column('filled', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('design', 'filled')
    op.drop_column('suggestion', 'propensity')
    op.drop_table('forgotten')
    op.drop_table('suggestion_rule')
