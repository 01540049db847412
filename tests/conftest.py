"""What every test may ask for: `store` (each engine in turn), `database` (its address, to open it oneself), `keyring`, `now`,
and `town`, a whole product with its people (tests/town.py)."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from storage.migrate import migrate
from storage.sealing import Keyring
from storage.store import Store
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from tests.town import Town
    from tests.twins import LineTwin, TelegramTwin

_TEMPLATE = "madoguchi_template"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """A fresh database with all tables."""

    engine: Literal["sqlite", "postgres"]
    url: str
    name: str
    """File of SQLite, name in PostgreSQL."""


@pytest.fixture
def now() -> datetime:
    """A Tuesday morning in Japan."""
    return datetime(2026, 11, 24, 1, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    store = Store.open(f"sqlite:///{path}", Keyring(bytes(32)))
    migrate(store)
    store.close()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole run, with a migrated database to copy."""
    with PostgresServer() as server:
        with server.admin() as admin:
            admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        store = Store.open(server.url(_TEMPLATE), Keyring(bytes(32)))
        migrate(store)
        store.close()
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Address of the server's own database."""
    return postgres_server.url()


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Database:
    path = tmp_path / "madoguchi.db"
    shutil.copy(sqlite_template, path)
    return Database("sqlite", f"sqlite:///{path}", str(path))


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[Database]:
    name = f"town_{next(_numbers)}"
    with postgres_server.admin() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield Database("postgres", postgres_server.url(name), name)
    with postgres_server.admin() as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """Each engine in turn."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def store(database: Database, keyring: Keyring) -> Iterator[Store]:
    """A store on a fresh database, on each engine in turn."""
    opened = Store.open(database.url, keyring)
    yield opened
    opened.close()


# ---------------------------------------------------------------- the whole product


@pytest.fixture(scope="session")
def line_host() -> Iterator["LineTwin"]:
    """One LINE for the whole run."""
    from tests.twins import LineTwin  # a test of one room builds no platform

    with LineTwin() as twin:
        yield twin


@pytest.fixture(scope="session")
def telegram_host() -> Iterator["TelegramTwin"]:
    """One Telegram for the whole run."""
    from tests.twins import TelegramTwin

    with TelegramTwin() as twin:
        yield twin


@pytest.fixture
def build_town(line_host: "LineTwin", telegram_host: "TelegramTwin", tmp_path: Path) -> "Callable[..., Town]":
    """Makes a town over a store; keyword arguments are settings that differ."""
    from tests.town import Town

    def build(store: Store, **changes: object) -> "Town":
        line_host.forget()
        telegram_host.forget()
        return Town(store, line_host, telegram_host, tmp_path, **changes)

    return build


@pytest.fixture
def town_store(sqlite_database: Database, keyring: Keyring) -> Iterator[Store]:
    opened = Store.open(sqlite_database.url, keyring)
    yield opened
    opened.close()


@pytest.fixture
def town(build_town: "Callable[..., Town]", town_store: Store) -> "Iterator[Town]":
    """The product on SQLite, answering at once."""
    with build_town(town_store) as opened:
        yield opened


@pytest.fixture
def settling_town(build_town: "Callable[..., Town]", town_store: Store) -> "Iterator[Town]":
    """The product on SQLite, waiting two seconds for the resident to go on writing (D13)."""
    with build_town(town_store, settle_seconds=2.0) as opened:
        yield opened


@pytest.fixture
def either_town(build_town: "Callable[..., Town]", store: Store) -> "Iterator[Town]":
    """The product on each engine in turn."""
    with build_town(store) as opened:
        yield opened
