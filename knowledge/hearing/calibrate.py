"""Fits the confidence to a base, by its own examples: each left out once, and once more with its own entry taken away.

The second half matters as much as the first: it shows what a message looks like that nothing in the base answers (制度の狭間). Deterministic.
Half of the examples fit, the other half is measured, so that the figures reported are honest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from knowledge.hearing.confidence import Confidence, fit_logistic
from knowledge.hearing.index import Index
from knowledge.hearing.language import language
from knowledge.hearing.rank.postings import best

CARDS = 3
FEWEST = 40
"""Examples from which a base is fitted."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and how well it does on the half it has not seen."""

    confidence: Confidence
    examples: int
    found: float
    """Share of examples whose entry is among the cards when the example is left out."""
    ranking: float
    """Area under the curve: chance that an answered message gets more confidence than an unanswerable one."""
    error: float
    """Expected calibration error, 0–1."""

    @property
    def enough(self) -> bool:
        return self.examples >= FEWEST


def calibrate(index: Index, examples: Iterable[str], *, every: int = 1) -> Calibration:
    """Fits over every `every`-th of the base's examples. A base with fewer than FEWEST keeps the usual numbers."""
    texts = sorted(set(examples))[::every] if len(index.ids) > CARDS else []
    if len(texts) < FEWEST:
        return Calibration(index.confidence, len(texts), 0.0, 0.0, 0.0)
    rows: list[list[float]] = []
    right: list[bool] = []
    margins: list[tuple[float, bool]] = []
    for text in texts:
        asked = index.ask(text, language(text))
        whole, owners = asked.whole(leave_out=text), index.owners(text)
        total = whole.scores.total
        order = best(total, CARDS)
        rows.append(whole.evidence.features())
        right.append(bool(set(owners) & set(order.tolist())))
        margins.append((float(total[order[0]] - total[order[1]]), int(order[0]) in owners))
        rows.append(asked.evidence(whole, np.delete(total, owners)).features())
        right.append(False)
    fitting = np.arange(len(rows)) // 2 % 2 == 0
    halves = list(zip(rows, right, fitting, strict=True))
    intercept, weights = fit_logistic([row for row, _, fits in halves if fits], [good for _, good, fits in halves if fits])
    confidence = Confidence(intercept, weights, _temperature(margins))
    seen = [(confidence.of(row), good) for row, good, fits in halves if not fits]
    return Calibration(confidence, len(texts), float(np.mean(right[::2])), _ranking(seen), _error(seen))


def _temperature(margins: list[tuple[float, bool]]) -> float:
    """Scale at which the lead of the first over the second tells best which of the two is right."""
    choices = np.geomspace(0.05, 2.0, 30)
    leads = np.array([lead for lead, _ in margins])
    first = np.array([good for _, good in margins])
    losses = [-np.log(np.where(first, 1 / (1 + np.exp(-leads / choice)), 1 - 0.999 / (1 + np.exp(-leads / choice)))).mean() for choice in choices]
    return float(choices[int(np.argmin(losses))])


def _ranking(seen: list[tuple[float, bool]]) -> float:
    order = np.argsort([chance for chance, _ in seen], kind="stable")
    good = np.array([good for _, good in seen])[order]
    places = np.flatnonzero(good) + 1
    positives, negatives = len(places), len(good) - len(places)
    return float((places.sum() - positives * (positives + 1) / 2) / max(positives * negatives, 1))


def _error(seen: list[tuple[float, bool]], bins: int = 10) -> float:
    chances = np.array([chance for chance, _ in seen])
    good = np.array([good for _, good in seen], float)
    which = np.minimum((chances * bins).astype(int), bins - 1)
    parts = [which == part for part in range(bins) if (which == part).any()]
    return float(sum(abs(chances[part].mean() - good[part].mean()) * part.mean() for part in parts))
