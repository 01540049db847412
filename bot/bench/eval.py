"""`madoguchi eval`: how well hearing hears, beside plain search, on the development sets (sets/README.md). One table.

The sets are small and were looked at while building: their figures say that nothing broke, not how the product does on people it has never met.
"""

import json
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.bench import noise, rivals
from knowledge.base import Base, load
from knowledge.hearing import Hearing, hear
from knowledge.hearing.calibrate import calibrate
from knowledge.hearing.model import Level

SETS = Path(__file__).parent / "sets"
AGREED = SETS / "agreed.json"
"""Figures that may not be fallen short of. The aim for both needs (.85) is not reached yet: its floor keeps what there is."""
FIRST, THREE, BOTH = "right first (P@1), one need", "right among three cards, one need", "both needs among six cards"
DECISIONS = (
    "decision right",
    "complex cases reach a human",
    "one need heard as several",
    "offer or help right",
    "offers understood",
    "language right",
)
UNSEEN = ("unseen: households reach a human", "unseen: one desk's stories taken from it", "unseen: both needs among six cards")
OTHERS = (
    "other writers: right first",
    "other writers: right among three cards",
    "other writers: both needs among six cards",
    "other writers: decision right",
    "other writers: complex cases reach a human",
    "other writers: offers understood",
    "other writers: ordinary worries taken for danger (L2, L3)",
    "other writers: ordinary worries asked about danger",
    "other writers: danger heard",
    "other writers: false alarms (L2, L3)",
    "other writers: level right",
    "other writers: kinds right",
)
ORDINARY = ("ordinary worries taken for danger (L2, L3)", "ordinary worries asked about danger")
CALIBRATED = ("unanswerable questions with a confident card", "calibration error of the base's examples")
DANGERS = ("danger heard", "false alarms (L2, L3)", "level right", "kinds right")
CARDS, CARDS_FOR_SEVERAL = 3, 6
CONFIDENT = 0.5
CALIBRATED_ON = 3
"""Every so manieth example of the base is asked for its calibration error."""
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
    """The verb: load the base, print the table. Exit code 1 where a figure falls short of the agreed ones."""
    missed = fallen_short(run(load(folder), out), AGREED)
    for line in missed:
        out.print(line)
    return 1 if missed else 0


def fallen_short(figures: Mapping[str, float], agreed: Path) -> list[str]:
    """One line for every agreed figure that was not reached; a figure that nobody measured is not reached either."""
    lines = []
    for name, row in json.loads(agreed.read_text(encoding="utf-8")).items():
        figure = figures.get(name)
        if figure is None:
            lines.append(f"{name}: not measured")
        elif figure < row.get("least", figure):
            lines.append(f"{name}: {figure:.3f}, agreed at least {row['least']}")
        elif figure > row.get("most", figure):
            lines.append(f"{name}: {figure:.3f}, agreed at most {row['most']}")
    return lines


def run(base: Base, out: Console) -> dict[str, float]:
    """Measure everything once and print it. Returns our own figures by the name of their row."""
    worries = [worry for name in ("worries-dev-1", "worries-dev-2") for worry in _read(name)]
    dangers = _read("danger-dev")
    for rival in rivals.all_of(base.entries):
        rival.rank("ならし", CARDS)
    table = Table(title=f"{len(worries)} worries, {len(dangers)} lines with and without danger, {len(base.entries)} entries")
    table.add_column("measure")
    ours, *others = (_search(name, rank, worries) for name, rank in _ways(base))
    for heading in ("Madoguchi", *(rival.name for rival in rivals.all_of(base.entries))):
        table.add_column(heading, justify="right")
    columns = (ours, *others)
    figures = {FIRST: ours.first, THREE: ours.three, BOTH: ours.both}
    table.add_row(FIRST, *(f"{found.first:.3f}" for found in columns))
    table.add_row(THREE, *(f"{found.three:.3f}" for found in columns))
    table.add_row(BOTH, *(f"{found.both:.3f}" for found in columns))
    for name, changed in _noises():
        noisy = [worry | {"text": changed(worry["text"], at)} for at, worry in enumerate(worries) if worry["lang"] in ("ja", "ja-easy")]
        three = [_search(way, rank, noisy).three for way, rank in _ways(base)]
        figures[f"three cards: {name}"] = three[0]
        table.add_row(f"three cards: {name}", *(f"{share:.3f}" for share in three))
    table.add_row("median ms", *(f"{found.median:.2f}" for found in columns))
    table.add_row("p99 ms", *(f"{found.slowest:.2f}" for found in columns))
    table.add_section()
    figures |= {**_decisions(base, worries), **_unseen(base), **_others(base), **_calibrated(base)}
    figures |= {**_ordinary(base, worries), **_dangers(base, dangers)}
    for measure in (*DECISIONS, *UNSEEN, *OTHERS, *CALIBRATED, *ORDINARY, *DANGERS):
        table.add_row(measure, f"{figures[measure]:.3f}")
    table.add_row("peak memory MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    out.print(table)
    return figures


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


def _decisions(base: Base, worries: Sequence[Worry]) -> dict[str, float]:
    heard: list[tuple[Worry, Hearing]] = [(worry, hear(worry["text"], base)) for worry in worries]
    sides = [(worry["intent"] == "offer", hearing.intent == "offer") for worry, hearing in heard if worry["intent"] != "human"]
    human = [hearing.decision in ("handoff", "danger") for worry, hearing in heard if worry["decision"] == "handoff"]
    single = [len(hearing.needs) > 1 for worry, hearing in heard if len(worry["needs"]) == 1 and worry["decision"] == "answer"]
    shares = (
        [worry["decision"] == hearing.decision for worry, hearing in heard],
        human,
        single,
        [meant == understood for meant, understood in sides],
        [understood for meant, understood in sides if meant],
        [worry["lang"].removesuffix("-easy") == hearing.lang.replace("easy", "ja") for worry, hearing in heard],
    )
    return dict(zip(DECISIONS, map(_share, shares), strict=True))


def _unseen(base: Base) -> dict[str, float]:
    """Sets that were written before what they measure was built (sets/README.md), and are only counted."""
    homes = [(line["decision"] == "handoff", hear(line["text"], base).decision in ("handoff", "danger")) for line in _read("households-unseen")]
    two = [(line, set(hear(line["text"], base).cards[:CARDS_FOR_SEVERAL])) for line in _read("two-needs-unseen")]
    shares = (
        [taken for whole, taken in homes if whole],
        [taken for whole, taken in homes if not whole],
        [all(shown & set(need["ids"]) for need in line["needs"]) for line, shown in two],
    )
    return dict(zip(UNSEEN, map(_share, shares), strict=True))


def _others(base: Base) -> dict[str, float]:
    """Worries and dangers by people who had read none of our sentences: how the product does on whom it has never met."""
    worries = _read("worries-unseen")
    (_, ours), *_ = _ways(base)
    found, decided = _search("Madoguchi", ours, worries), _decisions(base, worries)
    chosen = [decided[name] for name in ("decision right", "complex cases reach a human", "offers understood")]
    quiet, heard = _ordinary(base, worries), _dangers(base, _read("danger-unseen"))
    return dict(zip(OTHERS, (found.first, found.three, found.both, *chosen, *quiet.values(), *heard.values()), strict=True))


def _ordinary(base: Base, worries: Sequence[Worry]) -> dict[str, float]:
    """How often those who told of no danger are answered as if they had."""
    levels = [base.danger.scan(worry["text"]).level for worry in worries]
    return dict(zip(ORDINARY, (_share([level in ("L2", "L3") for level in levels]), _share([level != "L0" for level in levels])), strict=True))


def _calibrated(base: Base) -> dict[str, float]:
    """How many questions that no service answers get a CONFIDENT card, none asked back; how far the confidence is from what comes true."""
    heard = [hear(line["text"], base) for line in _read("unanswerable")]
    shown = [each.decision == "answer" and any(match.score >= CONFIDENT for need in each.needs for match in need.services[:1]) for each in heard]
    error = calibrate(base.hearing, [text for entry in base.entries.values() for text in entry.examples], every=CALIBRATED_ON).error
    return dict(zip(CALIBRATED, (_share(shown), error), strict=True))


def _dangers(base: Base, lines: Sequence[Worry]) -> dict[str, float]:
    told = [(line, line["text"].split("／")) for line in lines]
    heard = [(line, base.danger.scan(last, earlier)) for line, (*earlier, last) in told]
    real = [(line, danger) for line, danger in heard if line["label"] == "danger"]
    wanted: dict[str, Level] = {"now": "L3", "soon": "L2"}
    shares = (
        [danger.heard for _, danger in real],
        [danger.level in ("L2", "L3") for line, danger in heard if line["label"] != "danger"],
        [danger.level == wanted[line["urgency"]] for line, danger in real],
        [set(line["kinds"]) <= set(danger.kinds) for line, danger in real],
    )
    return dict(zip(DANGERS, map(_share, shares), strict=True))


def _share(right: Sequence[bool]) -> float:
    return sum(right) / max(len(right), 1)
