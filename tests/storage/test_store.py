"""The one door: what a commit keeps, what a failure leaves alone, and what the caller hears when the database is not there."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlmodel import Session

from storage import records
from storage import talk as talks
from storage.dialect import table
from storage.sealing import Keyring, seal, unseal
from storage.sqlite_store import SqliteStore
from storage.store import SecondProcess, Store, StoreDown
from storage.tables import DataKey, Person, Tally
from tests.conftest import Database
from tests.postgres import PostgresServer


class OwnFault(Exception):
    """What a failing work raises."""


def tally(name: str) -> Any:
    return lambda rows: records.count(rows, name, "2026-11-24")


def counted(store: Store, name: str) -> int:
    return store.transact(lambda rows: records.counts(rows, name))


@pytest.fixture
def sqlite_store(sqlite_database: Database, keyring: Keyring) -> Iterator[SqliteStore]:
    store = Store.open(sqlite_database.url, keyring)
    assert isinstance(store, SqliteStore)
    yield store
    store.close()


class Gate:
    """Holds the writer, so that works gather into its batch, however slow this machine is."""

    def __init__(self, store: Store) -> None:
        if isinstance(store, SqliteStore):
            store.longest_batch = 30.0
        self._open, held = threading.Event(), threading.Event()

        def wait(rows: Session) -> None:
            held.set()
            self._open.wait(10)

        self._future = store.submit(wait)
        assert held.wait(10)

    def opens(self) -> None:
        self._open.set()
        self._future.exception(10)


# ---------------------------------------------------------------- works together


def test_a_work_that_fails_leaves_its_neighbours_in_the_batch_alone(store: Store) -> None:
    gate = Gate(store)

    def failing(rows: Session) -> None:
        records.count(rows, "failed", "2026-11-24")
        raise OwnFault

    futures = [store.submit(failing if number % 7 == 3 else tally("kept")) for number in range(150)]
    gate.opens()
    raised = [type(future.exception(10)) for future in futures]
    assert raised == [OwnFault if number % 7 == 3 else type(None) for number in range(150)]
    assert counted(store, "kept") == raised.count(type(None))
    assert counted(store, "failed") == 0


def test_a_row_that_the_database_refuses_fails_only_its_own_work(store: Store, now: datetime) -> None:
    gate = Gate(store)

    def twice(rows: Session) -> None:
        for _ in range(2):
            rows.execute(table(Person).insert().values(id="p" * 32, created_at=now))

    def twice_as_objects(rows: Session) -> None:
        rows.add_all([Tally(day="d", name="same", count=1), Tally(day="d", name="same", count=2)])

    futures: list[Future[Any]] = [store.submit(work) for work in (tally("kept"), twice, tally("kept"), twice_as_objects, tally("kept"))]
    gate.opens()
    assert [type(future.exception(10)) for future in futures] == [type(None), IntegrityError, type(None), IntegrityError, type(None)]
    assert counted(store, "kept") == 3


def test_a_wrong_statement_is_the_fault_of_its_work_and_not_of_the_database(store: Store) -> None:
    gate = Gate(store)
    futures: list[Future[Any]] = [store.submit(work) for work in (tally("kept"), lambda rows: rows.execute(text("SELECT nothing FROM nowhere")))]
    gate.opens()
    assert futures[0].exception(10) is None
    assert isinstance(futures[1].exception(10), (OperationalError, ProgrammingError))
    assert counted(store, "kept") == 1


def test_works_of_one_caller_are_done_in_their_order(sqlite_store: SqliteStore) -> None:
    done: list[int] = []
    futures = [sqlite_store.submit(lambda rows, number=number: done.append(number)) for number in range(300)]
    for future in futures:
        future.result(10)
    assert done == list(range(300))


def test_what_is_answered_is_there_after_opening_again(database: Database, keyring: Keyring) -> None:
    store = Store.open(database.url, keyring)
    for _ in range(5):
        store.transact(tally("kept"))
    store.close()
    again = Store.open(database.url, keyring)
    assert counted(again, "kept") == 5
    again.close()


@pytest.mark.parametrize("verb", ["commit", "rollback"])
def test_a_work_neither_commits_nor_rolls_back(store: Store, verb: str) -> None:
    def meddling(rows: Session) -> None:
        records.count(rows, "meddled", "2026-11-24")
        getattr(rows, verb)()

    with pytest.raises(RuntimeError, match="the store does"):
        store.transact(meddling)
    assert counted(store, "meddled") == 0


def test_a_work_that_asks_to_exit_does_not_stop_the_store(store: Store) -> None:
    with pytest.raises(SystemExit):
        store.transact(lambda rows: sys.exit(3))
    assert counted(store, "nothing") == 0


# ---------------------------------------------------------------- data keys


def test_a_rolled_back_work_leaves_no_data_key_behind(database: Database, keyring: Keyring) -> None:
    store = Store.open(database.url, keyring)

    def failing(rows: Session) -> None:
        seal(rows, "case:1", "memo.body:1", "これは残りません")
        raise OwnFault

    with pytest.raises(OwnFault):
        store.transact(failing)
    assert store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM data_key")).scalar()) == 0

    def keep(rows: Session) -> bytes:
        return seal(rows, "case:1", "memo.body:1", "これは残ります")

    cell = store.transact(keep)
    store.close()
    again = Store.open(database.url, Keyring(bytes(range(32))))
    assert again.transact(lambda rows: unseal(rows, "case:1", "memo.body:1", cell)) == "これは残ります"
    again.close()


def test_neighbours_in_a_batch_share_one_data_key_even_when_its_maker_fails(store: Store) -> None:
    gate = Gate(store)

    def failing(rows: Session) -> None:
        seal(rows, "case:1", "memo.body:0", "x")
        raise OwnFault

    works: list[Any] = [failing, *(lambda rows, number=number: seal(rows, "case:1", f"memo.body:{number}", f"{number}") for number in range(1, 20))]
    futures = [store.submit(work) for work in works]
    gate.opens()
    cells = [future.result(10) for future in futures[1:]]
    opened = store.transact(lambda rows: [unseal(rows, "case:1", f"memo.body:{number}", cell) for number, cell in enumerate(cells, start=1)])
    assert opened == [str(number) for number in range(1, 20)]
    assert store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM data_key")).scalar()) == 1


def test_an_erased_data_key_is_gone_from_memory_too(store: Store, keyring: Keyring) -> None:
    cell = store.transact(lambda rows: seal(rows, "case:1", "memo.body:1", "消えます"))
    store.transact(lambda rows: keyring.discard(rows, "case:1"))
    with pytest.raises(Exception, match=r"memo\.body:1"):
        store.transact(lambda rows: unseal(rows, "case:1", "memo.body:1", cell))


# ---------------------------------------------------------------- callers that go away


async def test_a_caller_that_goes_away_does_not_harm_the_others(store: Store) -> None:
    gate = await asyncio.to_thread(Gate, store)
    works = [asyncio.ensure_future(store.atransact(tally("kept"))) for _ in range(20)]
    await asyncio.sleep(0)
    for work in works[::2]:
        work.cancel()
    await asyncio.sleep(0)
    await asyncio.to_thread(gate.opens)
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False] * 10
    assert await store.atransact(lambda rows: records.counts(rows, "kept")) >= 10


def test_a_closed_store_finishes_what_waits_and_takes_no_more(store: Store) -> None:
    gate = Gate(store)
    futures = [store.submit(tally("kept")) for _ in range(100)]
    closing = threading.Thread(target=store.close)
    closing.start()
    gate.opens()
    closing.join(20)
    assert all(future.exception(1) is None for future in futures)
    with pytest.raises(StoreDown):
        store.transact(tally("late"))
    store.close()


def test_what_has_happened_already_is_written_down_before_what_waits(sqlite_store: SqliteStore) -> None:
    done: list[str] = []
    gate = Gate(sqlite_store)
    futures = [sqlite_store.submit(lambda rows, name=name: done.append(name), urgent=name == "sent") for name in ("heard", "heard", "sent")]
    gate.opens()
    for future in futures:
        future.result(10)
    assert done == ["sent", "heard", "heard"]


def test_what_has_happened_already_waits_for_no_company(sqlite_store: SqliteStore) -> None:
    """It joins the commit that is open, late as that is, and nothing ordinary comes after it into the same one."""
    gate, order = Gate(sqlite_store), list[str]()
    sent = sqlite_store.submit(lambda rows: order.append("sent"), urgent=True)
    heard = sqlite_store.submit(lambda rows: order.append(f"heard after the commit of sent: {sent.done()}"))
    gate.opens()
    heard.result(10)
    assert order == ["sent", "heard after the commit of sent: True"]


def test_what_has_happened_already_is_written_down_beside_a_work_that_breaks_the_commit_of_all(sqlite_store: SqliteStore) -> None:
    """The broken one runs again alone: what comes in meanwhile waits for the next commit, and the writer goes on."""
    sent: list[Future[str]] = []

    def breaks(rows: Session) -> None:
        sent.append(sqlite_store.submit(lambda rows: "sent", urgent=True))
        rows.execute(text("ROLLBACK"))

    gate = Gate(sqlite_store)
    broken, beside = sqlite_store.submit(breaks), sqlite_store.submit(lambda rows: "heard")
    gate.opens()
    with pytest.raises(sqlite3.OperationalError, match="savepoint"):
        broken.result(10)
    assert beside.result(10) == "heard"
    assert [one.result(10) for one in sent] == ["sent", "sent"]


def test_a_slow_work_keeps_only_itself_from_its_commit(sqlite_store: SqliteStore) -> None:
    """A commit that has taken its time takes no more works in: the quick one after it is not part of the slow one's transaction."""
    sqlite_store.longest_batch = 0.0
    waits = threading.Event()
    slow = sqlite_store.submit(lambda rows: waits.wait(10))
    quick = sqlite_store.submit(lambda rows: slow.done())
    waits.set()
    assert quick.result(10), "the slow one was committed before"


# ---------------------------------------------------------------- a database that is not there


@pytest.mark.requirement("R46")
def test_a_locked_database_is_down_until_the_lock_is_gone(sqlite_store: SqliteStore, sqlite_database: Database) -> None:
    sqlite_store.transact(lambda rows: rows.execute(text("PRAGMA busy_timeout=50")))
    other = sqlite3.connect(sqlite_database.name, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    futures = [sqlite_store.submit(tally("kept")) for _ in range(3)]
    assert {str(future.exception(10)) for future in futures} == {"SQLITE_BUSY"}
    assert all(isinstance(future.exception(10), StoreDown) for future in futures)
    other.execute("ROLLBACK")
    other.close()
    sqlite_store.transact(tally("kept"))
    assert counted(sqlite_store, "kept") == 1


@pytest.mark.requirement("R46")
def test_a_full_disk_is_down_for_the_whole_batch_and_everything_works_once_there_is_room(sqlite_store: SqliteStore, now: datetime) -> None:
    pages = sqlite_store.transact(lambda rows: rows.execute(text("PRAGMA page_count")).scalar())
    sqlite_store.transact(lambda rows: rows.execute(text(f"PRAGMA max_page_count={pages}")))

    def long_story(rows: Session) -> None:
        talk = talks.find_or_open(rows, "line", "U1", now)
        talks.add_line(rows, talk, author="resident", kind="text", body="あ" * 40_000, now=now)

    gate = Gate(sqlite_store)
    futures: list[Future[Any]] = [sqlite_store.submit(work) for work in (tally("kept"), tally("kept"), long_story)]
    gate.opens()
    assert all(isinstance(future.exception(10), StoreDown) for future in futures)
    assert {str(future.exception(10)) for future in futures} == {"SQLITE_FULL"}
    assert counted(sqlite_store, "kept") == 0
    sqlite_store.transact(lambda rows: rows.execute(text("PRAGMA max_page_count=1000000")))
    sqlite_store.transact(long_story)
    sqlite_store.transact(tally("kept"))
    assert counted(sqlite_store, "kept") == 1
    assert sqlite_store.transact(lambda rows: rows.execute(text("PRAGMA integrity_check")).scalar()) == "ok"


def test_a_database_file_that_was_moved_away_or_replaced_is_not_written_to(sqlite_store: SqliteStore, sqlite_database: Database) -> None:
    file = Path(sqlite_database.name)
    away = file.rename(file.with_suffix(".away"))
    with pytest.raises(StoreDown):
        sqlite_store.transact(tally("kept"))
    assert not file.exists()
    file.write_bytes(b"")
    with pytest.raises(StoreDown):
        sqlite_store.transact(tally("kept"))
    away.rename(file)
    sqlite_store.transact(tally("kept"))
    assert counted(sqlite_store, "kept") == 1


def test_a_place_where_no_file_can_be_made_is_down_at_once(tmp_path: Path, keyring: Keyring) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreDown):
        Store.open(f"sqlite:///{tmp_path}/file/madoguchi.db", keyring)


@pytest.mark.postgres
@pytest.mark.requirement("R46")
def test_a_stopped_server_is_down_and_everything_works_once_it_is_back(
    postgres_server: PostgresServer, postgres_database: Database, keyring: Keyring
) -> None:
    store = Store.open(postgres_database.url, keyring)
    store.transact(tally("kept"))
    postgres_server.stop()
    try:
        with pytest.raises(StoreDown):
            store.transact(tally("kept"))
    finally:
        postgres_server.start()
    store.transact(tally("kept"))
    assert counted(store, "kept") == 2
    store.close()


@pytest.mark.postgres
def test_a_connection_cut_in_the_middle_of_a_work_is_down_and_nothing_of_it_is_kept(postgres_database: Database, keyring: Keyring) -> None:
    store = Store.open(postgres_database.url, keyring)

    def cut(rows: Session) -> None:
        records.count(rows, "kept", "2026-11-24")
        cut_off = rows.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with store.engine.begin() as from_outside:
            from_outside.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": cut_off})
        records.count(rows, "kept", "2026-11-24")

    with pytest.raises(StoreDown):
        store.transact(cut)
    assert counted(store, "kept") == 0
    store.close()


@pytest.mark.postgres
@pytest.mark.requirement("R46")
def test_a_database_that_only_reads_is_down(postgres_database: Database, keyring: Keyring) -> None:
    store = Store.open(postgres_database.url, keyring)

    def in_recovery(rows: Session) -> None:
        rows.execute(text("SET TRANSACTION READ ONLY"))
        records.count(rows, "kept", "2026-11-24")

    with pytest.raises(StoreDown):
        store.transact(in_recovery)
    store.close()


@pytest.mark.postgres
def test_two_works_that_lock_crosswise_are_both_done(postgres_database: Database, keyring: Keyring) -> None:
    store = Store.open(postgres_database.url, keyring)
    for name in ("a", "b"):
        store.transact(tally(name))
    met = threading.Barrier(2, timeout=5)
    first_try = {"a": True, "b": True}

    def crosswise(one: str, other: str) -> Any:
        def work(rows: Session) -> None:
            records.count(rows, one, "2026-11-24")
            if first_try[one]:
                first_try[one] = False
                met.wait()
            records.count(rows, other, "2026-11-24")

        return work

    futures = [store.submit(crosswise("a", "b")), store.submit(crosswise("b", "a"))]
    for future in futures:
        future.result(20)
    assert (counted(store, "a"), counted(store, "b")) == (3, 3)
    store.close()


# ---------------------------------------------------------------- one process


_OPEN = """
import sys
from storage.sealing import Keyring
from storage.store import SecondProcess, Store
try:
    Store.open(sys.argv[1], Keyring(bytes(32)), exclusive=sys.argv[2] == "exclusive").close()
except SecondProcess as second:
    sys.exit(f"second process: {second}")
"""


def open_elsewhere(url: str, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", _OPEN, url, how], capture_output=True, text=True, check=False, timeout=60)


def test_a_second_process_is_refused_and_hears_which_file_it_is(sqlite_store: SqliteStore, sqlite_database: Database) -> None:
    second = open_elsewhere(sqlite_database.url, "exclusive")
    assert second.returncode == 1
    assert second.stderr.strip() == f"second process: {sqlite_database.name}"
    assert open_elsewhere(sqlite_database.url, "beside").returncode == 0


def test_the_next_process_may_open_once_the_first_has_closed(sqlite_store: SqliteStore, sqlite_database: Database) -> None:
    sqlite_store.close()
    assert open_elsewhere(sqlite_database.url, "exclusive").returncode == 0


def test_the_same_file_cannot_be_opened_twice_in_one_process(sqlite_store: SqliteStore, sqlite_database: Database, keyring: Keyring) -> None:
    with pytest.raises(SecondProcess):
        Store.open(sqlite_database.url, keyring)


_KILLED = """
import os, sys
from storage import records
from storage.sealing import Keyring
from storage.store import Store
store = Store.open(sys.argv[1], Keyring(bytes(range(32))))
for number in range(100000):
    store.transact(lambda rows: records.count(rows, "kept", "2026-11-24"))
    os.write(1, b"%d\\n" % (number + 1))
"""


@pytest.mark.requirement("R47")
def test_what_was_answered_before_a_kill_is_there_afterwards(database: Database, keyring: Keyring) -> None:
    server = subprocess.Popen([sys.executable, "-c", _KILLED, database.url], stdout=subprocess.PIPE)
    assert server.stdout is not None
    for _ in range(20):
        server.stdout.readline()
    server.kill()
    answered = 20 + len(server.stdout.read().splitlines())
    server.wait()
    server.stdout.close()
    store = Store.open(database.url, keyring)
    assert counted(store, "kept") in (answered, answered + 1)
    store.close()


# ---------------------------------------------------------------- settings of R45


@pytest.mark.requirement("R45")
def test_every_connection_runs_with_the_settings_of_r45(sqlite_store: SqliteStore) -> None:
    def read(rows: Session) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema", "busy_timeout")
        return {name: rows.execute(text(f"PRAGMA {name}")).scalar() for name in names}

    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0, "busy_timeout": 5000}
    assert sqlite_store.transact(read) == wanted
    with Session(sqlite_store.engine) as another:
        assert read(another) == wanted


@pytest.mark.requirement("R45")
def test_the_database_file_is_for_its_owner_only(tmp_path: Path, keyring: Keyring, now: datetime) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/new/madoguchi.db", keyring)
    store.transact(lambda rows: rows.execute(text("CREATE TABLE one (id INTEGER)")))
    modes = {file.name: file.stat().st_mode & 0o077 for file in (tmp_path / "new").iterdir() if not file.name.endswith(".lock")}
    assert set(modes) == {"madoguchi.db", "madoguchi.db-wal", "madoguchi.db-shm"}
    assert set(modes.values()) == {0}
    store.close()


@pytest.mark.requirement("R42")
def test_errors_do_not_quote_what_was_written(store: Store, now: datetime) -> None:
    def twice(rows: Session) -> None:
        for _ in range(2):
            rows.execute(table(DataKey).insert().values(scope="conversation:1", wrapped=b"SECRET-CANARY", master="SECRET-CANARY"))

    with pytest.raises(IntegrityError) as caught:
        store.transact(twice)
    assert "SECRET-CANARY" not in str(caught.value)


def test_a_database_in_memory_works_for_a_trial(keyring: Keyring) -> None:
    store = Store.open("sqlite://", keyring)
    begun = time.monotonic()
    assert store.transact(lambda rows: rows.execute(text("SELECT 1")).scalar()) == 1
    store.close()
    assert time.monotonic() - begun < 5


def test_after_a_commit_that_failed_the_next_one_goes_through(sqlite_store: SqliteStore) -> None:
    """The disk is full when the commit comes: SQLAlchemy would give the connection back with the transaction still open."""

    def full(_connection: Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise OperationalError("COMMIT", {}, error)

    event.listen(sqlite_store.engine, "commit", full)
    with pytest.raises(StoreDown):
        sqlite_store.transact(tally("lost"))
    event.remove(sqlite_store.engine, "commit", full)

    sqlite_store.transact(tally("kept"))
    assert (counted(sqlite_store, "lost"), counted(sqlite_store, "kept")) == (0, 1)
