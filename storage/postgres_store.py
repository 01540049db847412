"""PostgreSQL behind the one door (store.py): a small pool of threads, one transaction a work.

A work that lost a race (serialisation, deadlock) is run again. Urgent works have threads of their own: none of them stands behind ordinary ones.
"""

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import TextClause, event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlmodel import Session

from storage import row_locks
from storage.sealing import Keyring
from storage.store import Store, StoreDown, T, Work, down, is_down
from storage.tables import CLASSES

_THREADS, _URGENT_THREADS = 6, 2
_TRIES = 5
_CONNECT_SECONDS = 5
_SETTINGS = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"
"""A stuck neighbour costs ten seconds and a 503, not the front door."""
_REWRITES, _REWRITTEN = select(func.pg_try_advisory_lock(106_005)), select(func.pg_advisory_unlock(106_005))
_HARDLY_WAITS = text("SET lock_timeout = '1s'")
"""Whoever asks for a table while its rewriting waits for it stands behind that."""
_BYTES = text("SELECT pg_total_relation_size(to_regclass(:name))")
_MOST_REWRITTEN = 300_000_000
"""Bytes of a table: a second or two, in which whoever asks for it waits."""
_WITH_WORDS = {place.partition(".")[0] for place in (CLASSES["C3"] + " " + CLASSES["C2"]).split()} | {"data_key"}
_AS_ROLE = f", set_config('role', '{row_locks.ROLE}', true)"


class PostgresStore(Store):
    """One transaction a work, on a small pool of threads."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        wait = {"connect_timeout": _CONNECT_SECONDS}
        super().__init__(url, keyring, pool_size=_THREADS + _URGENT_THREADS, max_overflow=2, pool_pre_ping=True, connect_args=wait)
        event.listen(self.engine, "connect", _set_timeouts)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
        self._urgent_threads = ThreadPoolExecutor(_URGENT_THREADS, thread_name_prefix="store-urgent")
        self._names_viewer: TextClause | None = None

    def seen_by(self, staff_id: str) -> Store:
        return _SeenBy(self, staff_id)

    @property
    def alone(self) -> bool:
        return False

    def submit(self, work: Work[T], *, urgent: bool = False) -> Future[T]:
        try:
            return (self._urgent_threads if urgent else self._threads).submit(self._run, work)
        except RuntimeError as error:
            raise StoreDown("closed") from error

    def rewrite(self) -> bool:
        """Dead rows stay in the pages of a table until it is written anew. A table that is in use for long is left for the next day, one that is too
        large for a lock of moments to its pages being used again; what the WAL still holds goes with its files (`wal_recycle = off`)."""
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                if not connection.execute(_REWRITES).scalar():
                    return False
                connection.detach()  # its settings are its own, and end with it
                connection.execute(_HARDLY_WAITS)
                for name in sorted(_WITH_WORDS):
                    with contextlib.suppress(OperationalError):
                        small = connection.execute(_BYTES, {"name": name}).scalar_one() <= _MOST_REWRITTEN
                        connection.execute(text(f'VACUUM (FULL {small}) "{name}"'))
                with contextlib.suppress(ProgrammingError):  # only an owner of the server, or a role that was lent pg_checkpoint
                    connection.execute(text("CHECKPOINT"))
                connection.execute(_REWRITTEN)
                return True
        except DBAPIError as error:
            raise down(error) from error

    def close(self) -> None:
        """Finish what waits, then close; to close twice is harmless."""
        self._threads.shutdown(wait=True)
        self._urgent_threads.shutdown(wait=True)
        super().close()

    def _run(self, work: Work[T]) -> T:
        tries = 1
        while True:
            try:
                return self._try(work)
            except DBAPIError as error:
                if _lost_a_race(error) and tries < _TRIES:
                    tries += 1
                elif is_down(error):
                    raise down(error) from error
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
    connection.execute(_SETTINGS)
    connection.commit()


def _lost_a_race(error: DBAPIError) -> bool:
    """Serialisation failure or deadlock: PostgreSQL asks to try again."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}
