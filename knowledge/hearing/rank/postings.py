"""Which entries a sign points to, and how strongly: three flat arrays, so that a thousand entries cost as little as a hundred."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


LARGE = 1_000
COMMON = 0.1


@dataclass(frozen=True, slots=True)
class Vector:
    """The known signs of a text as rows of some postings, with their weights."""

    rows: Ints
    weights: Floats

    def at(self, rows: Ints) -> Floats:
        """This vector's weights at the given rows; 0 where it has none."""
        if not len(self.rows):
            return np.zeros(len(rows), np.float32)
        order = np.argsort(self.rows)
        places = np.searchsorted(self.rows[order], rows).clip(max=len(self.rows) - 1)
        return np.where(self.rows[order][places] == rows, self.weights[order][places], np.float32(0.0))


@dataclass(frozen=True, slots=True)
class Postings:
    """Row by sign: `rows[key]` is a row; `columns[starts[row]:starts[row+1]]` are entries in order, `weights` the strength of each."""

    rows: dict[str, int]
    starts: Ints
    columns: Ints
    weights: Floats
    cells: npt.NDArray[np.int64]
    """Row × width + column, ascending: to find one strength without a walk."""
    width: int

    @classmethod
    def of(cls, keys: Sequence[str], rows: Ints, columns: Ints, weights: Floats, width: int) -> "Postings":
        """From triples sorted by row, then column."""
        starts = np.searchsorted(rows, np.arange(len(keys) + 1)).astype(np.int32)
        cells = rows.astype(np.int64) * width + columns
        return cls({key: row for row, key in enumerate(keys)}, starts, columns.astype(np.int32), weights.astype(np.float32), cells, width)

    def thinned(self) -> "Postings":
        """Without the signs that more than a tenth of a large base share: they cost most of the time and tell least.

        A small base keeps them (dropping them costs it two points of first places and more).
        """
        counts = np.diff(self.starts)
        kept = counts <= COMMON * self.width
        if self.width < LARGE or kept.all():
            return self
        mask = np.repeat(kept, counts)
        starts = np.concatenate(([0], np.cumsum(np.where(kept, counts, 0)))).astype(np.int32)
        return Postings(self.rows, starts, self.columns[mask], self.weights[mask], self.cells[mask], self.width)

    def vector(self, keys: Iterable[str], weight: float = 1.0) -> Vector:
        """The known ones of `keys`, all with the same weight."""
        rows = [row for row in map(self.rows.get, keys) if row is not None]
        return Vector(np.array(rows, np.int32), np.full(len(rows), weight, np.float32))

    def score(self, wanted: Vector) -> Floats:
        """Sum over the wanted signs of weight × strength, for every entry."""
        if not len(wanted.rows):
            return np.zeros(self.width, np.float32)
        first = self.starts[wanted.rows]
        counts = self.starts[wanted.rows + 1] - first
        ends = np.cumsum(counts)
        places = np.arange(ends[-1]) + np.repeat(first - ends + counts, counts)
        return np.bincount(self.columns[places], self.weights[places] * np.repeat(wanted.weights, counts), self.width).astype(np.float32)

    def strengths(self, wanted: Vector, column: int) -> Floats:
        """Weight × strength of every wanted sign for one entry; 0 where it does not point there."""
        if not len(self.cells) or not len(wanted.rows):
            return np.zeros(len(wanted.rows), np.float32)
        cells = wanted.rows.astype(np.int64) * self.width + column
        places = np.searchsorted(self.cells, cells).clip(max=len(self.cells) - 1)
        return np.where(self.cells[places] == cells, self.weights[places] * wanted.weights, np.float32(0.0))
