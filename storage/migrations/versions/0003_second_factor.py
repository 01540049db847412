"""A second factor for whoever signs in at the desk (R26)

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_factor",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("used_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.Column("created_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_staff_factor_staff_id", "staff_factor", ["staff_id"])
    with op.batch_alter_table("staff_session") as table:
        table.add_column(sa.Column("factor_due", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("factor_due")
    op.drop_index("ix_staff_factor_staff_id", "staff_factor")
    op.drop_table("staff_factor")
