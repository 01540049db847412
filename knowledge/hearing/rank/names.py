"""The channel of names: BM25F over what the office calls a service and says about it.

Name and keywords weigh 1, the summary .3 (matching.md). It carries everything in a base without examples, and little in one that has them: the
keywords of an entry are one writer's guess, its examples are many residents' words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.postings import Floats, Postings, summed

STEEPNESS = 1.2
LENGTH = 0.75
KIND: Final[Floats] = np.zeros(keys.KINDS, np.float32)
"""Weight of each kind of sign here; two sounds and ages tell nothing of a name."""
KIND[[keys.WORD, keys.SYNONYM, keys.DICTIONARY, keys.KANJI, keys.THREE, keys.TRANSLATED]] = (1.0, 1.5, 0.3, 0.1, 0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Field:
    """One part of every entry, as keys with repeats, and how much it weighs."""

    weight: float
    texts: Sequence[Keys]


@dataclass(frozen=True, slots=True)
class Names:
    """How rare each sign is in names."""

    idf: Floats
    """By row of the vocabulary; 0 for a sign that no name has."""

    @classmethod
    def build(cls, fields: Sequence[Field], vocabulary: Keys, width: int) -> tuple["Names", Postings]:
        """From the fields of every entry, in the same order of entries; the postings are BM25F over fields."""
        shares, columns = [], []
        for field in fields:
            lengths = np.array([len(text) for text in field.texts], float)
            usual = float(lengths[lengths > 0].mean()) if (lengths > 0).any() else 1.0
            columns.append(np.repeat(np.arange(width), lengths.astype(int)))
            shares.append((field.weight / (1 - LENGTH + LENGTH * lengths / usual))[columns[-1]])
        told = np.concatenate([NO_KEYS, *(text for field in fields for text in field.texts)])
        telling = KIND[keys.kinds(told)] > 0
        rows = np.searchsorted(vocabulary, told[telling])
        rows, entries, weights = summed(rows, np.concatenate(columns)[telling], np.concatenate(shares)[telling], width)
        counts = np.bincount(rows, minlength=len(vocabulary))
        idf = np.log1p((width - counts + 0.5) / (counts + 0.5)).clip(0.01) * KIND[keys.kinds(vocabulary)] * (counts > 0)
        strengths = idf[rows] * weights * (STEEPNESS + 1) / (weights + STEEPNESS)
        return cls(idf.astype(np.float32)), Postings.of(vocabulary, rows, entries, strengths, width).thinned()
