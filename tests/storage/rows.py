"""Short ways to a talk, its lines and letters, for the storage tests."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlmodel import Session

from storage import outbox
from storage import talk as talks
from storage.outbox import Letter
from storage.store import Store
from storage.talk import Line, Talk

T = TypeVar("T")

NOW = datetime(2026, 11, 24, 1, 0, 0, 123456, tzinfo=UTC)


def open_talk(store: Store, external: str = "U1", channel: str = "line") -> Talk:
    """The talk of one account."""
    return store.transact(lambda rows: talks.find_or_open(rows, channel, external, NOW))


def say(rows: Session, talk: Talk, words: str, *, author: str = "resident", platform_id: str | None = None, at: datetime = NOW) -> tuple[Talk, Line]:
    """One more line, saved."""
    talk, line = talks.add_line(rows, talk, author=author, kind="text", body=words, now=at, platform_id=platform_id)
    return talks.save(rows, talk, at), line


def says(store: Store, talk: Talk, words: str, **more: Any) -> Line:
    """One more line of this talk in a transaction of its own, however old `talk` is."""

    def work(rows: Session) -> Line:
        found = talks.by_id(rows, talk.id)
        assert found is not None
        return say(rows, found, words, **more)[1]

    return store.transact(work)


def write(store: Store, talk: Talk, bodies: Sequence[str], *, at: datetime = NOW, **more: Any) -> list[Letter]:
    """The bot says these calls, as one line."""

    def work(rows: Session) -> list[Letter]:
        found = talks.by_id(rows, talk.id)
        assert found is not None
        found, line = say(rows, found, "bot", author="bot", at=at)
        return outbox.write(rows, found, bodies, now=at, line=line, **more)

    return store.transact(work)


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run these in threads of their own that start together."""
    together = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        together.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))
