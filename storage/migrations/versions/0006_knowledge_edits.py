"""Changes of the town's knowledge, with the way back (D15)

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_edit",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("file", sa.String(length=240), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("undone_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_knowledge_edit_entry_id", "knowledge_edit", ["entry_id"])


def downgrade() -> None:
    op.drop_index("ix_knowledge_edit_entry_id", "knowledge_edit")
    op.drop_table("knowledge_edit")
