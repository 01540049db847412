"""Finding an entry by a word of its name, however it is typed: kana for kanji, a slip, half a word (desk.md §4)."""

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from knowledge.entry import Entry
from knowledge.hearing.normalise import hiragana, plain

_NEAR = 72.0
"""Likeness (0–100) below which a word is another word."""


def search(entries: Iterable[Entry], words: str) -> list[Entry]:
    """Entries that hold these words in name, reading, id or keywords, the nearest first; all of them, by name, when nothing is asked."""
    wanted = _even(words)
    if not wanted:
        return sorted(entries, key=lambda entry: _even(entry.kana or entry.name))
    scored = [(_likeness(entry, wanted), entry) for entry in entries]
    return [entry for score, entry in sorted(scored, key=lambda pair: (-pair[0], pair[1].id)) if score >= _NEAR]


def _likeness(entry: Entry, wanted: str) -> float:
    names = [even for even in map(_even, (entry.name, entry.kana or "", entry.id, *entry.keywords)) if even]
    if any(wanted in name for name in names):
        return 100.0 + max(100 * len(wanted) / len(name) for name in names if wanted in name)
    return max((fuzz.ratio(wanted, name) for name in names), default=0.0)


def _even(text: str) -> str:
    return re.sub("子(?:供|ども)", "こども", hiragana(plain(text).text)).replace(" ", "").casefold()
