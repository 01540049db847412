"""The channel of names: BM25F over what the office calls a service and says about it.

Name and keywords weigh 1, the summary .3 (matching.md). It carries everything in a base without examples, and little in one that has them: the
keywords of an entry are one writer's guess, its examples are many residents' words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.hearing.rank.postings import Floats, Postings

STEEPNESS = 1.2
LENGTH = 0.75
KIND: Final[dict[str, float]] = {"w": 1.0, "s": 1.5, "d": 0.3, "k": 0.1, "3": 0.25, "2": 0.0, "a": 0.0, "t": 1.0}
"""Weight of each kind of sign here: `d` the dictionary's synonym groups, `k` one kanji of the name, `t` a word of a translation."""


@dataclass(frozen=True, slots=True)
class Field:
    """One part of every entry, as sign keys with repeats, and how much it weighs."""

    weight: float
    texts: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Names:
    """BM25F over fields."""

    postings: Postings
    idf: Floats
    """By row."""

    @classmethod
    def build(cls, fields: Sequence[Field], width: int) -> "Names":
        """From the fields of every entry, in the same order of entries."""
        weighed: dict[str, dict[int, float]] = {}
        for field in fields:
            lengths = np.array([len(keys) for keys in field.texts], float)
            usual = float(lengths[lengths > 0].mean()) if (lengths > 0).any() else 1.0
            for entry, keys in enumerate(field.texts):
                share = field.weight / (1 - LENGTH + LENGTH * len(keys) / usual)
                for key in keys:
                    entries = weighed.setdefault(key, {})
                    entries[entry] = entries.get(entry, 0.0) + share
        names = sorted(weighed)
        rows = np.array([row for row, key in enumerate(names) for _ in weighed[key]], np.int32)
        columns = np.array([entry for key in names for entry in sorted(weighed[key])], np.int32)
        summed = np.array([weighed[key][entry] for key in names for entry in sorted(weighed[key])], float)
        counts = np.array([len(weighed[key]) for key in names], float)
        idf = np.log1p((width - counts + 0.5) / (counts + 0.5)).clip(0.01) * np.array([KIND[key[0]] for key in names])
        strengths = (idf[rows] if len(rows) else summed) * summed * (STEEPNESS + 1) / (summed + STEEPNESS)
        return cls(Postings.of(names, rows, columns, strengths.astype(np.float32), width).thinned(), idf.astype(np.float32))

    def score(self, keys: Iterable[str]) -> Floats:
        """BM25F for every entry, divided by the message's own weight: of the size of the other channels."""
        asked = self.postings.vector(keys)
        mass = float(np.sqrt((self.idf[asked.rows] ** 2).sum()))
        return self.postings.score(asked) / np.float32(max(mass, 1.0))
