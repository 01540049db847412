"""The kinds of column that tables are made of. Times are UTC; what is `sealed` is ciphertext of storage/sealing.py."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary, Text, TypeDecorator
from sqlmodel import Field


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
