"""Which entries a sign points to, and how strongly: a few flat arrays, so that a thousand entries cost as little as a hundred."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
SMALL: Final = 200_000
"""Cells per strength, and cells, up to which a message is laid out as a table."""
FREQUENT: Final = 8
"""A sign that points to one column of so many or more is also kept laid out; a large base has none (see `thinned`)."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where some asked signs point: `which` of them (by place in the asking), to which column, how strongly.

    `table` has it as rows and columns instead where that is not much larger: a product is then quicker than a walk.
    """

    which: Places
    columns: Ints
    weights: Floats
    width: int
    table: Floats | None = None

    def score(self, strengths: Floats) -> Floats:
        """For every row of strengths (by place in the asking): the sum over the asked signs of strength × weight, for every column."""
        if self.table is not None:
            return strengths @ self.table
        count = len(strengths)
        cells = (np.arange(count) * self.width)[:, None] + self.columns
        told = strengths[:, self.which] * self.weights
        return np.bincount(cells.ravel(), told.ravel(), count * self.width).astype(np.float32).reshape(count, self.width)

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
    laid_out: Floats | None = None
    """The frequent rows once more, with a cell for every column."""
    laid_at: Ints | None = None
    """By row: its place in `laid_out`, −1 for a rare one."""

    @classmethod
    def of(cls, keys: Keys, rows: Places, columns: Places, weights: Weights, width: int) -> "Postings":
        """From triples sorted by row, then column."""
        starts = np.searchsorted(rows, np.arange(len(keys) + 1)).astype(np.int32)
        return cls(keys, starts, columns.astype(np.int32), weights.astype(np.float32), width)

    def quick(self) -> "Postings":
        """With its frequent rows laid out, for postings that every message asks."""
        counts = np.diff(self.starts)
        frequent = counts * FREQUENT >= max(self.width, 1)
        laid_at = np.where(frequent, frequent.cumsum() - 1, -1).astype(np.int32)
        mine = np.repeat(frequent, counts)
        laid_out = np.zeros((int(frequent.sum()), self.width), np.float32)
        laid_out[np.repeat(laid_at, counts)[mine], self.columns[mine]] = self.weights[mine]
        return replace(self, laid_out=laid_out, laid_at=laid_at)

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
        counts = self.starts[known + 1] - self.starts[known]
        if len(rows) * self.width > max(SPARSE * int(np.add.reduce(counts)), SMALL):
            return Pointed(*self._walk(which, known, counts), self.width)
        table = np.zeros((len(rows), self.width), np.float32)
        if self.laid_out is not None and self.laid_at is not None:
            at = self.laid_at[known]
            rare = at < 0
            table[which[~rare]] = self.laid_out[at[~rare]]
            which, known, counts = which[rare], known[rare], counts[rare]
        places, columns, weights = self._walk(which, known, counts)
        table.ravel()[places * self.width + columns] = weights
        return Pointed(places, columns, weights, self.width, table)

    def _walk(self, which: Places, rows: Places, counts: Ints) -> tuple[Places, Ints, Floats]:
        """The strengths of some rows one after another, each with the place of its row in `which`."""
        ends = counts.cumsum()
        places = np.arange(ends[-1] if len(ends) else 0) + (self.starts[rows] - ends + counts).repeat(counts)
        return which.repeat(counts), self.columns[places], self.weights[places]

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
    return best_of_each(scores[None], limit).ravel()


def best_of_each(scores: Floats, limit: int) -> Places:
    """The same for every row of scores, all at once: [row, place]."""
    count, width = scores.shape
    if 4 * limit >= width:
        return np.argsort(-scores, axis=1, kind="stable")[:, :limit]
    least = np.partition(scores, width - limit, axis=1)[:, width - limit]
    rows, places = (scores >= least[:, None]).nonzero()
    order = np.lexsort((places, -scores[rows, places], rows))
    first = np.searchsorted(rows, np.arange(count))
    return np.asarray(places[order[first[:, None] + np.arange(limit)]], np.intp)
