"""Invoices and credit notes

Revision: 65913749e40b
After: 9ecea999b4fa
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text


revision = '65913749e40b'
down_revision = '9ecea999b4fa'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('invoice',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('series', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('cause', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('order_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('order_number', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('payment_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('currency', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('document', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seal', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice')),
    sa.UniqueConstraint('cause', name=op.f('uq_invoice_cause')),
    sa.UniqueConstraint('number', name=op.f('uq_invoice_number')),
    sa.UniqueConstraint('series', 'year', 'position', name=op.f('uq_invoice_series_year_position'))
    )
    op.create_index(op.f('ix_invoice_issued_on'), 'invoice', ['issued_on'], unique=False)
    op.create_index(op.f('ix_invoice_order_id'), 'invoice', ['order_id'], unique=False)
    op.create_index(op.f('ix_invoice_order_number'), 'invoice', ['order_number'], unique=False)

    op.create_table('invoice_counter',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_counter'))
    )
    op.create_table('invoice_tax',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('invoice_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('treatment', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rate_basis_points', sa.Integer(), nullable=False),
    sa.Column('net', sa.BigInteger(), nullable=False),
    sa.Column('tax', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoice.id'], name=op.f('fk_invoice_tax_invoice_id_invoice')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_tax'))
    )
    op.create_index(op.f('ix_invoice_tax_invoice_id'), 'invoice_tax', ['invoice_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_invoice_tax_invoice_id'), table_name='invoice_tax')

    op.drop_table('invoice_tax')
    op.drop_table('invoice_counter')
    op.drop_index(op.f('ix_invoice_order_number'), table_name='invoice')
    op.drop_index(op.f('ix_invoice_order_id'), table_name='invoice')
    op.drop_index(op.f('ix_invoice_issued_on'), table_name='invoice')

    op.drop_table('invoice')