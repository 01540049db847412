"""Erasures

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import storage.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("receipt", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
        sa.Column("conversation_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("asked_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("done_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_erasure_receipt", "erasure", ["receipt"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_erasure_receipt", table_name="erasure")
    op.drop_table("erasure")
