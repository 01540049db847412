"""SQLite behind the one door (store.py): one writer thread takes works that wait into one commit, each in its own savepoint, so that many small
transactions share one fsync.

A commit waits ten milliseconds for company at most. Urgent works go first, into the commit that is open if there is one, and that then waits for
nobody else. `BEGIN IMMEDIATE`, WAL, `synchronous=FULL` (R45). A second process is refused.
"""

import contextlib
import fcntl
import itertools
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from storage.prepared import is_listened
from storage.sealing import Keyring, was_erasure
from storage.store import SecondProcess, Store, StoreDown, T, Work, WorkSession, down, is_down

_BATCH = 64
_URGENT, _ORDINARY, _LAST = 0, 1, 2
_PRAGMAS = {
    "busy_timeout": 5000, "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0, "cache_size": -65536,
}  # fmt: skip
"""Settings of R45 as SQLite reads them back; `synchronous` 2 is FULL, `cache_size` is 64 MiB."""


@dataclass(frozen=True)
class _Waiting:
    work: Work[Any]
    future: Future[Any]
    urgent: bool


@dataclass(frozen=True)
class _Raised:
    error: BaseException


class SqliteStore(Store):
    """Group commit on one writer thread."""

    longest_batch = 0.01
    """Seconds after which a commit takes no more works in: one that hears a long message must not keep all its neighbours waiting."""

    def __init__(self, url: str, keyring: Keyring, *, exclusive: bool) -> None:
        super().__init__(url, keyring, connect_args={"check_same_thread": False, "timeout": 5})
        self._file = _private_file(make_url(url).database)
        self._lock_file = _lock_database(self._file.path) if exclusive and self._file else None
        event.listen(self.engine, "connect", _set_pragmas)
        self._waiting: queue.PriorityQueue[tuple[int, int, _Waiting | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closing = threading.Lock()
        self._closed = False
        self._erased = False
        self._kept: Connection | None = None
        """The writer's connection, from one commit to the next."""
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    @property
    def alone(self) -> bool:
        return self._lock_file is not None or self._file is None

    def submit(self, work: Work[T], *, urgent: bool = False) -> Future[T]:
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise StoreDown("closed")
            self._waiting.put((_URGENT if urgent else _ORDINARY, next(self._numbers), _Waiting(work, future, urgent)))
        return future

    def close(self) -> None:
        """Finish what waits, then close; to close twice is harmless."""
        with self._closing:
            if not self._closed:
                self._waiting.put((_LAST, next(self._numbers), None))
            self._closed = True
        self._writer.join(timeout=30)
        super().close()
        if self._lock_file is not None:
            self._lock_file.close()

    def _write(self) -> None:
        """Take what waits, commit it together, then wake everybody. Runs until `close`; nothing a work raises may end it."""
        while (first := self._waiting.get()[2]) is not None:
            if not first.future.set_running_or_notify_cancel():
                continue
            batch = [first]
            for waiting, outcome in zip(batch, self._outcomes(batch, until=time.monotonic() + self.longest_batch), strict=True):
                if isinstance(outcome, _Raised):
                    waiting.future.set_exception(outcome.error)
                else:
                    waiting.future.set_result(outcome)
            if self._erased:
                self._truncate_wal()
        if self._kept is not None:
            self._kept.close()

    def _one_more(self, batch: list[_Waiting], until: float) -> _Waiting | None:
        """The next work for this commit, if one waits; it is added to the batch. An ordinary one must come in time, and before any urgent one."""
        while len(batch) < _BATCH:
            try:
                found = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if found[2] is None or (not found[2].urgent and (batch[-1].urgent or time.monotonic() >= until)):
                self._waiting.put(found)
                return None
            if found[2].future.set_running_or_notify_cancel():
                batch.append(found[2])
                return found[2]
        return None

    def _outcomes(self, batch: list[_Waiting], *, until: float | None) -> list[Any]:
        """Commit a batch, which grows until then (None: not at all). Where one work breaks the transaction of all, each runs again alone, for its own
        caller to hear."""
        try:
            return self._commit(batch, until)
        except BaseException as error:
            if is_down(error):
                return [_Raised(down(error)) for _ in batch]
            if len(batch) == 1:
                return [_Raised(error)]
        return [outcome for waiting in batch for outcome in self._outcomes([waiting], until=None)]

    def _commit(self, batch: list[_Waiting], until: float | None) -> list[Any]:
        if self._file is not None:
            self._file.check()
        kept: list[tuple[WorkSession, Any]] = []
        with self._transaction() as connection:
            waiting: _Waiting | None = batch[0]
            while waiting is not None:
                session = self._session(connection)
                kept.append((session, _run_in_savepoint(connection, session, waiting.work)))
                waiting = None if until is None else self._one_more(batch, until)
        for session, outcome in kept:
            if not isinstance(outcome, _Raised):
                self.keyring.adopt(session)
                self._erased = self._erased or was_erasure(session)
            session.close()
        return [outcome for _, outcome in kept]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction, on disk at the end. Begun and committed past the library, whose part in it took as long as a work; but through it where
        somebody listens: then, and after an error, the connection is not kept."""
        listened = is_listened(self.engine)
        if listened and self._kept is not None:
            self._kept.close()
            self._kept = None
        connection, self._kept = self._kept or self.engine.connect(), None
        driver: Any = connection.connection.dbapi_connection
        try:
            (connection.exec_driver_sql if listened else driver.execute)("BEGIN IMMEDIATE")
            if not connection.in_transaction():
                connection.begin()  # the library believes so from now on, and joins what we begin and commit
            yield connection
            (connection if listened else driver).commit()
        except BaseException:
            with contextlib.closing(connection):
                _end(connection)
            raise
        if listened:
            connection.close()
        else:
            self._kept = connection

    def _truncate_wal(self) -> None:
        """What was erased leaves the write-ahead log too (R41, R45). A reader of another process may be in the way: then after the next batch."""
        with contextlib.suppress(DBAPIError), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=100")
            in_the_way = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PRAGMAS['busy_timeout']}")
            self._erased = bool(in_the_way)


def _end(connection: Connection) -> None:
    """Roll back for certain. After a COMMIT that failed SQLAlchemy takes the transaction for over and gives the connection back as it is: where
    SQLite has not rolled back by itself, every later BEGIN would fail, until a restart."""
    driver: Any = connection.connection.dbapi_connection
    with contextlib.suppress(sqlite3.Error):
        driver.rollback()


def _run_in_savepoint(connection: Connection, session: Session, work: Work[Any]) -> Any:
    """Run one work of a batch so that its failure undoes it alone."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute("SAVEPOINT work")
    try:
        outcome = work(session)
        session.flush()
    except BaseException as error:  # the caller of this work gets it; its neighbours in the batch must not
        if is_down(error) or not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO work")
        outcome = _Raised(error)
    driver.execute("RELEASE work")
    return outcome


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Put the settings of R45 in force and read them back; a file system without WAL is no place for the database."""
    connection.isolation_level = None
    in_memory = not connection.execute("PRAGMA database_list").fetchone()[2]
    for name, wanted in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={wanted}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != wanted and not (in_memory and name == "journal_mode"):
            raise StoreDown(f"PRAGMA {name}={found}")


@dataclass(frozen=True)
class _File:
    """The database file this process opened: written to after it was moved away or replaced, it would take messages with it."""

    path: Path
    device: int
    number: int

    def check(self) -> None:
        """Raise `StoreDown` unless it still lies where it lay."""
        try:
            now = self.path.stat()
        except OSError as error:
            raise StoreDown("the database file is gone") from error
        if (now.st_dev, now.st_ino) != (self.device, self.number):
            raise StoreDown("another file lies where the database was")


def _private_file(database: str | None) -> _File | None:
    """Make the database file if it is not there, for its owner only; None for one in memory."""
    if not database or database == ":memory:":
        return None
    path = Path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        found = path.stat()
    except OSError as error:
        raise StoreDown(f"{path}: {error.strerror}") from error
    return _File(path, found.st_dev, found.st_ino)


def _lock_database(path: Path) -> IO[str]:
    """Hold a lock file beside the database for as long as this process lives."""
    handle = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise SecondProcess(str(path)) from error
    return handle
