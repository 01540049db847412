"""What grows around a case: household, consents asked for, referrals to agencies, meetings of two kinds, plans, the national form's answers.

Each row keeps what people wrote as one sealed JSON; what is searched or counted by stands beside it as a column.
"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time


class Agency(SQLModel, table=True):
    """An office outside that looks in through its own accounts and sees only what was shared with it (R20)."""

    id: str = key()
    name: str = Field(max_length=120, unique=True)
    created_at: datetime = time()


class HouseholdMember(SQLModel, table=True):
    """A person of the household around a case, with a consent and a 閲覧制限 of their own."""

    __tablename__ = "household_member"
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    body_sealed: bytes = sealed()
    """name, kana, relation, birth, state, note."""
    consent: str = Field(default="unknown", max_length=8)
    restricted: bool = False
    linked_case_id: str | None = ref("care_case.id", default=None, index=True)
    """Their own case, where they have one: seen only by staff who may see both."""
    version: int = 1
    created_at: datetime = time()
    removed_at: datetime | None = time(default=None)


class ConsentRequest(SQLModel, table=True):
    """A question to the resident whether something may be told to somebody: a card with [はい] [いいえ] [あとで] (D8, D14)."""

    __tablename__ = "consent_request"
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    conversation_id: str = ref("conversation.id", index=True)
    body_sealed: bytes = sealed()
    """recipient, items, purpose in words."""
    days: int = 180
    asked_by: str = ref("staff.id")
    asked_at: datetime = time()
    seq: int = 0
    """Number of the line that carried the card."""
    answer: str | None = Field(default=None, max_length=8)
    answered_at: datetime | None = time(default=None)
    consent_id: str | None = ref("consent.id", default=None)


class Referral(SQLModel, table=True):
    """つなぎ: these items, to this recipient, on this ground, until this day (R20). An agency with accounts reads exactly the items."""

    __table_args__ = (Index("ix_referral_due", "state", "due_at"), Index("ix_referral_agency", "agency_id", "asked_at"))
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    agency_id: str | None = ref("agency.id", default=None)
    basis: str = Field(max_length=16)
    """`consent`, `support_meeting`, `danger`."""
    consent_id: str | None = ref("consent.id", default=None)
    meeting_id: str | None = ref("support_meeting.id", default=None)
    state: str = Field(default="asked", max_length=12)
    """`asked`, `accepted`, `refused`, `interrupted`, `completed`."""
    body_sealed: bytes = sealed()
    """recipient, purpose, ground in words, items with the messages they rest on."""
    answers_sealed: bytes | None = sealed(default=None)
    """What came back, oldest first: time, who, state, words."""
    asked_by: str = ref("staff.id")
    asked_at: datetime = time()
    due_at: datetime = time()
    """8 working days after the asking: silent until then, it is 要確認."""
    until: datetime = time()
    answered_at: datetime | None = time(default=None)
    resident_says: str | None = Field(default=None, max_length=12)
    """`met`, `not_yet`, `could_not`, `refused`: what the person says of it."""
    version: int = 1


class SupportMeeting(SQLModel, table=True):
    """支援会議（社会福祉法106条の6）: held without the person's consent, under the members' duty of secrecy."""

    __tablename__ = "support_meeting"
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    held_on: str = Field(max_length=10)
    next_on: str | None = Field(default=None, max_length=10)
    body_sealed: bytes = sealed()
    """why it is needed without consent, members and their pledge, what was asked for and shown, decisions."""
    recorded_by: str = ref("staff.id")
    at: datetime = time()


class CoordinationMeeting(SQLModel, table=True):
    """重層的支援会議: rests on a consent of the person; never on a 支援会議."""

    __tablename__ = "coordination_meeting"
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    consent_id: str = ref("consent.id")
    held_on: str = Field(max_length=10)
    next_on: str | None = Field(default=None, max_length=10)
    body_sealed: bytes = sealed()
    """purpose, members, what was shown, decisions."""
    recorded_by: str = ref("staff.id")
    at: datetime = time()


class Plan(SQLModel, table=True):
    """プラン: what the person aims at in their own words; who does what until when; how it went."""

    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    meeting_id: str | None = ref("coordination_meeting.id", default=None)
    number: int
    made_on: str = Field(max_length=10)
    review_on: str | None = Field(default=None, max_length=10)
    body_sealed: bytes = sealed()
    """own words, goals (what, who, until, how), programs, answers of the plan and evaluation sheets."""
    version: int = 1
    at: datetime = time()


class Intake(SQLModel, table=True):
    """The answers of the national forms that a coordinator has written down, by field of domain/intake.yaml."""

    case_id: str = Field(primary_key=True, foreign_key="care_case.id", max_length=32)
    answers_sealed: bytes = sealed()
    version: int = 1
    changed_at: datetime = time()


class Writing(SQLModel, table=True):
    """Somebody is writing in this case now: others see 「佐藤さんが書いています」 on whatever process they are."""

    case_id: str = Field(primary_key=True, foreign_key="care_case.id", max_length=32)
    staff_id: str = Field(primary_key=True, foreign_key="staff.id", max_length=32)
    at: datetime = time()


class Release(SQLModel, table=True):
    """Two people let something of a person with a hidden address be shared or printed, for one day (R22)."""

    __tablename__ = "hidden_release"
    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    why_sealed: bytes = sealed()
    asked_by: str = ref("staff.id")
    asked_at: datetime = time()
    confirmed_by: str | None = ref("staff.id", default=None)
    until: datetime | None = time(default=None)
    """None while the second person has not confirmed."""
