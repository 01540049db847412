"""What hearing is measured against: three plain ways to search the same base, each given all the words of every entry."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log1p

from rapidfuzz import fuzz, process

from knowledge.entry import Entry
from knowledge.hearing.normalise import cut, plain

STEEPNESS = 1.2
LENGTH = 0.75


@dataclass(frozen=True)
class Rival:
    """A name for the table, and a function from a text to ids, best first."""

    name: str
    rank: Callable[[str, int], list[str]]


def all_of(entries: Mapping[str, Entry]) -> list[Rival]:
    """The three rivals over one base."""
    ids = list(entries)
    whole = [" ".join([entry.name, *entry.keywords, entry.summary, *entry.examples]) for entry in entries.values()]
    names = [f"{entry.name} {entry.summary}" for entry in entries.values()]

    def wratio(text: str, limit: int) -> list[str]:
        return [ids[at] for _, _, at in process.extract(text, names, scorer=fuzz.WRatio, limit=limit)]

    return [
        Rival("rapidfuzz WRatio", wratio),
        Rival("BM25, characters", _bm25(ids, whole, _characters)),
        Rival("BM25, Sudachi words", _bm25(ids, whole, _words)),
    ]


def _characters(text: str) -> list[str]:
    letters = "".join(plain(text).text.split())
    return [letters[at : at + size] for size in (1, 2) for at in range(len(letters) - size + 1)]


def _words(text: str) -> list[str]:
    return [word.form for word in cut(plain(text)).words]


def _bm25(ids: Sequence[str], documents: Sequence[str], terms: Callable[[str], list[str]]) -> Callable[[str, int], list[str]]:
    counted = [Counter(terms(document)) for document in documents]
    lengths = [sum(counts.values()) for counts in counted]
    usual = sum(lengths) / max(len(lengths), 1)
    postings: dict[str, list[tuple[int, float]]] = {}
    for at, counts in enumerate(counted):
        for term, count in counts.items():
            weight = count * (STEEPNESS + 1) / (count + STEEPNESS * (1 - LENGTH + LENGTH * lengths[at] / usual))
            postings.setdefault(term, []).append((at, weight))

    def rank(text: str, limit: int) -> list[str]:
        scores = [0.0] * len(ids)
        for term in set(terms(text)):
            entries = postings.get(term, ())
            idf = log1p((len(ids) - len(entries) + 0.5) / (len(entries) + 0.5))
            for at, weight in entries:
                scores[at] += idf * weight
        return [ids[at] for at in sorted(range(len(ids)), key=lambda at: -scores[at])[:limit]]

    return rank
