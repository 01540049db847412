"""Residents, how they are reached, and what was said."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time


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
    in_room: bool = False
    """Held in the private room on our own page, although it began on a platform: nothing said in it goes back there (R14)."""
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



class WebVisitor(SQLModel, table=True):
    """A browser in the web chat: the hash of its cookie leads to its identity; a fresh page of another browser never does."""

    __tablename__ = "web_visitor"
    token_hash: str = Field(primary_key=True, max_length=64)
    conversation_id: str = ref("conversation.id", index=True)
    after_seq: int = 0
    """Only lines after this number are shown: a link from a platform does not bring back what an earlier visit held (R13)."""
    seen_seq: int = 0
    """Number of the newest line this browser was given; kept for visits to the private room."""
    seen_at: datetime = time()
    ended_at: datetime | None = time(default=None)


class RoomLink(SQLModel, table=True):
    """A one-time link from a platform into the private room of the same talk: only the hash of its token is kept (R15)."""

    __tablename__ = "room_link"
    token_hash: str = Field(primary_key=True, max_length=64)
    conversation_id: str = ref("conversation.id", index=True)
    until: datetime = time()
    used_at: datetime | None = time(default=None)
