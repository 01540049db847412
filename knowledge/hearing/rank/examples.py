"""The strongest channel: what residents said before, an entry's examples taken together.

Each example is a vector of its signs (rare signs weigh more), of length one. An entry is the sum of its examples, with BM25's saturation: the third
example that says 家賃 adds less than the second. Measured on the development worries: best single example .60 first places, kernel ridge
regression .76, this .78. And an example can be left out exactly, by subtraction, which no trained model allows so cheaply.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge.hearing.rank.keys import NO_KEYS, Keys, kinds
from knowledge.hearing.rank.postings import Floats, Places, Postings, distinct, summed
from knowledge.hearing.rank.signs import WEIGHT

SATURATION = 2.0
LENGTH = 0.4
"""How much an entry with many or long examples is held back, 0–1."""
RARITY = 0.8
"""Power on the idf inside one example: full idf lets one odd noun (三線, 豆腐) carry a whole message."""
SPREAD = 0.75
"""Power on the idf over entries."""
STRANGE = 0.5
"""A sign never seen counts for the length of a message like a rare one, at this weight."""


@dataclass(frozen=True, slots=True)
class Examples:
    """`sums` holds the summed example weights by sign and entry."""

    sums: Postings
    rarity: Floats
    """By row: idf of the sign inside one example; 0 for a sign that no example has."""
    spread: Floats
    """By row: how few entries share the sign."""
    lengths: Floats
    usual_length: float

    @classmethod
    def build(cls, spoken: Sequence[tuple[int, Keys]], vocabulary: Keys, width: int) -> "Examples":
        """From (entry number, signs, each once) of every example; rows are those of the vocabulary, `width` is the number of entries."""
        rows = np.searchsorted(vocabulary, np.concatenate([NO_KEYS, *(keys for _, keys in spoken)]))
        which = np.repeat(np.arange(len(spoken)), [len(keys) for _, keys in spoken])
        met = np.bincount(rows, minlength=len(vocabulary))
        idf = np.where(met > 0, np.log1p(len(spoken) / np.maximum(met, 1)) ** RARITY * WEIGHT[kinds(vocabulary)], 0.0)
        weights = idf[rows]
        norms = np.sqrt(np.bincount(which, weights**2, max(len(spoken), 1)))
        entries = np.array([entry for entry, _ in spoken], np.intp)[which]
        sums = Postings.of(vocabulary, *summed(rows, entries, weights / np.maximum(norms[which], 1e-9), width), width)
        lengths = np.bincount(sums.columns, sums.weights, width).astype(np.float32)
        spoken_of = lengths > 0
        usual = float(lengths[spoken_of].mean()) if spoken_of.any() else 1.0
        count = np.diff(sums.starts)
        spread = np.log1p((spoken_of.sum() - count + 0.5) / (count + 0.5)).clip(0.01) ** SPREAD
        return cls(sums, idf.astype(np.float32), spread.astype(np.float32), lengths, usual)

    def postings(self) -> Postings:
        """What each sign is evidence for: the sums after saturation."""
        sums = self.sums
        strengths = _saturated(sums.weights, self.lengths[sums.columns], self.usual_length) * np.repeat(self.spread, np.diff(sums.starts))
        return replace(sums, weights=strengths).thinned()

    def weights(self, keys: Keys, rows: Places) -> Floats:
        """How much each sign of a message weighs before the message is brought to length one."""
        strange = np.float32(STRANGE * np.log1p(len(self.lengths) * 10) ** RARITY)
        if not len(self.rarity):
            return strange * WEIGHT[kinds(keys)]
        rarity = self.rarity[rows]
        return np.where((rows >= 0) & (rarity > 0), rarity, strange * WEIGHT[kinds(keys)])

    def score_without(self, rows: Places, wanted: Floats, entry: int, left: "Left") -> float:
        """Evidence for one entry as if one of its examples had never been written."""
        known = rows >= 0
        rows, wanted = rows[known], wanted[known]
        length = np.float32(self.lengths[entry] - left.weights.sum())
        there = self.sums.point(rows).towards([entry], len(rows))[:, 0] - left.at(rows)
        kept = np.where(there > 1e-6, there, np.float32(0.0))
        return float((wanted * _saturated(kept, length, self.usual_length) * self.spread[rows]).sum())

    def left(self, keys: Keys) -> "Left":
        """An example to forget, as it was added up."""
        asked, _ = distinct(keys)
        rows = self.sums.rows(asked)
        weights = self.weights(asked, rows)
        length = max(float(np.dot(weights, weights)), 1e-9) ** 0.5
        known = rows >= 0
        known[known] = self.rarity[rows[known]] > 0
        return Left(rows[known], weights[known] / np.float32(length))


@dataclass(frozen=True, slots=True)
class Left:
    """The vector of one sentence of length one: known rows, ascending, and their weights."""

    rows: Places
    weights: Floats

    def at(self, rows: Places) -> Floats:
        """This vector's weights at the given rows; 0 where it has none."""
        if not len(self.rows):
            return np.zeros(len(rows), np.float32)
        places = np.searchsorted(self.rows, rows).clip(max=len(self.rows) - 1)
        return np.where(self.rows[places] == rows, self.weights[places], np.float32(0.0))


def _saturated(summed: Floats, length: Floats | np.float32, usual: float) -> Floats:
    slack = SATURATION * (1 - LENGTH + LENGTH * length / np.float32(usual))
    return np.asarray(summed * (SATURATION + 1) / (summed + slack), np.float32)
