"""`madoguchi eval`: how well hearing hears, beside plain search, on the development sets (sets/README.md). One table.

The sets are small and were looked at while building: their figures say that nothing broke, not how the product does on people it has never met.
"""

import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.bench import noise, rivals
from knowledge.base import Base, load
from knowledge.hearing import Hearing, hear
from knowledge.hearing.model import Level

SETS = Path(__file__).parent / "sets"
CARDS, CARDS_FOR_SEVERAL = 3, 6
Worry = dict[str, Any]
Rank = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Found:
    """Figures of one way of searching, all 0–1 but the milliseconds."""

    first: float
    three: float
    both: float
    median: float
    slowest: float


def main(folder: Path, out: Console) -> int:
    """The verb: load the base, print the table."""
    return run(load(folder), out)


def run(base: Base, out: Console) -> int:
    """Measure everything once and print it. Returns the exit code."""
    worries = [worry for name in ("worries-dev-1", "worries-dev-2") for worry in _read(name)]
    dangers, unseen = _read("danger-dev"), _read("danger-unseen")
    for rival in rivals.all_of(base.entries):
        rival.rank("ならし", CARDS)
    table = Table(title=f"{len(worries)} worries, {len(dangers)} lines with and without danger, {len(base.entries)} entries")
    table.add_column("measure")
    ours, *others = (_search(name, rank, worries) for name, rank in _ways(base))
    for heading in ("Madoguchi", *(rival.name for rival in rivals.all_of(base.entries))):
        table.add_column(heading, justify="right")
    columns = (ours, *others)
    table.add_row("right first (P@1), one need", *(f"{found.first:.3f}" for found in columns))
    table.add_row("right among three cards, one need", *(f"{found.three:.3f}" for found in columns))
    table.add_row("both needs among six cards", *(f"{found.both:.3f}" for found in columns))
    for name, changed in _noises():
        noisy = [worry | {"text": changed(worry["text"], at)} for at, worry in enumerate(worries) if worry["lang"] in ("ja", "ja-easy")]
        table.add_row(f"three cards: {name}", *(f"{_search(way, rank, noisy).three:.3f}" for way, rank in _ways(base)))
    table.add_row("median ms", *(f"{found.median:.2f}" for found in columns))
    table.add_row("p99 ms", *(f"{found.slowest:.2f}" for found in columns))
    table.add_section()
    for measure, figure in (*_decisions(base, worries), *_dangers(base, dangers)):
        table.add_row(measure, figure)
    for measure, figure in _dangers(base, unseen):
        table.add_row(f"{measure}, lines kept unseen", figure)
    table.add_row("peak memory MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    out.print(table)
    return 0


def _read(name: str) -> list[Worry]:
    return [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]


def _noises() -> Sequence[tuple[str, Callable[[str, int], str]]]:
    return (("hiragana only", lambda text, _: noise.hiragana_only(text)), ("8 % slips", noise.slips), ("chatter around", noise.chatter))


def _ways(base: Base) -> list[tuple[str, Rank]]:
    def ours(text: str, limit: int) -> list[str]:
        return list(hear(text, base).cards[:limit])

    return [("Madoguchi", ours), *((rival.name, rival.rank) for rival in rivals.all_of(base.entries))]


def _search(name: str, rank: Rank, worries: Sequence[Worry]) -> Found:
    """Our cards are those that would be shown: for one need three, for several up to six; the rivals always give what is asked."""
    one = [worry for worry in worries if len(worry["needs"]) == 1 and worry["decision"] == "answer"]
    two = [worry for worry in worries if len(worry["needs"]) == 2 and worry["decision"] == "answer"]
    times, first, three = [], 0, 0
    for worry in one:
        begun = time.perf_counter()
        shown = rank(worry["text"], CARDS)
        times.append((time.perf_counter() - begun) * 1000)
        right = set(worry["needs"][0]["ids"])
        first += bool(right & set(shown[:1]))
        three += bool(right & set(shown))
    both = sum(all(set(need["ids"]) & set(rank(worry["text"], CARDS_FOR_SEVERAL)) for need in worry["needs"]) for worry in two)
    times.sort()
    return Found(first / len(one), three / len(one), both / max(len(two), 1), times[len(times) // 2], times[int(len(times) * 0.99)])


def _decisions(base: Base, worries: Sequence[Worry]) -> list[tuple[str, str]]:
    heard: list[tuple[Worry, Hearing]] = [(worry, hear(worry["text"], base)) for worry in worries]
    sides = [(worry["intent"] == "offer", hearing.intent == "offer") for worry, hearing in heard if worry["intent"] != "human"]
    return [
        ("decision right", _share([worry["decision"] == hearing.decision for worry, hearing in heard])),
        ("offer or help right", _share([meant == understood for meant, understood in sides])),
        ("offers understood", _share([understood for meant, understood in sides if meant])),
        ("language right", _share([worry["lang"].removesuffix("-easy") == hearing.lang.replace("easy", "ja") for worry, hearing in heard])),
    ]


def _dangers(base: Base, lines: Sequence[Worry]) -> list[tuple[str, str]]:
    told = [(line, line["text"].split("／")) for line in lines]
    heard = [(line, base.danger.scan(last, earlier)) for line, (*earlier, last) in told]
    real = [(line, danger) for line, danger in heard if line["label"] == "danger"]
    wanted: dict[str, Level] = {"now": "L3", "soon": "L2"}
    return [
        ("danger heard", _share([danger.heard for _, danger in real])),
        ("false alarms (L2, L3)", _share([danger.level in ("L2", "L3") for line, danger in heard if line["label"] != "danger"])),
        ("level right", _share([danger.level == wanted[line["urgency"]] for line, danger in real])),
        ("kinds right", _share([set(line["kinds"]) <= set(danger.kinds) for line, danger in real])),
    ]


def _share(right: Sequence[bool]) -> str:
    return f"{sum(right) / max(len(right), 1):.3f}"
