"""Brings a database up to the tables of this version (Alembic), at start and by `madoguchi doctor --migrate`.

All steps are one transaction: a start that is cut off leaves the old tables, whole. Two processes that start together take turns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect

from storage import row_locks
from storage.store import Store

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 106_004


def migrate(store: Store, to: str = "head") -> None:
    """Run the migrations that this database lacks, or go back `to` an older step; cells are sealed anew where a step asks for it."""
    with store.engine.connect() as connection:
        if to == "head" and _stands_at(connection) == _newest() and _is_locked(connection):
            return
        connection.rollback()
        from alembic import command  # only a start that has something to do waits for it
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        with _alone(connection):
            config.attributes |= {"connection": connection, "keyring": store.keyring}
            if connection.dialect.name == "postgresql":
                row_locks.lift(connection)
            if to != "head":
                command.downgrade(config, to)
            else:
                command.upgrade(config, to)
                if connection.dialect.name == "postgresql":
                    row_locks.put(connection)


def _stands_at(connection: Connection) -> str | None:
    """The newest step this database has taken."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _is_locked(connection: Connection) -> bool:
    return connection.dialect.name != "postgresql" or row_locks.stand(connection)


def _newest() -> str:
    """The newest step there is: files are named `000N_words.py`, and their revision is that number."""
    return max(file.name[:4] for file in (_FOLDER / "versions").glob("[0-9]*.py"))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """One transaction that nobody else is in. SQLite rebuilds tables to change them, so references are checked at its end and not on the way."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield
        connection.commit()
        return
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration would leave rows without what they refer to: {sorted({row[0] for row in broken})}")
        connection.commit()
    finally:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
