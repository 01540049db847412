"""The plainest channel: BM25 over single characters and pairs of them, of everything an entry says.

It knows no word and no grammar, and for that survives slips, dialect and names the dictionary has never seen. Alone it is as good at the first place
as the examples are (.76); together they find the right three cards in .95 of the development worries, .91 without it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.postings import Floats, Ints, Places, Postings

_BETWEEN = "\0"
_SPACE, _WRITTEN = re.compile(r"\s"), re.compile(r"\S")

STEEPNESS = 1.2
LENGTH = 0.75
STRANGE = 0.5
"""Share of a run never seen in the weight of a message."""


def runs(text: str) -> Keys:
    """Every character and every pair of neighbours, spaces off, with repeats."""
    codes = keys.letters("".join(text.split()))
    return np.concatenate((keys.runs(codes, 1), keys.runs(codes, 2, kind=1)))


def _runs_of_all(texts: Sequence[str]) -> Keys:
    """The runs of many texts at once, none of them across two texts."""
    codes = keys.letters(_BETWEEN.join("".join(text.split()) for text in texts))
    written = codes != ord(_BETWEEN)
    singles, pairs = keys.runs(codes, 1), keys.runs(codes, 2, kind=1)
    return np.concatenate((singles[written], pairs[written[:-1] & written[1:]] if len(pairs) else pairs))


def placed(text: str) -> tuple[Keys, Ints, Ints]:
    """The same, each with where it stands in the text."""
    run = runs(text)
    places = np.array([match.start() for match in _WRITTEN.finditer(text)], np.int32) if _SPACE.search(text) else np.arange(len(text), dtype=np.int32)
    return run, np.concatenate((places, places[:-1])), np.concatenate((places, places[1:])) + 1


@dataclass(frozen=True, slots=True)
class Letters:
    """`counts` by run and entry; `postings` the same as BM25 strengths."""

    counts: Postings
    postings: Postings
    idf: Floats
    lengths: Floats
    usual_length: float

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]]) -> "Letters":
        """From all texts of every entry, in plain writing."""
        written = [np.unique(_runs_of_all(of_entry), return_counts=True) for of_entry in texts]
        lengths = np.array([times.sum() for _, times in written], np.float32)
        found = np.concatenate([NO_KEYS, *(each for each, _ in written)])
        names = keys.once(found)
        rows = np.searchsorted(names, found)
        order = np.argsort(rows, kind="stable")  # the entries of a run stay in their order
        columns = np.repeat(np.arange(len(written)), [len(each) for each, _ in written])[order]
        times = np.concatenate([np.zeros(0), *(many for _, many in written)])[order]
        counts = Postings.of(names, rows[order], columns, times, len(written))
        usual = float(lengths.mean()) if len(lengths) else 1.0
        entries = np.diff(counts.starts)
        idf = np.log1p((len(written) - entries + 0.5) / (entries + 0.5)).astype(np.float32)
        strengths = _saturated(counts.weights, lengths[counts.columns], usual) * np.repeat(idf, entries)
        return cls(counts, replace(counts, weights=strengths.astype(np.float32)).thinned().quick(), idf, lengths, max(usual, 1.0))

    def weights(self, rows: Places) -> Floats:
        """What each run of a message adds to the square of its weight; runs never seen weigh like the rarest."""
        rarest = np.float32(STRANGE * np.log1p(2 * len(self.lengths) + 1) ** 2)
        if not len(self.idf):
            return np.full(len(rows), rarest, np.float32)
        return np.where(rows >= 0, self.idf[rows] ** 2, rarest)

    def score_without(self, rows: Places, wanted: Floats, entry: int, left: Keys) -> float:
        """BM25 for one entry as if a text with the runs `left` had never been written in it."""
        known = rows >= 0
        rows, wanted = rows[known], wanted[known]
        gone, times = np.unique(left, return_counts=True)
        less = dict(zip(self.counts.rows(gone).tolist(), times.tolist(), strict=True))
        there = self.counts.point(rows).towards([entry], len(rows))[:, 0] - np.array([less.get(row, 0) for row in rows.tolist()], np.float32)
        kept = np.where(there > 0, there, np.float32(0.0))
        length = self.lengths[entry] - np.float32(len(left))
        return float((wanted * _saturated(kept, length, self.usual_length) * self.idf[rows]).sum())


def _saturated(counts: Floats, length: Floats | np.float32, usual: float) -> Floats:
    slack = STEEPNESS * (1 - LENGTH + LENGTH * length / np.float32(max(usual, 1.0)))
    return np.asarray(counts * (STEEPNESS + 1) / (counts + slack), np.float32)
