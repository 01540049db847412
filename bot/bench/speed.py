"""`madoguchi bench`: speed and memory, everything side by side in one run, on this machine (issue figures; machines are noisy: compare ratios).

Each server runs in its own process; the crowd and the platform stand-in share another. Three rounds in turn, the median is quoted.
"""

import asyncio
import contextlib
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bench import hearing, postgres, servers
from bot.bench.load import Crowd, Door, Figures, StandIn
from bot.bench.servers import Running

_ROUNDS = 3
_CROWD = 48
_RATE = 50.0
_SETS = Path(__file__).parent / "sets"

Start = Callable[[Path, str], contextlib.AbstractContextManager[Running]]


def main(seconds: float, with_postgres: bool, out: Console) -> int:
    """Measure and print; 0 always: this measures, `eval` judges."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        contenders: dict[str, Start] = {"echo app (no storage, no hearing)": servers.echo, "Madoguchi on SQLite": servers.madoguchi}
        if with_postgres:
            url = stack.enter_context(postgres.running(Path(place)))
            key = str(Path(place) / "postgres.key")  # one database for all rounds, so one key
            contenders["Madoguchi on PostgreSQL"] = lambda here, host: servers.madoguchi(here, host, DATABASE_URL=url, MASTER_KEY_FILE=key)
        gathered = {name: [_round(start, Path(place) / f"{index}-{lap}", seconds) for lap in range(_ROUNDS)]
                    for index, (name, start) in enumerate(contenders.items())}  # fmt: skip
        out.print(_table(gathered))
        out.print(hearing.table(Path(place)))
    return 0


class Lap:
    """One round with one server."""

    def __init__(self, running: Running, flat_out: Figures, steady: Figures, at_rest: float, after: float) -> None:
        self.ready_after = running.ready_after
        self.flat_out = flat_out
        self.steady = steady
        self.at_rest = at_rest
        self.after = after


def _round(start: Start, place: Path, seconds: float) -> Lap:
    place.mkdir(parents=True)
    return asyncio.run(_measure(start, place, seconds))


async def _measure(start: Start, place: Path, seconds: float) -> Lap:
    texts = _texts()
    async with StandIn() as stand_in:
        with _started(start, place, stand_in.url) as running:
            at_rest = running.memory_mb
            door = Door("127.0.0.1", running.port)
            crowd = Crowd(door, stand_in.heard, "/line/webhook", _CROWD)
            await crowd.greet(texts[0])
            flat_out = await crowd.closed(texts, seconds)
            steady = await crowd.open(texts, _RATE, seconds)
            after = running.memory_mb
            door.close()
    return Lap(running, flat_out, steady, at_rest, after)


@contextlib.contextmanager
def _started(start: Start, place: Path, host: str) -> Iterator[Running]:
    with start(place, host) as running:
        yield running


def _texts() -> list[str]:
    """Worries of the development set that carry no danger: ordinary messages, each matched."""
    lines = (_SETS / "worries-dev-1.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines if json.loads(line)["decision"] == "answer"]


def _table(gathered: dict[str, list[Lap]]) -> Table:
    table = Table(title=f"durable, matched and answered events ({_CROWD} residents at once; then {_RATE:.0f} events/s); median of {_ROUNDS}")
    for heading in ("", "events/s", "of echo", "p50 ms at 50/s", "p99 ms at 50/s", "failed", "start s", "MB at rest", "MB after"):
        table.add_column(heading, justify="left" if not heading else "right")
    base = statistics.median(lap.flat_out.a_second for lap in next(iter(gathered.values())))
    for name, laps in gathered.items():
        rate = statistics.median(lap.flat_out.a_second for lap in laps)
        figures = [rate, rate / base] + [statistics.median(values) for values in (
            [lap.steady.p50 for lap in laps], [lap.steady.p99 for lap in laps], [lap.flat_out.failed + lap.steady.failed for lap in laps],
            [lap.ready_after for lap in laps], [lap.at_rest for lap in laps], [lap.after for lap in laps])]  # fmt: skip
        forms = ("{:.0f}", "{:.2f}", "{:.1f}", "{:.1f}", "{:.0f}", "{:.2f}", "{:.0f}", "{:.0f}")
        table.add_row(name, *(form.format(figure) for form, figure in zip(forms, figures, strict=True)))
    return table
