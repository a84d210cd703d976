"""Payments in parts, refunds, disputes

Revision: 6267dfd74359
After: 9b0dc4509b61
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text


revision = '6267dfd74359'
down_revision = '9b0dc4509b61'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added one by one, not in a batch: SQLite would copy the table and drop the old one, to which rows point.
    op.create_table('payment_part',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('order_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('label', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('due', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_words', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('requested_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('requested_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('evidence', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('evidence_file', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['shop_order.id'], name=op.f('fk_payment_part_order_id_shop_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_part')),
    sa.UniqueConstraint('order_id', 'position', name=op.f('uq_payment_part_order_id_position'))
    )
    op.create_table('reconciliation_finding',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('order_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('found_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('gone_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['shop_order.id'], name=op.f('fk_reconciliation_finding_order_id_shop_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliation_finding')),
    sa.UniqueConstraint('key', name=op.f('uq_reconciliation_finding_key'))
    )
    op.create_table('dispute',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('payment_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('order_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opened_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('closed_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['shop_order.id'], name=op.f('fk_dispute_order_id_shop_order')),
    sa.ForeignKeyConstraint(['payment_id'], ['payment.id'], name=op.f('fk_dispute_payment_id_payment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute'))
    )
    with op.batch_alter_table('dispute', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dispute_order_id'), ['order_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_dispute_payment_id'), ['payment_id'], unique=False)

    op.add_column('payment', sa.Column('part_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column('payment', sa.Column('method', sqlmodel.sql.sqltypes.AutoString(), server_default='page', nullable=False))
    op.add_column('payment', sa.Column('customer_reference', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column('payment', sa.Column('method_reference', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column('payment', sa.Column('kept', sa.Boolean(), server_default='0', nullable=False))
    op.add_column('payment', sa.Column('refunded', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('payment', sa.Column('disputed', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('payment', sa.Column('failure', sqlmodel.sql.sqltypes.AutoString(), server_default='', nullable=False))
    op.add_column('payment', sa.Column('page_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))

    op.add_column('refund', sa.Column('asked_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_index(op.f('ix_refund_provider_reference'), 'refund', ['provider_reference'], unique=False)

    op.add_column('shop_order', sa.Column('plan', sqlmodel.sql.sqltypes.AutoString(), server_default='full', nullable=False))
    op.add_column('shop_order', sa.Column('received', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('shop_order', sa.Column('settled_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.add_column('shop_order', sa.Column('hold_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))

    op.add_column('webhook_event', sa.Column('payment_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_index(op.f('ix_webhook_event_reference'), 'webhook_event', ['reference'], unique=False)

    # Orders of before were paid at once: one part, received in full once they were paid.
    op.execute(
        "INSERT INTO payment_part (id, order_id, position, label, amount, due, due_words, requested_at, evidence,"
        " evidence_file) SELECT 'prt_' || substr(id, 5), id, 0, 'Full payment', total, 'now', '', placed_at, '', ''"
        " FROM shop_order"
    )
    op.execute(
        "UPDATE shop_order SET received = total, settled_at = paid_at"
        " WHERE state IN ('paid', 'in-production', 'ready', 'shipped', 'delivered')"
    )
    op.execute("UPDATE payment SET part_id = 'prt_' || substr(order_id, 5)")
    # What was sent back at once was never kept; it is still so.
    op.execute("UPDATE payment SET kept = true WHERE state = 'paid'")
    op.execute("UPDATE payment SET refunded = amount WHERE state = 'refunded'")


def downgrade() -> None:
    # ### commands auto generated by Alembic - please adjust! ###
    with op.batch_alter_table('webhook_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_webhook_event_reference'))
        batch_op.drop_column('payment_id')

    with op.batch_alter_table('shop_order', schema=None) as batch_op:
        batch_op.drop_column('hold_until')
        batch_op.drop_column('settled_at')
        batch_op.drop_column('received')
        batch_op.drop_column('plan')

    with op.batch_alter_table('refund', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_refund_provider_reference'))
        batch_op.drop_column('asked_by')

    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_column('page_until')
        batch_op.drop_column('failure')
        batch_op.drop_column('disputed')
        batch_op.drop_column('refunded')
        batch_op.drop_column('kept')
        batch_op.drop_column('method_reference')
        batch_op.drop_column('customer_reference')
        batch_op.drop_column('method')
        batch_op.drop_column('part_id')

    with op.batch_alter_table('dispute', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dispute_payment_id'))
        batch_op.drop_index(batch_op.f('ix_dispute_order_id'))

    op.drop_table('dispute')
    op.drop_table('reconciliation_finding')
    op.drop_table('payment_part')
    # ### end Alembic commands ###
