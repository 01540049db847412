"""The channel of neighbourhoods: which domain speaks like this message.

All examples of a domain are summed, so that a message that resembles no entry's examples still leans to the right family of entries
(measured: three points of first places). Silent for entries without a domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.hearing.rank.examples import Examples
from knowledge.hearing.rank.postings import Floats, Postings, Vector


@dataclass(frozen=True, slots=True)
class Domains:
    """`home[entry]` is the entry's domain number, −1 for none."""

    names: tuple[str, ...]
    home: npt.NDArray[np.int64]
    postings: Postings
    norms: Floats

    @classmethod
    def build(cls, homes: Sequence[str | None], examples: Examples) -> "Domains":
        """From the domain of every entry and the summed examples."""
        names = tuple(sorted({name for name in homes if name}))
        home = np.array([names.index(name) if name else -1 for name in homes], np.int64)
        sums = examples.sums
        rows = np.repeat(np.arange(len(sums.starts) - 1), np.diff(sums.starts))
        domains = home[sums.columns] if len(homes) else rows
        told = domains >= 0
        cells, inverse = np.unique(rows[told] * (len(names) + 1) + domains[told], return_inverse=True)
        totals = np.bincount(inverse, sums.weights[told], len(cells))
        columns = (cells % (len(names) + 1)).astype(np.int32)
        norms = np.sqrt(np.bincount(columns, totals**2, len(names) + 1)).clip(1e-9)
        postings = Postings.of(list(sums.rows), (cells // (len(names) + 1)).astype(np.int32), columns, totals / norms[columns], len(names) + 1)
        return cls(names, home, postings, norms.astype(np.float32))

    def score(self, wanted: Vector, *, left_entries: Sequence[int] = (), left: Vector | None = None) -> Floats:
        """Likeness to every domain, 0–1; the last column (no domain) is 0. `left` is the vector of an example to forget."""
        scores = self.postings.score(wanted)
        if left is not None:
            alike = float(np.dot(left.at(wanted.rows), wanted.weights))
            for entry in left_entries:
                if self.home[entry] >= 0:
                    scores[self.home[entry]] -= alike / self.norms[self.home[entry]]
        scores[len(self.names)] = 0.0
        return scores
