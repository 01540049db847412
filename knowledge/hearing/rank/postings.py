"""Which entries a sign points to, and how strongly: a few flat arrays, so that a thousand entries cost as little as a hundred."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.hearing.rank.keys import Keys

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
Weights = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

LARGE: Final = 1_000
COMMON: Final = 0.1
SPARSE: Final = 24
"""Cells per strength up to which a message is laid out as a table."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where some asked signs point: `which` of them (by place in the asking), to which column, how strongly.

    `table` is the same as rows and columns where that is not much larger: a product is then quicker than a walk.
    """

    which: Places
    columns: Ints
    weights: Floats
    width: int
    table: Floats | None

    @classmethod
    def of(cls, which: Places, columns: Ints, weights: Floats, asked: int, width: int) -> "Pointed":
        """From triples; `asked` is the number of signs asked for."""
        if asked * width > SPARSE * len(which):
            return cls(which, columns, weights, width, None)
        table = np.zeros(asked * width, np.float32)
        table[which * width + columns] = weights
        return cls(which, columns, weights, width, table.reshape(asked, width))

    def score(self, strengths: Floats) -> Floats:
        """For every row of strengths (by place in the asking): the sum over the asked signs of strength × weight, for every column."""
        if self.table is not None:
            return strengths @ self.table
        return np.array([np.bincount(self.columns, self.weights * row[self.which], self.width) for row in strengths], np.float32)

    def towards(self, columns: Sequence[int], asked: int) -> Floats:
        """How strongly each of the `asked` signs points to some columns: [sign, column]."""
        if self.table is not None:
            return self.table[:, columns]
        found = np.zeros((asked, len(columns)), np.float32)
        for place, column in enumerate(columns):
            there = (self.columns == column).nonzero()[0]
            found[self.which[there], place] = self.weights[there]
        return found


@dataclass(frozen=True, slots=True)
class Postings:
    """Row by sign: `keys[row]` ascending; `columns[starts[row]:starts[row+1]]` are entries in order, `weights` the strength of each."""

    keys: Keys
    starts: Ints
    columns: Ints
    weights: Floats
    width: int

    @classmethod
    def of(cls, keys: Keys, rows: Places, columns: Places, weights: Weights, width: int) -> "Postings":
        """From triples sorted by row, then column."""
        starts = np.searchsorted(rows, np.arange(len(keys) + 1)).astype(np.int32)
        return cls(keys, starts, columns.astype(np.int32), weights.astype(np.float32), width)

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
        return Postings(self.keys, starts, self.columns[mask], self.weights[mask], self.width)

    def rows(self, keys: Keys) -> Places:
        """The row of each key, −1 for an unknown one."""
        if not len(self.keys):
            return np.full(len(keys), -1, np.intp)
        places = np.searchsorted(self.keys, keys)
        places[places == len(self.keys)] = 0
        return np.where(self.keys[places] == keys, places, -1)

    def point(self, rows: Places) -> Pointed:
        """Where the signs of these rows point; a row of −1 points nowhere."""
        which = (rows >= 0).nonzero()[0]
        known = rows[which]
        first = self.starts[known]
        counts = self.starts[known + 1] - first
        ends = counts.cumsum()
        places = np.arange(ends[-1] if len(ends) else 0) + (first - ends + counts).repeat(counts)
        return Pointed.of(which.repeat(counts), self.columns[places], self.weights[places], len(rows), self.width)

    def beside(self, other: "Postings") -> "Postings":
        """One table of both, for signs in the same rows: the other's columns follow these."""
        counts, more = np.diff(self.starts), np.diff(other.starts)
        rows = np.concatenate((np.repeat(np.arange(len(counts)), counts), np.repeat(np.arange(len(more)), more)))
        order = np.argsort(rows, kind="stable")
        columns = np.concatenate((self.columns, other.columns + self.width))[order]
        weights = np.concatenate((self.weights, other.weights))[order]
        starts = (self.starts + other.starts).astype(np.int32)
        return Postings(self.keys, starts, columns, weights, self.width + other.width)


@dataclass(frozen=True, slots=True)
class Once:
    """Each of some keys once, ascending; `of` is the place of every key given among them."""

    keys: Keys
    of: Places
    order: Places
    first: Places
    """Where each key begins in `order`."""

    @classmethod
    def made(cls, keys: Keys) -> "Once":
        order = keys.argsort(kind="stable")
        ordered = keys[order]
        first = np.ones(len(keys), bool)
        np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
        places = np.empty(len(keys), np.intp)
        places[order] = first.cumsum() - 1
        return cls(ordered[first], places, order, first.nonzero()[0])

    def any(self, masks: Mask) -> Mask:
        """For every row of a mask over the keys given: which of the keys have at least one place in it."""
        if not len(self.first):
            return np.zeros((len(masks), 0), bool)
        return np.logical_or.reduceat(masks[:, self.order], self.first, axis=1)


def distinct(keys: Keys) -> tuple[Keys, Places]:
    """Each key once, ascending, and for every key given its place among them."""
    once = Once.made(keys)
    return once.keys, once.of


def summed(rows: Places, columns: Places, weights: Weights, width: int) -> tuple[Places, Places, npt.NDArray[np.float64]]:
    """Triples put in order, those of one row and column added up."""
    cells, inverse = np.unique(rows.astype(np.int64) * max(width, 1) + columns, return_inverse=True)
    totals = np.bincount(inverse, weights, len(cells)).astype(float)
    return cells // max(width, 1), cells % max(width, 1), totals


def best(scores: Floats, limit: int) -> Places:
    """Places of the highest scores, highest first, equal ones in their order."""
    if 4 * limit >= len(scores):
        return np.argsort(-scores, kind="stable")[:limit]
    among = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit])
    return among[np.argsort(-scores[among], kind="stable")[:limit]]
