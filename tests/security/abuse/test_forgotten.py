"""A case with one of everything, kept for as long as the town said: then no file holds a cell of it, whatever table it stood in (R41)."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.retention import look
from storage.tables import CLASSES
from tests.conftest import Database
from tests.desk.conftest import Browser, Office
from tests.desk.test_sheets import tab

_SEALED = [place.partition(".")[::2] for place in (CLASSES["C3"] + " " + CLASSES["C2"]).split()]
_OF_NOBODY = {"closed_month", "gap", "sign_in_try"}
"""Counts, gaps without the person, and hashes of addresses that guessed: they end by themselves, not with a talk."""


def _cells(office: Office) -> dict[str, set[bytes]]:
    """Table → what stands sealed or hashed in it."""
    found: dict[str, set[bytes]] = {}
    for table, column in _SEALED:
        rows = office.rows(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        found.setdefault(table, set()).update(cell.encode() if isinstance(cell, str) else bytes(cell) for (cell,) in rows)  # type: ignore[arg-type, call-overload]
    return found


@pytest.mark.requirement("R41", "R45")
async def test_no_cell_of_a_case_is_left_in_any_file_when_its_time_is_over(
    office: Office, sato: Browser, theirs: dict[str, str], sqlite_database: Database
) -> None:
    await sato.claims(theirs["code"])
    await sato.posts(f"/desk/cases/{theirs['code']}/note", text="ひみつのメモ")
    await sato.opens(tab(theirs["code"], "meetings"))
    await sato.posts(tab(theirs["code"], "support-meetings"), held_on="R8.11.24", why="x", members="佐藤", pledged="yes", shown="x", decisions="x")
    await sato.ends(theirs["code"], "close", reason="settled", no_next="yes", choice="none")
    filled = {table for table, cells in _cells(office).items() if cells} - _OF_NOBODY
    assert len(filled) >= 12, filled
    before = set().union(*(cells for table, cells in _cells(office).items() if table not in _OF_NOBODY))
    office.rows("UPDATE care_case SET state = 'closed', closed_at = opened_at RETURNING id")
    now = office.clock.now() + timedelta(days=365 * 7)
    assert office.store.transact(lambda rows: look(rows, now, years=5, sure=True)) == 1
    left = {table: cells for table, cells in _cells(office).items() if cells and table not in _OF_NOBODY}
    assert left == {}
    assert office.rows("SELECT count(*) FROM data_key WHERE scope LIKE 'case:%' OR scope LIKE 'conversation:%'") == [(0,)]
    for path in Path(sqlite_database.name).parent.iterdir():
        content = path.read_bytes() if path.is_file() else b""
        assert not [cell for cell in before if cell in content], path.name
