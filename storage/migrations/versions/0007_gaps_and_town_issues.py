"""What several gaps have in common, and what came of it (制度の狭間 → 地域課題 → 資源)

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "town_issue",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=True),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("changed_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("gap") as batch:
        batch.add_column(sa.Column("source", sa.String(length=8), nullable=False, server_default="bot"))
        batch.add_column(sa.Column("issue_id", sa.String(length=32), nullable=True))
        batch.create_foreign_key("fk_gap_issue", "town_issue", ["issue_id"], ["id"])
        batch.create_index("ix_gap_issue_id", ["issue_id"])
    with op.batch_alter_table("gap") as batch:
        batch.alter_column("source", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("gap") as batch:
        batch.drop_index("ix_gap_issue_id")
        batch.drop_constraint("fk_gap_issue", type_="foreignkey")
        batch.drop_column("issue_id")
        batch.drop_column("source")
    op.drop_table("town_issue")
