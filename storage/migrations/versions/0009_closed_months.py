"""Months of the statistics that were closed

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_month",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("counts_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("closed_by", sa.String(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("month"),
    )


def downgrade() -> None:
    op.drop_table("closed_month")
