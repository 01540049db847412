"""A danger to life needs two names: who confirmed an alarm, and when (D14)

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import storage.tables

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alarm") as table:
        table.add_column(sa.Column("confirmed_at", storage.tables.UtcTime(timezone=True), nullable=True))
        table.add_column(sa.Column("confirmed_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True))
        table.create_foreign_key("fk_alarm_confirmed_by_staff", "staff", ["confirmed_by"], ["id"])
        table.create_index("ix_alarm_due", ["next_step_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("alarm") as table:
        table.drop_index("ix_alarm_due")
        table.drop_constraint("fk_alarm_confirmed_by_staff", type_="foreignkey")
        table.drop_column("confirmed_by")
        table.drop_column("confirmed_at")
