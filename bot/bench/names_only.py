"""A base as many a town has it at first: some hundreds of names with one sentence each, no examples (sets/names-only*.jsonl, graded questions)."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from bot.bench import rivals
from bot.bench.lines import read
from knowledge.hearing.index import Index
from knowledge.hearing.lexicon import Lexicon

MEASURES: Final = ("names only: right first", "names only: right among five")
CARDS: Final = 5
Rank = Callable[[str, int], list[str]]


def ways(lexicon: Lexicon) -> list[Rank]:
    """We first, then the rivals, over the same names and sentences."""
    entries: Mapping[str, Any] = {
        line["id"]: SimpleNamespace(**line, domain=None, keywords=(), examples=()) for line in read("names-only")
    }  # fmt: skip
    return [Index.build(entries, lexicon=lexicon).order, *(rival.rank for rival in rivals.all_of(entries))]


def found(rank: Rank) -> dict[str, Sequence[bool]]:
    """For each question whether an entry that was graded as an answer comes first, and whether one is among five."""
    asked = [(line["grades"], rank(line["text"], CARDS)) for line in read("names-only-questions")]
    return {name: [bool(grades.keys() & set(order[:many])) for grades, order in asked] for name, many in zip(MEASURES, (1, CARDS), strict=True)}

