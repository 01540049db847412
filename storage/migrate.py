"""Brings a database up to the tables of this version (Alembic), at start and by `madoguchi doctor --migrate`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

_FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine, to: str = "head") -> None:
    """Run the migrations that this database lacks; nothing when it is up to date."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with engine.connect() as connection:
        if to == "head" and MigrationContext.configure(connection).get_current_revision() == ScriptDirectory.from_config(config).get_current_head():
            return
        connection.rollback()
        config.attributes["connection"] = connection
        if to == "base":
            command.downgrade(config, to)
        else:
            command.upgrade(config, to)
        connection.commit()
