"""Starts the servers that are measured, each a process of its own with its own folder."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.bench.load import SECRET

_PATIENCE = 180.0
"""Seconds a start may take on a busy machine; the first one builds the whole knowledge."""


@dataclass(frozen=True)
class Running:
    """A started server."""

    port: int
    pid: int
    ready_after: float
    """Seconds from the start of the process to the first answer."""

    @property
    def memory_mb(self) -> float:
        """Resident memory now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return float("nan")

    @property
    def cpu_seconds(self) -> float:
        """Processor time it has used so far."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def madoguchi(place: Path, line_host: str, **more: str) -> Iterator[Running]:
    """The whole product with LINE switched on; `more` are settings without their prefix."""
    settings = {
        "LINE_CHANNEL_SECRET": SECRET, "LINE_CHANNEL_ACCESS_TOKEN": "bench", "LINE_API_HOST": line_host, "LINE_DATA_HOST": line_host,
        "SETTLE_SECONDS": "0", **more,
    }  # fmt: skip
    port = _free_port()
    settings["PORT"] = str(port)
    environment = {f"MADOGUCHI_{name}": value for name, value in settings.items()}
    with _process([sys.executable, "-m", "bot.bench.served"], environment, port, place) as running:
        yield running


@contextlib.contextmanager
def echo(place: Path, line_host: str) -> Iterator[Sequence[Running]]:
    """The bare app."""
    with _uvicorn("bot.bench.echo:app", place, {"ECHO_LINE_HOST": line_host}) as running:
        yield (running,)


@contextlib.contextmanager
def plain(place: Path, line_host: str, database: str) -> Iterator[Sequence[Running]]:
    """The plain build of the same transaction."""
    with _uvicorn("bot.bench.plain:app", place, {"ECHO_LINE_HOST": line_host, "PLAIN_DATABASE": database}) as running:
        yield (running,)


def _uvicorn(app: str, place: Path, environment: Mapping[str, str]) -> contextlib.AbstractContextManager[Running]:
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    return _process(command, environment, port, place)


@contextlib.contextmanager
def _process(command: list[str], environment: Mapping[str, str], port: int, place: Path) -> Iterator[Running]:
    begun = time.perf_counter()
    with (place / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - begun > _PATIENCE:
                raise RuntimeError(f"the server did not start; see {place / 'server.log'}:\n{(place / 'server.log').read_text()[-2000:]}")
            time.sleep(0.02)
        yield Running(port, process.pid, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
