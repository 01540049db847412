"""The few words in which the two engines differ."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def table(model: type[SQLModel]) -> Table:
    """The SQL table behind a model, for statements that are faster or clearer than the unit of work."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def insert_new(session: Session, model: type[SQLModel]) -> Any:
    """An INSERT that can say ON CONFLICT."""
    return (postgresql.insert if is_postgres(session) else sqlite.insert)(table(model))


def is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
