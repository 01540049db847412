"""Migrations: up and down with rows in the tables, cut off without harm, and the same tables as the models say (R37)."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import Session, SQLModel

from storage import case_cells
from storage import migrate as migrations
from storage.migrate import migrate
from storage.sealing import Keyring, SealBroken, unseal
from storage.store import Store
from storage.tables import CLASSES
from storage.talk import scope_of
from tests.conftest import Database
from tests.storage.rows import at_once, open_talk
from tests.storage.test_sealing import a_whole_story

TABLES = set(SQLModel.metadata.tables)


def tables(store: Store) -> set[str]:
    return set(inspect(store.engine).get_table_names())


@pytest.fixture
def empty(database: Database, keyring: Keyring) -> Iterator[Store]:
    """A store on a database without any table."""
    store = Store.open(database.url, keyring)
    migrate(store, "base")
    yield store
    store.close()


def test_down_and_up_again_with_rows_in_every_kind_of_table(store: Store) -> None:
    store.transact(a_whole_story)
    migrate(store, "base")
    assert tables(store) == {"alembic_version"}
    migrate(store)
    assert tables(store) == TABLES | {"alembic_version"}
    assert open_talk(store).last_seq == 0


def test_migrating_an_up_to_date_database_changes_nothing(store: Store) -> None:
    talk = store.transact(a_whole_story)
    migrate(store)
    assert open_talk(store, "Ucanary0account").id == talk.id


@pytest.mark.requirement("R38")
def test_what_was_sealed_before_versions_opens_after_the_step_and_no_older_cell_does(store: Store) -> None:
    talk = store.transact(a_whole_story)

    def case(rows: Session) -> Any:
        return rows.execute(text("SELECT * FROM care_case")).one()

    def read(rows: Session) -> tuple[str, tuple[str, ...], str]:
        found = case(rows)
        return case_cells.title_of(rows, found), case_cells.topics_of(rows, found), case_cells.sheet_of(rows, found)

    written = store.transact(read)
    migrate(store, "0020")
    before = store.transact(case)
    assert store.transact(lambda rows: unseal(rows, scope_of(talk.id), f"care_case.title:{before.id}", bytes(before.title_sealed))) == written[0]
    *whole, last = bytes(before.topics_sealed)
    store.transact(lambda rows: rows.execute(text("UPDATE care_case SET topics_sealed = :cell"), {"cell": bytes([*whole, last ^ 1])}))
    migrate(store)
    with pytest.raises(SealBroken):
        store.transact(read)
    store.transact(lambda rows: rows.execute(text("UPDATE care_case SET topics_sealed = NULL")))
    assert store.transact(read) == (written[0], (), written[2])
    store.transact(lambda rows: rows.execute(text("UPDATE care_case SET title_sealed = :cell"), {"cell": before.title_sealed}))
    with pytest.raises(SealBroken):
        store.transact(read)


def test_the_tables_are_those_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_processes_that_start_together_migrate_once(empty: Store) -> None:
    at_once([lambda: migrate(empty)] * 4)
    assert tables(empty) == TABLES | {"alembic_version"}
    assert empty.transact(lambda rows: rows.execute(text("SELECT count(*) FROM alembic_version")).scalar()) == 1


def test_a_migration_that_is_cut_off_leaves_the_old_tables(empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(migrations._FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max(file.name[:4] for file in (folder / "versions").glob("*.py"))
    (folder / "versions" / "9999_breaks.py").write_text(
        f'revision = "9999"\ndown_revision = "{newest}"\nbranch_labels = None\ndepends_on = None\n\n'
        'def upgrade() -> None:\n    raise RuntimeError("power cut")\n'
    )
    monkeypatch.setattr(migrations, "_FOLDER", folder)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate(empty)
    assert tables(empty) == {"alembic_version"}
    monkeypatch.undo()
    migrate(empty)
    assert tables(empty) == TABLES | {"alembic_version"}


def test_references_are_still_checked_after_a_migration(empty: Store) -> None:
    migrate(empty)
    insert = "INSERT INTO memo (id, case_id, staff_id, body_sealed, at) VALUES ('1', 'nobody', 'nobody', '', '2026-11-24 00:00:00')"
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        empty.transact(lambda rows: rows.execute(text(insert)))


@pytest.mark.requirement("R37")
def test_every_sealed_or_hashed_column_has_its_class_and_no_other() -> None:
    listed = [column for columns in CLASSES.values() for column in columns.split()]
    assert len(listed) == len(set(listed))
    found = {f"{table.name}.{column.name}" for table in SQLModel.metadata.tables.values() for column in table.columns}
    assert set(listed) <= found
    assert set(listed) == {column for column in found if column.endswith(("_sealed", "_hash"))}
