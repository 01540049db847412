"""The channel of neighbourhoods: which domain speaks like this message.

All examples of a domain are summed, so that a message that resembles no entry's examples still leans to the right family of entries
(measured: three points of first places). Silent for entries without a domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.hearing.rank.examples import Examples, Left
from knowledge.hearing.rank.postings import Floats, Places, Postings, summed


@dataclass(frozen=True, slots=True)
class Domains:
    """`home[entry]` is the entry's domain number, the last one for none."""

    home: Places
    norms: Floats

    @classmethod
    def build(cls, homes: Sequence[str | None], examples: Examples) -> tuple["Domains", Postings]:
        """From the domain of every entry and the summed examples; the postings, by domain, lie in the rows of the examples."""
        number = {name: at for at, name in enumerate(sorted({name for name in homes if name}))}
        none = len(number)
        home = np.array([number[name] if name else none for name in homes], np.intp)
        sums = examples.sums
        rows = np.repeat(np.arange(len(sums.keys)), np.diff(sums.starts))
        domains = home[sums.columns]
        told = domains < none
        rows, columns, totals = summed(rows[told], domains[told], sums.weights[told], none + 1)
        norms = np.sqrt(np.bincount(columns, totals**2, none + 1)).clip(1e-9)
        return cls(home, norms.astype(np.float32)), Postings.of(sums.keys, rows, columns, totals / norms[columns], none + 1)

    def forget(self, near: Floats, rows: Places, wanted: Floats, owners: Sequence[int], left: Left) -> None:
        """Take an example of `owners` out of the likeness to their domains, in place."""
        alike = float(np.dot(left.at(rows), wanted))
        for entry in owners:
            if self.home[entry] < len(near) - 1:
                near[self.home[entry]] -= alike / self.norms[self.home[entry]]
