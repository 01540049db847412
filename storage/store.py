"""The one door to the data: `store.transact(work)`.

A *work* is an ordinary function of one `Session`. It commits nothing; the store does. Two engines stand behind the same door: SQLite with one writer
thread (sqlite_store.py), and PostgreSQL with a small pool of threads (postgres_store.py); only the one in use is loaded.

A work may be run again or rolled back, so it touches nothing but its session; what must follow a commit is done by the caller with what it returns.
Raises whatever the work raises; `StoreDown` when the database cannot be written now (disk full, locked, gone): the caller answers 503 (R46).
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session

from storage import prepared
from storage.sealing import Keyring

T = TypeVar("T")
Work = Callable[[Session], T]

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

    Statements about tables, which are all of ours, go past the unit of work to the connection, and prepared ones past that to the driver. The unit of
    work itself is made when a work first touches an object: most never do.
    """

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection, self._driver = connection, prepared.driver_of(connection)
        self.info = {"keyring": keyring}

    def __getattr__(self, name: str) -> Any:
        if self._is_made:
            raise AttributeError(name)
        super().__init__(bind=self._connection, join_transaction_mode="rollback_only", info=self.info)
        return getattr(self, name)

    @property
    def _is_made(self) -> bool:
        return "identity_map" in self.__dict__

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        if self._driver is not None and prepared.is_prepared(statement):
            return prepared.run(self._driver, self._connection.dialect, statement, params)
        if more or getattr(statement, "_propagate_attrs", None):  # about objects
            return super().execute(statement, params, **more)
        return self._connection.execute(statement, params)

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        return self._connection

    def flush(self, objects: Any = None) -> None:
        if self._is_made:
            super().flush(objects)

    def close(self) -> None:
        if self._is_made:
            super().close()

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
            from storage.sqlite_store import SqliteStore

            return SqliteStore(url, keyring, exclusive=exclusive)
        from storage.postgres_store import PostgresStore

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

    def rewrite(self) -> bool:
        """Write every table with residents' words anew, where the engine leaves what was erased in its files until something lies over it (R41).

        To be called once a day: whoever writes meanwhile waits for moments. False = another process is at it. Raises `StoreDown`.
        """
        return True

    def close(self) -> None:
        self.engine.dispose()

    def _session(self, connection: Connection) -> WorkSession:
        return WorkSession(connection, self.keyring)


def is_down(error: BaseException) -> bool:
    """Whether the database is at fault and not the work."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DOWN
    if not isinstance(error, DBAPIError):
        return isinstance(error, StoreDown)
    read_only = getattr(error.orig, "sqlstate", None) == "25006"
    return read_only or error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def down(error: BaseException) -> StoreDown:
    """What the caller hears: the engine's own name for what is wrong, such as `SQLITE_FULL` or `AdminShutdown`, never what was to be written."""
    if isinstance(error, StoreDown):
        return error
    origin = error.orig if isinstance(error, DBAPIError) else error
    return StoreDown(getattr(origin, "sqlite_errorname", type(origin).__name__))
