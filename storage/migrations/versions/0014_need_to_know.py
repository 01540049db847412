"""Who is shut out of a resident's cases, and who was let in in an emergency (R21)

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STANDS = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "shut_out",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by_staff_id", sa.String(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("lifted_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"]),
        sa.ForeignKeyConstraint(["by_staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_shut_out_person_id", "shut_out", ["person_id"])
    op.create_index("ix_shut_out_stands", "shut_out", ["person_id", "staff_id"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS)
    op.create_table(
        "emergency",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("why_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("answered_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.Column("until", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["answered_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_emergency_person_id", "emergency", ["person_id"])
    op.create_index("ix_emergency_case_id", "emergency", ["case_id"])
    op.create_index("ix_emergency_open", "emergency", ["staff_id", "until"])


def downgrade() -> None:
    op.drop_table("emergency")
    op.drop_table("shut_out")
