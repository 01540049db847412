"""How sure hearing may be. A raw score is no confidence: a logistic over eight features of the ranking is (matching.md).

Fitted leave-one-out on the base's own examples, against the same messages with the right entry taken away (`fit`); kept as plain numbers.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, isfinite, log1p
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.hearing.rank.postings import Floats


class Evidence(NamedTuple):
    """Features of one ranking."""

    best: float
    lead: float
    """Best minus second."""
    lead_of_three: float
    """Best minus fourth: how far the cards stand out."""
    above: float
    """Standard deviations of the best above all entries."""
    known: int
    """Narrow content words the base knows; broad ones (お金, 家族) do not count."""
    understood: float
    """Share of the narrow words that the base knows."""
    groups: int
    """Synonym groups met."""
    words: int

    def features(self) -> list[float]:
        counted = [log1p(self.known), self.understood, log1p(self.groups), log1p(self.words)]
        return [log1p(max(self.best, 0.0)), self.lead, self.lead_of_three, self.above, *counted]


FITTED: Final = (-2.249, (0.587, -0.266, 0.660, 0.212, -0.365, -0.956, -0.212, 0.286), 1.551)
"""Intercept, weights, temperature for the starter base; `knowledge calibrate` writes a town's own."""
FILE: Final = "confidence.json"
"""In a town's folder."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """Intercept and weights of the logistic, and the temperature that turns scores into shares."""

    intercept: float
    weights: tuple[float, ...]
    temperature: float

    @classmethod
    def usual(cls) -> "Confidence":
        return cls(*FITTED)

    @classmethod
    def of_town(cls, folder: Path) -> "Confidence":
        """What `knowledge calibrate` wrote into a town's folder; the usual one where it wrote nothing that can be read."""
        try:
            told = json.loads((folder / FILE).read_text(encoding="utf-8"))
            fitted = cls(float(told["intercept"]), tuple(map(float, told["weights"])), float(told["temperature"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls.usual()
        sound = len(fitted.weights) == len(FITTED[1]) and fitted.temperature > 0 and all(map(isfinite, (fitted.intercept, *fitted.weights)))
        return fitted if sound else cls.usual()

    def written(self) -> str:
        """As `of_town` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def sure(self, evidence: Evidence) -> float:
        """Chance, 0–1, that one of the first three is a right first door."""
        return self.of(evidence.features())

    def of(self, features: Sequence[float]) -> float:
        return 1 / (1 + exp(-(self.intercept + sum(weight * feature for weight, feature in zip(self.weights, features, strict=True)))))

    def chances(self, evidence: Evidence, totals: Floats, order: npt.NDArray[np.intp]) -> Floats:
        """Chance of each entry of `order`: the confidence shared out by score, most for the first."""
        if not len(order):
            return np.zeros(0, np.float32)
        shares = np.exp((totals[order] - totals[order[0]]) / np.float32(self.temperature))
        rivals = float(shares[1:3].sum())
        return np.asarray(self.sure(evidence) * shares / (1.0 + 0.5 * rivals), np.float32)


def fit_logistic(rows: Sequence[Sequence[float]], right: Sequence[bool], *, ridge: float = 1e-3, rounds: int = 50) -> tuple[float, tuple[float, ...]]:
    """Newton's method; deterministic. Rows are features, `right` what came true."""
    x = np.column_stack([np.ones(len(rows)), np.asarray(rows, float)])
    y = np.asarray(right, float)
    weights: npt.NDArray[Any] = np.zeros(x.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (chance - y) / len(y) + ridge * weights
        bend = (x * (chance * (1 - chance))[:, None]).T @ x / len(y) + ridge * np.eye(x.shape[1])
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), tuple(float(weight) for weight in weights[1:])
