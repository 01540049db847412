"""`madoguchi bench`: speed and memory, everything side by side in one run, on this machine (machines are noisy: compare ratios).

Each server runs in processes of its own; the crowd and the platform stand-in share another. Rounds go in turn through all of them, the median is
quoted. Every measurement says when it is done, and after `limit` seconds the run ends with what it has.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from bot.bench import contenders, desk, hearing, results
from bot.bench.contenders import Contender
from bot.bench.load import PATIENCE, Crowd, Door, Figures, StandIn, ordinary_worries

ROUNDS = 3
CROWD = 48
RATES = (10.0, 50.0, 200.0)
CALM = 10.0
"""Messages a second of those who talk while one floods."""
_FLOOD_AT_ONCE = 48
_WEBHOOK = "/line/webhook"


@dataclass
class Lap:
    """One round with one contender, filled as it goes: what the time did not reach stays None."""

    first: bool
    """Nothing was built and kept before it: its start is that of a new installation."""
    ready_after: float | None = None
    """Seconds from the start of the process to its first answer."""
    at_rest: float | None = None
    """Resident memory in MB of all its processes; `after`: when it has worked."""
    after: float | None = None
    flat_out: Figures | None = None
    cpu: float | None = None
    """Milliseconds of processor that one message took, flat out: less moved by noise than its rate."""
    steady: dict[float, Figures] = field(default_factory=dict)
    """By messages a second."""
    flooded: Figures | None = None
    """Those who talk while one resident floods."""


def main(seconds: float, with_postgres: bool, limit: float, picture: Path | None, out: Console) -> int:
    """Measure and print; 0 always: this measures, `eval` judges."""
    ends, laps = time.monotonic() + limit, dict[str, list[Lap]]()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        everybody = contenders.all_of(Path(place), with_postgres, stack)
        with suppress(KeyboardInterrupt):
            for number in range(ROUNDS):
                for contender in everybody:
                    if time.monotonic() < ends:
                        lap = Lap(first=contender.ours and not any(contender.ours and laps.get(contender.name) for contender in everybody))
                        laps.setdefault(contender.name, []).append(lap)
                        out.print(f"{number + 1}/{ROUNDS} {contender.name} …")
                        _round(contender, Path(place) / f"{number}-{everybody.index(contender)}", lap, seconds, ends, out)
            out.print(results.table(laps, RATES, CROWD))
            out.print(hearing.table(Path(place), ends, out))
            out.print(desk.table(Path(place), ends, out))
        if time.monotonic() >= ends:
            out.print(f"the limit of {limit:.0f} s was reached: what is missing was not measured (--limit)")
        if picture is not None:
            picture.write_text(results.picture(laps, RATES), encoding="utf-8")
            out.print(f"picture: {picture}")
    return 0


def _round(contender: Contender, place: Path, lap: Lap, seconds: float, ends: float, out: Console) -> None:
    """One round; a contender that hangs, dies or does not start costs its own figures and nobody else's."""
    place.mkdir(parents=True)
    try:
        asyncio.run(_measure(contender, place, lap, seconds, ends, out))
    except (TimeoutError, RuntimeError, OSError) as problem:
        out.print(f"   stopped: {str(problem) or 'no answer in time'}")


async def _measure(contender: Contender, place: Path, lap: Lap, seconds: float, ends: float, out: Console) -> None:
    texts = ordinary_worries()
    async with StandIn() as stand_in, asyncio.timeout(max(1.0, ends - time.monotonic())):
        with contender.start(place, stand_in.url) as running:
            lap.ready_after, lap.at_rest = max(one.ready_after for one in running), sum(one.memory_mb for one in running)
            out.print(f"   started after {lap.ready_after:.1f} s")
            door = Door("127.0.0.1", [one.port for one in running])
            crowd = Crowd(door, stand_in.heard, _WEBHOOK, CROWD)
            await crowd.greet(texts[0])
            cpu, said = sum(one.cpu_seconds for one in running), crowd.said
            lap.flat_out = await crowd.closed(texts, seconds)
            lap.cpu = (sum(one.cpu_seconds for one in running) - cpu) * 1000 / (crowd.said - said)
            out.print(f"   flat out: {lap.flat_out.a_second:.0f}/s, {lap.cpu:.1f} ms of processor each")
            for rate in RATES:
                lap.steady[rate] = found = await crowd.open(texts, rate, seconds)
                out.print(f"   {rate:.0f}/s: " + (f"p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms" if found.kept_up else "could not keep up"))
                if not found.kept_up:
                    break  # nor could it at a higher rate
            lap.flooded = await _flooded(Crowd(door, stand_in.heard, _WEBHOOK, 1, first=CROWD + 1), crowd, texts, seconds)
            out.print(f"   {CALM:.0f}/s beside a flood of one: p99 {lap.flooded.p99:.0f} ms")
            lap.after = sum(one.memory_mb for one in running)
            door.close()


async def _flooded(one: Crowd, others: Crowd, texts: Sequence[str], seconds: float) -> Figures:
    """What the others' talk is like while one resident writes without end."""
    flood = asyncio.create_task(one.flood(texts, _FLOOD_AT_ONCE))
    try:
        return await asyncio.wait_for(others.open(texts, CALM, seconds), timeout=seconds + 2 * PATIENCE)
    finally:
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
