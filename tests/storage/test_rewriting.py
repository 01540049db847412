"""What was erased on PostgreSQL leaves the files of the server once its tables are written anew (R41); SQLite: tests/security/abuse."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.jobs.loop import Loop
from storage import erasure
from storage import talk as talks
from storage.migrate import migrate
from storage.sealing import Keyring
from storage.store import Store
from tests.postgres import PostgresServer
from tests.storage.rows import open_talk, says, write
from tests.town import Town

_CELLS = (
    "SELECT body_sealed FROM message", "SELECT body_sealed FROM outbox", "SELECT external_sealed FROM identity",
    "SELECT wrapped FROM data_key WHERE scope LIKE 'conversation:%'",
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of its own: what it writes to disk is looked through."""
    with PostgresServer() as server:
        yield server


def _files_with(folder: Path, cells: list[bytes]) -> set[str]:
    """Files of the server that hold one of these."""
    found = set()
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if any(cell in content for cell in cells):
            found.add(str(path.relative_to(folder)))
    return found


@pytest.mark.postgres
@pytest.mark.requirement("R41")
def test_no_file_of_postgresql_holds_what_was_erased_once_the_night_is_over(server: PostgresServer, keyring: Keyring, now: datetime) -> None:
    store = Store.open(server.url(), keyring)
    migrate(store)
    talk = open_talk(store)
    says(store, talk, "だれにも言えないことを書きます" * 200)
    write(store, talk, ["はい"])
    cells = [bytes(row[0]) for query in _CELLS for row in store.transact(lambda rows, query=query: rows.execute(text(query)).all())]  # type: ignore[misc]
    assert len(cells) >= 4

    def forget(rows: Session) -> None:
        found = talks.by_id(rows, talk.id)
        assert found is not None
        erasure.erase_words(rows, found, "A-4K2", now)
        erasure.finish(rows, talk.id, now + timedelta(days=1))

    with server.admin() as admin:
        admin.execute("CHECKPOINT")
        assert any(name.startswith("base/") for name in _files_with(server.data, cells)), "it was never in a file: nothing is tried"
        store.transact(forget)
        admin.execute("CHECKPOINT")
        assert any(name.startswith("base/") for name in _files_with(server.data, cells)), "dead rows are not there: nothing is tried"
        store.rewrite()
        assert not {name for name in _files_with(server.data, cells) if not name.startswith("pg_wal/")}

        admin.execute("ALTER SYSTEM SET wal_recycle = off")  # as the manual asks of whoever runs the server
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("SELECT pg_switch_wal()")
        admin.execute("CHECKPOINT")
    store.close()
    server.stop()
    assert _files_with(server.data, cells) == set()


@pytest.fixture
def nights(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The days on which the tables of this town were written anew."""
    found: list[str] = []

    def rewrite() -> bool:
        found.append(town.clock.now().date().isoformat())
        return True

    monkeypatch.setattr(town.parts.store, "rewrite", rewrite)
    return found


@pytest.mark.requirement("R41")
def test_the_tables_are_written_anew_once_a_night_and_not_at_every_start(town: Town, nights: list[str]) -> None:
    loop = Loop(town.parts)
    for _ in range(6):
        town.on_loop(loop.write_over())
        town.clock.moves(hours=8)
    assert nights == ["2026-11-25", "2026-11-26"]


@pytest.mark.requirement("R41")
def test_a_process_that_was_down_at_midnight_writes_the_tables_anew_when_it_is_back(town: Town, nights: list[str]) -> None:
    town.on_loop(Loop(town.parts).write_over())
    town.clock.moves(days=1)
    for _ in range(3):
        town.on_loop(Loop(town.parts).write_over())
    assert nights == ["2026-11-25"]


@pytest.mark.requirement("R41", "R48")
def test_a_night_counts_as_done_only_when_it_was_and_a_clock_that_was_years_ahead_stops_no_night(
    town: Town, nights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(town.parts)
    town.on_loop(loop.write_over())
    town.clock.moves(days=1)
    with monkeypatch.context() as another_is_at_it:
        another_is_at_it.setattr(town.parts.store, "rewrite", lambda: False)
        town.on_loop(loop.write_over())
    town.on_loop(loop.write_over())
    town.clock.moves(days=3650)
    town.on_loop(loop.write_over())
    town.clock.moves(days=-3649)
    town.on_loop(loop.write_over())
    assert nights == ["2026-11-25", "2036-11-22", "2026-11-26"]
