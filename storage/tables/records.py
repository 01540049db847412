"""Places in streams, and the audit chain."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from storage.tables.columns import time, words


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
