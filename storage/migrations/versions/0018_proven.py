"""When a signed-in browser last proved who sits before it: exports ask again (R33)

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

import storage.tables

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("staff_session") as table:
        table.add_column(sa.Column("proven_at", storage.tables.UtcTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("staff_session") as table:
        table.drop_column("proven_at")
