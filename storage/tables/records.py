"""Places in streams, erasures, and the audit chain."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, time, words


class Cursor(SQLModel, table=True):
    """A place in a stream that must survive: Telegram's polling offset, moved in the transaction that stored the updates."""

    name: str = Field(primary_key=True, max_length=40)
    position: int = Field(default=0, sa_type=BigInteger)


class Erasure(SQLModel, table=True):
    """One talk that was erased because its resident wished so (D11, R41): what the receipt leads to, and what is erased again after a restore."""

    id: str = key()
    receipt: str = Field(max_length=8, index=True)
    conversation_id: str = Field(max_length=32)
    """No foreign key: the conversation itself goes on the next day."""
    asked_at: datetime = time()
    done_at: datetime | None = time(default=None)


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
