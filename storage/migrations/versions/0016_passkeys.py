"""Passkeys of staff, and the question a browser was asked to sign (R26)

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_passkey",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("created_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("ix_staff_passkey_staff_id", "staff_passkey", ["staff_id"])
    with op.batch_alter_table("staff_session") as table:
        table.add_column(sa.Column("challenge", sa.String(length=120), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("challenge")
    op.drop_table("staff_passkey")
