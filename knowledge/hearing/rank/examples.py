"""The strongest channel: what residents said before, an entry's examples taken together.

Each example is a vector of its signs (rare signs weigh more), of length one. An entry is the sum of its examples, with BM25's saturation: the third
example that says 家賃 adds less than the second. Measured on the development worries: best single example .60 first places, kernel ridge
regression .76, this .78. And an example can be left out exactly, by subtraction, which no trained model allows so cheaply.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge.hearing.rank.postings import Floats, Postings, Vector
from knowledge.hearing.rank.signs import WEIGHT

SATURATION = 2.0
LENGTH = 0.4
"""How much an entry with many or long examples is held back, 0–1."""
RARITY = 0.8
"""Power on the idf inside one example: full idf lets one odd noun (三線, 豆腐) carry a whole message."""
SPREAD = 0.75
"""Power on the idf over entries."""


@dataclass(frozen=True, slots=True)
class Examples:
    """`sums` holds the summed example weights by sign and entry; `postings` the same after saturation."""

    sums: Postings
    postings: Postings
    rarity: Floats
    """By row: idf of the sign inside one example."""
    spread: Floats
    """By row: how few entries share the sign."""
    lengths: Floats
    usual_length: float
    owners: dict[str, tuple[int, ...]]
    """Which entries hold an example, by its exact text."""

    @classmethod
    def build(cls, spoken: Sequence[tuple[int, str, frozenset[str]]], width: int) -> "Examples":
        """From (entry number, text, signs) of every example; `width` is the number of entries."""
        names = sorted({key for _, _, keys in spoken for key in keys})
        number = {key: row for row, key in enumerate(names)}
        rows = np.array([number[key] for _, _, keys in spoken for key in sorted(keys)], np.int64)
        which = np.repeat(np.arange(len(spoken)), [len(keys) for _, _, keys in spoken])
        kinds = np.array([WEIGHT[key[0]] for key in names])
        idf = np.log1p(max(len(spoken), 1) / np.maximum(np.bincount(rows, minlength=len(names)), 1)) ** RARITY * kinds
        weights = idf[rows]
        norms = np.sqrt(np.bincount(which, weights**2, max(len(spoken), 1)))
        weights = weights / np.maximum(norms[which], 1e-9) if len(spoken) else weights
        entries = np.array([entry for entry, _, _ in spoken], np.int64)[which] if len(spoken) else rows
        cells, inverse = np.unique(rows * max(width, 1) + entries, return_inverse=True)
        totals = np.bincount(inverse, weights, len(cells))
        cell_rows, cell_entries = (cells // max(width, 1)).astype(np.int32), (cells % max(width, 1)).astype(np.int32)
        sums = Postings.of(names, cell_rows, cell_entries, totals.astype(np.float32), width)
        lengths = np.bincount(sums.columns, sums.weights, width).astype(np.float32)
        spoken_of = lengths > 0
        usual = float(lengths[spoken_of].mean()) if spoken_of.any() else 1.0
        count = np.diff(sums.starts)
        spread = np.log1p((spoken_of.sum() - count + 0.5) / (count + 0.5)).clip(0.01) ** SPREAD
        owners: dict[str, tuple[int, ...]] = {}
        for entry, text, _ in spoken:
            owners[text] = (*owners.get(text, ()), entry)
        strengths = _saturated(sums.weights, lengths[sums.columns], usual) * np.repeat(spread, count)
        postings = replace(sums, weights=strengths.astype(np.float32)).thinned()
        return cls(sums, postings, idf.astype(np.float32), spread.astype(np.float32), lengths, usual, owners)

    def vector(self, keys: Iterable[str]) -> Vector:
        """Signs with their rarity, to length one; a sign never seen counts for the length like a rare one, at half weight."""
        rows, unknown = [], 0.0
        strange = float(np.log1p(len(self.lengths) * 10)) ** RARITY * 0.5
        for key in keys:
            row = self.sums.rows.get(key)
            if row is None:
                unknown += (strange * WEIGHT[key[0]]) ** 2
            else:
                rows.append(row)
        places = np.array(rows, np.int32)
        weights = self.rarity[places]
        return Vector(places, weights / np.float32(max(float(np.dot(weights, weights)) + unknown, 1e-9) ** 0.5))

    def score(self, wanted: Vector) -> Floats:
        """Evidence for every entry, 0 upwards."""
        return self.postings.score(wanted)

    def score_without(self, wanted: Vector, entry: int, left: Vector) -> float:
        """Evidence for one entry as if its example with the vector `left` had never been written."""
        length = np.float32(self.lengths[entry] - left.weights.sum())
        summed = self.sums.strengths(replace(wanted, weights=np.ones_like(wanted.weights)), entry) - left.at(wanted.rows)
        kept = np.where(summed > 1e-6, summed, np.float32(0.0))
        return float((wanted.weights * _saturated(kept, length, self.usual_length) * self.spread[wanted.rows]).sum())


def _saturated(summed: Floats, length: Floats | np.float32, usual: float) -> Floats:
    slack = SATURATION * (1 - LENGTH + LENGTH * length / np.float32(usual))
    return np.asarray(summed * (SATURATION + 1) / (summed + slack), np.float32)
