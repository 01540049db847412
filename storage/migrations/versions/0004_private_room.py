"""The private room: one-time links from a platform, and what a visit by such a link may see

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import storage.tables


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "room_link",
        sa.Column("token_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("conversation_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("until", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("used_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    with op.batch_alter_table("room_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_room_link_conversation_id"), ["conversation_id"], unique=False)
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("in_room", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("web_visitor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("after_seq", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("seen_seq", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("web_visitor", schema=None) as batch_op:
        batch_op.drop_column("seen_seq")
        batch_op.drop_column("after_seq")
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.drop_column("in_room")
    with op.batch_alter_table("room_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_room_link_conversation_id"))
    op.drop_table("room_link")
