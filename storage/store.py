"""The one door to the data: `store.transact(work)`.

A *work* is an ordinary function of one `Session`. It commits nothing; the store does. Two engines stand behind the same door:

- SQLite: one writer thread takes all works that wait into one commit, each in its own savepoint, so that a thousand small transactions share one
  fsync. `BEGIN IMMEDIATE`, WAL, `synchronous=FULL` (R45). A second process is refused.
- PostgreSQL: a small pool of threads, one transaction a work; a work that lost a race (serialisation, deadlock) is run again.

A work may be run again or rolled back, so it touches nothing but its session; what must follow a commit is done by the caller with what it returns.
Raises whatever the work raises; `StoreDown` when the database cannot be written now (disk full, locked, gone): the caller answers 503 (R46).
"""

import asyncio
import contextlib
import fcntl
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from storage.sealing import Keyring

T = TypeVar("T")
Work = Callable[[Session], T]

_BATCH = 64
_PG_THREADS = 6
_PG_TRIES = 5


class StoreDown(Exception):
    """The database cannot be written or reached now; nothing of this work was kept."""


class SecondProcess(Exception):
    """Another process already has this SQLite file open (design.md §4: PostgreSQL is for several processes)."""


@dataclass(frozen=True)
class _Waiting:
    work: Work[Any]
    future: Future[Any]


class Store:
    """Open with `Store.open(url, keyring)`; close with `close()`."""

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self.engine = engine
        self.keyring = keyring

    @staticmethod
    def open(url: str, keyring: Keyring, *, exclusive: bool = True) -> "Store":
        """Open the store behind `url` (`sqlite:///path` or `postgresql+psycopg://…`). `exclusive=False` lets a command read beside a server."""
        if make_url(url).get_backend_name() == "sqlite":
            return SqliteStore(url, keyring, exclusive=exclusive)
        return PostgresStore(url, keyring)

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue `work`; the future is done only after its commit is on disk."""
        raise NotImplementedError

    def transact(self, work: Work[T]) -> T:
        """Run `work` in a transaction and wait for its commit."""
        return self.submit(work).result()

    async def atransact(self, work: Work[T]) -> T:
        """`transact` for the event loop."""
        return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        self.engine.dispose()


# ---------------------------------------------------------------- SQLite


class SqliteStore(Store):
    """Group commit on one writer thread."""

    def __init__(self, url: str, keyring: Keyring, *, exclusive: bool) -> None:
        super().__init__(create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": 5}), keyring)
        self._lock_file = _lock_database(make_url(url).database) if exclusive else None
        event.listen(self.engine, "connect", _set_pragmas)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    def submit(self, work: Work[T]) -> Future[T]:
        future: Future[T] = Future()
        self._waiting.put(_Waiting(work, future))
        return future

    def close(self) -> None:
        self._waiting.put(None)
        self._writer.join(timeout=30)
        super().close()
        if self._lock_file is not None:
            self._lock_file.close()

    def _write(self) -> None:
        """Take what waits, commit it together, then wake everybody. Runs until `close`."""
        while (first := self._waiting.get()) is not None:
            batch = [first, *self._more()]
            try:
                done = self._commit(batch)
            except (DBAPIError, OSError) as error:
                for waiting in batch:
                    waiting.future.set_exception(StoreDown(type(error).__name__))
                continue
            for waiting, outcome in zip(batch, done, strict=True):
                if isinstance(outcome, _Raised):
                    waiting.future.set_exception(outcome.error)
                else:
                    waiting.future.set_result(outcome)

    def _more(self) -> Iterator[_Waiting]:
        for _ in range(_BATCH - 1):
            try:
                waiting = self._waiting.get_nowait()
            except queue.Empty:
                return
            if waiting is None:
                self._waiting.put(None)
                return
            yield waiting

    def _commit(self, batch: list[_Waiting]) -> list[Any]:
        outcomes: list[Any] = []
        sessions: list[Session] = []
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                for waiting in batch:
                    session = Session(bind=connection, join_transaction_mode="rollback_only", info={"keyring": self.keyring})
                    sessions.append(session)
                    outcomes.append(_run_in_savepoint(connection, session, waiting.work))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        for session, outcome in zip(sessions, outcomes, strict=True):
            if not isinstance(outcome, _Raised):
                self.keyring.adopt(session)
            session.close()
        return outcomes


@dataclass(frozen=True)
class _Raised:
    error: Exception


def _run_in_savepoint(connection: Connection, session: Session, work: Work[Any]) -> Any:
    """Run one work of a batch so that its failure undoes it alone."""
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        outcome = work(session)
        session.flush()
    except OperationalError:
        raise
    except Exception as error:  # the caller of this work gets it; its neighbours in the batch must not
        connection.exec_driver_sql("ROLLBACK TO work")
        outcome = _Raised(error)
    connection.exec_driver_sql("RELEASE work")
    return outcome


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Settings of R45, read back by `doctor`."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF", "busy_timeout=5000",
                   "cache_size=-65536"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _lock_database(database: str | None) -> IO[str] | None:
    """Hold a lock file beside the database for as long as this process lives."""
    if not database or database == ":memory:":
        return None
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
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
        super().__init__(create_engine(url, hide_parameters=True, pool_size=_PG_THREADS, max_overflow=2, pool_pre_ping=True), keyring)
        self._threads = ThreadPoolExecutor(_PG_THREADS, thread_name_prefix="store")

    def submit(self, work: Work[T]) -> Future[T]:
        return self._threads.submit(self._run, work)

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        super().close()

    def _run(self, work: Work[T]) -> T:
        for attempt in range(_PG_TRIES):
            try:
                with Session(self.engine, info={"keyring": self.keyring}) as session:
                    outcome = work(session)
                    session.commit()
                    self.keyring.adopt(session)
                    return outcome
            except DBAPIError as error:
                if not _lost_a_race(error) or attempt == _PG_TRIES - 1:
                    if isinstance(error, OperationalError):
                        raise StoreDown(type(error).__name__) from error
                    raise
        raise AssertionError("unreachable")


def _lost_a_race(error: DBAPIError) -> bool:
    """Serialisation failure or deadlock: PostgreSQL asks to try again."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


@contextlib.contextmanager
def opened(url: str, keyring: Keyring) -> Iterator[Store]:
    """A store for the length of one command."""
    store = Store.open(url, keyring)
    try:
        yield store
    finally:
        store.close()


def is_alive(session: Session) -> bool:
    """Whether the database answers (for /readyz)."""
    return bool(session.execute(text("SELECT 1")).scalar())
