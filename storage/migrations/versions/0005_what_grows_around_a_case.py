"""What grows around a case: household, consents asked for, referrals, meetings, plans, the answers of the national forms, agencies

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import storage.tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("created_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "household_member",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("consent", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("linked_case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("removed_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["linked_case_id"],
            ["care_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("household_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_household_member_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_household_member_linked_case_id"), ["linked_case_id"], unique=False)

    op.create_table(
        "intake",
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "support_meeting",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("held_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("next_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("support_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_meeting_case_id"), ["case_id"], unique=False)

    op.create_table(
        "writing",
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("staff_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "staff_id"),
    )
    op.create_table(
        "consent_request",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("conversation_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("asked_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("asked_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("answer", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=True),
        sa.Column("answered_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.Column("consent_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["consent.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_request_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consent_request_conversation_id"), ["conversation_id"], unique=False)

    op.create_table(
        "coordination_meeting",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("consent_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("held_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("next_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["consent.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("coordination_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coordination_meeting_case_id"), ["case_id"], unique=False)

    op.create_table(
        "referral",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("agency_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("basis", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("consent_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("meeting_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("asked_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("due_at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("until", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.Column("answered_at", storage.tables.UtcTime(timezone=True), nullable=True),
        sa.Column("resident_says", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"],
            ["agency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["consent.id"],
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["support_meeting.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index("ix_referral_agency", ["agency_id", "asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_referral_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_referral_due", ["state", "due_at"], unique=False)

    op.create_table(
        "plan",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("case_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("meeting_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("review_on", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", storage.tables.UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["care_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["coordination_meeting.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_case_id"), ["case_id"], unique=False)

    with op.batch_alter_table("gap", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wish_sealed", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agency_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True))
        batch_op.create_foreign_key("fk_agency", "agency", ["agency_id"], ["id"])

    with op.batch_alter_table("memo", schema=None) as batch_op:
        batch_op.add_column(sa.Column("method", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=True))

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agency_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True))
        batch_op.create_foreign_key("fk_agency", "agency", ["agency_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("agency_id")

    with op.batch_alter_table("memo", schema=None) as batch_op:
        batch_op.drop_column("method")

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_column("agency_id")

    with op.batch_alter_table("gap", schema=None) as batch_op:
        batch_op.drop_column("wish_sealed")

    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_case_id"))

    op.drop_table("plan")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index("ix_referral_due")
        batch_op.drop_index(batch_op.f("ix_referral_case_id"))
        batch_op.drop_index("ix_referral_agency")

    op.drop_table("referral")
    with op.batch_alter_table("coordination_meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coordination_meeting_case_id"))

    op.drop_table("coordination_meeting")
    with op.batch_alter_table("consent_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_request_conversation_id"))
        batch_op.drop_index(batch_op.f("ix_consent_request_case_id"))

    op.drop_table("consent_request")
    op.drop_table("writing")
    with op.batch_alter_table("support_meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_meeting_case_id"))

    op.drop_table("support_meeting")
    op.drop_table("intake")
    with op.batch_alter_table("household_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_household_member_linked_case_id"))
        batch_op.drop_index(batch_op.f("ix_household_member_case_id"))

    op.drop_table("household_member")
    op.drop_table("agency")
