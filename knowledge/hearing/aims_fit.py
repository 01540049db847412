"""Weighs sentences into the points of aims.py and the choices of decide.py: regressions over several outcomes, deterministic."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.hearing.aims import AIMS, Aim, Aims, Marks
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.postings import Floats, Places
from knowledge.hearing.regression import Matrix, leaning, lowest, one_of_many

TRUST: Final = 12.0
"""How much the sentences weigh against small points."""
SEEN_AT_LEAST: Final = 2
RIDGE: Final = 3.0
"""How small the weights of a choice are held: there are few messages to learn it from."""


class Line(NamedTuple):
    """A sentence, what it is after, and how often it counts."""

    marks: Marks
    aim: Aim
    often: float = 1.0


def fit(lines: Sequence[Line]) -> Aims:
    """The points that tell the aims of the lines apart and stay small."""
    seen, times = np.unique(np.concatenate([NO_KEYS, *(line.marks.keys for line in lines)]), return_counts=True)
    known = seen[times >= SEEN_AT_LEAST]
    rows = [_rows(known, line.marks.keys) for line in lines]
    wanted = np.array([[line.aim == aim for aim in AIMS] for line in lines], float)
    strength = np.max([leaning(rows, wanted[:, column], len(known)) for column in range(len(AIMS))], axis=0)
    problem = _Problem(rows, strength, np.stack([line.marks.direction for line in lines]), wanted, np.array([line.often for line in lines]))
    weights = lowest(problem.look, np.zeros(problem.size)).reshape(-1, len(AIMS))
    points, bias, meant = weights[: len(known)] * strength[:, None], weights[len(known)], weights[len(known) + 1 :]
    return Aims(known, points.astype(np.float32), bias.astype(np.float32), meant.astype(np.float32))


def _rows(known: Keys, keys: Keys) -> Places:
    """Where the keys stand among the known ones, ascending; those that are not known left out."""
    places = np.searchsorted(known, keys).clip(max=max(len(known) - 1, 0))
    return np.asarray(places[known[places] == keys] if len(known) else places[:0], np.intp)


def stored(aims: Aims) -> dict[str, npt.NDArray[Any]]:
    """As `aims.learnt` reads it: one byte a point, keys that carry nothing left out."""
    scale = np.abs(aims.points).max(axis=0) / 127
    small = np.round(aims.points / scale).astype(np.int8)
    kept = np.abs(small).max(axis=1) > 0
    return {"keys": aims.keys[kept], "points": small[kept], "scale": scale, "bias": aims.bias, "meant": aims.meant}


def choice_of(rows: Sequence[Sequence[float]], wanted: Sequence[int], often: Sequence[float]) -> tuple[Floats, Floats]:
    """Bias and weights [feature, choice] by the features of messages; every feature is held as small as the others, whatever its size."""
    told, chosen = np.asarray(rows, float), np.eye(max(wanted) + 1)[list(wanted)]
    mean, spread = told.mean(axis=0), told.std(axis=0) + 1e-6
    even = np.column_stack([np.ones(len(told)), (told - mean) / spread])
    held = np.full((even.shape[1], 1), RIDGE)
    held[0] = 0.0

    def look(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(even.shape[1], -1)
        loss, error = _astray(even @ weights, chosen, np.asarray(often, float))
        return loss + 0.5 * float((held * weights**2).sum()), (even.T @ error + held * weights).ravel()

    weights = lowest(look, np.zeros(even.shape[1] * chosen.shape[1])).reshape(even.shape[1], -1)
    slopes = weights[1:] / spread[:, None]
    return (weights[0] - mean @ slopes).astype(np.float32), slopes.astype(np.float32)


class _Problem:
    """All lines at once: letters as rows of a sparse table, each line ending with the bias, and the directions beside."""

    def __init__(self, rows: Sequence[Places], strength: Matrix, directions: Floats, wanted: Matrix, often: Matrix) -> None:
        self.bias, self.directions, self.wanted, self.often = len(strength), directions.astype(float), wanted, often
        self.rows = np.concatenate([np.append(places, self.bias) for places in rows])
        self.shares = np.concatenate([np.append(strength[places] / np.sqrt(len(places) + 1), 1.0) for places in rows])
        self.lengths = np.array([len(places) + 1 for places in rows])
        self.starts = np.concatenate(([0], np.cumsum(self.lengths)[:-1]))
        self.size = (self.bias + 1 + directions.shape[1]) * wanted.shape[1]

    def look(self, flat: Matrix) -> tuple[float, Matrix]:
        """The loss of some weights, and its slope."""
        weights = flat.reshape(-1, self.wanted.shape[1])
        letters, meant = weights[: self.bias + 1], weights[self.bias + 1 :]
        points = np.stack([np.add.reduceat(self.shares * column[self.rows], self.starts) for column in letters.T], axis=1) + self.directions @ meant
        loss, error = _astray(points, self.wanted, self.often)
        blamed = [np.bincount(self.rows, self.shares * np.repeat(column, self.lengths), self.bias + 1) for column in error.T]
        slope = np.concatenate((np.stack(blamed, axis=1), self.directions.T @ error))
        return TRUST * loss + 0.5 * float(flat @ flat), np.asarray(TRUST * slope + weights, np.float64).ravel()


def _astray(points: Matrix, wanted: Matrix, often: Matrix) -> tuple[float, Matrix]:
    """How wrong points are about what is wanted of several, and in which direction."""
    losses, errors = one_of_many(points, wanted)
    return float((often * losses).sum()), errors * often[:, None]
