"""`madoguchi eval`: how well hearing hears, beside plain search, on the development sets (sets/README.md). One table.

The development sets are small and were looked at while building: their figures say that nothing broke, not how the product does on people it has
never met; that is what the rows "other writers" say. `--full` adds the same without each of our channels.
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

from bot.bench import ablation, curve, names_only, noise, paired, residents, rivals
from bot.bench.lines import SETS, read
from knowledge.base import Base, load
from knowledge.hearing import Hearing, hear
from knowledge.hearing.calibrate import calibrate
from knowledge.hearing.language import language
from knowledge.hearing.model import Level

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
    "other writers: hard offers understood",
    "other writers: taken for an offer, sounding like one",
    "other writers: ordinary worries taken for danger (L2, L3)",
    "other writers: ordinary worries asked about danger",
    "other writers: danger heard",
    "other writers: false alarms (L2, L3)",
    "other writers: level right",
    "other writers: kinds right",
)
RESIDENTS = ("vague, one question answered in words: right among three", "vague, two questions answered by buttons: right", "asked what was said")
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


@dataclass(frozen=True)
class More:
    """What the verb does beside the table."""

    full: bool = False
    """Also the same without each of our channels."""
    picture: Path | None = None
    """Where to draw the calibration and the styles (SVG)."""
    keep: Path | None = None
    """Where to keep what was right, line by line."""
    against: Path | None = None
    """What an earlier run kept, to be compared with."""


def main(folder: Path, more: More, out: Console) -> int:
    """The verb: load the base, print the table. Exit code 1 where a figure falls short of the agreed ones."""
    base = load(folder)
    missed = fallen_short(run(base, out), AGREED)
    if more.full:
        out.print(_without_each(base))
    if more.picture is not None:
        more.picture.write_text(_picture(base), encoding="utf-8")
    if more.keep is not None:
        paired.keep(outcomes(base), more.keep)
    if more.against is not None:
        out.print(paired.table(more.against, outcomes(base)))
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
    worries = [worry for name in ("worries-dev-1", "worries-dev-2") for worry in read(name)]
    dangers = read("danger-dev")
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
    figures |= {**_ordinary(base, worries), **_dangers(base, dangers), **_residents(base)}
    by_name = [names_only.found(rank) for rank in names_only.ways(base.hearing.lexicon)]
    for name in names_only.MEASURES:
        figures[name] = _share(by_name[0][name])
        table.add_row(name, *(f"{_share(found[name]):.3f}" for found in by_name))
    table.add_section()
    for measure in (*DECISIONS, *UNSEEN, *OTHERS, *CALIBRATED, *RESIDENTS, *ORDINARY, *DANGERS):
        table.add_row(measure, f"{figures[measure]:.3f}")
    table.add_row("peak memory MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    out.print(table)
    return figures


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
    homes = [(line["decision"] == "handoff", hear(line["text"], base).decision in ("handoff", "danger")) for line in read("households-unseen")]
    two = [(line, set(hear(line["text"], base).cards[:CARDS_FOR_SEVERAL])) for line in read("two-needs-unseen")]
    shares = (
        [taken for whole, taken in homes if whole],
        [taken for whole, taken in homes if not whole],
        [all(shown & set(need["ids"]) for need in line["needs"]) for line, shown in two],
    )
    return dict(zip(UNSEEN, map(_share, shares), strict=True))


def _others(base: Base) -> dict[str, float]:
    """Worries and dangers by people who had read none of our sentences: how the product does on whom it has never met."""
    worries = read("worries-unseen")
    (_, ours), *_ = _ways(base)
    found, decided = _search("Madoguchi", ours, worries), _decisions(base, worries)
    chosen = [decided[name] for name in ("decision right", "complex cases reach a human", "offers understood")]
    sounding = [(line["intent"] == "offer", hear(line["text"], base).intent == "offer") for line in read("offers-unseen")]
    offers = [_share([heard for offered, heard in sounding if offered == wanted]) for wanted in (True, False)]
    quiet, heard = _ordinary(base, worries), _dangers(base, read("danger-unseen"))
    return dict(zip(OTHERS, (found.first, found.three, found.both, *chosen, *offers, *quiet.values(), *heard.values()), strict=True))


def _residents(base: Base) -> dict[str, float]:
    """People who first say next to nothing (residents.py)."""
    in_words, by_button = residents.talks(base, in_words=True), residents.talks(base, in_words=False)
    shares = (
        [residents.found(talk, questions=1) for talk in in_words],
        [residents.found(talk, questions=2) for talk in by_button],
        residents.asked_again((*in_words, *by_button)),
    )
    return dict(zip(RESIDENTS, map(_share, shares), strict=True))


def outcomes(base: Base) -> dict[str, dict[str, bool]]:
    """What was right, by measure and line, over all sets of worries: what `--keep` keeps."""
    right: dict[str, dict[str, bool]] = {name: {} for name in (FIRST, THREE, BOTH, "decision right")}
    for name in ("worries-dev-1", "worries-dev-2", "worries-unseen", "two-needs-unseen"):
        for line in read(name):
            hearing, at = hear(line["text"], base), f"{name} {line['id']}"
            right["decision right"][at] = hearing.decision == line["decision"]
            needs = [set(need["ids"]) for need in line["needs"]] if line["decision"] == "answer" else []
            if len(needs) == 1:
                right[FIRST][at] = bool(needs[0] & set(hearing.cards[:1]))
                right[THREE][at] = bool(needs[0] & set(hearing.cards[:CARDS]))
            elif len(needs) == 2:
                right[BOTH][at] = all(need & set(hearing.cards[:CARDS_FOR_SEVERAL]) for need in needs)
    return right


def _without_each(base: Base) -> Table:
    """What each channel is worth on the people it has never met, with its paired bootstrap."""
    shown = Table(title="other writers, without each channel (change in first places: 95 of 100 drawings)")
    for heading in ("without", "first", "three", "both", "change", "between"):
        shown.add_column(heading, justify="left" if heading == "without" else "right")
    whole = outcomes(base)
    for name, less in (("nothing", base), *ablation.without_each(base)):
        found = outcomes(less)
        unseen = {measure: {line: right for line, right in found[measure].items() if "unseen" in line} for measure in (FIRST, THREE, BOTH)}
        by = paired.change([whole[FIRST][line] for line in unseen[FIRST]], list(unseen[FIRST].values()))
        shares = (f"{_share(list(unseen[measure].values())):.3f}" for measure in unseen)
        shown.add_row(name, *shares, f"{by.by:+.3f}", f"{by.least:+.3f} … {by.most:+.3f}")
    return shown


def _picture(base: Base) -> str:
    """Over the worries of other writers: the chance that was given, what came true, and how each way of writing fares."""
    told, by_style = list[tuple[float, bool]](), dict[str, list[bool]]()
    for line in read("worries-unseen"):
        asked = base.hearing.ask(line["text"], language(line["text"]))
        whole = asked.whole()
        best = {base.hearing.ids[entry] for entry in whole.top[:CARDS]}
        right = any(best & set(need["ids"]) for need in line["needs"])
        told.append((asked.sure(whole), right))
        if line["needs"]:
            by_style.setdefault(line["style"], []).append(right)
    return curve.picture(told, by_style)


def _ordinary(base: Base, worries: Sequence[Worry]) -> dict[str, float]:
    """How often those who told of no danger are answered as if they had."""
    levels = [base.danger.scan(worry["text"]).level for worry in worries]
    return dict(zip(ORDINARY, (_share([level in ("L2", "L3") for level in levels]), _share([level != "L0" for level in levels])), strict=True))


def _calibrated(base: Base) -> dict[str, float]:
    """How many questions that no service answers get a CONFIDENT card, none asked back; how far the confidence is from what comes true."""
    heard = [hear(line["text"], base) for line in read("unanswerable")]
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
