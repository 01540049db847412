"""Pictures and papers that residents send (R34)."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time


class Attachment(SQLModel, table=True):
    """One file of one line: wanted, then kept (made anew and sealed), or refused with a word why. Its line stands whatever becomes of it."""

    __table_args__ = (Index("ix_attachment_due", "state", "next_try_at"),)
    id: str = key()
    conversation_id: str = ref("conversation.id", index=True)
    message_id: str = ref("message.id", index=True)
    channel: str = Field(max_length=12)
    source_sealed: bytes | None = sealed(default=None)
    """How the platform names the file; gone once it is fetched."""
    state: str = Field(default="wanted", max_length=8)
    """`wanted`, `kept`, `refused`."""
    problem: str | None = Field(default=None, max_length=20)
    kind: str | None = Field(default=None, max_length=8)
    """`jpeg` or `pdf`: by its content, whatever its name was."""
    body_sealed: bytes | None = sealed(default=None)
    size: int = 0
    """Bytes as kept."""
    tries: int = 0
    next_try_at: datetime = time()
    at: datetime = time()
