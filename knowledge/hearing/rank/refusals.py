"""The channel that holds back: an entry's `not_for`, sentences that look like it and belong elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.hearing.rank.examples import Examples, Left
from knowledge.hearing.rank.postings import Floats, Postings, summed

WEIGHT = 4.0
FROM = 0.35
"""Likeness from which a sentence holds an entry back; below it two sentences merely share a topic."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """`owner[sentence]` is the entry that the sentence is not for."""

    owner: tuple[int, ...]

    @classmethod
    def build(cls, sentences: Sequence[tuple[int, Left]], examples: Examples) -> tuple["Refusals", Postings]:
        """From (entry, vector of length one) of every sentence; the postings, by sentence, lie in the rows of the examples."""
        width = len(sentences)
        rows = np.concatenate([np.zeros(0, np.intp), *(vector.rows for _, vector in sentences)])
        columns = np.repeat(np.arange(len(sentences)), [len(vector.rows) for _, vector in sentences])
        weights = np.concatenate([np.zeros(0, np.float32), *(vector.weights for _, vector in sentences)])
        postings = Postings.of(examples.sums.keys, *summed(rows, columns, weights, width), width)
        return cls(tuple(entry for entry, _ in sentences)), postings

    def hold_back(self, total: Floats, alike: Floats) -> None:
        """Take off, in place and for every row, what the likeness to each sentence takes off its entry."""
        held: dict[tuple[int, int], float] = {}
        for cell in (alike.ravel() > FROM).nonzero()[0].tolist():
            row, at = divmod(cell, len(self.owner))
            entry = (row, self.owner[at])
            held[entry] = max(held.get(entry, 0.0), WEIGHT * float(alike[row, at] - FROM))
        for entry, weight in held.items():
            total[entry] -= np.float32(weight)
