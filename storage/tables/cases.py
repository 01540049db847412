"""What a human carries: cases, consents, promises, tasks, alarms."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time

OPEN_CASE = "state <> 'closed'"
"""Queries repeat these very words, without a bound value: only so do both engines use the partial index."""


class Case(SQLModel, table=True):
    """One worry that a human carries. At most one open per conversation (I6)."""

    __tablename__ = "care_case"
    __table_args__ = (
        Index("ix_case_queue", "state", "urgency", "promise_at"),
        Index(
            "ix_case_one_open", "conversation_id", unique=True,
            sqlite_where=text(OPEN_CASE), postgresql_where=text(OPEN_CASE),
        ),
    )  # fmt: skip
    id: str = key()
    code: str = Field(max_length=12, unique=True)
    conversation_id: str = ref("conversation.id", index=True)
    person_id: str = ref("person.id", index=True)
    state: str = Field(default="waiting", max_length=10)
    """`waiting` (nobody has it), `held` (a coordinator has it), `returned` (the bot leads, the case stays open), `closed`."""
    reason: str = Field(max_length=16)
    urgency: int = 0
    """Highest danger level as a number 0–3; only rises (I6)."""
    restricted: bool = False
    coordinator_id: str | None = ref("staff.id", default=None, index=True)
    title_sealed: bytes | None = sealed(default=None)
    sheet_sealed: bytes | None = sealed(default=None)
    """Hand-off sheet: JSON list of SheetLine (I8)."""
    topics_sealed: bytes | None = sealed(default=None)
    shares_story: bool = True
    from_seq: int = 1
    """First line of the talk that the desk may read ([渡さない] in D8 hides what came before)."""
    promise_at: datetime | None = time(default=None)
    """When the resident was told that a human will have read or answered."""
    next_contact_at: datetime | None = time(default=None)
    next_contact_none: bool = False
    close_reason: str | None = Field(default=None, max_length=20)
    version: int = 1
    opened_at: datetime = time()
    claimed_at: datetime | None = time(default=None)
    first_reply_at: datetime | None = time(default=None)
    closed_at: datetime | None = time(default=None)


class Memo(SQLModel, table=True):
    """A note among staff: no way leads from here to the outbox (desk.md §3)."""

    id: str = key()
    case_id: str = ref("care_case.id", index=True)
    staff_id: str = ref("staff.id")
    body_sealed: bytes = sealed()
    method: str | None = Field(default=None, max_length=16)
    """How it was done, for the 支援経過 (visit, call …); None = a plain memo."""
    at: datetime = time()
    """When it happened."""


class Consent(SQLModel, table=True):
    """Purpose × recipient × items × until, given by a resident (D1, D5, D8, D11)."""

    id: str = key()
    person_id: str = ref("person.id", index=True)
    conversation_id: str = ref("conversation.id", index=True)
    case_id: str | None = ref("care_case.id", default=None)
    purpose: str = Field(max_length=16)
    recipient_sealed: bytes = sealed()
    items_sealed: bytes = sealed()
    version: int = 1
    until: datetime | None = time(default=None)
    given_at: datetime = time()
    withdrawn_at: datetime | None = time(default=None)


class Promise(SQLModel, table=True):
    """Something we said would happen by a time: an answer, a follow-up, a check (D7, D8, D9)."""

    __table_args__ = (Index("ix_promise_due", "state", "due_at"),)
    id: str = key()
    conversation_id: str = ref("conversation.id", index=True)
    case_id: str | None = ref("care_case.id", default=None, index=True)
    kind: str = Field(max_length=16)
    """`reply`, `how_are_you`, `open_tomorrow`, `check`, `next_contact`."""
    due_at: datetime = time()
    state: str = Field(default="open", max_length=10)
    """`open`, `kept`, `late` (the resident was told, D8c), `dropped`."""
    done_at: datetime | None = time(default=None)


class Task(SQLModel, table=True):
    """Something staff should see to, apart from answering: cannot deliver, no answer, a check (R8, D8d, D7)."""

    __table_args__ = (Index("ix_task_open", "done_at", "due_at"),)
    id: str = key()
    conversation_id: str | None = ref("conversation.id", default=None, index=True)
    case_id: str | None = ref("care_case.id", default=None)
    kind: str = Field(max_length=20)
    note_sealed: bytes | None = sealed(default=None)
    due_at: datetime | None = time(default=None)
    created_at: datetime = time()
    done_at: datetime | None = time(default=None)


class Alarm(SQLModel, table=True):
    """One danger that rings until a coordinator takes it (D6, desk.md §9); a danger to life until a second one has looked too (D14)."""

    __table_args__ = (Index("ix_alarm_open", "acknowledged_at", "next_step_at"), Index("ix_alarm_due", "next_step_at"))
    id: str = key()
    conversation_id: str = ref("conversation.id", index=True)
    case_id: str | None = ref("care_case.id", default=None)
    level: str = Field(max_length=2)
    kinds_sealed: bytes = sealed()
    rule: str | None = Field(default=None, max_length=80)
    message_id: str | None = Field(default=None, max_length=32)
    raised_at: datetime = time()
    step: int = 0
    """How many rungs of the ladder were called."""
    next_step_at: datetime | None = time(default=None)
    acknowledged_at: datetime | None = time(default=None)
    acknowledged_by: str | None = ref("staff.id", default=None)
    confirmed_at: datetime | None = time(default=None)
    confirmed_by: str | None = ref("staff.id", default=None)
    """The second name under an L3; never the first one again."""
