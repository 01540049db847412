"""The few words in which the two engines differ."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def table(model: type[SQLModel]) -> Table:
    """The SQL table behind a model, for statements that are faster or clearer than the unit of work."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def on_each(build: Callable[[Any], Any]) -> Mapping[str, Any]:
    """One statement for each engine, by its name; `build` gets the engine's own INSERT, which can say ON CONFLICT."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


def engine_of(session: Session) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def insert_new(session: Session, model: type[SQLModel]) -> Any:
    """An INSERT that can say ON CONFLICT."""
    return (postgresql.insert if is_postgres(session) else sqlite.insert)(table(model))


def is_postgres(session: Session) -> bool:
    return engine_of(session) == "postgresql"
