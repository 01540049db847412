"""What both ears are fitted with (danger_fit, aims_fit): features that lean to a side, how wrong points are, and the walk to the best weights."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

ROUNDS: Final = 40
REMEMBERED: Final = 8
ENOUGH: Final = 1e-4


def leaning(rows: Sequence[NDArray[np.integer]], wanted: Matrix, size: int) -> Matrix:
    """How far each of `size` features leans to one side, as the root of its log ratio: what stands on both sides alike is learned from less
    (naive Bayes as a weight, after Wang and Manning 2012; measured +.07 heard at 5 % false alarms). `rows` are the features of each sentence."""
    counts = np.ones((2, size))
    for places, side in zip(rows, wanted, strict=True):
        counts[int(side), places] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(np.sqrt(np.abs(np.log(shares[1] / shares[0]))))


def one_of_many(points: Matrix, wanted: Matrix) -> tuple[Matrix, Matrix]:
    """How wrong the points of each sentence are about shares that make up one, and in which direction."""
    top = points.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(points - top).sum(axis=1, keepdims=True))
    return total[:, 0] - (wanted * points).sum(axis=1), np.exp(points - total) - wanted


def lowest(at: Callable[[Matrix], tuple[float, Matrix]], place: Matrix, rounds: int = ROUNDS, enough: float = ENOUGH) -> Matrix:
    """Walks down to the lowest value, led by the last steps (L-BFGS, Nocedal 1980), until a step gains less than `enough` of it or after `rounds`."""
    value, slope = at(place)
    steps: deque[tuple[Matrix, Matrix]] = deque(maxlen=REMEMBERED)
    for _ in range(rounds):
        way = _downhill(slope, steps)
        far, fall = 1.0 if steps else 1 / float(np.linalg.norm(slope)), float(slope @ way)
        while True:
            there = place + far * way
            lower, new_slope = at(there)
            if lower <= value + 1e-4 * far * fall or far < 1e-9:
                break
            far /= 2
        steps.append((there - place, new_slope - slope))
        gained, place, value, slope = value - lower, there, lower, new_slope
        if gained < enough * abs(value):
            break
    return place


def _downhill(slope: Matrix, steps: Sequence[tuple[Matrix, Matrix]]) -> Matrix:
    way, shares = slope.copy(), []
    for step, bend in reversed(steps):
        shares.append(float(step @ way) / float(step @ bend))
        way -= shares[-1] * bend
    if steps:
        step, bend = steps[-1]
        way *= float(step @ bend) / float(bend @ bend)
    for (step, bend), share in zip(steps, reversed(shares), strict=True):
        way += (share - float(bend @ way) / float(step @ bend)) * step
    return -way
