"""Who is measured: the product on each of its engines, and beside it what stores nothing and hears nothing (echo.py), and what stores plainly on
PostgreSQL and hears nothing (plain.py)."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.bench import postgres, servers
from bot.bench.servers import Running

Start = Callable[[Path, str], contextlib.AbstractContextManager[Sequence[Running]]]
"""Starts its processes, given a folder and the address of the platform stand-in."""
ECHO = "echo app"
PLAIN = "plain async ORM"


@dataclass(frozen=True)
class Contender:
    """A name for the table, and how it is started."""

    name: str
    start: Start
    ours: bool = True


def all_of(place: Path, with_postgres: bool, stack: contextlib.ExitStack) -> list[Contender]:
    """Everybody, with a PostgreSQL that runs until `stack` ends. Our own share a key file, and so what was built once from the knowledge."""
    key = place / "master.key"

    def on_sqlite(folder: Path, host: str) -> contextlib.AbstractContextManager[Sequence[Running]]:
        return _several(1, folder, host, DATABASE_URL=f"sqlite:///{folder}/bench.db", MASTER_KEY_FILE=str(key))

    found = [Contender(ECHO, servers.echo, ours=False), Contender("SQLite", on_sqlite)]
    if not with_postgres:
        return found
    server, numbers = stack.enter_context(postgres.running(place)), itertools.count()

    def on_postgres(processes: int) -> Start:
        def start(folder: Path, host: str) -> contextlib.AbstractContextManager[Sequence[Running]]:
            url = postgres.new_database(server, f"bench_{next(numbers)}")
            return _several(processes, folder, host, DATABASE_URL=url, MASTER_KEY_FILE=str(key))

        return start

    def plain(folder: Path, host: str) -> contextlib.AbstractContextManager[Sequence[Running]]:
        return servers.plain(folder, host, postgres.new_database(server, f"bench_{next(numbers)}"))

    return [
        *found, Contender("PostgreSQL", on_postgres(1)), Contender("PostgreSQL, 2 processes", on_postgres(2)),
        Contender(PLAIN, plain, ours=False),
    ]  # fmt: skip


@contextlib.contextmanager
def _several(processes: int, folder: Path, host: str, **settings: str) -> Iterator[Sequence[Running]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(servers.madoguchi(folder, host, **settings)) for _ in range(processes)]
