"""The tables. One line above each says what a row is; the class of every column (R37) stands in `CLASSES`.

Columns of `bytes` named `*_sealed` hold ciphertext of storage/sealing.py: C3 (talk, notes, topics) and C2 (identifiers). Times are UTC.
Nothing here is imported outside `storage/`: what leaves by the door is plain values.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, Text, TypeDecorator, UniqueConstraint, text
from sqlmodel import Field, SQLModel


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time on both engines; SQLite would hand back naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def key() -> Any:
    return Field(primary_key=True, max_length=32)


def time(**more: Any) -> Any:
    return Field(sa_type=UtcTime, **more)


def sealed(**more: Any) -> Any:
    return Field(sa_type=LargeBinary, **more)


def words(**more: Any) -> Any:
    return Field(sa_type=Text, **more)


def ref(to: str, **more: Any) -> Any:
    return Field(foreign_key=to, max_length=32, **more)


# ---------------------------------------------------------------- keys


class DataKey(SQLModel, table=True):
    """One data key per conversation or case, wrapped by the master key that never enters the database (R38)."""

    __tablename__ = "data_key"
    scope: str = Field(primary_key=True, max_length=48)
    """`conversation:<id>`, `case:<id>`, `staff:<id>`."""
    wrapped: bytes = sealed()
    master: str = Field(max_length=16)
    """Short name of the master key that wrapped it (R40)."""


# ---------------------------------------------------------------- people and talk


class Person(SQLModel, table=True):
    """A resident, made from one platform id only, never merged by likeness (R9)."""

    id: str = key()
    created_at: datetime = time()


class Identity(SQLModel, table=True):
    """How a person is reached: one account on one channel."""

    __table_args__ = (UniqueConstraint("channel", "external_hash"),)
    id: str = key()
    person_id: str = ref("person.id", index=True)
    channel: str = Field(max_length=12)
    external_hash: str = Field(max_length=64)
    """HMAC of the platform's id, for exact match only (R39)."""
    external_sealed: bytes = sealed()
    reachable: bool = True
    created_at: datetime = time()


class Conversation(SQLModel, table=True):
    """One talk on one channel: who leads it, where the flow stands."""

    id: str = key()
    person_id: str = ref("person.id", index=True)
    identity_id: str = ref("identity.id", unique=True)
    channel: str = Field(max_length=12)
    owner: str = Field(default="bot", max_length=8)
    """`bot` or `human` (I3): checked in the transaction that would write a bot message."""
    session_sealed: bytes = sealed()
    version: int = 1
    last_seq: int = 0
    settle_at: datetime | None = time(default=None)
    """When what is pending will be answered; None = nothing is pending."""
    hidden_address: bool = False
    follow_ups: bool = True
    read_seq: int = 0
    """Up to where a coordinator has opened the talk: the web chat says 職員が読みました."""
    created_at: datetime = time()
    last_at: datetime = time()

    __table_args__ = (
        Index("ix_conversation_settle", "settle_at", sqlite_where=text("settle_at IS NOT NULL"), postgresql_where=text("settle_at IS NOT NULL")),
    )


class Inbox(SQLModel, table=True):
    """One event of a platform, kept raw and sealed; unique by (channel, event id), so a repeat stops here (R2)."""

    __table_args__ = (UniqueConstraint("channel", "event_id"), Index("ix_inbox_pending", "conversation_id", "state"))
    id: str = key()
    channel: str = Field(max_length=12)
    event_id: str = Field(max_length=80)
    conversation_id: str | None = ref("conversation.id", default=None)
    message_id: str | None = Field(default=None, max_length=32)
    kind: str = Field(max_length=16)
    raw_sealed: bytes | None = sealed(default=None)
    reply_token_sealed: bytes | None = sealed(default=None)
    reply_until: datetime | None = time(default=None)
    """LINE's reply token, kept while the words settle."""
    state: str = Field(default="pending", max_length=12)
    """`pending`, then exactly one of `answered`, `queued`, `acknowledged`, `noise` (I4)."""
    received_at: datetime = time()


class Message(SQLModel, table=True):
    """One line of a talk, numbered without gaps in its conversation."""

    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)
    id: str = key()
    conversation_id: str = ref("conversation.id")
    seq: int
    author: str = Field(max_length=10)
    """`resident`, `bot`, `staff`."""
    staff_id: str | None = ref("staff.id", default=None)
    kind: str = Field(default="text", max_length=12)
    body_sealed: bytes | None = sealed(default=None)
    """JSON of what was written or shown; None after unsend or erasure (R8, D1b)."""
    platform_hash: str | None = Field(default=None, max_length=64, index=True)
    """HMAC of the platform's message id, so that an unsend finds it."""
    danger_level: str = Field(default="L0", max_length=2)
    danger_rule: str | None = Field(default=None, max_length=80)
    at: datetime = time()
    withdrawn_at: datetime | None = time(default=None)


UNDONE = "state IN ('queued', 'sending', 'unknown', 'held')"
"""Letters that have not come to an end. Queries repeat these very words, without a bound value: only so do both engines use the partial index."""
OPEN_CASE = "state <> 'closed'"
"""Likewise for cases."""


class Outbox(SQLModel, table=True):
    """One call to a platform: its recipient fixed at writing (R10), its retry key stored (R11)."""

    __table_args__ = (
        Index("ix_outbox_open", "conversation_id", "seq", sqlite_where=text(UNDONE), postgresql_where=text(UNDONE)),
        Index("ix_outbox_due", "next_try_at", sqlite_where=text(UNDONE), postgresql_where=text(UNDONE)),
        Index("ix_outbox_line", "message_id"),
    )
    id: str = key()
    conversation_id: str = ref("conversation.id")
    message_id: str | None = ref("message.id", default=None)
    channel: str = Field(max_length=12)
    seq: int = Field(sa_type=BigInteger)
    """Order within the conversation."""
    destination_sealed: bytes = sealed()
    body_sealed: bytes = sealed()
    retry_key: str = Field(max_length=36)
    """UUID with dashes: LINE's X-Line-Retry-Key, sent on the first push too."""
    reply_token_sealed: bytes | None = sealed(default=None)
    reply_until: datetime | None = time(default=None)
    state: str = Field(default="queued", max_length=10)
    """queued → sending → sent | unknown | failed | cancelled; `held` waits for a human's release (R11, R49)."""
    attempts: int = 0
    next_try_at: datetime = time()
    problem: str | None = Field(default=None, max_length=80)
    """Status code and our own word, never a platform's text."""
    maybe_twice: bool = False
    unasked: bool = False
    """Pushed without being asked: stopped by opt-out and hidden address (G9, R12)."""
    created_at: datetime = time()
    done_at: datetime | None = time(default=None)


# ---------------------------------------------------------------- cases


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
    at: datetime = time()


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
    """One danger that rings until a coordinator takes it (D6, desk.md §9)."""

    __table_args__ = (Index("ix_alarm_open", "acknowledged_at", "next_step_at"),)
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


class Outcome(SQLModel, table=True):
    """What was shown or said of it, without a word of the resident: cards shown, right, wrong, better … (D2, D9)."""

    id: str = key()
    conversation_id: str | None = ref("conversation.id", default=None, index=True)
    kind: str = Field(max_length=16)
    detail: str = words()
    """JSON of ids and numbers only."""
    at: datetime = time()


class Gap(SQLModel, table=True):
    """A need that no service meets (制度の狭間), counted without the person."""

    id: str = key()
    reasons: str = words()
    """JSON list of reason words."""
    domain: str | None = Field(default=None, max_length=32)
    case_id: str | None = ref("care_case.id", default=None)
    at: datetime = time()


class Offer(SQLModel, table=True):
    """What a resident can give (D10); not visible from a case."""

    id: str = key()
    person_id: str = ref("person.id", index=True)
    conversation_id: str = ref("conversation.id")
    skill_sealed: bytes = sealed()
    when_sealed: bytes = sealed()
    until: datetime | None = time(default=None)
    at: datetime = time()


class Tally(SQLModel, table=True):
    """A count of a day without any person."""

    __tablename__ = "tally"
    day: str = Field(primary_key=True, max_length=10)
    name: str = Field(primary_key=True, max_length=40)
    count: int = 0


# ---------------------------------------------------------------- the desk


class Staff(SQLModel, table=True):
    """A person who signs in at the desk."""

    id: str = key()
    login: str = Field(max_length=120, unique=True)
    name: str = Field(max_length=60)
    role: str = Field(max_length=16, index=True)
    """`coordinator`, `lead`, `editor`, `admin`, `agency`."""
    password_hash: str | None = Field(default=None, max_length=200)
    disabled_at: datetime | None = time(default=None)
    created_at: datetime = time()


class StaffSession(SQLModel, table=True):
    """A signed-in browser (R27): only the hash of its cookie is kept."""

    __tablename__ = "staff_session"
    token_hash: str = Field(primary_key=True, max_length=64)
    staff_id: str = ref("staff.id", index=True)
    csrf: str = Field(max_length=64)
    started_at: datetime = time()
    seen_at: datetime = time()
    ended_at: datetime | None = time(default=None)


class Invitation(SQLModel, table=True):
    """A one-time link that lets somebody choose their own password (R25)."""

    token_hash: str = Field(primary_key=True, max_length=64)
    role: str = Field(max_length=16)
    staff_id: str | None = ref("staff.id", default=None)
    until: datetime = time()
    used_at: datetime | None = time(default=None)


class ApiToken(SQLModel, table=True):
    """A key of another system of the town (design.md §5)."""

    __tablename__ = "api_token"
    token_hash: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=60)
    staff_id: str = ref("staff.id")
    """Whose rights it has."""
    created_at: datetime = time()
    revoked_at: datetime | None = time(default=None)


class SignInTry(SQLModel, table=True):
    """A failed sign-in, for slowing down guessing (R28)."""

    __tablename__ = "sign_in_try"
    __table_args__ = (Index("ix_try", "who_hash", "at"),)
    id: str = key()
    who_hash: str = Field(max_length=64)
    at: datetime = time()


class WebVisitor(SQLModel, table=True):
    """A browser in the web chat: the hash of its cookie leads to its identity; a fresh page of another browser never does."""

    __tablename__ = "web_visitor"
    token_hash: str = Field(primary_key=True, max_length=64)
    conversation_id: str = ref("conversation.id", index=True)
    seen_at: datetime = time()
    ended_at: datetime | None = time(default=None)


class Cursor(SQLModel, table=True):
    """A place in a stream that must survive: Telegram's polling offset, moved in the transaction that stored the updates."""

    name: str = Field(primary_key=True, max_length=40)
    position: int = Field(default=0, sa_type=BigInteger)


class Audit(SQLModel, table=True):
    """Who did what to which case, reading included: an append-only chain of hashes without a word of talk (R43)."""

    seq: int = Field(primary_key=True)
    at: datetime = time()
    actor: str = Field(max_length=48)
    """`staff:<id>`, `token:<hash prefix>`, `bot`, `system`, `resident`."""
    act: str = Field(max_length=40)
    case_id: str | None = Field(default=None, max_length=32, index=True)
    detail: str = words(default="{}")
    """JSON of ids and our own words."""
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


CLASSES: dict[str, str] = {
    "C3": "message.body_sealed inbox.raw_sealed conversation.session_sealed outbox.body_sealed care_case.title_sealed care_case.sheet_sealed "
    "care_case.topics_sealed memo.body_sealed consent.recipient_sealed consent.items_sealed alarm.kinds_sealed task.note_sealed "
    "offer.skill_sealed offer.when_sealed",
    "C2": "identity.external_sealed identity.external_hash outbox.destination_sealed outbox.reply_token_sealed inbox.reply_token_sealed "
    "message.platform_hash web_visitor.token_hash sign_in_try.who_hash",
    "C1": "staff.password_hash staff_session.token_hash invitation.token_hash api_token.token_hash",
}
"""Columns that carry talk (C3), identifiers of residents (C2) or credentials of staff (C1); every other column is operational (C1) as well."""
