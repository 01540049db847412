"""当番表, and where people on duty can be called (desk.md §9)

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("part", sa.String(length=3), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("day", "part", "place"),
    )
    op.create_index("ix_duty_staff_id", "duty", ["staff_id"])
    op.create_table(
        "call_address",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("staff_id"),
    )


def downgrade() -> None:
    op.drop_table("call_address")
    op.drop_index("ix_duty_staff_id", "duty")
    op.drop_table("duty")
