"""The channel that holds back: an entry's `not_for`, sentences that look like it and belong elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.hearing.rank.examples import Examples
from knowledge.hearing.rank.postings import Floats, Postings, Vector

WEIGHT = 4.0
FROM = 0.35
"""Likeness from which a sentence holds an entry back; below it two sentences merely share a topic."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """`owner[sentence]` is the entry that the sentence is not for."""

    postings: Postings
    owner: tuple[int, ...]
    width: int

    @classmethod
    def build(cls, sentences: Sequence[tuple[int, Vector]], examples: Examples) -> "Refusals":
        """From (entry, vector of length one) of every sentence, over the rows of the examples."""
        rows = np.concatenate([vector.rows for _, vector in sentences]) if sentences else np.zeros(0, np.int32)
        columns = np.repeat(np.arange(len(sentences)), [len(vector.rows) for _, vector in sentences])
        weights = np.concatenate([vector.weights for _, vector in sentences]) if sentences else np.zeros(0, np.float32)
        order = np.lexsort((columns, rows))
        postings = Postings.of(list(examples.sums.rows), rows[order], columns[order].astype(np.int32), weights[order], max(len(sentences), 1))
        return cls(postings, tuple(entry for entry, _ in sentences), len(examples.lengths))

    def score(self, wanted: Vector) -> Floats:
        """What to take off every entry."""
        held = np.zeros(self.width, np.float32)
        if self.owner:
            alike = self.postings.score(wanted)
            for at in np.flatnonzero(alike > FROM):
                entry = self.owner[at]
                held[entry] = max(held[entry], WEIGHT * float(alike[at] - FROM))
        return held
