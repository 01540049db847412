"""Brings a database up to the tables of this version (Alembic), at start and by `madoguchi doctor --migrate`.

All steps are one transaction: a start that is cut off leaves the old tables, whole. Two processes that start together take turns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 106_004


def migrate(engine: Engine, to: str = "head") -> None:
    """Run the migrations that this database lacks; nothing when it is up to date."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with engine.connect() as connection:
        if to == "head" and MigrationContext.configure(connection).get_current_revision() == ScriptDirectory.from_config(config).get_current_head():
            return
        connection.rollback()
        with _alone(connection):
            config.attributes["connection"] = connection
            if to == "base":
                command.downgrade(config, to)
            else:
                command.upgrade(config, to)


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
