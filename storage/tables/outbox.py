"""What leaves for the platforms."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time

UNDONE = "state IN ('queued', 'sending', 'unknown', 'held')"
"""Letters that have not come to an end. Queries repeat these very words, without a bound value: only so do both engines use the partial index."""


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
