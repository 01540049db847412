"""The one door to the data: `store.transact(work)`.

A *work* is an ordinary function of one `Session`. It commits nothing; the store does. Two engines stand behind the same door:

- SQLite: one writer thread takes works that wait into one commit, each in its own savepoint, so that many small transactions share one fsync; a
  commit waits ten milliseconds for company at most, and urgent works go first. `BEGIN IMMEDIATE`, WAL, `synchronous=FULL` (R45). A second process
  is refused.
- PostgreSQL: a small pool of threads, one transaction a work; a work that lost a race (serialisation, deadlock) is run again.

A work may be run again or rolled back, so it touches nothing but its session; what must follow a commit is done by the caller with what it returns.
Raises whatever the work raises; `StoreDown` when the database cannot be written now (disk full, locked, gone): the caller answers 503 (R46).
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from sqlalchemy import Connection, TextClause, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session

from storage import prepared, row_locks
from storage.sealing import Keyring, was_erasure

T = TypeVar("T")
Work = Callable[[Session], T]

_BATCH = 64
_URGENT, _ORDINARY, _LAST = 0, 1, 2
_PG_THREADS = 6
_PG_TRIES = 5
_PG_CONNECT_SECONDS = 5
_PG_SETTINGS = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"
"""A stuck neighbour costs ten seconds and a 503, not the front door."""
_AS_ROLE = f", set_config('role', '{row_locks.ROLE}', true)"
_PRAGMAS = {
    "busy_timeout": 5000, "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0, "cache_size": -65536,
}  # fmt: skip
"""Settings of R45 as SQLite reads them back; `synchronous` 2 is FULL, `cache_size` is 64 MiB."""
_SQLITE_DOWN = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM,
}  # fmt: skip
"""What says that the database and not the work is at fault."""


class StoreDown(Exception):
    """The database cannot be written or reached now. The work counts as not done; running it again is safe."""


class SecondProcess(Exception):
    """Another process already has this SQLite file open (design.md §4: PostgreSQL is for several processes)."""


class WorkSession(Session):
    """The session a work holds. It reads and writes; to commit and to roll back is the store's part.

    Statements about tables, which are all of ours, go past the unit of work to the connection, and prepared ones past that to the driver.
    """

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        super().__init__(bind=connection, join_transaction_mode="rollback_only", info={"keyring": keyring})
        self._connection, self._driver = connection, prepared.driver_of(connection)

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        if self._driver is not None and prepared.is_prepared(statement):
            return prepared.run(self._driver, self._connection.dialect, statement, params)
        if more or getattr(statement, "_propagate_attrs", None):  # about objects
            return super().execute(statement, params, **more)
        return self._connection.execute(statement, params)

    def commit(self) -> NoReturn:
        raise RuntimeError("a work commits nothing: the store does")

    def rollback(self) -> NoReturn:
        raise RuntimeError("a work rolls nothing back: it raises, and the store does")


class Store:
    """Open with `Store.open(url, keyring)`; close with `close()`."""

    def __init__(self, url: str, keyring: Keyring, **engine: Any) -> None:
        self.engine = create_engine(url, hide_parameters=True, **engine)
        self.keyring = keyring

    @staticmethod
    def open(url: str, keyring: Keyring, *, exclusive: bool = True) -> "Store":
        """Open the store behind `url` (`sqlite:///path` or `postgresql+psycopg://…`). `exclusive=False` lets a command read beside a server."""
        if make_url(url).get_backend_name() == "sqlite":
            return SqliteStore(url, keyring, exclusive=exclusive)
        return PostgresStore(url, keyring)

    def seen_by(self, staff_id: str) -> "Store":
        """This store as one member of staff may see it: the second lock, where the engine has one (R19)."""
        return self

    @property
    def alone(self) -> bool:
        """Whether no other process can have this database open beside us."""
        raise NotImplementedError

    def submit(self, work: Work[T], *, urgent: bool = False) -> Future[T]:
        """Queue `work`; the future is done only after its commit is on disk. Raises `StoreDown` when the store is closed.

        `urgent` is for writing down what has happened in the world already: until then a crash would let it happen twice.
        """
        raise NotImplementedError

    def transact(self, work: Work[T]) -> T:
        """Run `work` in a transaction and wait for its commit."""
        return self.submit(work).result()

    async def atransact(self, work: Work[T], *, urgent: bool = False) -> T:
        """`transact` for the event loop. Cancelled while it still waits, the work is not run; cancelled later, it is, and its outcome is dropped."""
        return await asyncio.wrap_future(self.submit(work, urgent=urgent))

    def close(self) -> None:
        self.engine.dispose()

    def _session(self, connection: Connection) -> WorkSession:
        return WorkSession(connection, self.keyring)


def _is_down(error: BaseException) -> bool:
    """Whether the database is at fault and not the work."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DOWN
    if not isinstance(error, DBAPIError):
        return isinstance(error, StoreDown)
    read_only = getattr(error.orig, "sqlstate", None) == "25006"
    return read_only or error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def _down(error: BaseException) -> StoreDown:
    """What the caller hears: the engine's own name for what is wrong, such as `SQLITE_FULL` or `AdminShutdown`, never what was to be written."""
    if isinstance(error, StoreDown):
        return error
    origin = error.orig if isinstance(error, DBAPIError) else error
    return StoreDown(getattr(origin, "sqlite_errorname", type(origin).__name__))


# ---------------------------------------------------------------- SQLite


@dataclass(frozen=True)
class _Waiting:
    work: Work[Any]
    future: Future[Any]


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
            self._waiting.put((_URGENT if urgent else _ORDINARY, next(self._numbers), _Waiting(work, future)))
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

    def _one_more(self, batch: list[_Waiting], until: float) -> _Waiting | None:
        """The next work for this commit, if one waits and there is still time; it is added to the batch."""
        while len(batch) < _BATCH and time.monotonic() < until:
            try:
                found = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if found[2] is None:
                self._waiting.put(found)
                return None
            if found[2].future.set_running_or_notify_cancel():
                batch.append(found[2])
                return found[2]
        return None

    def _outcomes(self, batch: list[_Waiting], *, until: float) -> list[Any]:
        """Commit a batch, which grows until then. Where one work breaks the transaction of all, each runs again alone, for its own caller to hear."""
        try:
            return self._commit(batch, until)
        except BaseException as error:
            if _is_down(error):
                return [_Raised(_down(error)) for _ in batch]
            if len(batch) == 1:
                return [_Raised(error)]
        return [outcome for waiting in batch for outcome in self._outcomes([waiting], until=0.0)]

    def _commit(self, batch: list[_Waiting], until: float) -> list[Any]:
        if self._file is not None:
            self._file.check()
        kept: list[tuple[WorkSession, Any]] = []
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                waiting: _Waiting | None = batch[0]
                while waiting is not None:
                    session = self._session(connection)
                    kept.append((session, _run_in_savepoint(connection, session, waiting.work)))
                    waiting = self._one_more(batch, until)
                connection.commit()
            except BaseException:
                _end(connection)
                raise
        for session, outcome in kept:
            if not isinstance(outcome, _Raised):
                self.keyring.adopt(session)
                self._erased = self._erased or was_erasure(session)
            session.close()
        return [outcome for _, outcome in kept]

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
        if _is_down(error) or not connection.in_transaction():
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


# ---------------------------------------------------------------- PostgreSQL


class PostgresStore(Store):
    """One transaction a work, on a small pool of threads."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        wait = {"connect_timeout": _PG_CONNECT_SECONDS}
        super().__init__(url, keyring, pool_size=_PG_THREADS, max_overflow=2, pool_pre_ping=True, connect_args=wait)
        event.listen(self.engine, "connect", _set_timeouts)
        self._threads = ThreadPoolExecutor(_PG_THREADS, thread_name_prefix="store")
        self._names_viewer: TextClause | None = None

    def seen_by(self, staff_id: str) -> Store:
        return _SeenBy(self, staff_id)

    @property
    def alone(self) -> bool:
        return False

    def submit(self, work: Work[T], *, urgent: bool = False) -> Future[T]:
        try:
            return self._threads.submit(self._run, work)
        except RuntimeError as error:
            raise StoreDown("closed") from error

    def close(self) -> None:
        """Finish what waits, then close; to close twice is harmless."""
        self._threads.shutdown(wait=True)
        super().close()

    def _run(self, work: Work[T]) -> T:
        tries = 1
        while True:
            try:
                return self._try(work)
            except DBAPIError as error:
                if _lost_a_race(error) and tries < _PG_TRIES:
                    tries += 1
                elif _is_down(error):
                    raise _down(error) from error
                else:
                    raise

    def _try(self, work: Work[T]) -> T:
        with self.engine.begin() as connection:
            if self._names_viewer is None:
                as_role = _AS_ROLE if connection.exec_driver_sql(row_locks.MAY_PLAY).scalar() else ""
                self._names_viewer = text(f"SELECT set_config('madoguchi.viewer', 'system', true){as_role}")
            connection.execute(self._names_viewer)
            session = self._session(connection)
            outcome = work(session)
            session.flush()
        self.keyring.adopt(session)
        session.close()
        return outcome


class _SeenBy(Store):
    """A PostgreSQL store whose every transaction names one member of staff as its viewer."""

    def __init__(self, whole: PostgresStore, staff_id: str) -> None:
        self.engine, self.keyring = whole.engine, whole.keyring
        self._whole, self._names_viewer = whole, select(func.set_config("madoguchi.viewer", staff_id, True))

    @property
    def alone(self) -> bool:
        return self._whole.alone

    def submit(self, work: Work[T], *, urgent: bool = False) -> Future[T]:
        def narrowed(session: Session) -> T:
            session.execute(self._names_viewer)
            return work(session)

        return self._whole.submit(narrowed, urgent=urgent)

    def close(self) -> None:
        """Closed by whoever opened the whole."""


def _set_timeouts(connection: Any, _record: Any) -> None:
    connection.execute(_PG_SETTINGS)
    connection.commit()


def _lost_a_race(error: DBAPIError) -> bool:
    """Serialisation failure or deadlock: PostgreSQL asks to try again."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}
